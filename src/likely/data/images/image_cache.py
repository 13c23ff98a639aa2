"""Decoded images, kept on disk for the next time: KEY.rows with their bytes, KEY.json with what is known of them.

The key is a hash of every file's content, of the shape, and of the version of the gate, so that nothing stale is ever
found; an image of one set is found for others, too. A checksum covers every byte. What was not used for longest makes
room for what is new.
"""

import hashlib
import json
import math
import os
import time
import warnings
from collections.abc import Callable, Container, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeAlias

import numpy as np

from likely.atomic import whole_file, write_text
from likely.config.cache_folder import cache_file, cache_folder, make_folder_of
from likely.config.processors import usable_cores
from likely.data.images.decode import ImageForm
from likely.errors import CacheWarning
from likely.preprocessing.stored_rows import RowArray, StoredRows, pieces

GATE_VERSION = 4
"""Raised whenever the same file would become other pixels."""

KEPT_FROM = 4 << 20
"""Bytes of decoded images from which they are kept: fewer are decoded again before one notices."""

ON_DISK_FROM = 64 << 20
"""Bytes of decoded images from which they stay on disk."""

CACHE_BYTES = 20 << 30
"""What the decoded images of all sets may take."""

_FOLDER = "images"
_MOST_FACTS = 64 << 20
"""Bytes of what is said of a set: more is none of ours."""

_ABANDONED = 24 * 3600
"""Seconds after which nobody is still writing to a file that has no name yet."""

Decoded: TypeAlias = np.ndarray | str
"""An image, or why there is none."""


class ImageCache:
    """The place in the cache of files with these hashes, in this order, decoded to this form."""

    def __init__(self, digests: Sequence[str], form: ImageForm) -> None:
        how = "" if form.conversion is None else json.dumps(dict(form.conversion), sort_keys=True)
        self._form = _hash(f"{GATE_VERSION} {form.shape}{how}")[:12]
        self._name = f"{self._form}-{_hash(' '.join(digests))}"
        self._digests, self._shape, self._row_bytes = list(digests), form.shape, math.prod(form.shape)

    def find(self) -> tuple[RowArray, list[int]] | None:
        """The rows, and which of the files could not be read; None if they are not there or not whole."""
        found = self._whole(self._name)
        if found is None or found[1] != self._digests:
            return None
        X, _, bad = found
        with suppress(OSError):
            os.utime(_file(self._name, "rows"))
        return _placed(X), bad

    def fill(self, decode: Callable[[Sequence[int]], Generator[Decoded]]) -> tuple[RowArray, dict[int, str]]:
        """The rows, kept for the next time if that is worth it and possible, and by number why others can't be read.

        `decode` gives the images of these numbers, in order; it is called again if the disk fails.
        """
        if len(self._digests) * self._row_bytes >= KEPT_FROM:
            try:
                return self._on_disk(decode)
            except OSError as error:
                warnings.warn(f"Decoded images are kept in memory this time. {error}", CacheWarning, stacklevel=2)
        X, bad = np.empty((len(self._digests), *self._shape), np.uint8), dict[int, str]()
        for i, image in enumerate(decode(range(len(X)))):
            if isinstance(image, str):
                bad[i] = image
            else:
                X[i - len(bad)] = image
        return X[: len(X) - len(bad)], bad

    def _on_disk(self, decode: Callable[[Sequence[int]], Generator[Decoded]]) -> tuple[RowArray, dict[int, str]]:
        rows, facts = _file(self._name, "rows"), _file(self._name, "json")
        make_folder_of(rows)
        n = len(self._digests)
        _make_room(rows.parent, n * self._row_bytes)
        known, bad = self._of_other_sets(), dict[int, str]()
        # Closed before anybody warns: its threads change the filters of warnings for a moment at each image.
        with closing(decode([i for i in range(n) if i not in known])) as others, whole_file(rows) as file:
            for i in range(n):
                image = known[i] if i in known else next(others)
                if isinstance(image, str):
                    bad[i] = image
                else:
                    file.write(image.tobytes())
        if len(bad) == n:
            rows.unlink()
            return np.empty((0, *self._shape), np.uint8), bad
        X = self._mapped(rows, n - len(bad))
        said = json.dumps({"digests": self._digests, "bad": list(bad)})
        write_text(facts, f"{_checksum(said, X)}\n{said}")
        return _placed(X), bad

    def _of_other_sets(self) -> dict[int, np.ndarray]:
        """The images that are kept as part of other sets, by number."""
        places: dict[str, list[int]] = {}
        for i, digest in enumerate(self._digests):
            places.setdefault(digest, []).append(i)
        known: dict[int, np.ndarray] = {}
        for path in sorted((cache_folder() / _FOLDER).glob(f"{self._form}-*.json")):
            found = self._whole(path.stem, places) if places else None
            if found is not None:
                X, digests, bad = found
                kept = np.delete(digests, bad).tolist()
                for row, digest in zip(X, kept, strict=True):
                    known.update((i, row) for i in places.pop(digest, ()))
        return known

    def _whole(self, name: str, among: Container[str] | None = None) -> tuple[np.ndarray, list[str], list[int]] | None:
        """The rows of a set, the hashes of its files, and which of them could not be read; None if it is not whole.

        With `among`, None also if it holds none of these hashes.
        """
        try:
            facts = _file(name, "json")
            if facts.stat().st_size > _MOST_FACTS:
                return None
            checksum, _, said = facts.read_text(encoding="utf-8").partition("\n")
            values = json.loads(said)
            digests, bad = list(values["digests"]), [int(i) for i in values["bad"]]
            if bad != sorted(set(bad) & set(range(len(digests)))):
                return None
            if among is not None and not any(digest in among for digest in digests):
                return None
            X = self._mapped(_file(name, "rows"), len(digests) - len(bad))
            return (X, digests, bad) if checksum == _checksum(said, X) else None
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None

    def _mapped(self, rows: Path, n: int) -> np.ndarray:
        if n < 1 or rows.stat().st_size != n * self._row_bytes:
            raise ValueError(f"{rows} is incomplete")
        return np.asarray(np.memmap(rows, np.uint8, "r", shape=(n, *self._shape)))


def _file(name: str, suffix: str) -> Path:
    return cache_file(_FOLDER, f"{name}.{suffix}")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _placed(X: np.ndarray) -> RowArray:
    """Small sets in memory, large ones on disk."""
    return np.array(X) if X.nbytes < ON_DISK_FROM else StoredRows(X)


def _checksum(said: str, X: np.ndarray) -> str:
    """Of what is said of rows, and of every byte of them."""
    digest = hashlib.blake2b(said.encode(), digest_size=16)
    with ThreadPoolExecutor(usable_cores()) as pool:
        for part in pool.map(lambda piece: hashlib.blake2b(piece, digest_size=16).digest(), pieces(X)):
            digest.update(part)
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
