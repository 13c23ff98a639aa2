"""Thresholds for events: brute force over all thresholds, the theory of costs, and what is refused."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from likely.errors import ConfigError, DataError, LikelyError, ShapeError
from likely.trust.decision import choose_event_threshold

_P = arrays(np.float64, (15,), elements=st.sampled_from([0.0, 0.1, 0.4, 0.45, 0.8, 1.0]))
_INSIDE = arrays(np.bool_, (15,))


def _cost(p: np.ndarray, inside: np.ndarray, threshold: float, cost: tuple[float, float]) -> float:
    acted = p >= threshold
    return float(((acted & ~inside) * cost[0] + (~acted & inside) * cost[1]).mean())


@given(_P, _INSIDE, st.tuples(st.floats(0.01, 100), st.floats(0.01, 100)))
def test_no_threshold_costs_less(p: np.ndarray, inside: np.ndarray, cost: tuple[float, float]) -> None:
    assume(0 < inside.sum() < 15)
    found = choose_event_threshold(p, inside, cost=cost)
    assert found.cost is not None
    assert found.cost == pytest.approx(min(_cost(p, inside, t, cost) for t in (*p, math.inf)))
    assert _cost(p, inside, found.threshold, cost) == pytest.approx(found.cost)


@given(_P, _INSIDE, st.sampled_from([0.2, 0.5, 0.6, 0.8, 1.0]))
def test_precision_and_recall_by_brute_force(p: np.ndarray, inside: np.ndarray, goal: float) -> None:
    assume(0 < inside.sum() < 15)
    precision = {t: inside[p >= t].mean() for t in set(p.tolist())}
    recall = {t: (inside & (p >= t)).sum() / inside.sum() for t in set(p.tolist())}
    assert choose_event_threshold(p, inside, recall=goal).threshold == max(t for t in recall if recall[t] >= goal)
    good = [t for t in precision if precision[t] >= goal]
    if good:
        assert choose_event_threshold(p, inside, precision=goal).threshold == min(good)
    else:
        with pytest.raises(DataError, match=f"got {max(precision.values()):.4f} at most"):
            choose_event_threshold(p, inside, precision=goal)


@given(_P, _INSIDE, st.sampled_from([{"precision": 0.05}, {"recall": 0.7}, {"cost": (1.0, 3.0)}]))
def test_the_figures_are_those_of_acting_at_the_threshold(
    p: np.ndarray, inside: np.ndarray, goal: dict[str, Any]
) -> None:
    assume(0 < inside.sum() < 15)
    try:
        found = choose_event_threshold(p, inside, **goal)
    except DataError:
        return
    acted = p >= found.threshold
    assert (found.false_alarms, found.misses) == ((acted & ~inside).sum(), (~acted & inside).sum())
    assert found.n == 15
    assert found.recall == pytest.approx(inside[acted].sum() / inside.sum())
    if acted.any():
        assert found.precision == pytest.approx(inside[acted].mean())
    else:
        assert math.isnan(found.precision)


@pytest.mark.parametrize("cost", [(1.0, 1.0), (1.0, 4.0), (3.0, 1.0), (1.0, 20.0)])
def test_for_true_probabilities_the_threshold_is_the_ratio_of_the_costs(cost: tuple[float, float]) -> None:
    rng = np.random.default_rng(0)
    p = rng.random(200_000)
    found = choose_event_threshold(p, rng.random(200_000) < p, cost=cost)
    assert found.threshold == pytest.approx(cost[0] / sum(cost), abs=0.03)


def test_only_the_ratio_of_the_costs_matters() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(500)
    inside = rng.random(500) < p
    one, other = (choose_event_threshold(p, inside, cost=cost) for cost in ((1, 5), (0.2, 1.0)))
    assert one[:6] == other[:6]


def test_where_acting_never_pays_nothing_is_done() -> None:
    p, inside = np.array([0.9, 0.5, 0.1]), np.array([False, True, False])
    found = choose_event_threshold(p, inside, cost=(100.0, 1.0))
    assert (found.threshold, found.recall, found.misses, found.false_alarms) == (math.inf, 0.0, 1, 0)
    assert found.cost == pytest.approx(1 / 3)


def test_the_order_of_rows_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    p, order = rng.random(300).round(1), rng.permutation(300)
    inside = rng.random(300) < p
    for goal in ({"precision": 0.6}, {"recall": 0.8}, {"cost": (2.0, 1.0)}):
        assert choose_event_threshold(p, inside, **goal) == choose_event_threshold(p[order], inside[order], **goal)


_GOOD_P, _GOOD_INSIDE = np.array([0.2, 0.6, 0.9]), np.array([False, True, True])


@pytest.mark.parametrize(
    "goal",
    [
        {},
        {"precision": 0.9, "recall": 0.9},
        {"precision": 0.0},
        {"recall": 1.1},
        {"recall": math.nan},
        {"recall": 1.0, "level": 0.95},
        {"recall": 0.9, "level": 1.0},
        {"cost": (1.0,)},
        {"cost": (1.0, 0.0)},
        {"cost": (1.0, math.inf)},
        {"cost": 3.0},
    ],
)
def test_goals_that_do_not_exist_are_refused(goal: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        choose_event_threshold(_GOOD_P, _GOOD_INSIDE, **goal)


@pytest.mark.parametrize(
    ("p", "inside", "error", "message"),
    [
        (_GOOD_P, np.array([True, True]), ShapeError, "one shape"),
        (_GOOD_P, np.array([0, 1, 1]), ShapeError, "booleans"),
        (_GOOD_P[:, None], _GOOD_INSIDE[:, None], ShapeError, "one shape"),
        (_GOOD_P, np.ones(3, bool), DataError, "3 of 3 inside"),
        (_GOOD_P, np.zeros(3, bool), DataError, "0 of 3 inside"),
        (np.array([0.2, 1.5, 0.1]), _GOOD_INSIDE, DataError, r"got 1\.5"),
        (np.array([0.2, math.nan, 0.1]), _GOOD_INSIDE, DataError, "got nan"),
    ],
)
def test_what_does_not_fit_is_refused(
    p: np.ndarray, inside: np.ndarray, error: type[LikelyError], message: str
) -> None:
    with pytest.raises(error, match=message):
        choose_event_threshold(p, inside, recall=0.5)
