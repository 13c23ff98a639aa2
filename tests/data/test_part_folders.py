from pathlib import Path

import pytest

from likely.data.images.class_folder import FolderScan, scan_class_folder
from likely.data.images.paths_and_globs import find_images
from likely.errors import DataError


def scan(root: Path, *folders: str, group_by_folder: bool = False) -> FolderScan:
    for folder in folders:
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / "0.png").write_bytes(b"")
    return scan_class_folder(root, group_by_folder=group_by_folder)


@pytest.mark.parametrize(
    ("train", "other", "part"),
    [
        ("Train", "Test", "test"),
        ("TRAIN", "VAL", "val"),
        ("Training", "Testing", "test"),
        ("seg_train/seg_train", "seg_test/seg_test", "test"),
        ("train_set", "Valid-Set", "val"),
        ("trainset", "devset", "val"),
        ("TrainingData", "HoldOut", "test"),
        ("Train Images (1)", "Validation Images (1)", "val"),
        ("01_train", "02_test", "test"),
        ("cats_vs_dogs_train", "cats_vs_dogs_eval", "val"),
    ],
)
def test_parts_in_any_spelling(tmp_path: Path, train: str, other: str, part: str) -> None:
    found = scan(tmp_path, *(f"{name}/{label}" for name in (train, other) for label in ("cat", "dog")))
    assert found.parts == {"train": tmp_path / train, part: tmp_path / other}
    assert found.labels == ("cat", "dog")


@pytest.mark.parametrize(
    ("folders", "labels"),
    [
        (("train", "bus", "car"), ("bus", "car", "train")),
        (("train station", "test tube"), ("test tube", "train station")),
        (("train station/a", "train station/b", "test tube/c"), ("test tube", "train station")),
        (("dog/poodle", "dog/beagle", "cat/siamese", "cat/persian"), ("cat", "dog")),
        (("cat/images", "dog/images"), ("cat", "dog")),
        (("cat/2019", "cat/2020", "cat", "dog/2019", "dog/2020"), ("cat", "dog")),
    ],
)
def test_classes_stay_classes(tmp_path: Path, folders: tuple[str, ...], labels: tuple[str, ...]) -> None:
    assert scan(tmp_path, *folders).labels == labels


def test_folders_that_hold_the_same_folders_are_no_classes(tmp_path: Path) -> None:
    folders = [f"{name}/{label}" for name in ("batch1", "batch2") for label in ("cat", "dog")]
    with pytest.raises(DataError, match=r"the same folders, 'cat', 'dog'\. They look like parts.*--group-by-folder"):
        scan(tmp_path, *folders)
    assert scan(tmp_path, *folders, group_by_folder=True).labels == ("batch1", "batch2")


def test_a_folder_around_the_classes_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a single folder, PetImages/, in which there are 2.*Try .*PetImages\."):
        scan(tmp_path, "PetImages/cat", "PetImages/dog")


def test_what_systems_put_beside_images_is_not_there(tmp_path: Path) -> None:
    junk = ["@eaDir/cat", "__MACOSX/cat", "$RECYCLE.BIN/a", "lost+found", "System Volume Information", "#recycle"]
    junk += [".thumbnails", "cat/@eaDir/0.png", "cat/.@__thumb", "dog/.ipynb_checkpoints", "CANONMSC", "LOST.DIR"]
    (tmp_path / "cat").mkdir()
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store", ".picasa.ini", "._0.png", "ehthumbs.db", "Picasa.ini"):
        (tmp_path / "cat" / name).write_bytes(b"x")
    found = scan(tmp_path, "cat", "dog", *junk)
    assert found.labels == ("cat", "dog")
    assert (len(found.images), found.notes) == (2, ())
    assert [one.name for one in find_images([f"{tmp_path}/cat/*"]).found] == [f"{tmp_path}/cat/0.png"]


def test_files_that_need_another_program_are_named_with_it(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    for name in ("IMG_1.HEIC", "b.avif", "c.ppm", "d"):
        (tmp_path / "cat" / name).write_bytes(b"x")
    [note] = scan(tmp_path, "cat", "dog").notes
    assert note.startswith("4 files were skipped because of their suffix: ")
    assert "pip install pillow-heif" in note
    assert "AVIF must be saved as JPEG" in note
