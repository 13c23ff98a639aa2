"""A folder of class folders as a data set: the name of each folder is the label of the images in it."""

from pathlib import Path

import numpy as np

from likely.data.classes import listed
from likely.data.dataset import Dataset, Part
from likely.data.groups import group_numbers
from likely.data.images.class_folder import FolderScan, scan_class_folder
from likely.data.images.decode_many import Reading
from likely.data.images.image_parts import read_parts
from likely.data.images.paths_and_globs import search_folder
from likely.errors import DataError

LAYOUT = "Images go into one folder per class, such as FOLDER/boot/1.png, or into FOLDER/train/boot/1.png."


def open_class_folder(folder: Path, how: Reading, *, group_by_folder: bool = False, to_learn: bool = True) -> Dataset:
    """The images in FOLDER/LABEL/..., or in FOLDER/train/LABEL/... with val/ and test/ beside it.

    The classes are the sorted names of the training part's folders. Images are gray if all of them are, else color.
    What is left out, `scan_class_folder` says. That a mirrored image still shows the same thing is not assumed.

    Args:
        folder, how: where the images are, and how they are read.
        group_by_folder: whether images in one folder below that of their class, FOLDER/LABEL/person-1/..., are
            related; folders of one name are one group, in all classes and parts. An image right in the folder of its
            class is related to no other.
        to_learn: whether it must be clear which folders are classes; a model that is evaluated knows its classes.
    Raises:
        DataError: if there are no class folders, a class has no image, an image can't be read, or another part has a
            class that the training part lacks; it names the first few.
    """
    scan = scan_class_folder(folder, group_by_folder=group_by_folder or not to_learn)
    _refuse(scan)
    images, labels = scan.images, scan.labels
    y = np.array([labels.index(one.label) for one in images], dtype=np.int64)
    answers = Part(y[:, None], y, groups=_groups(scan) if group_by_folder else None)
    read = read_parts([one.found for one in images], [one.part for one in images], answers, how)
    parts = read.parts
    lost = [label for i, label in enumerate(labels) if not (parts["train"].y == i).any()]
    if lost:
        raise DataError(
            f"Every class folder in {scan.parts['train']} must hold an image that can be read; got none in "
            f"{listed(lost)}. Fix them or remove the folder."
        )
    for part, path in scan.parts.items():
        if part not in parts:
            raise DataError(f"{path} must hold an image that can be read; got none. Fix them, or remove the folder.")
    return Dataset(
        str(folder),
        "classification",
        parts["train"],
        parts.get("test"),
        parts.get("val"),
        labels=labels,
        group_by_folder=group_by_folder,
        conversion=read.conversion,
        found_at=str(folder),
        notes=(*read.notes, *scan.notes),
    )


def _refuse(scan: FolderScan) -> None:
    """Refuse what can't be learned from, before any image is read."""
    if scan.without_classes:
        path = scan.without_classes[0]
        raise DataError(f"{path} must hold class folders; got {_instead(path)}. {LAYOUT}")
    if scan.unreadable:
        raise DataError(str(scan.unreadable[0][1].error))
    if scan.same_name:
        of = scan.same_name[0]
        raise DataError(
            f"Class folders in {of.path.parent} must have different names; got {of.label!r} twice, with differently "
            "encoded accents. Merge the folders."
        )
    for part, path in scan.parts.items():
        empty = [of.label for of in scan.empty if of.part == part]
        if empty:
            raise DataError(
                f"Every class folder in {path} must hold images; got none in {listed(empty)}. {LAYOUT} "
                f"Add images or remove the folder. {scan.others.about_others()}".rstrip()
            )
    for part, path in scan.parts.items():
        unseen = [of.label for of in scan.unseen if of.part == part]
        if unseen:
            raise DataError(
                f"{path} must have the classes of {scan.parts['train']}; got {listed(unseen)} besides. A class that "
                "was not trained on cannot be evaluated. Add training images or remove the class."
            )


def _groups(scan: FolderScan) -> np.ndarray:
    """The number of the folder below its class that each image lies in, shape (n,)."""
    below = [Path(one.found.name).relative_to(scan.parts[one.part]).parts[1:-1] for one in scan.images]
    if not any(below):
        raise DataError(
            "To group images by folder, they must be in subfolders of their class folders, such as "
            f"FOLDER/LABEL/person-1/a.png; got none in {scan.parts['train']}. Every image would be its own group. Move "
            "related images into one subfolder each, or omit --group-by-folder."
        )
    return group_numbers([names[0] if names else None for names in below])


def _instead(folder: Path) -> str:
    search = search_folder(folder)
    n_images = sum(found.source is not None for found in search.found)
    if n_images:
        return f"{n_images:,} images, but no class folders"
    if search.others:
        return f"neither images nor class folders, but {listed([path.name for path in search.others])}"
    return "an empty folder" if not any(folder.iterdir()) else "a folder without subfolders"
