"""Quantiles of held-out scores that a new row stays below with at least the requested probability (split conformal)."""

import math
from fractions import Fraction

import numpy as np

from likely.errors import DataError, ShapeError
from likely.metrics.checks import refuse, refuse_negative, strictly_between_0_and_1

_ROUNDING = 1e-12  # of sums of weights, as a share


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
    """The score that a new row stays at or below with at least the requested probability.

    The ceil((m + 1) c)-th smallest of m scores. If the new row is exchangeable with the held-out ones, then

        c <= P(new score <= quantile) < c + 1 / (m + 1)    (the upper bound where scores do not tie)

    exactly, for every m and every distribution, on average over the draw of held-out and new rows; not for each kind of
    row, nor for each draw of held-out rows. Scores of rows that were learned from, or of several networks
    (cross-validation), are not exchangeable with a new one: then it is approximate.

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
    refuse(np.isnan(scores), scores, "scores must not be NaN")
    rank = held_out_rank(len(scores), coverage)
    return float(np.partition(scores, rank - 1)[rank - 1])


def held_out_rank(m: int, coverage: float) -> int:
    """Which of m sorted held-out scores is the quantile: ceil((m + 1) c), counted from 1.

    Raises:
        DataError, ConfigError: as `conformal_quantile`.
    Example:
        >>> held_out_rank(19, 0.9)
        18
    """
    exact, needed = _exact(coverage), rows_needed(coverage)
    if m < needed:
        raise DataError(
            f"A coverage of {coverage} must rest on at least {needed} held-out rows; got {m}. With fewer, only the set "
            "of all labels (or the infinite interval) has this coverage. Try a lower coverage or more rows."
        )
    return math.ceil(exact * (m + 1))


def effective_rows(weights: np.ndarray) -> float:
    """How many rows of equal weight would tell as much as weights (m,): (sum w)^2 / sum w^2, at most m.

    Example:
        >>> effective_rows(np.array([1.0, 1.0, 1.0, 1.0])), effective_rows(np.array([1.0, 1.0, 8.0]))
        (4.0, 1.5151515151515151)

    Reference: Kish (1965), Survey sampling.
    """
    top = weights.max(initial=0.0)
    if top <= 0:
        return 0.0
    scaled = np.asarray(weights, dtype=np.float64) / top
    return float(scaled.sum() ** 2 / np.square(scaled).sum())


def weighted_quantiles(scores: np.ndarray, weights: np.ndarray, new: np.ndarray, coverage: float) -> np.ndarray:
    """The score that a new row of weight v stays at or below with at least the requested probability, for several v.

    For each v among `new` the smallest held-out score s with

        sum of the w_i with s_i <= s   >=   c (sum of all w_i + v)

    or infinity if there is none: a new row could have any score. If held-out rows are drawn independently from P and
    the new one from Q, with w = dQ/dP known up to a factor, then P(new score <= its quantile) >= c, exactly, for every
    m. Equal weights give `conformal_quantile`.

    Args:
        scores, weights: how badly each held-out row fits, larger is worse, and w_i, not negative, shape (m,).
        new: weights that the new row may have, shape (k,): there is a quantile for each.
        coverage: c, strictly between 0 and 1.
    Raises:
        DataError: if a score is NaN, a weight is negative or not finite, or `effective_rows` are fewer than
            `rows_needed`.
        ShapeError, ConfigError: if there is not one weight per score, or the coverage is out of range.
    Example:
        >>> weighted_quantiles(np.array([1.0, 2.0, 3.0, 4.0]), np.ones(4), np.array([1.0, 0.1]), coverage=0.75)
        array([4., 4.])
        >>> weighted_quantiles(np.array([1.0, 2.0, 3.0, 4.0]), np.array([3.0, 3.0, 1.0, 1.0]), np.array([0.5]), 0.7)
        array([2.])

    Reference: Tibshirani, Barber, Candes and Ramdas (2019), Conformal prediction under covariate shift, arXiv
    1904.06019, corollary 1; Podkopaev and Ramdas (2021), Distribution-free uncertainty quantification for
    classification under label shift, arXiv 2103.03323 (weights that follow from the label).
    """
    scores, weights, new = np.asarray(scores), np.asarray(weights), np.asarray(new)
    if scores.ndim != 1 or weights.shape != scores.shape or new.ndim != 1:
        raise ShapeError(
            f"weights must be one per score of shape (m,), and new of shape (k,); got {weights.shape} for scores of "
            f"{scores.shape}, and {new.shape}."
        )
    refuse(np.isnan(scores), scores, "scores must not be NaN")
    refuse_negative(weights, "weights")
    refuse_negative(new, "new")
    needed, effective = rows_needed(coverage), effective_rows(weights)
    if effective < needed * (1 - _ROUNDING):
        raise DataError(
            f"A coverage of {coverage} must rest on at least {needed} held-out rows; got {len(scores)} whose weights "
            f"are so unequal that they count as {effective:.1f}. Try a lower coverage, or more rows."
        )
    order = np.argsort(scores, kind="stable")
    through = np.cumsum(weights[order], dtype=np.float64)
    rank = np.searchsorted(through, float(_exact(coverage)) * (through[-1] + new) * (1 - _ROUNDING))
    return np.append(scores[order].astype(np.float64), np.inf)[rank]


def residual_interval(predictions: np.ndarray, quantile: float) -> np.ndarray:
    """The ends of prediction ± quantile, shape (n, 2), float64.

    With quantile = conformal_quantile(|y - prediction| of held-out rows, c), a new y lies in its interval, ends
    included, with probability at least c, under the assumptions of `conformal_quantile` and on average as there.

    Args:
        predictions: shape (n,).
        quantile: half the width, not negative; infinity gives infinite intervals.
    Raises:
        DataError, ShapeError: if the quantile is negative or NaN, or the predictions are not of shape (n,).
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
    strictly_between_0_and_1(coverage, "coverage", 0.9)
    # Through the shortest decimal: 0.55 means 11/20, not the binary number just above it.
    return Fraction(repr(float(coverage)))
