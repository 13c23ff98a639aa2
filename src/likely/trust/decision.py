"""From a probability to an action: the threshold from which to act on an event, chosen on held-out rows."""

import math
from typing import NamedTuple

import numpy as np

from likely.errors import ConfigError, DataError, ShapeError


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
) -> Decision:
    """The threshold on P(E | x) that reaches one goal on held-out rows.

    precision: the lowest threshold from which on at least this share of the rows acted on lies in the event, which
    keeps recall as high as it can be. recall: the highest threshold that acts on at least this share of the event.
    cost: the threshold with the smallest mean of (false alarms, misses) times their costs; for true probabilities it
    lies near c_fa / (c_fa + c_miss). These are figures of the held-out rows, not guarantees: a goal that was just
    reached there is missed as often as not on new rows.

    Args:
        probability: P(E | x) of held-out rows, shape (m,).
        inside: whether their label lies in E, booleans (m,).
        precision, recall: strictly above 0, at most 1.
        cost: of a false alarm and of a miss, both positive.
    Raises:
        ConfigError: if not exactly one goal is given, or it is out of range.
        DataError: if no row lies in the event or outside it, or the precision is not reached; it says what is.

    Example:
        >>> p = np.array([0.9, 0.8, 0.6, 0.3])
        >>> choose_event_threshold(p, np.array([True, True, False, True]), precision=1.0).threshold
        0.8

    Reference: Elkan (2001), The foundations of cost-sensitive learning.
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
        _in_range("precision", precision)
        good = np.flatnonzero(precisions >= precision)
        if not len(good):
            best = int(precisions.argmax())
            raise DataError(
                f"A precision of {precision} must be reached on held-out rows; got {precisions[best]:.4f} at most, at "
                f"the threshold {p[last[best]]:.4g}. Try a lower precision."
            )
        at = int(good[-1])
    elif recall is not None:
        _in_range("recall", recall)
        at = int(np.flatnonzero(recalls >= recall)[0])
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


def _in_range(name: str, value: float) -> None:
    if not 0 < value <= 1:
        raise ConfigError(f"{name} must be above 0 and at most 1; got {value}. Try 0.95.")


def _checked(probability: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    p, hits = np.asarray(probability, dtype=np.float64), np.asarray(inside)
    if p.ndim != 1 or hits.shape != p.shape or hits.dtype != np.bool_:
        raise ShapeError(
            f"probability and inside must be numbers and booleans of one shape (m,); got {p.shape} and "
            f"{hits.dtype} of {hits.shape}."
        )
    if not ((p >= 0) & (p <= 1 + 1e-6)).all():
        raise DataError(f"probability must lie in [0, 1]; got {p[~((p >= 0) & (p <= 1 + 1e-6))][0]}.")
    if hits.all() or not hits.any():
        raise DataError(
            f"Held-out rows must lie in the event and outside it; got {hits.sum()} of {len(hits)} inside. Try another "
            "event."
        )
    return p, hits
