"""Files that are written whole or not at all: to a neighbor first, flushed to the disk, then renamed."""

import contextlib
import os
import secrets
import shutil
import stat
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO, TypeAlias

from likely.errors import LikelyError, OutputError

TEMPORARY = ".likely-"
"""How the names of files begin that are not yet whole."""

StrPath: TypeAlias = str | os.PathLike[str]


def write_text(path: StrPath, text: str) -> None:
    """Write UTF-8 text to a file, whole or not at all; what UTF-8 cannot say is escaped with a backslash.

    Raises:
        OutputError: if the file cannot be written; an older file is then untouched.
    """
    write_bytes(path, text.encode("utf-8", errors="backslashreplace"))


def write_bytes(path: StrPath, content: bytes) -> None:
    """Write bytes to a file, whole or not at all: to a neighbor first, then renamed over `path`.

    Raises:
        OutputError: if the file cannot be written; an older file is then untouched.
    """
    with whole_file(path) as file:
        file.write(content)


@contextlib.contextmanager
def whole_file(path: StrPath) -> Generator[BinaryIO]:
    """A file to write to that takes the place of `path` at the end, or vanishes if something goes wrong on the way.

    Raises:
        OutputError: if the file cannot be written; an older file is then untouched.
    """
    try:
        # A link keeps pointing where it points: the file behind it is what gets replaced.
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file():
            raise OutputError(
                f"{path} must be a file or new; got {kind_of(target)}. Only files are replaced. Try another path."
            )
        neighbor = target.parent / f"{TEMPORARY}{secrets.token_hex(8)}.tmp"
        try:
            with neighbor.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            neighbor.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                neighbor.unlink()
            raise
        _sync_folder(target.parent)
    except (OSError, ValueError) as error:
        if isinstance(error, LikelyError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(
            f"{path} must be a place that can be written to; got: {reason}. Nothing was changed. "
            f"Try another folder, or make room."
        ) from error


def refuse_folder(path: StrPath, option: str) -> None:
    """Refuse, with an OutputError, what is there and not an empty folder; `option` is how it was named."""
    target = Path(path)
    if target.is_dir() and not any(target.iterdir()):
        return
    if os.path.lexists(target):
        what = "a folder that holds files" if target.is_dir() else "a file"
        raise OutputError(f"{option} must be a new folder; got {target}, {what}. Nothing is replaced. Try another one.")


@contextlib.contextmanager
def new_folder(path: StrPath) -> Generator[Path]:
    """A folder to write to that becomes `path` at the end, or vanishes if something goes wrong on the way.

    Raises:
        OutputError: if it cannot be written, or something is there that is not an empty folder.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        neighbor = target.parent / f"{TEMPORARY}{secrets.token_hex(8)}.tmp"
        neighbor.mkdir()
        try:
            yield neighbor
            if target.is_dir():
                target.rmdir()
            neighbor.rename(target)
        except BaseException:
            shutil.rmtree(neighbor, ignore_errors=True)
            raise
    except OSError as error:
        if isinstance(error, LikelyError):
            raise
        raise OutputError(
            f"{path} must be a folder that can be written; got: {error.strerror or error}. Nothing was left there. Try "
            "another one, or make room."
        ) from error


def _sync_folder(folder: Path) -> None:
    # The file is whole by now. Where folders cannot be synced (Windows, some network drives), only the moment at
    # which its name survives a power cut is uncertain, which is no reason to report failure.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def kind_of(path: Path) -> str:
    """What lies there instead of a file, for messages."""
    mode = path.stat().st_mode
    return "a folder" if stat.S_ISDIR(mode) else "a file" if stat.S_ISREG(mode) else "a device, pipe or socket"
