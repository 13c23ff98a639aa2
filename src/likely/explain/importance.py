"""Which columns of a table a model relies on: what shuffling them among held-out rows costs.

    I(columns) = mean over rows and shuffles of loss(y, f(x with the columns of another row)) - loss(y, f(x))

Columns that say the same are shuffled together: shuffled alone, each would seem to matter little, since the model still
has the others. What a model relies on is not what causes y.

Reference: Fisher, Rudin and Dominici (2019), All models are wrong, but many are useful, arXiv 1801.01489.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from likely.metrics.intervals import Estimate

_ENOUGH, _MOST_SHUFFLES = 300, 5
"""Shuffled rows, of which more rows tell more than more shuffles of them; and shuffles of few rows. Intervals of 1, 2
and 5 shuffles are 1.4, 1.2 and 1.1 times as wide as those of 20 (median of the columns of four tables)."""


def shuffles_of(n_rows: int) -> int:
    """How often columns of so many rows are shuffled.

    Example:
        >>> [shuffles_of(n) for n in (50, 150, 300)]
        [5, 2, 1]
    """
    return min(_MOST_SHUFFLES, math.ceil(_ENOUGH / n_rows))


@dataclass(frozen=True)
class Importance:
    """What shuffling some columns together costs.

    Args:
        columns: their names.
        cost: the mean rise of the loss, with a 95% interval over rows and shuffles.
        accuracy_lost: the mean share of rows that are no longer named right, less those that now are; NaN for numbers.
    """

    columns: tuple[str, ...]
    cost: Estimate
    accuracy_lost: float


def importances(
    X: np.ndarray,
    losses: Callable[[np.ndarray], np.ndarray],
    groups: Sequence[tuple[tuple[str, ...], tuple[int, ...]]],
    *,
    shuffles: int | None = None,
    seed: int = 0,
) -> list[Importance]:
    """The importance of each group of columns, the largest first.

    Args:
        X: held-out rows, shape (n, d).
        losses: the loss of each of such rows, and for labels whether the answer is wrong, shape (n, 1) or (n, 2).
        groups: names, and numbers of the columns of X.
        shuffles: how often each group is shuffled; None is `shuffles_of(n)`.
        seed: of the shuffles.
    Example:
        >>> X = np.random.default_rng(0).normal(size=(500, 2))
        >>> groups = [(("a",), (0,)), (("b",), (1,))]
        >>> first, last = importances(X, lambda rows: (rows[:, :1] - X[:, :1]) ** 2, groups)
        >>> first.columns, bool(first.cost.low > 0), last.cost.value
        (('a',), True, 0.0)
    """
    rng, n, shuffles = np.random.default_rng(seed), len(X), shuffles or shuffles_of(len(X))
    before, found = losses(X), list[Importance]()
    for names, places in groups:
        rises = np.zeros(before.shape)
        for _ in range(shuffles):
            shuffled = X.copy()
            shuffled[:, places] = X[rng.permutation(n)][:, places]
            rises += (losses(shuffled) - before) / shuffles
        mean, reach = float(rises[:, 0].mean()), float(scipy.special.ndtri(0.975) * rises[:, 0].std() / np.sqrt(n))
        lost = float(rises[:, -1].mean()) if before[0].size > 1 else float("nan")
        found.append(Importance(names, Estimate(mean, mean - reach, mean + reach), lost))
    return sorted(found, key=lambda each: -each.cost.value)
