"""Abstention: the promise by simulation, what a refusal says, and the risk-coverage figures by brute force."""

import math
import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from likely.errors import ConfigError, DataError, ShapeError
from likely.trust import abstention
from likely.trust.abstention import (
    aurc,
    choose_threshold,
    confidence,
    error_at_coverage,
    risk_coverage,
    rows_needed_for_error,
    threshold_grid,
)

DRAWS = 500
RISKS = {
    # P(wrong | confidence = t) for t uniform in [0, 1], or rounded to steps: falls smoothly, is flat, has atoms.
    "smooth": (lambda t: 0.3 * (1 - t) ** 2, None),
    "flat, just too high": (lambda t: np.full_like(t, 0.0501), None),
    "flat, low enough": (lambda t: np.full_like(t, 0.02), None),
    "tied": (lambda t: 0.2 * (1 - t) ** 1.5, 8),
    "one step": (lambda t: np.where(t > 0.5, 0.0, 0.12), 2),
    "not ordered at all": (lambda t: 0.1 * np.abs(np.sin(20 * t)), None),
}
_FINE = (np.arange(200_000) + 0.5) / 200_000


def _stepped(t: np.ndarray, steps: int | None) -> np.ndarray:
    return t if steps is None else (np.floor(t * steps) + 0.5) / steps


@pytest.mark.parametrize("m", [400, 2400])
@pytest.mark.parametrize("risk_name", RISKS)
def test_the_promise_holds_in_nearly_all_draws(risk_name: str, m: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # What a refusal says takes many times as long as finding that there is one.
    monkeypatch.setattr(abstention, "_refused", lambda *_: DataError("refused"))
    risk, steps = RISKS[risk_name]
    max_error, level = 0.05, 0.95
    rng = np.random.default_rng(0)
    fine = _stepped(_FINE, steps)
    true_risk = np.cumsum(risk(fine)[::-1])[::-1] / np.arange(len(fine), 0, -1)  # of answering fine[i] and all above
    broken = promised = 0
    for _ in range(DRAWS):
        grid = threshold_grid(_stepped(rng.random(m), steps))
        sure = _stepped(rng.random(m), steps)
        try:
            promise = choose_threshold(sure, rng.random(m) < risk(sure), grid, max_error, level)
        except DataError:
            continue
        promised += 1
        broken += true_risk[min(np.searchsorted(fine, promise.threshold), len(fine) - 1)] > max_error
    # 3 standard errors of 500 draws at the level itself.
    assert broken / DRAWS <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / DRAWS)
    if risk_name in ("smooth", "flat, low enough") and m == 2400:
        assert promised > 0.8 * DRAWS


def test_a_promise_is_used_as_far_as_it_goes() -> None:
    rng = np.random.default_rng(0)
    sure = rng.random(100_000)
    wrong = rng.random(100_000) < 0.3 * (1 - sure) ** 2
    grid = threshold_grid(rng.random(100_000))
    # The error above t is 0.1 (1 - t)^2, at most 0.04 for t >= 1 - sqrt(0.4).
    assert choose_threshold(sure, wrong, grid, 0.04).threshold == pytest.approx(1 - math.sqrt(0.4), abs=0.03)
    shares = [choose_threshold(sure, wrong, grid, e).share for e in (0.01, 0.02, 0.05, 0.2)]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_a_promise_states_what_it_rests_on() -> None:
    rng = np.random.default_rng(1)
    sure = rng.random(3000)
    wrong = rng.random(3000) < 0.2 * (1 - sure)
    promise = choose_threshold(sure, wrong, threshold_grid(rng.random(3000)), 0.04)
    answered = sure >= promise.threshold
    assert promise[2:5] == (answered.sum(), wrong[answered].sum(), 3000)
    assert promise.share == answered.mean()
    assert promise.bound <= promise.max_error == 0.04


