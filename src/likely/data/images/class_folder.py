"""A folder of class folders: the name of each subfolder is the label of the pictures in it."""

import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from likely.data.dataset import Dataset, Part
from likely.data.groups import group_numbers
from likely.data.images.decode_many import Loaded, load_pictures
from likely.data.images.find import walk_pictures
from likely.data.progress_callback import Progress
from likely.errors import DataError
from likely.preprocessing.stored_rows import take_rows

SHOWN = 5
LAYOUT = "Pictures go into one folder per class, such as FOLDER/boot/1.png, or into FOLDER/train/boot/1.png."
PARTS = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test",)}


def open_class_folder(
    folder: Path,
    *,
    image_size: int | None = None,
    skip_bad: bool = False,
    group_by_folder: bool = False,
    progress: Progress | None = None,
) -> Dataset:
    """The pictures in FOLDER/LABEL/..., or in FOLDER/train/LABEL/... with val/ and test/ beside it.

    The classes are the sorted names of the training part's folders. Pictures are gray if all of them are, else color.
    Hidden files and files without the suffix of a picture are left out. That a mirrored picture still shows the same
    thing is not assumed.

    Args:
        folder: the folder.
        image_size: resize all pictures to this height and width; without it they must have one size.
        skip_bad: leave out pictures that can't be read, and say how many.
        group_by_folder: whether pictures in one folder below that of their class, FOLDER/LABEL/person-1/..., are
            related; folders of one name are one group, in all classes and parts. A picture right in the folder of its
            class is related to no other.
        progress: told how many pictures have been read.
    Raises:
        DataError: if there are no class folders, a class has no picture, sizes differ without `image_size`, a
            picture can't be read, or another part has a class that the training part lacks; it names the first few.
    """
    folders = part_folders(folder)
    files = {part: _list_files(path) for part, path in folders.items()}
    labels = tuple(files["train"])
    for part in ("val", "test"):
        unseen = [label for label in files.get(part, {}) if label not in labels]
        if unseen:
            raise DataError(
                f"{folders[part]} must have the classes of {folders['train']}; got {_some(unseen)} besides. "
                "What was never learned can't be judged. Add training pictures or leave the class out."
            )
    listed = [(part, label, path) for part, of in files.items() for label, paths in of.items() for path in paths]
    paths = [path for _, _, path in listed]
    loaded = load_pictures(
        paths, [str(path) for path in paths], image_size=image_size, skip_bad=skip_bad, progress=progress
    )
    groups = _groups(folders, listed) if group_by_folder else None
    parts = _parts(loaded, listed, labels, groups)
    lost = [label for i, label in enumerate(labels) if not (parts["train"].y == i).any()]
    if lost:
        raise DataError(
            f"Every class folder in {folders['train']} must hold a picture that can be read; got none in "
            f"{_some(lost)}. Fix them or remove the folder."
        )
    for part in folders:
        if part not in parts:
            raise DataError(
                f"{folders[part]} must hold a picture that can be read; got none. Fix them, or remove the folder."
            )
    return Dataset(
        str(folder),
        "classification",
        parts["train"],
        parts.get("test"),
        parts.get("val"),
        labels=labels,
        group_by_folder=group_by_folder,
        found_at=str(folder),
        notes=_notes(loaded, len(paths)),
    )


def part_folders(folder: Path) -> dict[str, Path]:
    """The folders of the parts by "train", "val" and "test"; without a folder for training all is training."""
    found = {
        part: folder / name for part, names in PARTS.items() for name in reversed(names) if (folder / name).is_dir()
    }
    if "train" not in found:
        parts = [path for path in found.values() if any(_class_folders(path))]
        if parts:
            raise DataError(
                f"{folder} must hold train/ with class folders beside {parts[0].name}/; got none. A part is no class. "
                f"Add train/, or give {parts[0]} itself."
            )
        return {"train": folder}
    beside = sorted(
        path.name
        for path in folder.iterdir()
        if path.is_dir() and not path.name.startswith(".") and path not in found.values()
    )
    if beside:
        raise DataError(
            f"{folder} must hold class folders, or train/, val/ and test/ with class folders; got {_some(beside)} "
            f"beside {found['train'].name}/. Which of them are classes is not clear. Move them into "
            f"{found['train'].name}/, or away."
        )
    return found


