"""Which folders in a folder are the parts of a data set, whatever their makers called them, and which are classes."""

import re
from pathlib import Path
from typing import NamedTuple

from likely.data.classes import listed
from likely.data.dataset import PARTS
from likely.data.images.paths_and_globs import SUFFIXES, is_system
from likely.errors import DataError

_WORD = re.compile("[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_SAY_NOTHING = {
    *("set", "sets", "data", "dataset", "images", "image", "imgs", "img"),
    *("pictures", "photos", "split", "part"),
}
_WITHOUT_LABELS = {"pred", "predict", "prediction", "predictions", "unlabeled", "unlabelled"}


class PartFolders(NamedTuple):
    """The folders of "train", "val" and "test", of training only the folder itself; and those without labels."""

    parts: dict[str, Path]
    left_out: list[Path]


class _Name(NamedTuple):
    part: str
    rest: tuple[str, ...]


def part_folders(folder: Path, *, group_by_folder: bool = False) -> PartFolders:
    """The parts in a folder; without one for training all of it is training.

    A part is called like `PARTS` says, in any case, also with a word such as "set" or "data". Folders whose names have
    another word in common, such as seg_train and seg_test, are parts if class folders lie in them. A test or val folder
    of images alone has no labels. A DataError if it is not clear which folders are classes; with `group_by_folder`
    those in them are groups of related images, and repeat.
    """
    subfolders = subfolders_of(folder)
    names = {path: name for path in subfolders if (name := _name_of(path.name)) is not None}
    found = _parts_of([path for path, name in names.items() if not name.rest], names)
    nested = [path for path in found.values() if subfolders_of(path)]
    beside = [path for path in subfolders if path not in found.values()]
    if nested and "train" not in found:
        raise DataError(
            f"{folder} must hold train/ with class folders beside {nested[0].name}/; got none. A part is not a class. "
            f"Add train/, or pass {nested[0]} itself."
        )
    if "train" not in found or (beside and not nested):
        found = _with_a_word_in_common(names)
    if "train" not in found:
        _refuse_parts_by_other_names(folder, group_by_folder=group_by_folder)
        return PartFolders({"train": folder}, [])
    beside = [path for path in subfolders if path not in found.values()]
    left_out = [path for path in beside if _WITHOUT_LABELS & set(_words(path.name))]
    unclear = [path.name for path in beside if path not in left_out]
    if unclear:
        raise DataError(
            f"{folder} must hold class folders, or train/, val/ and test/ with class folders; got "
            f"{listed(unclear)} beside {found['train'].name}/. It is not clear which of "
            f"them are classes. Move them into {found['train'].name}/, or elsewhere."
        )
    parts = {part: _innermost(path, part) for part, path in found.items()}
    _refuse_parts_by_other_names(parts["train"], group_by_folder=group_by_folder)
    # What competitions give out to be answered is called test, too.
    flat = {part for part, path in parts.items() if part != "train" and _holds_images(path) and not subfolders_of(path)}
    left_out += [parts.pop(part) for part in sorted(flat)]
    return PartFolders(parts, left_out)


def subfolders_of(folder: Path) -> list[Path]:
    """Its folders in sorted order, but for hidden ones, those of systems, and links up."""
    here = folder.resolve()
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_dir()
        and not is_system(path.name)
        and not (path.is_symlink() and here.is_relative_to(path.resolve()))
    )


def _parts_of(paths: list[Path], names: dict[Path, _Name]) -> dict[str, Path]:
    """One of these folders for each part; of several, the one whose name is the most usual."""

    def order(path: Path) -> tuple[int, bool]:
        name = path.name.lower()
        usual = PARTS[names[path].part]
        return usual.index(name) if name in usual else len(usual), path.name != name

    return {part: min(called, key=order) for part in PARTS if (called := [p for p in paths if names[p].part == part])}


def _with_a_word_in_common(names: dict[Path, _Name]) -> dict[str, Path]:
    """Folders for training and for another part that differ in that word alone, with folders in each."""
    for rest in {name.rest for name in names.values()}:
        found = _parts_of([path for path, name in names.items() if name.rest == rest], names)
        if "train" in found and len(found) > 1 and all(map(subfolders_of, found.values())):
            return found
    return {}


def _innermost(path: Path, part: str) -> Path:
    """The folder itself, or the only one in it where that is called like the part again, as in seg_train/seg_train."""
    inside = subfolders_of(path)
    name = _name_of(inside[0].name) if len(inside) == 1 else None
    if name is None or name.part != part or _holds_images(path):
        return path
    return _innermost(inside[0], part)


def _refuse_parts_by_other_names(folder: Path, *, group_by_folder: bool) -> None:
    """Refuse folders without images that hold the same folders: these are the classes, or groups of related images."""
    candidates = subfolders_of(folder)
    if group_by_folder or not candidates or any(map(_holds_images, candidates)):
        return
    inside = [{path.name.casefold(): path.name for path in subfolders_of(of)} for of in candidates]
    names = [of.name for of in candidates]
    if len(candidates) == 1:
        if len(inside[0]) > 1:
            raise DataError(
                f"{folder} must hold class folders; got a single folder, {names[0]}/, in which there are "
                f"{len(inside[0])}. One class can't be told from others. Try {candidates[0]}."
            )
        return
    shared = sorted(set.intersection(*map(set, inside)))
    if len(shared) > 1:
        raise DataError(
            f"{folder} must hold class folders, or train/, val/ and test/ with class folders; got {listed(names)}, "
            f"which hold no images but the same folders, {listed([inside[0][name] for name in shared])}. They look "
            "like parts, and a part is not a class. Call them train/ and test/, pass one of them, or say "
            "--group-by-folder if they are the classes, and the folders in them groups of related images."
        )


def images_right_in(folder: Path) -> list[Path]:
    """The images that lie in the folder itself, by their suffix, in sorted order; none of those in its folders."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and not is_system(path.name) and path.is_file()
    )


def _holds_images(folder: Path) -> bool:
    return bool(images_right_in(folder))


def _name_of(folder: str) -> _Name | None:
    """The part that a folder's name speaks of, and its other words; None if it speaks of none, or of several."""
    words = _words(folder)
    found = [(i, part) for i, word in enumerate(words) for part, spellings in PARTS.items() if word in spellings]
    if len(found) != 1:
        return None
    at, part = found[0]
    return _Name(part, tuple(word for i, word in enumerate(words) if i != at and word not in _SAY_NOTHING))


def _words(name: str) -> list[str]:
    """The words of a name in lower case, of trainset the first alone.

    Example:
        >>> _words("seg_TrainSet 2"), _words("hold-out"), _words("valset")
        (['seg', 'train', 'set'], ['holdout'], ['val'])
    """
    words = " ".join(word.lower() for word in _WORD.findall(name))
    words = words.replace("hold out", "holdout").replace("held out", "holdout").split()
    spellings = {spelling for of in PARTS.values() for spelling in of}
    endings = ("set", "data", "images", "imgs")
    return [next((w for e in endings if (w := word.removesuffix(e)) in spellings), word) for word in words]
