"""Columns of numbers in blocks: many short ones are looked at at once, a long one alone."""

from collections.abc import Iterator, Mapping

import numpy as np

_CELLS = 2**15  # memory that stays in the cache, and is used again


def number_blocks(columns: Mapping[str, np.ndarray]) -> Iterator[tuple[list[str], np.ndarray]]:
    """The names and values (k, n) of some columns of float64 after the other, in their order; others are left out.

    Example:
        >>> columns = {"a": np.zeros(3), "b": np.array(["x"] * 3, dtype=object), "c": np.ones(3)}
        >>> [(names, block.tolist()) for names, block in number_blocks(columns)]
        [(['a', 'c'], [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])]
    """
    names = [name for name, values in columns.items() if values.dtype == np.float64]
    if not names:
        return
    n = len(columns[names[0]])
    for some in columns_at_once(names, n):
        values = [columns[name] for name in some]
        yield some, values[0][None] if len(some) == 1 else np.concatenate(values).reshape(len(some), n)


def columns_at_once(names: list[str], n: int) -> Iterator[list[str]]:
    """The names of columns of n rows, as many at a time as are looked at at once."""
    at_once = max(1, _CELLS // max(1, n))
    for start in range(0, len(names), at_once):
        yield names[start : start + at_once]