def _groups(folders: dict[str, Path], listed: Sequence[tuple[str, str, Path]]) -> np.ndarray:
    """The number of the folder below its class that each picture lies in, shape (n,)."""
    below = [path.relative_to(folders[part]).parts[1:-1] for part, _, path in listed]
    if not any(below):
        raise DataError(
            f"Pictures to be grouped by their folder must lie in folders below those of their classes, such as "
            f"FOLDER/LABEL/person-1/a.png; got none in {folders['train']}. Every picture would be a group of its own. "
            "Move related pictures into a folder each, or leave out --group-by-folder."
        )
    return group_numbers([names[0] if names else None for names in below])


def _parts(
    loaded: Loaded, listed: Sequence[tuple[str, str, Path]], labels: Sequence[str], groups: np.ndarray | None
) -> dict[str, Part]:
    numbers = {label: i for i, label in enumerate(labels)}
    kept = [listed[i] for i in loaded.kept]
    of_kept = None if groups is None else groups[loaded.kept]
    parts: dict[str, Part] = {}
    for part in PARTS:
        rows = np.array([row for row, (of, _, _) in enumerate(kept) if of == part], dtype=np.int64)
        if len(rows):
            y = np.array([numbers[kept[row][1]] for row in rows], dtype=np.int64)
            # All rows in their order are the rows themselves.
            X = loaded.X if len(rows) == len(kept) else take_rows(loaded.X, rows)
            paths = tuple(str(kept[row][2]) for row in rows)
            parts[part] = Part(X, y, paths, groups=None if of_kept is None else of_kept[rows])
    return parts


def _notes(loaded: Loaded, total: int) -> tuple[str, ...]:
    if not loaded.skipped:
        return ()
    return (f"{len(loaded.skipped):,} of {total:,} pictures could not be read and were skipped, {loaded.skipped[0]}",)


def _list_files(folder: Path) -> dict[str, list[Path]]:
    """The pictures of each class, by label; both in sorted order."""
    classes = _class_folders(folder)
    if not classes:
        raise DataError(f"{folder} must hold class folders; got {_instead(folder)}. {LAYOUT}")
    files: dict[str, list[Path]] = {}
    for path in classes:
        found = list(walk_pictures(path))
        unreadable = [entry.error for entry in found if entry.error is not None]
        if unreadable:
            raise DataError(unreadable[0])
        # One name, however the file system writes its accents.
        label = unicodedata.normalize("NFC", path.name)
        if label in files:
            raise DataError(
                f"Class folders in {folder} must have different names; got {label!r} twice, with its accents written "
                "in two ways. Move the pictures together."
            )
        files[label] = [Path(entry.name) for entry in found]
    empty = [label for label, paths in files.items() if not paths]
    if empty:
        raise DataError(
            f"Every class folder in {folder} must hold pictures; got none in {_some(empty)}. {LAYOUT} "
            "Add pictures or remove the folder."
        )
    return dict(sorted(files.items()))


def _class_folders(folder: Path) -> list[Path]:
    """Its subfolders in sorted order; hidden ones and links that lead back up are none."""
    here = folder.resolve()
    above = {here, *here.parents}
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_dir() and not path.name.startswith(".") and not (path.is_symlink() and path.resolve() in above)
    )


def _instead(folder: Path) -> str:
    n_pictures = sum(1 for entry in walk_pictures(folder) if entry.error is None)
    if n_pictures:
        return f"{n_pictures:,} pictures without subfolders that name their class"
    return "an empty folder" if not any(folder.iterdir()) else "a folder without subfolders"


def _some(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
