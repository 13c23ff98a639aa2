"""A folder of class folders, scanned once for all who ask: which files there are, of which class, in which part."""

import unicodedata
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from likely.data.classes import listed
from likely.data.dataset import PARTS
from likely.data.images.image_parts import LabeledImage
from likely.data.images.part_folders import images_right_in, part_folders, subfolders_of
from likely.data.images.paths_and_globs import Found, Search, leads_back, search_folder
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
        parts: the folders of "train", "val" and "test"; of training only, the folder itself.
        classes: by part, training first, and by name.
        links: those to another class of their part: they bring nothing in.
        left_out: folders of images without labels, beside those of parts.
        loose: images beside class folders, which have no label.
    """

    folder: Path
    parts: dict[str, Path]
    classes: list[ClassFolder]
    links: list[Path]
    left_out: list[Path]
    loose: list[Path]

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
        skipped = {
            "Links to another class": self.links,
            "Folders of images without labels": self.left_out,
            "Images in no class folder": self.loose,
        }
        notes = [f"{what} were skipped: {listed(list(map(str, paths)))}." for what, paths in skipped.items() if paths]
        others = self.others.about_others()
        return (others, *notes) if others else tuple(notes)

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


def scan_class_folder(folder: Path, *, group_by_folder: bool = False) -> FolderScan:
    """The classes and files of FOLDER/LABEL/..., or of FOLDER/train/LABEL/... with val/ and test/ beside it.

    Files are searched for as `search_folder` describes, and parts as `part_folders` does; hidden class folders are left
    out, as are links that lead up or to another class. A DataError if a class has a name that no model can keep.
    """
    parts, left_out = part_folders(folder, group_by_folder=group_by_folder)
    subfolders = [(part, path, of) for part, path in parts.items() for of in subfolders_of(path)]
    links = [of for _, path, of in subfolders if leads_back(of, [path.resolve()])]
    classes = [
        ClassFolder(of, part, _label(of), search_folder(of, path)) for part, path, of in subfolders if of not in links
    ]
    classes = sorted(classes, key=lambda of: (list(PARTS).index(of.part), of.label))
    around = sorted({folder, *parts.values()})
    return FolderScan(folder, parts, classes, links, left_out, [path for of in around for path in images_right_in(of)])


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
