"""Features of images, kept on disk for the next time: by the content of each image and the weights of the backbone.

One SQLite file holds them, so that a image more costs one image more. What came first makes room for what is new.
"""

import hashlib
import sqlite3
import warnings
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import numpy as np

from likely.data.cache import cache_folder
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


def cached_features(backbone: Backbone, X: RowArray, progress: Progress | None = None) -> np.ndarray:
    """The features of images, float32 (n, m): those that are known from the disk, the others computed and kept.

    Warns:
        CacheWarning: if the disk can't be used; all are computed.
    """
    keys = [_key(backbone, X[i]) for i in range(len(X))]
    known = _find(keys)
    # A image that comes twice is computed once.
    first = {key: i for i, key in reversed(list(enumerate(keys))) if key not in known}
    missing = np.array(sorted(first.values()), dtype=np.int64)
    stores = True
    for start in range(0, len(missing), _AT_ONCE):
        some = missing[start : start + _AT_ONCE]

        def told(done: int, start: int = start) -> None:
            if progress is not None:
                progress(_DOING, start + done, len(missing))

        found = {keys[i]: row for i, row in zip(some, backbone.features(take_rows(X, some), told), strict=True)}
        known |= found
        stores = stores and _keep(found)
    return np.stack([known[key] for key in keys])


def _key(backbone: Backbone, image: np.ndarray) -> bytes:
    digest = hashlib.blake2b(f"{backbone.sha256} {image.shape}".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(image).data)
    return digest.digest()


def _find(keys: Sequence[bytes]) -> dict[bytes, np.ndarray]:
    found: dict[bytes, np.ndarray] = {}
    if not _path().exists():
        return found
    try:
        with _opened() as database:
            for start in range(0, len(keys), _QUERIED):
                some = keys[start : start + _QUERIED]
                marks = ", ".join("?" * len(some))
                for key, row in database.execute(f"SELECT key, row FROM features WHERE key IN ({marks})", some):
                    found[key] = np.frombuffer(row, "<f4")
    except (OSError, sqlite3.Error) as error:
        _complain(error)
    return found


def _keep(found: dict[bytes, np.ndarray]) -> bool:
    """Whether they could be stored."""
    try:
        with _opened() as database, database:
            rows = [(key, row.astype("<f4").tobytes()) for key, row in found.items()]
            database.executemany("INSERT OR REPLACE INTO features VALUES (?, ?)", rows)
            database.execute(
                "DELETE FROM features WHERE rowid <= (SELECT max(rowid) FROM features) - ?", [CACHED_IMAGES]
            )
    except (OSError, sqlite3.Error) as error:
        _complain(error)
        return False
    return True


@contextmanager
def _opened() -> Generator[sqlite3.Connection]:
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=30)) as database:
        database.execute("CREATE TABLE IF NOT EXISTS features (key BLOB UNIQUE, row BLOB)")
        yield database


def _path() -> Path:
    return cache_folder() / "features.sqlite"


def _complain(error: Exception) -> None:
    path, consequence = _path(), "they are computed again next time"
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
        consequence = "the damaged file is replaced"
        with suppress(OSError):
            path.unlink()
    warnings.warn(f"Features of images can't be kept in {path}; {consequence}. {error}.", CacheWarning, stacklevel=4)
