"""What `fit` learns from and what `check` looks at are the same files, whatever links and strays a folder holds."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from likely.config import RunConfig
from likely.data.check import check_source
from likely.data.dataset import Dataset
from likely.data.images.paths_and_globs import find_images
from likely.data.sources import open_dataset
from likely.errors import DataError

N = 6


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """data/a and data/b with N different images each."""
    for number, label in enumerate("ab"):
        (tmp_path / "data" / label).mkdir(parents=True)
        for i in range(N):
            save(tmp_path / "data" / label / f"{i:02}.png", 100 * number + i)
    return tmp_path / "data"


def save(path: Path, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (12, 12), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def files(dataset: Dataset | None) -> dict[str, list[tuple[str, str]]]:
    """Path and label of the rows of each part."""
    assert dataset is not None
    parts = {"train": dataset.train, "val": dataset.val, "test": dataset.test}
    return {
        name: [(path, dataset.labels[label]) for path, label in zip(part.paths or (), part.y, strict=True)]
        for name, part in parts.items()
        if part is not None
    }


def to_itself(folder: Path) -> None:
    (folder / "circle").symlink_to(folder, target_is_directory=True)
    (folder / "a" / "deep" / "circle").symlink_to(folder / "a", target_is_directory=True)


def to_the_folder_above(folder: Path) -> None:
    (folder / "up").symlink_to("..", target_is_directory=True)
    (folder / "a" / "up").symlink_to(folder, target_is_directory=True)


def from_a_class_to_another_one(folder: Path) -> None:
    (folder / "a" / "more").symlink_to("../b", target_is_directory=True)


def to_nowhere(folder: Path) -> None:
    (folder / "gone").symlink_to(folder / "nowhere", target_is_directory=True)
    (folder / "a" / "gone").symlink_to(folder / "nowhere")
    (folder / "loop").symlink_to("loop")
    (folder / "a" / "loop").symlink_to("loop")


def hidden(folder: Path) -> None:
    (folder / ".git").mkdir()
    save(folder / ".git" / "1.png", 7)
    save(folder / "a" / ".1.png", 7)


def around_outside(folder: Path) -> None:
    """A class that is a link to a folder that leads back, and once more to itself."""
    outside = folder.parent / "outside"
    outside.mkdir()
    for i in range(N):
        save(outside / f"{i}.png", 200 + i)
    (outside / "back").symlink_to(folder, target_is_directory=True)
    (outside / "again").symlink_to(outside, target_is_directory=True)
    (folder / "c").symlink_to(outside, target_is_directory=True)


@pytest.mark.parametrize(
    "plant", [to_itself, to_the_folder_above, from_a_class_to_another_one, to_nowhere, hidden, around_outside]
)
def test_fit_and_check_see_the_same_files(folder: Path, plant: Callable[[Path], None]) -> None:
    (folder / "a" / "deep").mkdir()
    save(folder / "a" / "deep" / "1.png", 300)
    plant(folder)
    checked, dataset = check_source(folder), open_dataset(folder)
    assert files(checked.dataset) == files(dataset)
    assert dataset.labels == (("a", "b", "c") if plant is around_outside else ("a", "b"))
    assert np.bincount(dataset.train.y)[:2].tolist() == [N + 1, N]
    assert list(checked.findings) == []
    assert dataset.notes == ()


def test_prediction_sees_the_files_that_fit_sees(folder: Path) -> None:
    to_itself_first = folder / "b" / "circle"
    to_itself_first.symlink_to(folder, target_is_directory=True)
    assert [found.name for found in find_images([folder]).found] == [p for p, _ in files(open_dataset(folder))["train"]]


def test_a_link_to_another_class_is_left_out_with_a_note(folder: Path) -> None:
    (folder / "c").symlink_to("b", target_is_directory=True)
    checked, dataset = check_source(folder), open_dataset(folder)
    assert files(checked.dataset) == files(dataset)
    assert dataset.labels == ("a", "b")
    assert [(finding.kind, finding.severity) for finding in checked.findings] == [("link", "note")]
    assert [place.name for place in checked.findings[0].groups[0]] == ["c"]
    assert str(folder / "c") in dataset.notes[0]


def test_a_link_into_a_hidden_folder_is_followed(folder: Path) -> None:
    (folder / ".store").mkdir()
    (folder / "b").rename(folder / ".store" / "b")
    (folder / "b").symlink_to(".store/b", target_is_directory=True)
    assert files(check_source(folder).dataset) == files(open_dataset(folder))
    assert open_dataset(folder).labels == ("a", "b")


def test_a_folder_that_can_not_be_read_is_an_error_of_both(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a" / "secret").mkdir()
    scandir = os.scandir

    def refused(path: str) -> object:
        if Path(path).name == "secret":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
    for skip_bad in (False, True):
        with pytest.raises(DataError, match="secret must be readable; got: Permission denied"):
            open_dataset(folder, skip_bad=skip_bad)
        (finding,) = check_source(RunConfig(data=str(folder), skip_bad=skip_bad)).findings
        assert (finding.kind, finding.severity) == ("unreadable-folder", "error")
        assert [place.name for place in finding.groups[0]] == ["a/secret"]


def test_files_that_are_left_out_are_named(folder: Path) -> None:
    for name in ("x.heic", "y.avif", "z"):
        (folder / "a" / name).write_bytes(b"\0")
    checked, dataset = check_source(folder), open_dataset(folder)
    assert files(checked.dataset) == files(dataset)
    assert [finding.kind for finding in checked.findings] == ["no-image"]
    assert "3 files were skipped" in dataset.notes[0]
    assert str(folder / "a" / "x.heic") in dataset.notes[0]
    assert [path.name for path in find_images([folder]).others] == ["x.heic", "y.avif", "z"]


@pytest.mark.parametrize("names", [("Train", "Test"), ("TRAIN", "VAL"), ("Training", "Testing")])
def test_parts_in_capital_letters(folder: Path, tmp_path: Path, names: tuple[str, str]) -> None:
    for name in names:
        (tmp_path / "all" / name).mkdir(parents=True)
    folder.joinpath("a").rename(tmp_path / "all" / names[0] / "a")
    folder.joinpath("b").rename(tmp_path / "all" / names[0] / "b")
    (tmp_path / "all" / names[1] / "a").mkdir()
    for i in range(N):
        save(tmp_path / "all" / names[1] / "a" / f"{i}.png", 400 + i)
    dataset = open_dataset(tmp_path / "all")
    assert dataset.labels == ("a", "b")
    assert len(dataset.val if names[1] == "VAL" else dataset.test) == N  # type: ignore[arg-type]
    assert files(check_source(tmp_path / "all").dataset) == files(dataset)


def test_parts_in_folders_of_their_name(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "all" / "seg_pred" / "seg_pred").mkdir(parents=True)
    (tmp_path / "all" / "seg_train").mkdir()
    shutil.copytree(folder / "a", tmp_path / "all" / "seg_test" / "seg_test" / "a")
    folder.rename(tmp_path / "all" / "seg_train" / "seg_train")
    dataset = open_dataset(tmp_path / "all")
    assert (dataset.labels, len(dataset.test or ())) == (("a", "b"), N)
    assert "Folders of images without labels were skipped: " in dataset.notes[0]
    checked = check_source(tmp_path / "all")
    assert files(checked.dataset) == files(dataset)
    assert "without-labels" in [finding.kind for finding in checked.findings]


def test_images_without_a_class_are_said(folder: Path, tmp_path: Path) -> None:
    """As competitions give them out: train/ with class folders, test/ to be answered; and what was left beside them."""
    folder = folder.rename(tmp_path / "train").parent
    (folder / "test").mkdir()
    for number, name in enumerate(("test/1.png", "train/1.png", "2.png")):
        save(folder / name, 500 + number)
    checked, dataset = check_source(folder), open_dataset(folder)
    assert files(checked.dataset) == files(dataset)
    assert (dataset.labels, len(dataset.train), dataset.test) == (("a", "b"), 2 * N, None)
    labelless, loose = dataset.notes
    assert labelless == f"Folders of images without labels were skipped: {str(folder / 'test')!r}."
    assert (
        loose == f"Images in no class folder were skipped: {str(folder / '2.png')!r}, {str(folder / 'train/1.png')!r}."
    )
    assert [finding.kind for finding in checked.findings] == ["without-labels", "no-class"]


def test_a_class_may_be_called_like_a_part(folder: Path) -> None:
    (folder / "b").rename(folder / "Train")
    assert open_dataset(folder).labels == ("Train", "a")
    (folder / "a").rename(folder / "test_tube")
    assert open_dataset(folder).labels == ("Train", "test_tube")


def test_a_class_whose_name_is_no_utf_8_is_refused(folder: Path) -> None:
    (folder / "b").rename(folder / os.fsdecode(b"h\xf4t"))
    with pytest.raises(DataError, match=r"names in UTF-8; got .*h\\udcf4t"):
        open_dataset(folder)
    assert not check_source(folder).findings.fit_would_work


def test_fit_and_check_see_the_same_rows_of_a_table(folder: Path) -> None:
    rows = [f"{part}/{i:02}.png,{part},{'test' if i == 5 else 'train'}" for part in "ab" for i in range(N)]
    lines = ["file,label,split", "gone.png,a,train", "../../etc/1.png,b,train", *rows, ",a,train"]
    (folder / "t.csv").write_text("\n".join(lines))
    table = folder / "t.csv"
    checked = check_source(RunConfig(data=str(table), skip_bad=True))
    dataset = open_dataset(table, skip_bad=True)
    assert files(checked.dataset) == files(dataset)
    assert [len(part) for part in files(dataset).values()] == [2 * N - 2, 2]
    (unreadable,) = [finding for finding in checked.findings if finding.kind == "unreadable"]
    assert len(unreadable.groups) == 3
