"""Features of images, kept on disk for the next time: by the content of each image, the weights, and what computed.

One SQLite file holds them, so that an image more costs one image more. What came first makes room for what is new.
"""

import hashlib
import sqlite3
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass

import numpy as np

from likely.config.cache_folder import cache_file, cache_folder, make_folder_of
from likely.data.progress_callback import Progress
from likely.errors import CacheWarning
from likely.preprocessing.backbone import Backbone
from likely.preprocessing.stored_rows import RowArray, take_rows

CACHED_IMAGES = 400_000
"""That are kept at most: about 2 GB."""
_AT_ONCE = 256
"""Images that are computed before they are stored: an interrupted run goes on from there."""
_QUERIED = 500
"""Keys in one query."""
_DOING = "computing features"
_FILE = "features.sqlite"


@dataclass(frozen=True, eq=False)
class CachedBackbone(Backbone):
    """A backbone whose features are looked up on disk first, and kept there."""

    def features(self, X: RowArray, told: Callable[[int], None] | None = None, *, flipped: bool = False) -> np.ndarray:
        """As `Backbone.features`."""
        return cached_features(self, X, None if told is None else lambda _, done, __: told(done), flipped=flipped)


def cached_features(
    backbone: Backbone, X: RowArray, progress: Progress | None = None, *, flipped: bool = False
) -> np.ndarray:
    """The features of images, float32 (n, m): those that are known from the disk, the others computed and kept.

    With `flipped`, of the images flipped left to right.

    Warns:
        CacheWarning: if the disk can't be used; all are computed.
    """
    start = f"{backbone.computed_by} {backbone.sha256}{' flipped' if flipped else ''}"
    keys = [_key(start, X[i]) for i in range(len(X))]
    known = _find(keys)
    # An image that comes twice is computed once.
    first = {key: i for i, key in reversed(list(enumerate(keys))) if key not in known}
    missing = np.array(sorted(first.values()), dtype=np.int64)
    stores = True
    for begin in range(0, len(missing), _AT_ONCE):
        some = missing[begin : begin + _AT_ONCE]

        def told(done: int, begin: int = begin) -> None:
            if progress is not None:
                progress(_DOING, begin + done, len(missing))

        rows = Backbone.features(backbone, take_rows(X, some), told, flipped=flipped)
        found = {keys[i]: row for i, row in zip(some, rows, strict=True)}
        known |= found
        stores = stores and _keep(found)
    return np.array([known[key] for key in keys], np.float32).reshape(len(keys), backbone.layout.n_features)


def _key(start: str, image: np.ndarray) -> bytes:
    digest = hashlib.blake2b(f"{start} {image.shape}".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(image).data)
    return digest.digest()


def _checksum(key: bytes, row: bytes) -> bytes:
    return hashlib.blake2b(key + row, digest_size=8).digest()


def _find(keys: Sequence[bytes]) -> dict[bytes, np.ndarray]:
    """The features that are kept whole: a damaged row is no row."""
    found: dict[bytes, np.ndarray] = {}
    try:
        if not cache_file(_FILE).exists():
            return found
        with _opened() as database:
            for start in range(0, len(keys), _QUERIED):
                some = keys[start : start + _QUERIED]
                marks = ", ".join("?" * len(some))
                query = f"SELECT key, row, checksum FROM checked WHERE key IN ({marks})"
                for key, row, checksum in database.execute(query, some):
                    if isinstance(row, bytes) and checksum == _checksum(key, row):
                        found[key] = np.frombuffer(row, "<f4")
    except (OSError, sqlite3.Error) as error:
        _complain(error)
    return found


def _keep(found: dict[bytes, np.ndarray]) -> bool:
    """Whether they could be stored."""
    try:
        with _opened() as database, database:
            rows = ((key, row.astype("<f4").tobytes()) for key, row in found.items())
            database.executemany(
                "INSERT OR REPLACE INTO checked VALUES (?, ?, ?)", ((*row, _checksum(*row)) for row in rows)
            )
            database.execute("DELETE FROM checked WHERE rowid <= (SELECT max(rowid) FROM checked) - ?", [CACHED_IMAGES])
    except (OSError, sqlite3.Error) as error:
        _complain(error)
        return False
    return True


@contextmanager
def _opened() -> Generator[sqlite3.Connection]:
    path = cache_file(_FILE)
    make_folder_of(path)
    with closing(sqlite3.connect(path, timeout=30)) as database:
        database.execute("CREATE TABLE IF NOT EXISTS checked (key BLOB UNIQUE, row BLOB, checksum BLOB)")
        yield database


def _complain(error: Exception) -> None:
    consequence = "they are computed again next time"
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
        consequence = "the damaged file is replaced"
        with suppress(OSError):
            cache_file(_FILE).unlink()
    where = cache_folder() / _FILE
    warnings.warn(f"Features of images can't be kept in {where}; {consequence}. {error}.", CacheWarning, stacklevel=4)
