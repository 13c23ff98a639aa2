"""A folder of class folders: the name of each subfolder is the label of the pictures in it."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from likely.data.dataset import Dataset, Part
from likely.data.find import walk_pictures
from likely.data.picture import picture_shape, read_picture
from likely.data.progress import Progress
from likely.errors import DataError, PictureError

PARTS = ("train", "val", "test")
SHOWN = 5
LAYOUT = "Pictures go into one folder per class, such as FOLDER/boot/1.png, or into FOLDER/train/boot/1.png."


def open_class_folder(folder: Path, *, image_size: int | None = None, progress: Progress | None = None) -> Dataset:
    """The pictures in FOLDER/LABEL/..., or in FOLDER/train/LABEL/... with FOLDER/test/LABEL/... beside it.

    The classes are the sorted names of the training part's folders. Pictures are gray if all of them are, else color.
    Hidden files and files without the suffix of a picture are left out. That a mirrored picture still shows the same
    thing is not assumed.

    Args:
        folder: the folder.
        image_size: resize all pictures to this height and width; without it they must have one size.
        progress: told how many pictures have been read.
    Raises:
        DataError: if there are no class folders, a class has no picture, sizes differ without `image_size`, a
            picture can't be read, or the test part has a class that the training part lacks; it names the first few.
    """
    train_folder = folder / "train" if (folder / "train").is_dir() else folder
    test_folder = folder / "test" if train_folder != folder and (folder / "test").is_dir() else None
    train_files = _list_files(train_folder)
    test_files = {} if test_folder is None else _list_files(test_folder)
    labels = tuple(train_files)
    unseen = [label for label in test_files if label not in train_files]
    if unseen:
        raise DataError(
            f"{test_folder} must have the classes of {train_folder}; got {_some(unseen)} besides. "
            "What was never learned can't be judged. Add training pictures or leave the class out."
        )
    shape = _common_shape([*chain(*train_files.values(), *test_files.values())], image_size)
    notes = ("The pictures under val/ are not used.",) if train_folder != folder and (folder / "val").is_dir() else ()
    return Dataset(
        str(folder),
        "classification",
        _read_part(train_files, labels, shape, progress),
        None if test_folder is None else _read_part(test_files, labels, shape, progress),
        labels=labels,
        found_at=str(folder),
        notes=notes,
    )


def _list_files(folder: Path) -> dict[str, list[Path]]:
    """The pictures of each class, by label; both in sorted order."""
    classes = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not classes:
        raise DataError(f"{folder} must hold class folders; got a folder without subfolders. {LAYOUT}")
    files: dict[str, list[Path]] = {}
    for path in classes:
        found = list(walk_pictures(path))
        unreadable = [entry.error for entry in found if entry.error is not None]
        if unreadable:
            raise DataError(unreadable[0])
        files[path.name] = [Path(entry.name) for entry in found]
    empty = [label for label, paths in files.items() if not paths]
    if empty:
        raise DataError(
            f"Every class folder in {folder} must hold pictures; got none in {_some(empty)}. {LAYOUT} "
            "Add pictures or remove the folder."
        )
    return files


def _common_shape(paths: Sequence[Path], image_size: int | None) -> tuple[int, ...]:
    """The shape that all pictures are read as."""
    shapes: dict[tuple[int, ...], Path] = {}
    bad: list[str] = []
    for path in paths:
        try:
            shapes.setdefault(picture_shape(path), path)
        except PictureError as error:
            bad.append(str(error))
    if bad:
        more = f" (and {len(bad) - SHOWN} more)" if len(bad) > SHOWN else ""
        raise DataError("\n".join(["Some pictures can't be read:", *bad[:SHOWN]]) + more)
    sizes = {shape[:2]: path for shape, path in shapes.items()}
    if image_size is None and len(sizes) > 1:
        (first, one), (second, other) = list(sizes.items())[:2]
        raise DataError(
            f"Pictures must have one size; got {first[0]} x {first[1]} in {one} and {second[0]} x {second[1]} in "
            f"{other}. The network has one input per pixel. Try image_size={min(first)} (--image-size {min(first)}) to "
            "resize them all."
        )
    size = next(iter(sizes)) if image_size is None else (image_size, image_size)
    return size if all(len(shape) == 2 for shape in shapes) else (*size, 3)


def _read_part(
    files: dict[str, list[Path]], labels: Sequence[str], shape: tuple[int, ...], progress: Progress | None
) -> Part:
    paths = [path for label in labels for path in files.get(label, [])]
    y = np.repeat(np.arange(len(labels)), [len(files.get(label, [])) for label in labels])
    X = np.empty((len(paths), *shape), dtype=np.uint8)
    for i, path in enumerate(paths):
        X[i] = read_picture(path, shape=shape)
        if progress is not None:
            progress("pictures", i + 1, len(paths))
    return Part(X, y, tuple(str(path) for path in paths))


def _some(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