def test_rows_that_tie_with_the_threshold_are_answered_whatever_the_rounding() -> None:
    kinds = np.array([0.95, 0.8, 0.6])
    rng = np.random.default_rng(0)
    other, kind = rng.integers(3, size=2000), rng.integers(3, size=2000)
    grid = threshold_grid(kinds[other])
    single = kinds.astype(np.float32).astype(np.float64)[kind]  # held-out rows as a file keeps them
    wrong = rng.random(2000) < np.array([0.0, 0.02, 0.5])[kind]
    promise = choose_threshold(single, wrong, grid, 0.05)
    assert promise.answered == (kind < 2).sum()
    for nudge in (-1e-7, 0, 1e-7):
        assert ((kinds + nudge) >= promise.threshold).tolist() == [True, True, False]


def test_the_grid_has_a_share_of_rows_above_each_threshold() -> None:
    sure = np.random.default_rng(0).random(10_000)
    grid = threshold_grid(sure)
    assert len(grid) == 101
    assert (np.diff(grid) <= 0).all()
    np.testing.assert_allclose([(sure >= t).mean() for t in grid[:-1]], np.arange(1, 101) / 100, atol=2e-4)
    assert grid[-1] == 0


@pytest.mark.parametrize("max_error", [0.001, 0.01, 0.05, 0.1, 0.3])
@pytest.mark.parametrize("m", [30, 298, 400, 2400])
def test_what_a_refusal_says_can_be_promised_is_promised(max_error: float, m: int) -> None:
    rng = np.random.default_rng(m)
    sure = rng.random(m)
    for chance in (0.0, 0.2, 0.6):
        wrong = rng.random(m) < chance
        grid = threshold_grid(rng.random(m))
        try:
            choose_threshold(sure, wrong, grid, max_error)
        except DataError as error:
            named = re.search(r"smallest error that they can guarantee is about ([\d.e-]+)\. ", str(error))
            assert named is not None
            best = float(named[1])
            assert best > max_error
            assert choose_threshold(sure, wrong, grid, best).max_error == best
            # Nothing a tenth smaller would do.
            if best * 0.9 > max_error:
                with pytest.raises(DataError):
                    choose_threshold(sure, wrong, grid, best * 0.9)


def test_a_refusal_says_how_many_rows_it_takes() -> None:
    with pytest.raises(DataError, match=r"got 298 rows\. It takes 299 answers without a mistake\."):
        choose_threshold(np.ones(298), np.zeros(298, bool), np.zeros(101), 0.01)
    assert choose_threshold(np.ones(299), np.zeros(299, bool), np.zeros(101), 0.01).answered == 299


def test_nothing_can_be_promised_where_everything_is_wrong() -> None:
    with pytest.raises(DataError, match=r"too many mistakes among the most confident\. Try a larger error"):
        choose_threshold(np.random.default_rng(0).random(500), np.ones(500, bool), np.linspace(1, 0, 101), 0.1)


