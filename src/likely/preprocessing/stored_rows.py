"""Rows that stay on disk until they are asked for: what makes a large folder of images cost no more than a batch."""

import math
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np

_PIECE = 4 << 20


class StoredRows:
    """Some rows of an array on disk, in some order; asked for some of them, it reads these and no others.

    Args:
        base: the array on disk, of shape (m, ...), mapped into memory.
        index: which of its rows these are, of shape (n,); None takes all.
    Example:
        >>> rows = StoredRows(np.arange(10).reshape(5, 2), np.array([4, 0]))
        >>> rows.shape, rows[:1].tolist(), rows.take(np.array([1])).index.tolist()
        ((2, 2), [[8, 9]], [0])
    """

    def __init__(self, base: np.ndarray, index: np.ndarray | None = None) -> None:
        self.base = base
        self.index = np.arange(len(base)) if index is None else index

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, ...), as an array's."""
        return (len(self.index), *self.base.shape[1:])

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return self.base.ndim

    @property
    def dtype(self) -> np.dtype:
        """Of the values."""
        return self.base.dtype

    def take(self, index: np.ndarray) -> "StoredRows":
        """Some of these rows, still on disk."""
        return StoredRows(self.base, self.index[index])

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, key: Any) -> Any:
        """A row, or an array of the rows that a slice or an array of integers names."""
        return self.base.take(self.index[key], axis=0)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype=dtype)


RowArray: TypeAlias = np.ndarray | StoredRows
"""Rows in memory or on disk; slices and arrays of integers index both."""


def take_rows(X: Any, index: np.ndarray) -> Any:
    """The rows with these indices: a copy of rows in memory, but only a view of rows on disk."""
    return X.take(index) if isinstance(X, StoredRows) else X[index]


def join_rows(first: Any, second: Any) -> Any:
    """The rows of one after those of the other; of the same array on disk they stay there."""
    if isinstance(first, StoredRows) and isinstance(second, StoredRows) and first.base is second.base:
        return StoredRows(first.base, np.concatenate([first.index, second.index]))
    return np.concatenate([np.asarray(first), np.asarray(second)])


def pieces(X: RowArray) -> Iterator[np.ndarray]:
    """The rows, some at a time: about 4 MB, however large one row is.

    Example:
        >>> [len(piece) for piece in pieces(np.zeros((50_000, 28, 28), np.uint8))][:2]
        [5349, 5349]
    """
    size = max(1, _PIECE // max(1, math.prod(X.shape[1:]) * X.dtype.itemsize))
    for start in range(0, len(X), size):
        yield X[start : start + size]
