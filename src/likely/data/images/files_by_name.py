"""The image that a cell of a table names: a path beside the table, as people and other systems write it."""

import os
from pathlib import Path

from likely.data.images.part_folders import subfolders_of
from likely.data.images.paths_and_globs import SUFFIXES


class FilesByName:
    """Image files in the folder of a table, looked up by what its cells say; each folder is listed once.

    A name may lack its suffix, have backslashes between folders, or be that of a file in one of the folders in there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._listed: dict[Path, dict[str, list[Path]]] = {}
        self._subfolders: list[Path] | None = None

    def find(self, name: str) -> list[Path]:
        """The files that the name may mean: one, none, or several that differ in their suffix or folder."""
        path = self._folder / name
        if os.path.lexists(path):
            return [path]
        if "\\" in name:
            return self.find(name.replace("\\", "/"))
        found = self._called(path.name, path.parent)
        if found or Path(name).name != name:
            return found
        if self._subfolders is None:
            self._subfolders = subfolders_of(self._folder)
        return [file for folder in self._subfolders for file in self._called(name, folder)]

    def _called(self, name: str, folder: Path) -> list[Path]:
        """The images in a folder that have this name, or would have it without their suffix."""
        if folder not in self._listed:
            listed = self._listed[folder] = {}
            for path in sorted(folder.iterdir()) if folder.is_dir() else ():
                if path.suffix.lower() in SUFFIXES:
                    listed.setdefault(path.name, []).append(path)
                    listed.setdefault(path.stem, []).append(path)
        return self._listed[folder].get(name, [])
