"""From what a person typed (files, folders, globs, `-`) to pictures to be read, none lost on the way."""

import glob
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff"})

# More than the largest picture that the gate lets through, uncompressed.
MAX_STDIN_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True)
class Found:
    """A picture to be read, or the reason why there is none.

    Args:
        name: what to call it: the path, or "-" for the standard input.
        source: what `likely.data.images.decode.read_picture` takes: a path, or the bytes of the standard input.
        error: why there is nothing to read; then `source` is None.
    """

    name: str
    source: Path | bytes | None = None
    error: str | None = None


def find_pictures(arguments: Iterable[str | os.PathLike[str]]) -> list[Found]:
    """The pictures that the arguments mean, in their order; a folder's in sorted order.

    A file is taken at its word, whatever its suffix. Folders are searched with their subfolders for files with the
    suffix of a picture, in any case; hidden files are left out, links are followed once, and those that lead back up
    not at all. `-` reads one picture from the standard input. What can't be found becomes an entry with an `error`, so
    that the rest can still be answered.

    Example:
        >>> [found.error is None for found in find_pictures(["no-such-boot.png"])]
        [False]
    """
    return [found for argument in arguments for found in _expand(os.fspath(argument))]


def walk_pictures(folder: Path) -> Iterator[Found]:
    """The pictures in a folder and its subfolders, sorted by path, as `find_pictures` describes."""
    unreadable: list[OSError] = []
    visited = set(_above(folder))
    paths: list[Path] = []
    for root, folders, files in os.walk(folder, followlinks=True, onerror=unreadable.append):
        status = Path(root).stat()
        if (status.st_dev, status.st_ino) in visited:
            folders.clear()
            continue
        visited.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths += [Path(root, name) for name in files if not name.startswith(".") and _has_suffix(name)]
    for path in sorted(paths):
        yield Found(str(path), path)
    for error in unreadable:
        yield Found(str(error.filename), error=f"{error.filename} must be readable; got: {error.strerror}.")


def _above(folder: Path) -> Iterator[tuple[int, int]]:
    """The folders that hold this one: a link up to one of them would bring in everything beside it."""
    for parent in folder.resolve().parents:
        with suppress(OSError):
            status = parent.stat()
            yield status.st_dev, status.st_ino


def _expand(argument: str) -> list[Found]:
    if argument == "-":
        return [_read_stdin()]
    path = Path(argument)
    if path.is_dir():
        empty = f"{argument} must hold pictures; got a folder without any. Look for {', '.join(sorted(SUFFIXES))}."
        return list(walk_pictures(path)) or [Found(argument, error=empty)]
    if os.path.lexists(path):
        return [Found(argument, path)]
    if any(wildcard in argument for wildcard in "*?["):
        # Path.glob would drop a leading `./` and needs the fixed part of a pattern cut off first.
        matches = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207
        nothing = f"{argument} must match a file or folder; got no match. Check the folder and the pattern."
        return [found for match in matches for found in _expand(match)] or [Found(argument, error=nothing)]
    return [Found(argument, error=f"{argument} must be a picture; got nothing: there is no such file. Check the path.")]


def _has_suffix(name: str) -> bool:
    return Path(name).suffix.lower() in SUFFIXES


def _read_stdin() -> Found:
    data = sys.stdin.buffer.read(MAX_STDIN_BYTES + 1)
    if len(data) > MAX_STDIN_BYTES:
        return Found("-", error=f"The standard input must be one picture; got more than {MAX_STDIN_BYTES:,} bytes.")
    return Found("-", data)
