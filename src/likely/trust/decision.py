"""From a probability to an action: the threshold from which to act on an event, chosen on held-out rows."""

import math
from typing import NamedTuple

import numpy as np
import scipy

from likely.errors import ConfigError, DataError
from likely.metrics.checks import above_0_at_most_1, marked, strictly_between_0_and_1
from likely.trust.abstention import rows_needed_for_error


class Decision(NamedTuple):
    """Act where P(E | x) >= threshold, and what that did on n held-out rows.

    `precision` is the share of the rows acted on that lie in the event, `recall` the share of the rows in the event
    that were acted on; `cost` is the mean cost per row, None where none was given. Where it costs least never to act,
    the threshold is infinity and the precision NaN.
    """

    threshold: float
    precision: float
    recall: float
    false_alarms: int
    misses: int
    n: int
    cost: float | None = None


def choose_event_threshold(
    probability: np.ndarray,
    inside: np.ndarray,
    *,
    precision: float | None = None,
    recall: float | None = None,
    cost: tuple[float, float] | None = None,
    level: float | None = None,
) -> Decision:
    """The threshold on P(E | x) that reaches one goal on held-out rows.

    precision: the lowest threshold from which on at least this share of the rows acted on lies in the event, which
    keeps recall as high as it can be. recall: the highest threshold that acts on at least this share of the event.
    cost: the threshold with the smallest mean of (false alarms, misses) times their costs; for true probabilities it
    lies near c_fa / (c_fa + c_miss). These are figures of the held-out rows, not guarantees: a goal that was just
    reached there is missed as often as not on new rows.

    With a level, recall is a guarantee: with at least this probability over the draw of independent held-out rows, at
    least this share of all new rows of the event reaches the threshold. At the (k + 1)-th smallest probability of the
    n rows in the event new rows are missed at a rate above 1 - r only if at most k of the n lie below the quantile of
    that rate, so that k is the largest number of misses with

        P(Binomial(n, 1 - r) <= k) <= 1 - level,

    which takes n >= log(1 - level) / log(r) rows. Ties only raise the recall.

    Args:
        probability, inside: P(E | x) of held-out rows, and whether their label lies in E, booleans, shape (m,) each.
        precision, recall: strictly above 0, at most 1; a recall with a level below 1.
        cost: of a false alarm and of a miss, both positive.
        level: the probability with which the recall holds on new rows; None takes the figure of these rows.
    Raises:
        ConfigError: if not exactly one goal is given, or it is out of range.
        DataError: if all rows lie in the event or none, or the goal is not reached; it says what is, or what it takes.
    Example:
        >>> p = np.array([0.9, 0.8, 0.6, 0.3])
        >>> choose_event_threshold(p, np.array([True, True, False, True]), precision=1.0).threshold
        0.8
        >>> rng = np.random.default_rng(0)
        >>> p = rng.random(100)
        >>> found = choose_event_threshold(p, rng.random(100) < p, recall=0.8, level=0.95)
        >>> round(found.recall, 3)                                      # on these rows more, so that new ones have 0.8
        0.906

    Reference: Elkan (2001), The foundations of cost-sensitive learning; Wilks (1941), Determination of sample sizes for
    setting tolerance limits (the level of an order statistic).
    """
    if sum(goal is not None for goal in (precision, recall, cost)) != 1:
        raise ConfigError("A threshold must have one goal; give one of precision=, recall= and cost=.")
    p, hits = _checked(probability, inside)
    order = np.argsort(-p, kind="stable")
    p, hits = p[order], hits[order]
    last = np.flatnonzero(np.r_[p[1:] != p[:-1], True])  # act on all rows of the same probability, or on none
    right = np.cumsum(hits)[last]
    acted = last + 1
    total = int(hits.sum())
    precisions, recalls = right / acted, right / total
    mean_cost = None
    if precision is not None:
        above_0_at_most_1(precision, "precision", 0.95)
        good = np.flatnonzero(precisions >= precision)
        if not len(good):
            best = int(precisions.argmax())
            raise DataError(
                f"A precision of {precision} must be reached on held-out rows; got {precisions[best]:.4f} at most, at "
                f"the threshold {p[last[best]]:.4g}. Try a lower precision."
            )
        at = int(good[-1])
    elif recall is not None:
        above_0_at_most_1(recall, "recall", 0.95)
        least = recall if level is None else 1 - _most_misses(total, recall, level) / total
        at = int(np.flatnonzero(recalls >= least - 1e-12)[0])
    else:
        assert cost is not None
        if np.shape(cost) != (2,) or not min(cost) > 0 or not np.isfinite(cost).all():
            raise ConfigError(f"cost must be two positive numbers, of a false alarm and of a miss; got {cost}.")
        costs = ((acted - right) * cost[0] + (total - right) * cost[1]) / len(p)
        at = int(costs.argmin())
        mean_cost = float(costs[at])
        never = total * cost[1] / len(p)
        if never < mean_cost:
            return Decision(math.inf, math.nan, 0.0, 0, total, len(p), never)
    return Decision(
        threshold=float(p[last[at]]),
        precision=float(precisions[at]),
        recall=float(recalls[at]),
        false_alarms=int(acted[at] - right[at]),
        misses=int(total - right[at]),
        n=len(p),
        cost=mean_cost,
    )


def _most_misses(n: int, recall: float, level: float) -> int:
    """Of n held-out rows in the event, how many may be missed where this recall is to hold on new rows."""
    strictly_between_0_and_1(level, "level")
    if recall == 1:
        raise ConfigError(
            "recall must be below 1 where it is to hold on new rows, any of which may be missed; got 1. Try 0.99, or "
            "level=None, which speaks of held-out rows only."
        )
    allowed = np.flatnonzero(scipy.special.bdtr(np.arange(n, dtype=np.float64), n, 1 - recall) <= 1 - level)
    if not len(allowed):
        possible = math.floor(1000 * (1 - level) ** (1 / n)) / 1000
        raise DataError(
            f"A recall of {recall:g} must be guaranteed by held-out rows at a level of {level:g}; got {n:,} in the "
            f"event. It takes {rows_needed_for_error(1 - recall, level):,}. The highest recall that {n:,} can "
            f"guarantee is about {possible:g}. Try a lower recall, more held-out rows, or level=None, which speaks of "
            "held-out rows only."
        )
    return int(allowed[-1])


def _checked(probability: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    p, hits = marked(probability, inside, "probability and inside")
    if not ((p >= 0) & (p <= 1 + 1e-6)).all():
        raise DataError(f"probability must lie in [0, 1]; got {p[~((p >= 0) & (p <= 1 + 1e-6))][0]}.")
    if hits.all() or not hits.any():
        raise DataError(
            f"Held-out rows must lie in the event and outside it; got {hits.sum()} of {len(hits)} inside. Try another "
            "event."
        )
    return p, hits
