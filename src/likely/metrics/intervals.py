"""How far a figure would move on other rows of the same kind: exact intervals of shares, the bootstrap for the rest."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import scipy

from likely.errors import DataError
from likely.metrics.checks import strictly_between_0_and_1
from likely.metrics.json_values import to_json

RESAMPLES = 1000
BLOCK = 250_000
"""Drawn rows held at once: bounds the memory of the bootstrap."""


@dataclass(frozen=True)
class Estimate:
    """A number measured on a sample, with the ends of its 95% interval."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float | None]:
        """Plain numbers; NaN and infinity become None, which JSON can say.

        Example:
            >>> Estimate(0.9, 0.85, float("nan")).to_json()
            {'value': 0.9, 'low': 0.85, 'high': None}
        """
        return to_json(self)


def proportion(hits: int, n: int, level: float = 0.95) -> Estimate:
    """A share hits / n of independent rows, with the interval of Clopper and Pearson.

    The ends are the shares p at which as many hits or more, and as few or fewer, have a probability of (1 - level) / 2
    each. The interval holds the true share with at least the probability `level`, for every n and every share: where
    all of 30 rows are right, the true share may still be 88.4%. NaN where n is 0.

    Raises:
        DataError, ConfigError: if hits are not between 0 and n, or the level is not strictly between 0 and 1.

    Example:
        >>> [round(end, 3) for end in (proportion(30, 30).low, proportion(30, 30).high)]
        [0.884, 1.0]

    Reference: Clopper and Pearson (1934), The use of confidence or fiducial limits.
    """
    if not 0 <= hits <= n:
        raise DataError(f"hits must be between 0 and n = {n}; got {hits}. Try proportion(hits, n), in this order.")
    strictly_between_0_and_1(level, "level")
    if n == 0:
        return Estimate(math.nan, math.nan, math.nan)
    tail = (1 - level) / 2
    low = float(scipy.special.betaincinv(hits, n - hits + 1, tail)) if hits > 0 else 0.0
    high = float(scipy.special.betaincinv(hits + 1, n - hits, 1 - tail)) if hits < n else 1.0
    return Estimate(hits / n, low, high)


def bootstrap(rows: np.ndarray, figures: Callable[[np.ndarray], np.ndarray], seed: int = 0) -> list[Estimate]:
    """Percentile 95% intervals of figures that depend on the rows only through their sums.

    Each of 1,000 resamples draws n of the n rows with replacement. How often each row was drawn is a vector of
    counts, so that the sums over all resamples are one matrix product. These intervals are approximate, for independent
    rows; with few rows, or where a few carry the sum, they are too short. An interval that would not hold its value is
    widened to do so. Resamples where a figure is NaN are left out of its interval.

    Args:
        rows: m numbers per example, shape (n, m).
        figures: from sums of shape (r, m), one row per resample, to figures of shape (r, f); there is an `Estimate` of
            each.
        seed: of the draws.

    Example:
        >>> [mean] = bootstrap(np.arange(100.0)[:, None], lambda sums: sums / 100)
        >>> mean.value, 43 < mean.low < 45, 54 < mean.high < 56
        (49.5, True, True)

    Reference: Efron and Tibshirani (1993), An introduction to the bootstrap, ch. 13.
    """
    values = figures(rows.sum(axis=0, keepdims=True))[0]
    resampled = figures(np.concatenate([counts @ rows for counts in resampled_counts(len(rows), seed)]))
    return [_estimate(float(v), resampled[:, i]) for i, v in enumerate(values)]


def resampled_counts(n: int, seed: int, resamples: int = RESAMPLES, numbers: int = BLOCK) -> Iterator[np.ndarray]:
    """How often each of n rows is drawn in each resample, shape (block, n), a block of resamples at a time."""
    rng = np.random.default_rng(seed)
    block = max(1, min(resamples, numbers // n))
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        drawn = rng.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
        yield np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)


def _estimate(value: float, resampled: np.ndarray) -> Estimate:
    known = resampled[~np.isnan(resampled)]
    if math.isnan(value) or not len(known):
        return Estimate(value, math.nan, math.nan)
    low, high = np.quantile(known, [0.025, 0.975])
    return Estimate(value, min(float(low), value), max(float(high), value))
