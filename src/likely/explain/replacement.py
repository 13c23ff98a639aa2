"""Replacement: how the answer to a row of a table changes where the model is not told one of its values.

    c(column) = f(x) - sum_j w_j f(x with v_j in that column)

v_j are values that the column has, each as often as w_j says. A column that says the same as another one contributes
little by itself; columns that are named together are replaced together.

Reference: Robnik-Sikonja and Kononenko (2008), Explaining classifications for individual instances.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from likely.explain.occlusion import Answer

_AT_ONCE = 2**22
"""Numbers in the rows that are asked about together."""


@dataclass(frozen=True, eq=False)
class Replaced:
    """Columns that are replaced together.

    Args:
        names: of the columns in the table.
        places: their numbers in a row.
        values: what may stand in them, shape (m, len(places)).
        weights: how often each does, shape (m,), with sum 1.
    """

    names: tuple[str, ...]
    places: tuple[int, ...]
    values: np.ndarray
    weights: np.ndarray


def replacement(row: np.ndarray, answer: Answer, columns: Sequence[Replaced]) -> np.ndarray:
    """How far the number falls where the model is not told each of the columns: float64 (len(columns),).

    Args:
        row: shape (d,).
        answer: gives the number of such rows.
        columns: what is replaced, one after the other.
    Example:
        >>> size = Replaced(("size",), (0,), np.array([[0.0], [2.0]]), np.array([0.5, 0.5]))
        >>> replacement(np.array([3.0, 9.0]), lambda rows: 10 * rows[:, 0], [size])
        array([20.])
    """
    before, falls = answer(row[None])[0], list[float]()
    size, waiting = max(1, _AT_ONCE // len(row)), list[Replaced]()
    for column in columns:
        if waiting and sum(len(c.values) for c in waiting) + len(column.values) > size:
            falls += _falls(row, before, answer, waiting)
            waiting = []
        waiting.append(column)
    return np.array(falls + _falls(row, before, answer, waiting))


def _falls(row: np.ndarray, before: float, answer: Answer, columns: Sequence[Replaced]) -> list[float]:
    rows = np.repeat(row[None], sum(len(column.values) for column in columns), axis=0)
    ends = np.cumsum([len(column.values) for column in columns])
    for column, end in zip(columns, ends.tolist(), strict=True):
        rows[end - len(column.values) : end, column.places] = column.values
    answers = np.split(answer(rows), ends[:-1])
    # The difference first: a value that is replaced by itself changes nothing, to the last digit.
    return [float(column.weights @ (before - found)) for column, found in zip(columns, answers, strict=True)]


def neutral_rows(columns: Sequence[Replaced], row: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Rows in which every column is replaced, each by a value of its own: shape (n, d)."""
    rng = np.random.default_rng(seed)
    rows = np.repeat(row[None], n, axis=0)
    at = (np.arange(n) + 0.5) / n
    for column in columns:
        drawn = np.searchsorted(np.cumsum(column.weights)[:-1], at)
        rows[:, column.places] = column.values[rng.permutation(drawn)]
    return rows
