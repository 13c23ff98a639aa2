from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from likely.data.images.decode import read_image
from likely.data.sources import open_dataset
from likely.data.test_part import with_test_part
from likely.errors import DataError, ImageError

RNG = np.random.default_rng(0)


def fill(folder: Path, *classes: str, n: int = 3, mode: str = "L", size: tuple[int, int] = (12, 10)) -> Path:
    for label in classes:
        (folder / label).mkdir(parents=True, exist_ok=True)
        for i in range(n):
            noise = RNG.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
            Image.fromarray(noise).convert(mode).save(folder / label / f"{i}.PNG")
    return folder


def test_class_folders(tmp_path: Path) -> None:
    fill(tmp_path, "sandal", "Ankle boot", "größe 40 <b>")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "sandal" / "notes.txt").write_text("not an image")
    (tmp_path / "readme.txt").write_text("beside the classes")
    dataset = open_dataset(tmp_path)
    assert dataset.labels == ("Ankle boot", "größe 40 <b>", "sandal")
    assert dataset.train.X.shape == (9, 10, 12)
    assert dataset.train.y.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert dataset.test is None
    assert (dataset.hflip, dataset.conversion) == (False, None)
    assert dataset.train.paths is not None
    for X, path in zip(dataset.train.X, dataset.train.paths, strict=True):
        np.testing.assert_array_equal(X, np.asarray(Image.open(path)))


def test_train_and_test_folders(tmp_path: Path) -> None:
    fill(tmp_path / "train", "a", "b", "c")
    fill(tmp_path / "test", "c", "a", n=2)
    fill(tmp_path / "val", "a")
    dataset = open_dataset(tmp_path)
    assert dataset.test is not None
    assert dataset.test.y.tolist() == [0, 0, 2, 2]
    assert dataset.val is not None
    assert dataset.val.y.tolist() == [0, 0, 0]
    assert dataset.notes == ()


def test_one_color_image_makes_all_color(tmp_path: Path) -> None:
    fill(tmp_path, "a")
    fill(tmp_path, "b", mode="RGB")
    assert open_dataset(tmp_path).train.X.shape == (6, 10, 12, 3)


def test_sizes_are_made_one_on_request(tmp_path: Path) -> None:
    fill(tmp_path, "a")
    fill(tmp_path, "b", size=(30, 20))
    dataset = open_dataset(tmp_path)
    assert dataset.train.X.shape == (6, 15, 21)
    assert "2 sizes, from 10 x 12 to 20 x 30: all are resized to 15 x 21, the median" in dataset.notes[0]
    assert open_dataset(tmp_path, image_size=16).train.X.shape == (6, 16, 16)


