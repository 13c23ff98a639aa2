"""A short hash of each row, so that one can tell whether a row was trained on without keeping the row."""

import hashlib
import math

import numpy as np

from likely.preprocessing.stored_rows import RowArray, pieces


def row_hashes(X: RowArray) -> np.ndarray:
    """64 bits of BLAKE2b of each row's bytes, uint64 of shape (n,); equal rows have equal hashes.

    X holds images as uint8, or numbers, which are read as float64, so that float32 rows are known again in float64.

    Example:
        >>> one, same, other = row_hashes(np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 3.0]]))
        >>> bool(one == same), bool(one == other)
        (True, False)
    """
    digests = b"".join(
        hashlib.blake2b(row.tobytes(), digest_size=8).digest() for piece in pieces(X) for row in _plain(piece)
    )
    return np.frombuffer(digests, dtype="<u8").copy()


def hashes_to_know_again(X: RowArray) -> np.ndarray:
    """The hashes by which `known_again` finds these rows, in float32, too: uint64, those of `row_hashes` first."""
    exact, rounded, changed = _in_single_precision(X)
    # Rows that float32 does not tell apart, such as time stamps, would be taken for each other.
    return np.concatenate([exact, rounded[changed] ^ _ROUNDED])


def known_again(X: RowArray, hashes: np.ndarray, chance: float = 0.0) -> np.ndarray:
    """Which rows are among those that `hashes_to_know_again` was given, as they are or rounded to float32.

    A row counts as known if it is equal to one of them, or one is the other rounded to float32; but two rows that
    float32 alone does not tell apart are not the same. Hashes of `row_hashes` know no rows that were rounded.

    Where equal rows are to be expected, as of columns with few different values, they tell nothing as long as they are
    no more than that (three standard deviations): then no row is known.

    `chance` is how likely a row equals another one though it is no copy of it.

    Example:
        >>> rows = np.array([[0.1, 2.0], [0.3, 1.0]])
        >>> known_again(rows.astype(np.float32), hashes_to_know_again(rows)).tolist()
        [True, True]
    """
    exact, rounded, changed = _in_single_precision(X)
    known = np.isin(exact, hashes) | (changed & np.isin(rounded, hashes))
    known |= (rounded == exact) & np.isin(rounded ^ _ROUNDED, hashes)
    usual = len(known) * chance + 3 * math.sqrt(len(known) * chance * (1 - chance))
    return known if known.sum() > usual else np.zeros_like(known)


_ROUNDED = np.uint64(0x9E3779B97F4A7C15)
"""What marks the hash of a row that was rounded: it is no row of the training set itself."""


def _in_single_precision(X: RowArray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hashes of the rows, of the rows rounded to float32, and which rows that changes without making any two equal."""
    exact = row_hashes(X)
    if X.dtype.itemsize <= 2 or X.dtype == np.float32:
        return exact, exact, np.zeros(len(exact), np.bool_)
    rounded, done = exact.copy(), 0
    for piece in pieces(X):
        with np.errstate(over="ignore"):
            single = piece.astype(np.float32)
        differs = np.flatnonzero((single != piece).reshape(len(piece), -1).any(axis=1))
        rounded[done + differs] = row_hashes(single[differs])
        done += len(piece)
    changed = rounded != exact
    if len(np.unique(rounded)) < len(np.unique(exact)):
        changed[:] = False
    return exact, rounded, changed


def row_codes(X: RowArray) -> np.ndarray:
    """The last 16 bits of each row's hash, uint16 of shape (n,): enough for a random number, too few to name a row."""
    return row_hashes(X).astype(np.uint16)


SKETCH_SIZE = 512
"""Hashes that a sketch keeps."""


def row_sketch(hashes: np.ndarray) -> np.ndarray:
    """The smallest hashes of a set, sorted, at most `SKETCH_SIZE`: enough to notice that other rows overlap with it.

    A row whose hash is at most the largest one kept was in the set if and only if its hash is kept; nothing is said of
    the others. The sketch of a union is that of both sketches together.

    Example:
        >>> row_sketch(np.array([5, 3, 5, 9], np.uint64)).tolist()
        [3, 5, 9]

    Reference: Broder (1997), On the resemblance and containment of documents.
    """
    return np.unique(hashes)[:SKETCH_SIZE]


def _plain(X: np.ndarray) -> np.ndarray:
    """Contiguous rows whose bytes are equal where their values are."""
    return np.ascontiguousarray(X if X.dtype == np.uint8 else np.asarray(X, dtype=np.float64) + 0.0)  # -0.0 is 0.0
