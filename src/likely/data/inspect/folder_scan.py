"""A folder of class folders, looked at to the end: no fault hides another one."""

import os
import unicodedata
from pathlib import Path

from likely.data.corrections import relative_path
from likely.data.images.class_folder import LAYOUT, PARTS, part_folders
from likely.data.images.find import SUFFIXES, walk_pictures
from likely.data.inspect.file_findings import about_files
from likely.data.inspect.files import File, Seen, look_at_files
from likely.data.inspect.findings import Finding, Place, counted
from likely.data.inspect.looked_at import LookedAt, as_dataset, common_shape
from likely.data.progress_callback import Progress


def look_at_folder(
    folder: Path, *, image_size: int | None = None, skip_bad: bool = False, progress: Progress | None = None
) -> LookedAt:
    """The pictures of class folders, and every fault of them that would keep `open_class_folder` from opening them.

    Args:
        folder: the folder; if what it holds is not clear, nothing can be looked at.
        image_size: the height and width that pictures will be resized to; None asks for one size.
        skip_bad: whether pictures that can't be read will be left out.
        progress: told how many have been read.
    Raises:
        DataError: if it is not clear which folders are classes.
    """
    classes = _class_folders(folder)
    if not classes["train"]:
        message = f"{folder} must hold class folders; got a folder without subfolders."
        return LookedAt(None, None, [Finding("layout", "error", message, LAYOUT)], None)
    files = [
        File(found, part, _label(path))
        for part, paths in classes.items()
        for path in paths
        for found in walk_pictures(path)
    ]
    seen = look_at_files(files, progress)
    found = [
        *_about_classes(folder, classes, files, seen),
        *about_files(folder, files, seen, image_size=image_size, skip_bad=skip_bad),
        *_other_files(folder, classes),
    ]
    labels = sorted({file.label for file in files if file.part == "train"})
    dataset, digests = as_dataset(str(folder), files, seen, labels)
    return LookedAt(dataset, digests, found, common_shape(seen, image_size))


def _class_folders(folder: Path) -> dict[str, list[Path]]:
    """The class folders of each part, training first."""
    return {
        part: sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
        for part, root in sorted(part_folders(folder).items(), key=lambda item: list(PARTS).index(item[0]))
    }


def _label(path: Path) -> str:
    # One name, however the file system writes its accents.
    return unicodedata.normalize("NFC", path.name)


def _about_classes(folder: Path, classes: dict[str, list[Path]], files: list[File], seen: list[Seen]) -> list[Finding]:
    """Class folders without pictures, or without any that can be read; one class only; classes that only tests have."""
    there = {(f.part, f.label) for f in files}
    readable = {(f.part, f.label) for f, s in zip(files, seen, strict=True) if s.error is None}
    learned = {_label(path) for path in classes["train"]}
    empty, damaged, unseen, twice = list[Place](), list[Place](), list[Place](), list[Place]()
    for part, paths in classes.items():
        names = [_label(path) for path in paths]
        for path in paths:
            place = Place(relative_path(str(path), str(folder)), "path", part, label=_label(path))
            if (part, _label(path)) not in there:
                empty.append(place)
            elif (part, _label(path)) not in readable and part == "train":
                damaged.append(place)
            if _label(path) not in learned:
                unseen.append(place)
            if names.count(_label(path)) > 1:
                twice.append(place)
    found = [
        Finding(
            "same-name",
            "error",
            f"{counted(len(twice), 'class folder')} of the same names, with accents written in two ways.",
            "Move the pictures together.",
            [[place] for place in twice],
        ),
        Finding(
            "empty-class",
            "error",
            f"{counted(len(empty), 'class folder holds', 'class folders hold')} no picture.",
            "Add pictures or remove the folder.",
            [[place] for place in empty],
        ),
        Finding(
            "unreadable-class",
            "error",
            f"{counted(len(damaged), 'class folder holds', 'class folders hold')} no picture that can be read.",
            "Copy the pictures again, or remove the folder.",
            [[place] for place in damaged],
        ),
        Finding(
            "unseen-class",
            "error",
            f"{counted(len(unseen), 'class folder of val or test has', 'class folders of val or test have')} none in "
            "training: what was never learned can't be judged.",
            "Add training pictures or leave the class out.",
            [[place] for place in unseen],
        ),
    ]
    if len(learned) == 1:
        only = classes["train"][0]
        found.append(
            Finding(
                "one-class",
                "error",
                f"There is one class only, {only.name!r}: nothing to tell it apart from.",
                "Add pictures of another class, in a folder of its own.",
                [[Place(only.name, "label", "train")]],
            )
        )
    return [finding for finding in found if finding.groups]


def _other_files(folder: Path, classes: dict[str, list[Path]]) -> list[Finding]:
    """Files that are taken for no pictures: perhaps they are some, in a format that is not read."""
    others = [
        Path(root, name)
        for paths in classes.values()
        for path in paths
        for root, _, names in os.walk(path)
        for name in sorted(names)
        if not name.startswith(".") and Path(name).suffix.lower() not in SUFFIXES
    ]
    if not others:
        return []
    count = counted(len(others), "file in class folders is", "files in class folders are")
    return [
        Finding(
            "no-picture",
            "note",
            f"{count} left out, by the suffix.",
            "If they are pictures, save them as PNG or JPEG.",
            [[Place(relative_path(str(path), str(folder)), "path")] for path in sorted(others)],
        )
    ]
