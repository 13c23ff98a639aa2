"""Which columns of a table say about the same."""

from collections.abc import Sequence

import numpy as np

RELATED = 0.9
"""From this association on two columns say about the same."""

_ROWS_PER_KIND = 5
"""Fewer rows for each kind of a category say nothing of what it goes with."""


def related(X: np.ndarray, are_categories: Sequence[bool]) -> list[tuple[int, ...]]:
    """The numbers of the columns of X, those together that say about the same: an association of 0.9 or more.

    Of two columns of numbers that is the size of the correlation of their ranks, equal values counted once; where one
    or both are categories, how much of the ranks, or of the other category, they explain, corrected for chance.

    Args:
        X: rows, shape (n, d); NaN where a value is missing.
        are_categories: of each column, whether its numbers are those of categories.
    Example:
        >>> x = np.arange(50.0)
        >>> related(np.stack([x, np.sin(x), -(x**3)], axis=1), [False] * 3)
        [(0, 2), (1,)]
    """
    d = X.shape[1]
    if d < 2 or len(X) < 3:
        return [(j,) for j in range(d)]
    kinds = [
        np.unique(_filled(x, is_category=category), return_inverse=True)[1]
        for x, category in zip(X.T, are_categories, strict=True)
    ]
    groups: list[list[int]] = []
    for j in range(d):
        for group in groups:
            if all(_association(kinds, are_categories, i, j) >= RELATED for i in group):
                group.append(j)
                break
        else:
            groups.append([j])
    return [tuple(group) for group in groups]


def _association(kinds: Sequence[np.ndarray], are_categories: Sequence[bool], i: int, j: int) -> float:
    """Of two columns: 1 where each follows from the other."""
    if not are_categories[i] and not are_categories[j]:
        return _correlation(kinds[i], kinds[j])
    if are_categories[i] and are_categories[j]:
        return min(_of_kinds(kinds[i], kinds[j]), _of_kinds(kinds[j], kinds[i]))
    category, number = (i, j) if are_categories[i] else (j, i)
    return _explained(kinds[category], kinds[number][:, None].astype(np.float64))


def _filled(x: np.ndarray, *, is_category: bool) -> np.ndarray:
    """Missing values as a category of their own, or as the median."""
    missing = np.isnan(x)
    if not missing.any():
        return x
    return np.where(missing, -1.0 if is_category or missing.all() else np.median(x[~missing]), x)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    spread = a.std() * b.std()
    return abs(float(np.mean((a - a.mean()) * (b - b.mean())) / spread)) if spread else 0.0


def _of_kinds(kinds: np.ndarray, others: np.ndarray) -> float:
    """How much of one category the other explains."""
    return _explained(kinds, np.eye(others.max() + 1)[others]) if others.max() < len(others) / _ROWS_PER_KIND else 0.0


def _explained(kinds: np.ndarray, values: np.ndarray) -> float:
    """The square root of the share of the variance of values (n, m) that the kinds explain, corrected for chance."""
    n, counts = len(kinds), np.bincount(kinds)
    k = len(counts)
    if k < 2 or n < _ROWS_PER_KIND * k:
        return 0.0
    means = np.stack([np.bincount(kinds, column) / counts for column in values.T], axis=1)
    within = np.square(values - means[kinds]).sum() / (n - k)
    total = np.square(values - values.mean(axis=0)).sum() / (n - 1)
    return float(np.sqrt(max(0.0, 1 - within / total))) if total else 0.0
