"""Rows that count unequally, as rows that count alike: each is kept as often as its weight says."""

import numpy as np

from likely.errors import DataError, ShapeError


def accept_by_weight(weights: np.ndarray, largest: float, rng: np.random.Generator) -> np.ndarray:
    """Which rows are a sample of the weighted population: each with probability w / largest, booleans (n,).

    If rows (z, w) are drawn independently and w <= largest, the accepted ones are drawn independently from the
    population in which z comes in proportion to its mean weight:

        P(z in A | accepted) = E[w 1(z in A)] / E[w]

    So every guarantee that needs exchangeable rows holds with them, for new rows of the weighted population. About
    n mean(w) / largest rows are left; equal weights keep all.

    The weights (n,) are numbers from 0 to `largest`.

    Example:
        >>> accept_by_weight(np.array([2.0, 2.0, 0.0]), 2.0, np.random.default_rng(0))
        array([ True,  True, False])

    Reference: J. von Neumann (1951), Various techniques used in connection with random digits (rejection sampling).
    """
    weights = np.asarray(weights, dtype=np.float64)
    if weights.ndim != 1:
        raise ShapeError(f"weights must have shape (n,), one per row; got {weights.shape}.")
    if not (np.isfinite(largest) and largest > 0) or not ((weights >= 0) & (weights <= largest)).all():
        raise DataError(
            f"weights must be numbers from 0 to the largest, {largest}, which must be positive; got others. Try "
            "largest=weights.max()."
        )
    return rng.random(len(weights)) * largest < weights
