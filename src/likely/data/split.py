"""Disjoint parts of a data set in which every class has its share."""

from collections.abc import Sequence

import numpy as np

from likely.errors import DataError


def stratified_split(y: np.ndarray, sizes: Sequence[int], rng: np.random.Generator) -> list[np.ndarray]:
    """Disjoint parts of the requested sizes and one with the rest, every class in proportion in each.

    Of n_k rows of class k among n, a part of size s gets s n_k / n, rounded by largest remainder so that the part
    has exactly s rows; which rows of a class they are is drawn by `rng`.

    Args:
        y: a class per row, of shape (n,).
        sizes: the sizes of the parts, together at most n.
        rng: where the draws come from.
    Returns:
        len(sizes) + 1 arrays of row indices, each sorted; the last one holds the rest.
    Raises:
        DataError: if a size is negative or the sizes are more than there are rows.
    Example:
        >>> y = np.array([0, 0, 0, 0, 1, 1, 1, 1])
        >>> parts = stratified_split(y, [4], np.random.default_rng(0))
        >>> [np.bincount(y[part]).tolist() for part in parts]
        [[2, 2], [2, 2]]

    Reference: the largest remainder method, M. L. Balinski and H. P. Young, Fair Representation, 1982.
    """
    if min(sizes, default=0) < 0 or sum(sizes) > len(y):
        raise DataError(f"Sizes of parts must be at least 0 and together at most {len(y)} rows; got {list(sizes)}.")
    pools = _shuffled_classes(y, rng)
    parts: list[np.ndarray] = []
    for size in sizes:
        shares = _largest_remainder(np.array([len(pool) for pool in pools]), size)
        parts.append(_joined([pool[:share] for pool, share in zip(pools, shares, strict=True)]))
        pools = [pool[share:] for pool, share in zip(pools, shares, strict=True)]
    return [*parts, _joined(pools)]


def folds(y: np.ndarray, k: int, rng: np.random.Generator) -> list[np.ndarray]:
    """k disjoint parts of all rows, their sizes and their counts of each class equal or one apart.

    Args:
        y: a class per row, of shape (n,).
        k: how many parts, from 2 to n.
        rng: where the draws come from.
    Returns:
        k arrays of row indices, each sorted.
    Raises:
        DataError: if k is less than 2 or more than n.
    Example:
        >>> [len(part) for part in folds(np.array([0, 0, 0, 1, 1]), 2, np.random.default_rng(0))]
        [3, 2]
    """
    if not 2 <= k <= len(y):
        raise DataError(f"The number of folds must be from 2 to the number of rows; got {k} folds of {len(y)} rows.")
    # Dealt like cards, class after class without a new start, so that no fold gets the odd row of every class.
    dealt = np.concatenate(_shuffled_classes(y, rng))
    return [np.sort(dealt[i::k]) for i in range(k)]


def _shuffled_classes(y: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    order = np.argsort(y, kind="stable")
    _, counts = np.unique(y, return_counts=True)
    return [rng.permutation(rows) for rows in np.split(order, np.cumsum(counts)[:-1])]


def _largest_remainder(counts: np.ndarray, size: int) -> np.ndarray:
    """Shares of `size` in proportion to `counts`, whole numbers that sum to it; ties go to the earlier class."""
    total = max(1, int(counts.sum()))
    # Whole numbers throughout: a quotient that is exact must not get a row from a rounding error.
    shares, remainders = np.divmod(counts.astype(np.int64) * size, total)
    missing = size - int(shares.sum())
    shares[np.argsort(-remainders, kind="stable")[:missing]] += 1
    return shares


def _joined(rows: list[np.ndarray]) -> np.ndarray:
    return np.sort(np.concatenate(rows)) if rows else np.empty(0, dtype=np.int64)
