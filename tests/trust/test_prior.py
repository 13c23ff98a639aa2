"""Other class frequencies: Bayes' rule, EM against a solver and against simulations whose truth is known."""

from collections.abc import Callable

import numpy as np
import pytest
import scipy.optimize
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from likely.errors import ConfigError, DataError, ProbabilityError, ShapeError
from likely.trust import prior as module
from likely.trust.prior import estimate_prior, shift_prior

MEANS = np.array([[0.0, 0.0], [1.5, 0.0], [0.0, 2.0]])
OLD = np.array([0.5, 0.3, 0.2])
NEW = np.array([0.1, 0.2, 0.7])


def field(n: int, prior: np.ndarray, seed: int) -> np.ndarray:
    """Points of three Gaussians, classes as frequent as the prior says."""
    rng = np.random.default_rng(seed)
    return MEANS[rng.choice(3, size=n, p=prior)] + rng.normal(size=(n, 2))


def posterior(x: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """log P(y | x), exactly."""
    joint = -0.5 * ((x[:, None] - MEANS) ** 2).sum(axis=2) + np.log(prior)
    return joint - np.log(np.exp(joint).sum(axis=1, keepdims=True))


def likelihood(log_probs: np.ndarray, old: np.ndarray, prior: np.ndarray) -> float:
    return float(np.log(np.exp(log_probs) @ (prior / old)).mean())


# shift_prior

simplex = arrays(np.float64, 3, elements=st.floats(0.01, 1)).map(lambda w: w / w.sum())


def test_the_shifted_posterior_is_that_of_the_new_prior() -> None:
    x = field(100, OLD, 0)
    np.testing.assert_allclose(shift_prior(posterior(x, OLD), OLD, NEW), posterior(x, NEW), atol=1e-12)


@given(simplex, simplex, simplex)
def test_shifting_composes_and_goes_back(p: np.ndarray, old: np.ndarray, new: np.ndarray) -> None:
    log_probs = np.log(p)[None]
    shifted = shift_prior(log_probs, old, new)
    assert np.exp(shifted).sum() == pytest.approx(1)
    np.testing.assert_allclose(shift_prior(shifted, new, old), log_probs, atol=1e-9)
    np.testing.assert_allclose(shift_prior(log_probs, old, old), log_probs, atol=1e-12)


@given(simplex, simplex)
def test_saying_nothing_answers_the_new_prior(old: np.ndarray, new: np.ndarray) -> None:
    np.testing.assert_allclose(np.exp(shift_prior(np.log(old)[None], old, new))[0], new, atol=1e-12)


def test_a_class_that_never_comes_is_impossible() -> None:
    shifted = shift_prior(np.log([[0.98, 0.01, 0.01]]), OLD, np.array([0.0, 0.5, 0.5]))
    assert np.exp(shifted)[0, 0] == 0
    assert np.isfinite(shifted).all()


def test_float32_comes_back_as_float64_and_no_rows_as_none() -> None:
    log_probs = np.log(np.array([[0.2, 0.3, 0.5]], np.float32))
    assert shift_prior(log_probs, OLD, NEW).dtype == np.float64
    assert shift_prior(np.empty((0, 3)), OLD, NEW).shape == (0, 3)


# estimate_prior


@pytest.mark.parametrize("seed", range(3))
def test_a_known_shift_is_recovered(seed: int) -> None:
    found = estimate_prior(posterior(field(2000, NEW, seed), OLD), OLD)
    assert found.prior == pytest.approx(NEW, abs=0.05)
    # Far from the old prior, and by more than chance.
    assert np.all((found.low > OLD) | (found.high < OLD))
    assert found.prior.sum() == pytest.approx(1)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    held = np.zeros(3)
    for seed in range(200):
        found = estimate_prior(posterior(field(300, NEW, seed), OLD), OLD, resamples=200)
        held += (found.low <= NEW) & (found.high >= NEW)
    # Within the 99.9% binomial bounds of 200 tries, a percentile interval being a little short.
    assert scipy.stats.binom.ppf(0.0005, 200, 0.93) <= held.min()
    assert held.max() <= scipy.stats.binom.ppf(0.9995, 200, 0.96)


def test_nothing_shifted_is_found_to_be_nothing() -> None:
    found = estimate_prior(posterior(field(3000, OLD, 5), OLD), OLD)
    assert np.all((found.low <= OLD) & (found.high >= OLD))


def test_a_model_that_knows_nothing_learns_nothing() -> None:
    found = estimate_prior(np.tile(np.log(OLD), (50, 1)), OLD)
    assert found.prior == pytest.approx(OLD)
    assert found.iterations == 0


def test_em_agrees_with_a_solver() -> None:
    log_probs = posterior(field(500, NEW, 7), OLD)
    solved = scipy.optimize.minimize(
        lambda free: -likelihood(log_probs, OLD, np.exp(free) / np.exp(free).sum()),
        np.log(OLD),
        method="BFGS",
        options={"gtol": 1e-9},
    )
    expected = np.exp(solved.x) / np.exp(solved.x).sum()
    found = estimate_prior(log_probs, OLD)
    assert found.prior == pytest.approx(expected, abs=1e-4)
    assert likelihood(log_probs, OLD, found.prior) >= -solved.fun - 1e-9


def test_no_step_lowers_the_likelihood(monkeypatch: pytest.MonkeyPatch) -> None:
    log_probs = posterior(field(300, NEW, 8), OLD)
    seen: list[float] = []
    for most in range(1, 30):
        monkeypatch.setattr(module, "_MOST_ITERATIONS", most)
        seen.append(likelihood(log_probs, OLD, estimate_prior(log_probs, OLD, resamples=1).prior))
    assert np.all(np.diff(seen) >= -1e-13)
    assert seen[0] > likelihood(log_probs, OLD, OLD)


def test_intervals_equal_resampling_row_by_row() -> None:
    log_probs = posterior(field(150, NEW, 9), OLD)
    rng = np.random.default_rng(0)
    again = [estimate_prior(log_probs[rng.integers(150, size=150)], OLD, resamples=1).prior for _ in range(400)]
    low, high = np.quantile(again, [0.025, 0.975], axis=0)
    found = estimate_prior(log_probs, OLD, resamples=1000)
    assert found.low == pytest.approx(low, abs=0.02)
    assert found.high == pytest.approx(high, abs=0.02)


def test_the_seed_repeats_and_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    log_probs = posterior(field(100, NEW, 10), OLD)
    one = estimate_prior(log_probs, OLD, seed=3, resamples=50)
    monkeypatch.setattr(module, "_BLOCK", 700)
    two = estimate_prior(log_probs, OLD, seed=3, resamples=50)
    assert one.low == pytest.approx(two.low, abs=2e-3)


def test_a_class_that_is_not_there_goes_to_zero() -> None:
    found = estimate_prior(posterior(field(2000, np.array([0.5, 0.5, 0.0]), 11), OLD), OLD, resamples=100)
    assert found.prior[2] < 0.02
    assert found.low[2] < 0.005


# Errors

GOOD = np.log(np.array([[0.2, 0.3, 0.5]]))


@pytest.mark.parametrize("call", [lambda p, old: shift_prior(p, old, NEW), estimate_prior])
@pytest.mark.parametrize(
    ("log_probs", "old", "error", "match"),
    [
        (GOOD, np.array([0.5, 0.3, 0.1]), ProbabilityError, "old must sum to 1"),
        (GOOD, np.array([0.5, 0.5, 0.0]), ProbabilityError, "positive.*got 0 for 2"),
        (GOOD, np.array([0.5, 0.7, -0.2]), ProbabilityError, "old"),
        (GOOD, np.array([0.5, 0.5]), ShapeError, r"each of the 3 labels; got shape \(2,\)"),
        (GOOD - 1, OLD, ProbabilityError, "row 0"),
        (-GOOD, OLD, ProbabilityError, "log_probs"),
        (np.full((1, 3), np.nan), OLD, ProbabilityError, "finite"),
        (GOOD[0], OLD, ShapeError, r"\(n, k\)"),
        (np.zeros((2, 3), int), OLD, ShapeError, "int64"),
    ],
)
def test_bad_input_is_named(
    call: Callable[..., object], log_probs: np.ndarray, old: np.ndarray, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        call(log_probs, old)


def test_no_rows_and_no_resamples_are_refused() -> None:
    with pytest.raises(DataError, match="rows"):
        estimate_prior(np.empty((0, 3)), OLD)
    with pytest.raises(ConfigError, match="resamples"):
        estimate_prior(GOOD, OLD, resamples=0)
    with pytest.raises(ProbabilityError, match="new must sum"):
        shift_prior(GOOD, OLD, np.array([0.2, 0.2, 0.2]))
