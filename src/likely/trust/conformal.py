"""Intervals that hold the truth as often as promised, from the scores of held-out rows (split conformal)."""

import math
from fractions import Fraction

import numpy as np

from likely.errors import ConfigError, DataError, ShapeError


def rows_needed(coverage: float) -> int:
    """The fewest held-out rows from which a finite quantile with this coverage exists: ceil(c / (1 - c)).

    Raises:
        ConfigError: if the coverage is not strictly between 0 and 1.

    Example:
        >>> rows_needed(0.9), rows_needed(0.99)
        (9, 99)
    """
    exact = _exact(coverage)
    return math.ceil(exact / (1 - exact))


def conformal_quantile(scores: np.ndarray, coverage: float) -> float:
    """The score that a new row stays at or below with at least the asked probability.

    The ceil((m + 1) c)-th smallest of m scores. If the new row is exchangeable with the held-out ones, then

        c <= P(new score <= quantile) < c + 1 / (m + 1)    (the upper bound where scores do not tie)

    exactly, for every m and every distribution. This holds on average over held-out and new rows, not for each kind
    of row. (m + 1) c is computed as a fraction: no rounding takes the next score by accident.

    Args:
        scores: how badly each held-out row fits, larger is worse, shape (m,); infinity is allowed, NaN is not.
        coverage: c, strictly between 0 and 1.
    Raises:
        DataError: if there are too few rows for the coverage (saying how many are needed), or a score is NaN.
        ConfigError: if the coverage is not strictly between 0 and 1.

    Example:
        >>> conformal_quantile(np.arange(1.0, 20.0), coverage=0.9)
        18.0

    Reference: Vovk, Gammerman and Shafer (2005), Algorithmic learning in a random world, ch. 4.
    """
    scores = np.asarray(scores)
    if scores.ndim != 1 or scores.dtype.kind not in "fiu":
        raise ShapeError(f"scores must be numbers of shape (m,); got {scores.dtype} of shape {scores.shape}.")
    if np.isnan(scores).any():
        raise DataError(f"scores must not be NaN; got NaN in row {int(np.isnan(scores).argmax())}.")
    rank = held_out_rank(len(scores), coverage)
    return float(np.partition(scores, rank - 1)[rank - 1])


def held_out_rank(m: int, coverage: float) -> int:
    """Which of m sorted held-out scores is the quantile: ceil((m + 1) c), counted from 1.

    Raises:
        DataError: if m rows are too few for the coverage; it says how many are needed.
        ConfigError: if the coverage is not strictly between 0 and 1.

    Example:
        >>> held_out_rank(19, 0.9)
        18
    """
    exact, needed = _exact(coverage), rows_needed(coverage)
    if m < needed:
        raise DataError(
            f"A coverage of {coverage} must rest on at least {needed} held-out rows; got {m}. With fewer, only "
            f"an endless interval keeps the promise. Try a lower coverage or more rows."
        )
    return math.ceil(exact * (m + 1))


def residual_interval(predictions: np.ndarray, quantile: float) -> np.ndarray:
    """The ends of prediction ± quantile, shape (n, 2), float64.

    With quantile = conformal_quantile(|y - prediction| of held-out rows, c), a new y lies in its interval, ends
    included, with probability at least c.

    Args:
        predictions: shape (n,).
        quantile: half the width, not negative; infinity gives endless intervals.
    Raises:
        DataError: if the quantile is negative or NaN.
        ShapeError: if the predictions are not of shape (n,).

    Example:
        >>> residual_interval(np.array([10.0, 20.0]), 1.5)
        array([[ 8.5, 11.5],
               [18.5, 21.5]])
    """
    if not quantile >= 0:
        raise DataError(f"quantile must not be negative or NaN; got {quantile}. Try conformal_quantile on residuals.")
    centers = np.asarray(predictions, dtype=np.float64)
    if centers.ndim != 1:
        raise ShapeError(f"predictions must have shape (n,); got {centers.shape}.")
    return centers[:, None] + np.array([-quantile, quantile])


def _exact(coverage: float) -> Fraction:
    if not 0 < coverage < 1:
        raise ConfigError(f"coverage must be strictly between 0 and 1; got {coverage}. Try 0.9.")
    # Through the shortest decimal: 0.55 means 11/20, not the binary number just above it.
    return Fraction(repr(float(coverage)))
