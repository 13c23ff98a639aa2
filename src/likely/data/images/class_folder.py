"""A folder of class folders, scanned once for all who ask: which files there are, of which class, in which part."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from likely.data.classes import listed
from likely.data.dataset import PARTS
from likely.data.images.find import Found, Search, leads_back, search_folder
from likely.data.images.image_parts import LabeledImage
from likely.errors import DataError


@dataclass(frozen=True)
class ClassFolder:
    """A folder whose name is the label of the images in it."""

    path: Path
    part: str
    label: str
    search: Search


@dataclass(frozen=True)
class FolderScan:
    """What is in a folder of class folders.

    Args:
        folder: the folder.
        parts: the folders of "train", "val" and "test"; of training only, the folder itself.
        classes: by part, training first, and by name.
        links: those to another class of their part: they bring nothing in.
    """

    folder: Path
    parts: dict[str, Path]
    classes: list[ClassFolder]
    links: list[Path]

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes to learn, in the order of their numbers."""
        return tuple(sorted({of.label for of in self.classes if of.part == "train"}))

    @cached_property
    def images(self) -> list[LabeledImage]:
        """The images of all classes: by part, by label, by path."""
        return [
            LabeledImage(found, of.part, of.label)
            for of in self.classes
            for found in of.search.found
            if found.source is not None
        ]

    @property
    def unreadable(self) -> list[tuple[ClassFolder, Found]]:
        """The folders that can't be read."""
        return [(of, found) for of in self.classes for found in of.search.found if found.source is None]

    @property
    def others(self) -> Search:
        """The files in class folders that are no images, by their suffix."""
        return Search(others=[path for of in self.classes for path in of.search.others])

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of files and links that are left out."""
        links = [str(link) for link in self.links]
        about_links = f"Links to another class were skipped: {listed(links)}." if links else ""
        return tuple(note for note in (self.others.about_others(), about_links) if note)

    @property
    def without_classes(self) -> list[Path]:
        """The folders of parts that hold no class folder."""
        return [path for part, path in self.parts.items() if not any(of.part == part for of in self.classes)]

    @property
    def same_name(self) -> list[ClassFolder]:
        """Class folders whose label another one of their part has, with its accents written in the other way."""
        names = [(of.part, of.label) for of in self.classes]
        return [of for of in self.classes if names.count((of.part, of.label)) > 1]

    @property
    def empty(self) -> list[ClassFolder]:
        """Class folders without an image."""
        return [of for of in self.classes if not of.search.found]

    @property
    def unseen(self) -> list[ClassFolder]:
        """Class folders of val and test whose class has none in training."""
        return [of for of in self.classes if of.label not in self.labels]


def scan_class_folder(folder: Path) -> FolderScan:
    """The classes and files of FOLDER/LABEL/..., or of FOLDER/train/LABEL/... with val/ and test/ beside it.

    Files are searched for as `search_folder` describes; hidden class folders are left out, as are links that lead up
    or to another class.

    Raises:
        DataError: if it is not clear which folders are classes, or one has a name that no model can keep.
    """
    parts = _parts(folder)
    subfolders = [(part, path, of) for part, path in parts.items() for of in _subfolders(path)]
    links = [of for _, path, of in subfolders if leads_back(of, [path.resolve()])]
    classes = [
        ClassFolder(of, part, _label(of), search_folder(of, path)) for part, path, of in subfolders if of not in links
    ]
    return FolderScan(folder, parts, sorted(classes, key=lambda of: (list(PARTS).index(of.part), of.label)), links)


def _parts(folder: Path) -> dict[str, Path]:
    """The folders of the parts; without one for training all is training."""
    subfolders = _subfolders(folder)
    found: dict[str, Path] = {}
    for part, names in PARTS.items():
        called = [path for path in subfolders if path.name.lower() in names]
        if called:
            found[part] = min(called, key=lambda path: (names.index(path.name.lower()), path.name != path.name.lower()))
    beside = [path for path in subfolders if path not in found.values()]
    nested = [path for path in found.values() if _subfolders(path)]
    if "train" in found and (nested or not beside):
        if beside:
            raise DataError(
                f"{folder} must hold class folders, or train/, val/ and test/ with class folders; got "
                f"{listed([path.name for path in beside])} beside {found['train'].name}/. It is not clear which of "
                f"them are classes. Move them into {found['train'].name}/, or elsewhere."
            )
        return found
    if nested:
        raise DataError(
            f"{folder} must hold train/ with class folders beside {nested[0].name}/; got none. A part is not a class. "
            f"Add train/, or pass {nested[0]} itself."
        )
    like = {part: [path for path in beside if _is_like(part, path)] for part in PARTS}
    if like["train"] and (like["test"] or like["val"]):
        some = listed([path.name for path in (*like["train"], *like["val"], *like["test"])])
        raise DataError(
            f"{folder} must hold class folders, or train/, val/ and test/ with class folders; got {some}, whose names "
            "look like parts. A part is not a class. Name them train and test, with the class folders directly inside."
        )
    return {"train": folder}


def _is_like(part: str, path: Path) -> bool:
    """Whether a folder with subfolders has a name such as seg_train."""
    return any(word in PARTS[part] for word in re.split("[^a-z]+", path.name.lower())) and bool(_subfolders(path))


def _subfolders(folder: Path) -> list[Path]:
    """Its folders in sorted order, but for hidden ones and links up."""
    here = folder.resolve()
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_dir()
        and not path.name.startswith(".")
        and not (path.is_symlink() and here.is_relative_to(path.resolve()))
    )


def _label(path: Path) -> str:
    try:
        path.name.encode()
    except UnicodeEncodeError:
        raise DataError(
            f"Class folders must have names in UTF-8; got {str(path).encode(errors='backslashreplace').decode()}. The "
            "name becomes the label, and a model file cannot store it. Rename the folder."
        ) from None
    # One name, however the file system writes its accents.
    return unicodedata.normalize("NFC", path.name)
