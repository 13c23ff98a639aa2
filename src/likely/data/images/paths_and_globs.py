"""From what a person typed (files, folders, globs, `-`) to images to be read, none lost on the way."""

import glob
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff"})

# More than the largest image that the gate lets through, uncompressed.
MAX_STDIN_BYTES = 512 * 1024 * 1024

_SHOWN = 5
_OF_SYSTEMS = (
    *("@eadir", "@tmp", "@recycle", "@__thumb", "#recycle", "#snapshot", "lost+found", "__macosx", "icon\r"),
    *("$recycle.bin", "recycler", "recycled", "system volume information", "thumbs.db", "ehthumbs.db"),
    *("ehthumbs_vista.db", "desktop.ini", "picasa.ini", "zbthumbnail.info", "__pycache__"),
    *("canonmsc", "eosmisc", "thmbnl", "avf_info", "lost.dir"),
)
_OTHER_READERS = {
    (".heic", ".heif", ".hif"): "HEIC must be saved as JPEG first: pillow-heif reads it (pip install pillow-heif).",
    (".avif", ".avifs"): "AVIF must be saved as JPEG or PNG first: Pillow reads it.",
}


@dataclass(frozen=True)
class Found:
    """An image to be read, or the reason why there is none.

    Args:
        name: what to call it: the path, or "-" for the standard input.
        source: what `likely.data.images.decode.read_image` takes: a path, or the bytes of the standard input.
        error: why there is nothing to read; then `source` is None.
    """

    name: str
    source: Path | bytes | None = None
    error: str | None = None


@dataclass(frozen=True)
class Search:
    """What a search came upon.

    Args:
        found: the images; those of a folder sorted by path, and after them its folders that can't be read.
        others: files in folders that are no images, by their suffix.
    """

    found: list[Found] = field(default_factory=list[Found])
    others: list[Path] = field(default_factory=list[Path])

    def about_others(self) -> str:
        """A sentence about the files that are left out; empty if there are none.

        Example:
            >>> Search(others=[Path("data/a.ppm")]).about_others()
            '1 file was skipped because of its suffix: data/a.ppm.'
        """
        if not self.others:
            return ""
        count = "1 file was" if len(self.others) == 1 else f"{len(self.others):,} files were"
        some = ", ".join(map(str, self.others[:_SHOWN])) + (", ..." if len(self.others) > _SHOWN else "")
        which = f"{count} skipped because of {'its' if len(self.others) == 1 else 'their'} suffix: {some}."
        return " ".join([which, *self.readers])

    @property
    def readers(self) -> list[str]:
        """What reads those of the others that are images in another format, a sentence for each format."""
        suffixes = {path.suffix.lower() for path in self.others}
        return [way for of, way in _OTHER_READERS.items() if suffixes & set(of)]


def find_images(arguments: Iterable[str | os.PathLike[str]]) -> Search:
    """The images that the arguments mean, in their order; a folder's in sorted order.

    A file is taken at its word, whatever its suffix. Folders are searched as `search_folder` describes. `-` reads one
    image from the standard input. What can't be found becomes an entry with an `error`, so that the rest can still
    be answered.

    Example:
        >>> [found.error is None for found in find_images(["no-such-boot.png"]).found]
        [False]
    """
    search = Search()
    for argument in arguments:
        _expand(os.fspath(argument), search)
    return search


def is_system(name: str) -> bool:
    """Whether a file or folder is hidden, or one that systems, cameras and servers of files put beside images.

    Example:
        >>> is_system(".thumbnails"), is_system("@eaDir"), is_system("Thumbs.db"), is_system("thumbs")
        (True, True, True, False)
    """
    return name.startswith(".") or name.lower() in _OF_SYSTEMS


def search_folder(folder: Path, root: Path | None = None) -> Search:
    """The files in a folder and its subfolders with the suffix of an image, in any case.

    Hidden files and folders, and those of systems (`is_system`), are left out. A link to a folder is followed once; not
    at all if it leads up, or to what is searched anyway: in `root`, if all of that is.
    """
    roots = {folder.resolve(), (root or folder).resolve()}
    unreadable, visited = list[OSError](), set[tuple[int, int]]()
    paths, others = list[Path](), list[Path]()
    for here, folders, files in os.walk(folder, followlinks=True, onerror=unreadable.append):
        status = Path(here).stat()
        if (status.st_dev, status.st_ino) in visited:
            folders.clear()
            continue
        visited.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not is_system(name) and not leads_back(Path(here, name), roots))
        for path in (Path(here, name) for name in files if not is_system(name)):
            if path.suffix.lower() in SUFFIXES:
                paths.append(path)
            elif path.is_file():  # not a link to nowhere
                others.append(path)
    found = [Found(str(path), path) for path in sorted(paths)]
    found += [Found(e.filename, error=f"{e.filename} must be readable; got: {e.strerror}.") for e in unreadable]
    return Search(found, sorted(others))


def leads_back(path: Path, roots: Iterable[Path]) -> bool:
    """Whether a folder is a link up from one of these, or to something in them that is not hidden."""
    if not path.is_symlink():
        return False
    target = path.resolve()
    return any(
        root.is_relative_to(target)
        or (target.is_relative_to(root) and not any(p.startswith(".") for p in target.relative_to(root).parts))
        for root in roots
    )


def _expand(argument: str, search: Search) -> None:
    """Add what an argument means."""
    path = Path(argument)
    if argument == "-":
        search.found.append(_read_stdin())
    elif path.is_dir():
        inside, suffixes = search_folder(path), ", ".join(sorted(SUFFIXES))
        empty = f"{argument} must hold images; got a folder without any. Supported suffixes: {suffixes}."
        search.found.extend(inside.found or [Found(argument, error=empty)])
        search.others.extend(inside.others)
    elif os.path.lexists(path):
        search.found.append(Found(argument, path))
    elif any(wildcard in argument for wildcard in "*?["):
        # Path.glob would drop a leading `./` and needs the fixed part of a pattern cut off first.
        matches = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207
        for match in matches:
            if not is_system(Path(match).name):
                _expand(match, search)
        if not matches:
            nothing = f"{argument} matches no file or folder. Check the folder and the pattern."
            search.found.append(Found(argument, error=nothing))
    else:
        search.found.append(Found(argument, error=f"{argument} must be an image; no such file exists. Check the path."))


def _read_stdin() -> Found:
    data = sys.stdin.buffer.read(MAX_STDIN_BYTES + 1)
    if len(data) > MAX_STDIN_BYTES:
        return Found("-", error=f"The standard input must be one image; got more than {MAX_STDIN_BYTES:,} bytes.")
    return Found("-", data)
