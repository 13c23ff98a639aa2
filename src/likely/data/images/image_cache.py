"""Decoded images, kept on disk for the next time: KEY.rows with their bytes, KEY.json with what is known of them.

The key is a hash of every file's content, of the shape, and of the version of the gate, so that nothing stale is ever
found. What was not used for longest makes room for what is new.
"""

import hashlib
import json
import math
import os
import time
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeAlias

import numpy as np

from likely.atomic import whole_file, write_text
from likely.data.cache import cache_folder
from likely.data.images.decode import ImageForm
from likely.errors import CacheWarning
from likely.preprocessing.stored_rows import RowArray, StoredRows

GATE_VERSION = 3
"""Raised whenever the same file would become other pixels."""

KEPT_FROM = 4 << 20
"""Bytes of decoded images from which they are kept: fewer are decoded again before one notices."""

ON_DISK_FROM = 64 << 20
"""Bytes of decoded images from which they stay on disk."""

CACHE_BYTES = 20 << 30
"""What the decoded images of all sets may take."""

_ABANDONED = 24 * 3600
"""Seconds after which nobody is still writing to a file that has no name yet."""

Decoded: TypeAlias = np.ndarray | str
"""An image, or why there is none."""


class ImageCache:
    """The place in the cache of files with these hashes, in this order, decoded to this form."""

    def __init__(self, digests: Sequence[str], form: ImageForm) -> None:
        how = "" if form.conversion is None else json.dumps(dict(form.conversion), sort_keys=True)
        key = hashlib.sha256("\n".join([f"{GATE_VERSION} {form.shape}{how}", *digests]).encode()).hexdigest()[:32]
        self._folder = cache_folder() / "images"
        self._rows, self._facts = self._folder / f"{key}.rows", self._folder / f"{key}.json"
        self._n, self._shape, self._row_bytes = len(digests), form.shape, math.prod(form.shape)

    def find(self) -> tuple[RowArray, list[int]] | None:
        """The rows, and which of the files could not be read; None if they are not there or not whole."""
        try:
            facts = json.loads(self._facts.read_text(encoding="utf-8"))
            bad = [int(i) for i in facts["bad"]]
            X = self._mapped(self._n - len(bad))
            if facts["sum"] != _checksum(X):
                return None
            os.utime(self._rows)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return _placed(X), bad

    def fill(self, decode: Callable[[], Generator[Decoded]]) -> tuple[RowArray, dict[int, str]]:
        """The rows, kept for the next time if that is worth it and possible, and by number why others can't be read.

        `decode` gives every image in order; it is called again if the disk fails.
        """
        if self._n * self._row_bytes >= KEPT_FROM:
            try:
                return self._on_disk(decode())
            except OSError as error:
                warnings.warn(f"Decoded images are kept in memory this time. {error}", CacheWarning, stacklevel=2)
        X, bad = np.empty((self._n, *self._shape), np.uint8), dict[int, str]()
        for i, image in enumerate(decode()):
            if isinstance(image, str):
                bad[i] = image
            else:
                X[i - len(bad)] = image
        return X[: self._n - len(bad)], bad

    def _on_disk(self, images: Generator[Decoded]) -> tuple[RowArray, dict[int, str]]:
        self._folder.mkdir(parents=True, exist_ok=True)
        _make_room(self._folder, self._n * self._row_bytes)
        bad: dict[int, str] = {}
        # Closed before anybody warns: its threads change the filters of warnings for a moment at each image.
        with closing(images), whole_file(self._rows) as file:
            for i, image in enumerate(images):
                if isinstance(image, str):
                    bad[i] = image
                else:
                    file.write(image.tobytes())
        if len(bad) == self._n:
            self._rows.unlink()
            return np.empty((0, *self._shape), np.uint8), bad
        X = self._mapped(self._n - len(bad))
        write_text(self._facts, json.dumps({"bad": list(bad), "sum": _checksum(X)}))
        return _placed(X), bad

    def _mapped(self, n: int) -> np.ndarray:
        if n < 1 or self._rows.stat().st_size != n * self._row_bytes:
            raise ValueError(f"{self._rows} is incomplete")
        return np.asarray(np.memmap(self._rows, np.uint8, "r", shape=(n, *self._shape)))


def _placed(X: np.ndarray) -> RowArray:
    """Small sets in memory, large ones on disk."""
    return np.array(X) if X.nbytes < ON_DISK_FROM else StoredRows(X)


def _checksum(X: np.ndarray) -> str:
    """Of about a thousand rows, spread over the whole: a file that was overwritten shows, at little cost."""
    digest = hashlib.blake2b(digest_size=16)
    for i in np.unique(np.linspace(0, len(X) - 1, 1000).astype(int)):
        digest.update(X[i].tobytes())
    return digest.hexdigest()


def _make_room(folder: Path, n_bytes: int) -> None:
    """Remove the sets that were not used for longest until so many bytes fit, and what killed runs left behind."""
    for path in folder.glob(".*.tmp"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _ABANDONED:
                path.unlink()
    kept: list[tuple[float, int, Path]] = []
    for path in folder.glob("*.rows"):
        with suppress(OSError):
            status = path.stat()
            kept.append((status.st_mtime, status.st_size, path))
    total = n_bytes + sum(size for _, size, _ in kept)
    for _, size, path in sorted(kept):
        if total <= CACHE_BYTES:
            return
        total -= size
        with suppress(OSError):
            path.unlink()
            path.with_suffix(".json").unlink()
