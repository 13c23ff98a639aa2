"""Disjoint parts of a data set: uniformly random ones to hold out, and balanced folds that hold out every row once.

Related rows are never parted: groups are drawn whole.
"""

from collections.abc import Sequence

import numpy as np

from likely.errors import DataError


def random_split(
    n: int, sizes: Sequence[int], rng: np.random.Generator, groups: np.ndarray | None = None
) -> list[np.ndarray]:
    """Disjoint parts of the requested sizes and one with the rest, drawn uniformly among all such parts.

    No row is preferred for its label: every guarantee about held-out rows rests on their being exchangeable with new
    ones.

    Args:
        n: how many rows there are.
        sizes: the sizes of the parts, together at most n; with groups, how many groups each part gets.
        rng: where the draws come from.
        groups: integers of shape (n,), equal for rows that must not be parted.
    Returns:
        len(sizes) + 1 arrays of row indices, each sorted; the last one holds the rest.
    Raises:
        DataError: if a size is negative or the sizes are more than there are rows, or groups.
    Example:
        >>> first, second, rest = random_split(10, [2, 3], np.random.default_rng(0))
        >>> len(first), len(second), len(rest)
        (2, 3, 5)
        >>> [part.tolist() for part in random_split(4, [1], np.random.default_rng(1), groups=np.array([7, 7, 7, 3]))]
        [[3], [0, 1, 2]]
    """
    units, owner = (n, None) if groups is None else _numbered(groups)
    if min(sizes, default=0) < 0 or sum(sizes) > units:
        what = "rows" if groups is None else "groups of related rows"
        raise DataError(f"Sizes of parts must be at least 0 and together at most {units} {what}; got {list(sizes)}.")
    parts = np.split(rng.permutation(units), np.cumsum(np.asarray(sizes, dtype=np.int64)))
    return [np.sort(part) if owner is None else np.flatnonzero(np.isin(owner, part)) for part in parts]


def folds(y: np.ndarray, k: int, rng: np.random.Generator, groups: np.ndarray | None = None) -> list[np.ndarray]:
    """k disjoint parts of all rows, their sizes and their counts of each class equal or one apart.

    Args:
        y: a class per row, of shape (n,).
        k: how many parts, from 2 to n.
        rng: where the draws come from.
        groups: integers of shape (n,), equal for rows that must not be parted; then it is the numbers of groups that
            are equal or one apart, each counted with the class of its first row.
    Returns:
        k arrays of row indices, each sorted.
    Raises:
        DataError: if k is less than 2 or more than n, or than there are groups.
    Example:
        >>> [len(part) for part in folds(np.array([0, 0, 0, 1, 1]), 2, np.random.default_rng(0))]
        [3, 2]
    """
    if groups is not None:
        units, owner = _numbered(groups)
        of_group = np.empty(units, dtype=y.dtype)
        of_group[owner[::-1]] = y[::-1]  # the first row is written last
        return [np.flatnonzero(np.isin(owner, part)) for part in folds(of_group, k, rng)]
    if not 2 <= k <= len(y):
        raise DataError(f"The number of folds must be from 2 to the number of rows; got {k} folds of {len(y)} rows.")
    by_class = np.split(np.argsort(y, kind="stable"), np.cumsum(np.unique(y, return_counts=True)[1])[:-1])
    # Dealt like cards, class after class without a new start, so that no fold gets the odd row of every class.
    dealt = np.concatenate([rng.permutation(rows) for rows in by_class])
    return [np.sort(dealt[i::k]) for i in range(k)]


def _numbered(groups: np.ndarray) -> tuple[int, np.ndarray]:
    """How many groups there are, and the number of each row's, from 0."""
    found, owner = np.unique(groups, return_inverse=True)
    return len(found), owner
