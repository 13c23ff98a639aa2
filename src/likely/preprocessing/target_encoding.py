"""Target encoding: of a category of a column of many, what the answers of its training rows are like, as numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from likely.arrays import Array, namespace
from likely.preprocessing.columns import Column

_PRIOR_ROWS = np.array([*10.0 ** np.arange(-1, 5, 0.5), np.inf])
"""What the mean of all rows may count as in that of a category; infinitely many where categories do not matter."""


@dataclass(frozen=True)
class TargetEncoding:
    """Columns of categories as numbers, drawn toward what holds for all rows.

        m_c = (n_c * mean_c + a * mean) / (n_c + a)

    with n_c the rows of the category c, mean_c that of an answer among them, and a the one under which all answers are
    likeliest, if categories differ by normal effects. A number keeps m_c - mean; the probability of a label becomes
    logit(m_c) - logit(mean), of two labels for the second alone. A category without rows is 0: it says nothing.

    A row that teaches may not be told its own answer: `out_of_fold` has its numbers.

    Args:
        columns: which of a row are encoded.
        tables: of each of them, the numbers of every category, then those of a missing value.
    Reference: Micci-Barreca (2001), A preprocessing scheme for high-cardinality categorical attributes.
    """

    columns: tuple[int, ...]
    tables: tuple[tuple[tuple[float, ...], ...], ...]

    @classmethod
    def fit(
        cls,
        X: np.ndarray,
        columns: Sequence[Column],
        encoded: Sequence[int],
        Y: np.ndarray,
        weights: np.ndarray | None = None,
        *,
        classifies: bool,
    ) -> "TargetEncoding":
        """The encoding that rows X (n, d) with answers Y (n, k) make.

        Args:
            X: rows, categories as their numbers.
            columns: of the rows.
            encoded: the numbers of those that are encoded, all of them of categories.
            Y: label distributions, or standardized targets.
            weights: one non-negative number per row, or None.
            classifies: whether Y are label distributions.
        Example:
            >>> X, Y = np.repeat([[0.0], [1.0]], 50, axis=0), np.repeat([[1.0, 0.0], [0.0, 1.0]], 50, axis=0)
            >>> made = TargetEncoding.fit(X, [Column("city", ("Bonn", "Rome"))], [0], Y, classifies=True)
            >>> made(np.array([[0.0], [1.0], [np.nan]])).round(1).tolist()
            [[-6.9], [6.9], [0.0]]
        """
        Y = (Y[:, 1:] if classifies and Y.shape[1] == 2 else Y).astype(np.float64)
        counted = np.ones(len(Y)) if weights is None else weights / weights.mean()
        tables = [_table(_codes(X[:, j], columns[j]), _size(columns[j]), Y, counted, classifies) for j in encoded]
        return cls(tuple(encoded), tuple(tables))

    @classmethod
    def out_of_fold(
        cls,
        X: np.ndarray,
        columns: Sequence[Column],
        encoded: Sequence[int],
        Y: np.ndarray,
        weights: np.ndarray | None = None,
        *,
        folds: Sequence[np.ndarray],
        classifies: bool,
    ) -> np.ndarray:
        """The numbers (n, m) of training rows, each by the rows of the other folds; arguments as of `fit`."""
        found = list[np.ndarray]()
        for fold in folds:
            others = np.setdiff1d(np.arange(len(X)), fold)
            given = None if weights is None else weights[others]
            found.append(cls.fit(X[others], columns, encoded, Y[others], given, classifies=classifies)(X[fold]))
        return np.concatenate(found)[np.argsort(np.concatenate(folds))]

    def __call__(self, x: Array) -> Array:
        """The numbers (n, m) of rows of floats, in their array library, on their device and in their dtype."""
        xp, like = namespace(x), {"dtype": x.dtype, "device": getattr(x, "device", None)}
        found = list[Array]()
        for column, table in zip(self.columns, self.arrays, strict=True):
            codes = xp.where(xp.isnan(x[:, column]), float(len(table) - 1), x[:, column])
            found.append(xp.take(xp.asarray(table, **like), xp.astype(codes, xp.int64), axis=0))
        return xp.concat(found, axis=1)

    @cached_property
    def arrays(self) -> list[np.ndarray]:
        """The tables."""
        return [np.array(table) for table in self.tables]

    @cached_property
    def column_of_number(self) -> np.ndarray:
        """The column that each number comes from, (m,)."""
        return np.repeat(self.columns, [table.shape[1] for table in self.arrays])

    def to_json(self) -> dict[str, Any]:
        """Plain values that `from_json` makes an equal one of."""
        return {"columns": list(self.columns), "tables": [[list(row) for row in table] for table in self.tables]}

    @classmethod
    def from_json(cls, values: dict[str, Any], columns: Sequence[Column]) -> "TargetEncoding":
        """The one that `to_json` gave the values of, if it fits the columns; else ValueError, TypeError or KeyError."""
        encoded = tuple(values["columns"])
        made = cls(encoded, tuple(tuple(tuple(row) for row in table) for table in values["tables"]))
        known = all(type(j) is int and 0 <= j < len(columns) and columns[j].categories is not None for j in encoded)
        if not known or not encoded or len(set(encoded)) < len(encoded) or len(encoded) != len(made.tables):
            raise ValueError("an encoded column that holds no categories, or twice, or none")
        for j, table in zip(encoded, made.tables, strict=True):
            sizes = {len(row) for row in table}
            if len(table) != _size(columns[j]) or len(sizes) != 1 or 0 in sizes:
                raise ValueError("an encoded column of other categories")
            if not all(type(value) is float and math.isfinite(value) for row in table for value in row):
                raise ValueError("a number of a category that is not finite")
        return made


def _size(column: Column) -> int:
    """Rows of a table: one per category, and one for missing values."""
    return len(column.categories or ()) + 1


def _codes(values: np.ndarray, column: Column) -> np.ndarray:
    return np.where(np.isnan(values), _size(column) - 1, values).astype(np.int64)


def _table(
    codes: np.ndarray, size: int, Y: np.ndarray, weights: np.ndarray, classifies: bool
) -> tuple[tuple[float, ...], ...]:
    n = np.bincount(codes, weights, size)
    found = list[np.ndarray]()
    for y in Y.T:
        total = weights @ y
        # Of labels that no row has, or all, half a row is another: a logit is finite.
        mean = (total + 0.5) / (n.sum() + 1) if classifies else total / n.sum()
        sums = np.bincount(codes, weights * (y - mean), size)
        shrunken = sums / (n + _prior_rows(n, sums, float(weights @ np.square(y - mean))))
        found.append(_logit(mean + shrunken) - _logit(mean) if classifies else shrunken)
    # What a file holds is what answers: six digits tell more than the rows of a category know.
    return tuple(tuple(float(f"{value:.6g}") for value in row) for row in np.stack(found, axis=1).tolist())


def _prior_rows(n: np.ndarray, sums: np.ndarray, squares: float) -> float:
    """a under which answers of normal noise, and normal effects of 1 / a of its variance, are likeliest.

    Args:
        n, sums: the rows of each category, and the sum of their answers less the mean of all.
        squares: of these differences in all rows, their sum.
    """
    a = _PRIOR_ROWS[:, None]
    left = squares - (np.square(sums) / (n + a)).sum(axis=1)
    costs = n.sum() * np.log(np.maximum(left, 1e-12 * max(squares, 1e-300))) + np.log1p(n / a).sum(axis=1)
    return float(_PRIOR_ROWS[np.argmin(costs)])


def _logit(p: Any) -> Any:
    return np.log(p) - np.log1p(-p)
