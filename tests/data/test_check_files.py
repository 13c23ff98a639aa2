"""A folder, or a table, of images with every kind of fault: each is found, with its path, and no clean file is."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from likely.config import RunConfig
from likely.data.check import Checked, Finding, check_source
from likely.data.dataset import Dataset
from likely.data.sources import open_dataset
from likely.errors import ConfigError, DataError

CLASSES = {"bag": 8, "boot": 9, "shirt": 6}


@pytest.fixture(scope="module")
def clean(fashion: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """train/ and test/ with forty and twenty-five images of each of three classes, real ones."""
    root = tmp_path_factory.mktemp("clean")
    assert fashion.test is not None
    for label, number in CLASSES.items():
        rows = np.flatnonzero(fashion.test.y == number)
        for part, some in (("train", rows[:40]), ("test", rows[40:65])):
            (root / part / label).mkdir(parents=True)
            for i, row in enumerate(some):
                Image.fromarray(fashion.test.X[row]).save(root / part / label / f"{i:02}.png")
    return root


@pytest.fixture
def folder(clean: Path, tmp_path: Path) -> Path:
    return shutil.copytree(clean, tmp_path / "data")


def by_kind(checked: Checked) -> dict[str, Finding]:
    return {finding.kind: finding for finding in checked.findings}


def paths(finding: Finding) -> list[list[str]]:
    return [[place.name for place in group] for group in finding.groups]


def one(folder: Path, **options: object) -> Finding:
    """The only finding."""
    found = check_source(RunConfig(data=str(folder), **options)).findings  # type: ignore[arg-type]
    assert [finding.kind for finding in found] == [found[0].kind], [f.message for f in found]
    return found[0]


def turned(image: Image.Image, degrees: float = 20) -> Image.Image:
    """Another image than the one it is made from."""
    return image.rotate(degrees)


def test_a_clean_folder_has_no_findings(clean: Path) -> None:
    checked = check_source(clean)
    assert list(checked.findings) == []
    assert checked.shape == (28, 28)
    assert checked.rows is not None
    assert checked.rows.class_counts()["test"] == {"bag": 25, "boot": 25, "shirt": 25}


def test_every_unreadable_file(folder: Path) -> None:
    boots = folder / "train" / "boot"
    whole = (boots / "01.png").read_bytes()
    (boots / "cut.png").write_bytes(whole[: len(whole) // 2])
    (boots / "empty.jpg").write_bytes(b"")
    (boots / "text.GIF").write_text("hello")
    (folder / "test" / "bag" / "zip.png").write_bytes(b"PK\x03\x04 and so on")
    finding = one(folder)
    assert (finding.kind, finding.severity) == ("unreadable", "error")
    assert paths(finding) == [
        ["train/boot/cut.png"],
        ["train/boot/empty.jpg"],
        ["train/boot/text.GIF"],
        ["test/bag/zip.png"],
    ]
    assert [group[0].detail for group in finding.groups][1:] == [
        "0 bytes",
        "a text file",
        "a zip archive or an office document",
    ]
    with pytest.raises(DataError):
        open_dataset(folder)
    skipping = one(folder, skip_bad=True)
    assert skipping.severity == "warning"
    assert len(open_dataset(folder, skip_bad=True).train) == 120


def test_copies_under_other_names_and_formats(folder: Path) -> None:
    shutil.copy(folder / "train/boot/03.png", folder / "test/boot/copy.PNG")
    Image.open(folder / "train/bag/05.png").convert("RGB").save(folder / "train/shirt/x.bmp")
    shutil.copy(folder / "train/bag/06.png", folder / "train/bag/again.png")
    Image.open(folder / "train/shirt/07.png").save(folder / "test/shirt/again.jpg", quality=95)
    found = by_kind(check_source(folder))
    assert list(found) == ["leak", "conflict", "near-leak", "odd-mode", "duplicates"]
    assert paths(found["leak"]) == [["train/boot/03.png", "test/boot/copy.PNG"]]
    assert paths(found["conflict"]) == [["train/bag/05.png", "train/shirt/x.bmp"]]
    assert paths(found["duplicates"]) == [["train/bag/06.png", "train/bag/again.png"]]
    assert paths(found["near-leak"]) == [["train/shirt/07.png", "test/shirt/again.jpg"]]


def test_a_resized_copy_is_found_though_sizes_differ(folder: Path) -> None:
    Image.open(folder / "train/bag/05.png").resize((56, 56), Image.Resampling.NEAREST).save(folder / "test/bag/big.png")
    found = by_kind(check_source(folder))
    assert list(found) == ["near-leak", "sizes"]
    assert found["sizes"].severity == "note"
    assert [group[0].detail for group in found["sizes"].groups] == ["28 x 28, as 195 in all", "56 x 56, as 1 in all"]
    assert found["sizes"].message == open_dataset(folder).notes[0]
    assert "all are resized to 28 x 28, the median (--image-size SIDE" in found["sizes"].message
    assert paths(found["near-leak"]) == [["train/bag/05.png", "test/bag/big.png"]]
    assert check_source(folder).shape == open_dataset(folder).train.X.shape[1:]
    assert "sizes" not in by_kind(check_source(RunConfig(data=str(folder), image_size=28)))


def odd_size(folder: Path) -> None:
    turned(Image.open(folder / "train/boot/09.png").resize((99, 99))).save(folder / "train/boot/x.png")


def odd_shape(folder: Path) -> None:
    turned(Image.open(folder / "train/boot/09.png")).resize((60, 20)).save(folder / "train/boot/x.png")


def color(folder: Path) -> None:
    turned(Image.open(folder / "train/boot/09.png")).convert("RGB").save(folder / "train/boot/x.png")


def transparent(folder: Path) -> None:
    image = turned(Image.open(folder / "train/boot/09.png")).convert("LA")
    image.putalpha(Image.fromarray(np.tri(28).astype(np.uint8) * 255))
    image.save(folder / "train/boot/x.png")


def sixteen_bits(folder: Path) -> None:
    levels = np.asarray(turned(Image.open(folder / "train/boot/09.png"))).astype(np.uint16) * 257
    Image.fromarray(levels).save(folder / "train/boot/x.png")


def pages(folder: Path) -> None:
    first, second = (turned(Image.open(folder / f"train/boot/{name}.png"), 30) for name in ("09", "10"))
    first.save(folder / "train/boot/x.png", format="TIFF", save_all=True, append_images=[second])


def exif(folder: Path) -> None:
    data = Image.Exif()
    data[0x0112] = 6
    Image.open(folder / "train/boot/09.png").save(folder / "train/boot/x.png", format="JPEG", exif=data)


def one_color(folder: Path) -> None:
    Image.new("L", (28, 28), 200).save(folder / "train/boot/x.png")


@pytest.mark.parametrize(
    ("plant", "kind", "options"),
    [
        (odd_size, "odd-size", {"image_size": 28}),
        (odd_shape, "odd-size", {"image_size": 28}),
        (color, "odd-mode", {}),
        (transparent, "transparent", {}),
        (sixteen_bits, "deep", {}),
        (pages, "animated", {}),
        (exif, "turned", {}),
        (one_color, "constant", {}),
    ],
)
def test_one_odd_file(folder: Path, plant: Callable[[Path], None], kind: str, options: dict[str, int]) -> None:
    plant(folder)
    finding = one(folder, **options)
    assert finding.kind == kind
    assert paths(finding) == [["train/boot/x.png"]]
    assert finding.severity != "error"
    open_dataset(folder, **options)  # type: ignore[arg-type]


def test_an_opaque_alpha_channel_is_not_transparent(folder: Path) -> None:
    turned(Image.open(folder / "train/boot/09.png")).convert("LA").save(folder / "train/boot/x.png")
    assert list(check_source(folder).findings) == []


def test_folders_without_images_and_classes_that_were_never_learned(folder: Path) -> None:
    (folder / "train" / "hat").mkdir()
    (folder / "test" / "sock").mkdir()
    shutil.copy(folder / "test/boot/01.png", folder / "test/sock/01.png")
    (folder / "train/boot/photo.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    (folder / "train/boot/.hidden.txt").write_text("")
    found = by_kind(check_source(folder))
    assert paths(found["empty-class"]) == [["train/hat"]]
    assert paths(found["unseen-class"]) == [["test/sock"]]
    assert paths(found["no-image"]) == [["train/boot/photo.HEIC"]]
    assert "pip install pillow-heif" in found["no-image"].advice
    assert {finding.kind for finding in found.values()} == {"empty-class", "unseen-class", "no-image"}


def test_a_class_of_which_nothing_can_be_read(folder: Path) -> None:
    for path in (folder / "train" / "boot").iterdir():
        path.write_bytes(b"")
    found = by_kind(check_source(RunConfig(data=str(folder), skip_bad=True)))
    assert found["unreadable-class"].severity == "error"
    assert len(found["unreadable"].groups) == 40
    with pytest.raises(DataError):
        open_dataset(folder, skip_bad=True)


def test_few_examples_and_one_class(tmp_path: Path, clean: Path) -> None:
    shutil.copytree(clean / "train" / "boot", tmp_path / "boot")
    assert one(tmp_path).kind == "one-class"
    (tmp_path / "hat").mkdir()
    for i in range(4):
        shutil.copy(clean / f"train/bag/0{i}.png", tmp_path / "hat")
    found = by_kind(check_source(tmp_path))
    assert list(found) == ["few", "balance"]
    assert found["few"].groups[0][0].detail == "4 examples"


def test_what_fit_would_refuse_is_an_error(tmp_path: Path, clean: Path) -> None:
    with pytest.raises((ConfigError, DataError)):
        check_source("no-such-set")
    assert not check_source(tmp_path).findings.fit_would_work
    (tmp_path / "stray").mkdir()
    shutil.copytree(clean / "train", tmp_path / "train")
    checked = check_source(tmp_path)
    assert [finding.kind for finding in checked.findings] == ["refused"]
    assert "stray" in checked.findings[0].message


def test_thumbnails_for_the_page_are_the_images_themselves(folder: Path) -> None:
    odd_size(folder)
    checked = check_source(folder)
    for finding in checked.findings:
        for group in finding.groups:
            image = checked.image(group[0])
            assert image is not None
            np.testing.assert_array_equal(image, np.asarray(Image.open(folder / group[0].name)))


def test_a_table_of_paths(folder: Path) -> None:
    listed = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))
    rows = [f"{name},{name.split('/')[1]},{name.split('/')[0]}" for name in listed]
    (folder / "images.csv").write_text("\n".join(["file,label,split", *rows]))
    assert list(check_source(folder / "images.csv").findings) == []
    (folder / "train/boot/03.png").write_bytes(b"")
    (folder / "train/bag/04.png").unlink()
    shutil.copy(folder / "train/boot/05.png", folder / "test/boot/06.png")
    color_of = folder / "train/shirt/07.png"
    turned(Image.open(color_of)).convert("RGB").save(color_of)
    checked = check_source(folder / "images.csv")
    found = by_kind(checked)
    assert list(found) == ["unreadable", "leak", "odd-mode"]
    assert sorted(paths(found["unreadable"])) == [["train/bag/04.png"], ["train/boot/03.png"]]
    assert paths(found["leak"]) == [["train/boot/05.png", "test/boot/06.png"]]
    assert checked.image(found["odd-mode"].groups[0][0]) is not None

    (folder / "odd.csv").write_text("\n".join(["file,label,split", *rows, "test/bag/01.png,sock,test"]))
    found = by_kind(check_source(RunConfig(data=str(folder / "odd.csv"), skip_bad=True)))
    assert "'sock'" in found["unseen-class"].message
    assert found["unreadable"].severity == "warning"


def test_images_as_bytes_in_a_table(fashion: Dataset, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def png(image: np.ndarray) -> bytes:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "PNG")
        return file.getvalue()

    data = [png(image) for image in fashion.train.X[:60]]
    data[7], data[9] = b"broken", data[8]
    labels = ["even", "odd"] * 30
    pq.write_table(pa.table({"image": data, "label": labels}), tmp_path / "t.parquet")
    found = by_kind(check_source(tmp_path / "t.parquet"))
    assert paths(found["unreadable"]) == [["t.parquet, row 7"]]
    assert [[place.label for place in group] for group in found["conflict"].groups] == [["even", "odd"]]