@pytest.mark.parametrize("level", [0.5, 0.75, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("max_error", [0.5, 0.1, 0.05, 0.01, 0.001])
def test_rows_needed_is_the_edge(max_error: float, level: float) -> None:
    n = rows_needed_for_error(max_error, level)
    miss, e = 1 - Fraction(str(level)), Fraction(str(max_error))
    assert (1 - e) ** n <= miss < (1 - e) ** (n - 1)


_SURE = arrays(np.float64, (12,), elements=st.sampled_from([0.2, 0.5, 0.55, 0.7, 0.9, 1.0]))
_WRONG = arrays(np.bool_, (12,))


@given(_SURE, _WRONG)
def test_the_risk_coverage_curve_by_brute_force(sure: np.ndarray, wrong: np.ndarray) -> None:
    curve = risk_coverage(sure, wrong)
    assert curve.threshold.tolist() == sorted(set(sure.tolist()), reverse=True)
    for coverage, risk, threshold in zip(*curve, strict=True):
        answered = sure >= threshold
        assert coverage == answered.mean()
        assert risk == pytest.approx(wrong[answered].mean())


def _expected_mistakes(sure: np.ndarray, wrong: np.ndarray, answered: int) -> float:
    """Mistakes among the first rows, of those that tie as many as their share."""
    last = sorted(sure, reverse=True)[answered - 1]
    above, tied = sure > last, sure == last
    return wrong[above].sum() + wrong[tied].mean() * (answered - above.sum())


@given(_SURE, _WRONG, st.integers(1, 12))
def test_errors_and_areas_by_brute_force(sure: np.ndarray, wrong: np.ndarray, answered: int) -> None:
    expected = [_expected_mistakes(sure, wrong, a) / a for a in range(1, 13)]
    assert error_at_coverage(sure, wrong, answered / 12) == pytest.approx(expected[answered - 1])
    assert error_at_coverage(sure, wrong, (answered - 0.5) / 12) == pytest.approx(expected[answered - 1])
    assert aurc(sure, wrong) == pytest.approx(np.mean(expected))


@given(_SURE, _WRONG, st.permutations(range(12)))
def test_the_order_of_rows_does_not_matter(sure: np.ndarray, wrong: np.ndarray, order: list[int]) -> None:
    moved = sure[order], wrong[order]
    for one, other in zip(risk_coverage(sure, wrong), risk_coverage(*moved), strict=True):
        np.testing.assert_array_equal(one, other)
    assert aurc(sure, wrong) == pytest.approx(aurc(*moved), abs=1e-12)
    assert error_at_coverage(sure, wrong, 0.4) == pytest.approx(error_at_coverage(*moved, 0.4), abs=1e-12)


@given(_SURE, _WRONG)
def test_only_the_order_of_confidences_counts(sure: np.ndarray, wrong: np.ndarray) -> None:
    assert aurc(np.log(sure), wrong) == aurc(sure, wrong)
    np.testing.assert_array_equal(risk_coverage(np.log(sure), wrong).risk, risk_coverage(sure, wrong).risk)


def test_answering_everything_has_the_error_of_all_rows() -> None:
    rng = np.random.default_rng(0)
    sure, wrong = rng.random(1000), rng.random(1000) < 0.3
    assert error_at_coverage(sure, wrong, 1.0) == pytest.approx(wrong.mean())
    assert risk_coverage(sure, wrong).risk[-1] == pytest.approx(wrong.mean())
    # Not a row more by rounding: 0.07 x 100 is a little above 7.
    assert error_at_coverage(np.arange(100.0), np.arange(100) == 92, 0.07) == 0.0


def test_the_confidence_is_the_largest_probability() -> None:
    with np.errstate(divide="ignore"):
        log_probs = np.log([[0.2, 0.5, 0.3], [0.0, 0.0, 1.0]])
    np.testing.assert_allclose(confidence(log_probs), [0.5, 1.0])


_GRID = np.linspace(1, 0, 101)
_GOOD = np.linspace(0, 1, 500)


@pytest.mark.parametrize("value", [0.0, 1.0, -1.0, float("nan")])
def test_numbers_out_of_range_are_refused(value: float) -> None:
    right = np.zeros(500, bool)
    with pytest.raises(ConfigError, match="max_error must be strictly between 0 and 1"):
        choose_threshold(_GOOD, right, _GRID, value)
    with pytest.raises(ConfigError, match="level must be strictly between 0 and 1"):
        choose_threshold(_GOOD, right, _GRID, 0.1, value)
    if value != 1:
        with pytest.raises(ConfigError, match="coverage must be above 0"):
            error_at_coverage(_GOOD, right, value)


@pytest.mark.parametrize(
    ("sure", "wrong"),
    [
        (_GOOD, np.zeros(499, bool)),
        (_GOOD, np.zeros(500)),
        (_GOOD[:, None], np.zeros((500, 1), bool)),
        (np.empty(0), np.empty(0, bool)),
    ],
)
def test_shapes_that_do_not_fit_are_refused(sure: np.ndarray, wrong: np.ndarray) -> None:
    for ask in (
        risk_coverage,
        aurc,
        lambda s, w: error_at_coverage(s, w, 0.5),
        lambda s, w: choose_threshold(s, w, _GRID, 0.1),
    ):
        with pytest.raises(ShapeError, match="one shape"):
            ask(sure, wrong)


def test_a_confidence_that_is_no_number_is_refused() -> None:
    sure = _GOOD.copy()
    sure[3] = np.nan
    with pytest.raises(DataError, match="row 3"):
        aurc(sure, np.zeros(500, bool))


@pytest.mark.parametrize("sure", [np.empty(0), np.array([0.5, np.nan]), np.ones((2, 2))])
def test_a_grid_needs_numbers(sure: np.ndarray) -> None:
    with pytest.raises(DataError, match="confidence"):
        threshold_grid(sure)
