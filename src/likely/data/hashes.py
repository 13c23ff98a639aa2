"""A short hash of each row, so that one can tell whether a row was trained on without keeping the row."""

import hashlib

import numpy as np

from likely.preprocessing.stored_rows import RowArray, pieces


def row_hashes(X: RowArray) -> np.ndarray:
    """64 bits of BLAKE2b of each row's bytes, uint64 of shape (n,); equal rows have equal hashes.

    Two different rows share a hash with probability 2^-64. Numbers are read as float64, so that float32 rows are
    known again in float64.

    Args:
        X: pictures as uint8, or numbers, one row each.

    Example:
        >>> one, same, other = row_hashes(np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 3.0]]))
        >>> bool(one == same), bool(one == other)
        (True, False)
    """
    digests = b"".join(
        hashlib.blake2b(row.tobytes(), digest_size=8).digest() for piece in pieces(X) for row in _plain(piece)
    )
    return np.frombuffer(digests, dtype="<u8").copy()


def row_codes(X: RowArray) -> np.ndarray:
    """The last 16 bits of each row's hash, uint16 of shape (n,): enough for a random number, too few to name a row.

    Args:
        X: as for `row_hashes`.
    """
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