def test_subfolders_of_a_class_belong_to_it(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b", "b/2019", "b/2020")
    (tmp_path / "b" / "circle").symlink_to(tmp_path / "b", target_is_directory=True)
    assert np.bincount(open_dataset(tmp_path).train.y).tolist() == [3, 9]


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    open_dataset(fill(tmp_path, "a", "b"), progress=lambda *step: told.append(step))
    assert told[-1] == ("decoding images", 6, 6)


def test_an_empty_folder_and_images_without_classes(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"must hold class folders.*one folder per class"):
        open_dataset(tmp_path)
    (tmp_path / "photos.zip").write_bytes(b"PK\x03\x04" + bytes(40))
    with pytest.raises(DataError, match=r"got neither images nor class folders, but 'photos\.zip'"):
        open_dataset(tmp_path)
    with pytest.raises(ImageError, match=r"a zip archive.*Try unpacking it"):
        read_image(tmp_path / "photos.zip", shape=(4, 4))
    Image.new("L", (4, 4)).save(tmp_path / "1.png")
    with pytest.raises(DataError, match="must hold class folders"):
        open_dataset(tmp_path)


def test_one_class_and_an_empty_class(tmp_path: Path) -> None:
    fill(tmp_path, "boots")
    with pytest.raises(DataError, match="got only one: 'boots'"):
        open_dataset(tmp_path)
    (tmp_path / "bags").mkdir()
    with pytest.raises(DataError, match="got none in 'bags'"):
        open_dataset(tmp_path)


def test_a_test_class_that_was_never_learned(tmp_path: Path) -> None:
    fill(tmp_path / "train", "a", "b")
    fill(tmp_path / "test", "a", "z")
    with pytest.raises(DataError, match="got 'z' besides"):
        open_dataset(tmp_path)


def test_images_that_can_not_be_read_are_named(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b", n=9)
    for i in range(7):
        (tmp_path / "a" / f"{i}.PNG").write_bytes(b"not an image")
    with pytest.raises(DataError, match="a text file") as raised:
        open_dataset(tmp_path)
    assert str(tmp_path / "a" / "0.PNG") in str(raised.value)
    assert "(and 2 more)" in str(raised.value)


def test_constant_images(tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / label).mkdir()
        Image.new("L", (4, 4), 9).save(tmp_path / label / "1.png")
    with pytest.raises(DataError, match="all a single color"):
        open_dataset(tmp_path)


def test_links_that_lead_back_up_bring_nothing_in(tmp_path: Path) -> None:
    fill(tmp_path / "data", "a", "b")
    (tmp_path / "data" / "circle").symlink_to(tmp_path / "data", target_is_directory=True)
    (tmp_path / "data" / "a" / "up").symlink_to(tmp_path, target_is_directory=True)
    dataset = open_dataset(tmp_path / "data")
    assert dataset.labels == ("a", "b")
    assert np.bincount(dataset.train.y).tolist() == [3, 3]


def test_a_class_may_be_a_link_to_somewhere_else(tmp_path: Path) -> None:
    fill(tmp_path / "elsewhere", "boots")
    fill(tmp_path / "data", "a")
    (tmp_path / "data" / "b").symlink_to(tmp_path / "elsewhere" / "boots", target_is_directory=True)
    assert open_dataset(tmp_path / "data").labels == ("a", "b")


def test_accents_written_in_two_ways_are_one_label(tmp_path: Path) -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    fill(tmp_path / "train", composed, "b")
    fill(tmp_path / "test", decomposed, "b")
    dataset = open_dataset(tmp_path)
    assert dataset.labels == ("b", composed)
    assert dataset.test is not None
    assert dataset.test.y.tolist() == [0, 0, 0, 1, 1, 1]
    fill(tmp_path / "train", decomposed)
    with pytest.raises(DataError, match="twice, with differently encoded accents"):
        open_dataset(tmp_path)


def test_parts_in_other_spellings(tmp_path: Path) -> None:
    fill(tmp_path / "training", "a", "b")
    fill(tmp_path / "validation", "a", n=2)
    dataset = open_dataset(tmp_path)
    assert dataset.val is not None
    assert (len(dataset.train), len(dataset.val), dataset.test) == (6, 2, None)


def test_folders_beside_the_parts_and_parts_without_training(tmp_path: Path) -> None:
    fill(tmp_path / "one" / "train", "a", "b")
    fill(tmp_path / "one", "c")
    with pytest.raises(DataError, match=r"got 'c' beside train/"):
        open_dataset(tmp_path / "one")
    fill(tmp_path / "two" / "test", "a", "b")
    fill(tmp_path / "two" / "valid", "a", "b")
    with pytest.raises(DataError, match=r"must hold train/ with class folders beside valid/"):
        open_dataset(tmp_path / "two")
    # A class may have such a name.
    fill(tmp_path / "three", "test", "other")
    assert open_dataset(tmp_path / "three").labels == ("other", "test")


def test_a_part_or_class_without_a_readable_image(tmp_path: Path) -> None:
    fill(tmp_path / "train", "a", "b")
    fill(tmp_path / "test", "a", n=1)
    (tmp_path / "test" / "a" / "0.PNG").write_text("x")
    with pytest.raises(DataError, match="test must hold an image that can be read"):
        open_dataset(tmp_path, skip_bad=True)
    fill(tmp_path / "test", "a", n=1)
    for path in (tmp_path / "train" / "b").iterdir():
        path.write_text("x")
    with pytest.raises(DataError, match="got none in 'b'"):
        open_dataset(tmp_path, skip_bad=True)


def test_images_that_can_not_be_read_are_skipped_on_request(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b")
    (tmp_path / "a" / "1.PNG").write_text("x")
    dataset = open_dataset(tmp_path, skip_bad=True)
    assert dataset.train.y.tolist() == [0, 0, 1, 1, 1]
    assert dataset.train.paths is not None
    assert [Path(path).name for path in dataset.train.paths] == ["0.PNG", "2.PNG", "0.PNG", "1.PNG", "2.PNG"]
    assert "1 of 6 images could not be read and were skipped" in dataset.notes[0]
    assert str(tmp_path / "a" / "1.PNG") in dataset.notes[0]


def test_a_class_of_one_image_each_learns_only(tmp_path: Path) -> None:
    fill(tmp_path / "single", "a", "b", "c", n=1)
    with pytest.raises(DataError, match="must have a class with at least two rows"):
        with_test_part(open_dataset(tmp_path / "single"), seed=0)
