"""A short hash of each row, so that one can tell whether a row was trained on without keeping the row."""

import hashlib

import numpy as np

from likely.stored_rows import RowArray, pieces


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


def _plain(X: np.ndarray) -> np.ndarray:
    """Contiguous rows whose bytes are equal where their values are."""
    return np.ascontiguousarray(X if X.dtype == np.uint8 else np.asarray(X, dtype=np.float64) + 0.0)  # -0.0 is 0.0
