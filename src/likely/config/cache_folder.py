"""Where likely keeps what it would otherwise fetch, decode or compute again."""

import atexit
import errno
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path


def cache_folder() -> Path:
    """LIKELY_CACHE, or XDG_CACHE_HOME/likely, or else where the platform puts caches."""
    from platformdirs import user_cache_path

    if chosen := os.environ.get("LIKELY_CACHE"):
        return Path(chosen)
    try:
        return user_cache_path("likely", appauthor=False)
    except RuntimeError:
        return _of_this_process()


def cache_file(*names: str) -> Path:
    """The path of a file in the cache, whether it is there or not.

    Raises:
        OSError: if it, or a folder of the cache that it is in, is a symbolic link, or it is no file.
    """
    folder = cache_folder()
    path = folder.joinpath(*names)
    for number in range(1, len(names) + 1):
        if folder.joinpath(*names[:number]).is_symlink():
            raise OSError(errno.ELOOP, "symbolic links are not followed in the cache", str(path))
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it must be a file", str(path))
    return path


def make_folder_of(path: Path) -> None:
    """Make the folder of a file in the cache, for this user alone: decoded images are nobody else's."""
    cache_folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)


@cache
def _of_this_process() -> Path:
    """For a user whom the system does not know, and who has no home: a new folder, which nobody else could prepare."""
    folder = tempfile.mkdtemp(prefix="likely-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
