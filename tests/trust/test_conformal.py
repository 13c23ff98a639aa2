"""Conformal intervals: exact ranks, the promise by simulation, and two independent libraries."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.stats
from crepes import ConformalRegressor
from hypothesis import given
from hypothesis import strategies as st
from mapie.regression import SplitConformalRegressor
from sklearn.linear_model import LinearRegression

from likely.errors import ConfigError, DataError, ShapeError
from likely.trust.conformal import (
    conformal_quantile,
    effective_rows,
    residual_interval,
    rows_needed,
    weighted_quantiles,
)


@pytest.mark.parametrize(
    ("coverage", "needed"), [(0.5, 1), (0.8, 4), (0.9, 9), (0.95, 19), (0.99, 99), (0.999, 999), (0.1, 1), (0.55, 2)]
)
def test_rows_needed_is_the_edge_of_what_can_be_answered(coverage: float, needed: int) -> None:
    assert rows_needed(coverage) == needed
    assert conformal_quantile(np.arange(float(needed)), coverage) == needed - 1
    with pytest.raises(DataError, match=f"at least {needed} held-out rows; got {needed - 1}"):
        conformal_quantile(np.arange(float(needed - 1)), coverage)


@pytest.mark.parametrize(
    ("m", "coverage", "rank"),
    # 100 x 0.55 and 100 x 0.29 are 55.000000000000007 and 28.999999999999996 in binary.
    [(99, 0.55, 55), (99, 0.29, 29), (99, 0.57, 57), (9, 0.7, 7), (19, 0.9, 18), (20, 0.9, 19), (10, 0.9, 10)],
)
def test_the_rank_is_not_moved_by_rounding(m: int, coverage: float, rank: int) -> None:
    scores = np.random.default_rng(0).permutation(np.arange(1.0, m + 1))
    assert conformal_quantile(scores, coverage) == rank


@given(st.integers(1, 300), st.integers(1, 999))
def test_the_quantile_is_the_smallest_score_that_keeps_the_promise(m: int, thousandths: int) -> None:
    coverage = thousandths / 1000
    scores = np.arange(1.0, m + 1)
    if m < rows_needed(coverage):
        return
    rank = conformal_quantile(scores, coverage)
    # A new score is at or below the r-th smallest of m with probability r / (m + 1).
    assert Fraction(int(rank), m + 1) >= Fraction(thousandths, 1000)
    assert Fraction(int(rank) - 1, m + 1) < Fraction(thousandths, 1000)


def test_the_quantile_grows_with_the_coverage() -> None:
    scores = np.random.default_rng(0).exponential(size=500)
    quantiles = [conformal_quantile(scores, c) for c in np.linspace(0.01, 0.99, 99)]
    assert quantiles == sorted(quantiles)


def test_the_scores_are_left_as_they_were() -> None:
    scores = np.array([3.0, 1.0, 2.0])
    assert conformal_quantile(scores, 0.5) == 2
    assert scores.tolist() == [3, 1, 2]


def test_infinite_scores_can_be_the_answer() -> None:
    assert conformal_quantile(np.array([1.0, 2.0, np.inf]), 0.75) == math.inf
    assert residual_interval(np.array([5.0]), math.inf).tolist() == [[-math.inf, math.inf]]


def line(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    return X, X @ [1.0, -2.0, 0.5] + rng.standard_t(4, size=n)


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.95])
@pytest.mark.parametrize("m", [20, 99, 137, 500])
def test_intervals_equal_mapies(m: int, coverage: float) -> None:
    model = LinearRegression().fit(*line(50, 0))
    X, y = line(m, 1)
    X_new, _ = line(30, 2)
    found = residual_interval(model.predict(X_new), conformal_quantile(np.abs(y - model.predict(X)), coverage))
    mapie = SplitConformalRegressor(model, confidence_level=coverage, prefit=True).conformalize(X, y)
    _, intervals = mapie.predict_interval(X_new)
    np.testing.assert_allclose(found, intervals[:, :, 0], rtol=1e-12)


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.95])
# Where (m + 1) (1 - c) is whole, crepes rounds it in binary and may take the next residual: such m are left out.
@pytest.mark.parametrize("m", [22, 100, 136, 500])
def test_intervals_equal_crepes(m: int, coverage: float) -> None:
    rng = np.random.default_rng(m)
    residuals, predictions = rng.standard_t(4, size=m), rng.normal(size=30)
    found = residual_interval(predictions, conformal_quantile(np.abs(residuals), coverage))
    expected = ConformalRegressor().fit(residuals).predict_int(predictions, confidence=coverage)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize(("m", "coverage"), [(9, 0.9), (50, 0.9), (200, 0.8)])
def test_the_promise_holds_by_simulation(m: int, coverage: float) -> None:
    rng = np.random.default_rng(m)
    draws = 20_000
    residuals = rng.standard_cauchy(size=(draws, m + 1))
    covered = sum(abs(r[m]) <= conformal_quantile(np.abs(r[:m]), coverage) for r in residuals)
    exact = math.ceil(Fraction(str(coverage)) * (m + 1)) / (m + 1)
    assert coverage <= exact < coverage + 1 / (m + 1)
    low, high = scipy.stats.binom.ppf([0.0005, 0.9995], draws, exact)
    assert low <= covered <= high


def test_intervals_have_a_column_for_each_end() -> None:
    found = residual_interval(np.array([1, 2], np.float32), 0.5)
    assert found.dtype == np.float64
    assert found.tolist() == [[0.5, 1.5], [1.5, 2.5]]
    assert residual_interval(np.zeros(0), 1.0).shape == (0, 2)


@pytest.mark.parametrize("coverage", [0, 1, -0.1, 1.5, math.nan, 95])
def test_coverage_must_be_a_share(coverage: float) -> None:
    for call in (lambda: rows_needed(coverage), lambda: conformal_quantile(np.arange(5.0), coverage)):
        with pytest.raises(ConfigError, match="coverage must be strictly between 0 and 1"):
            call()


@pytest.mark.parametrize(
    ("scores", "error", "match"),
    [
        (np.array([1.0, np.nan, 2.0]), DataError, "row 1"),
        (np.zeros((3, 1)), ShapeError, r"\(3, 1\)"),
        (np.array(["a"]), ShapeError, "numbers"),
        (np.zeros(0), DataError, "got 0"),
    ],
)
def test_bad_scores_are_named(scores: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        conformal_quantile(scores, 0.5)


@pytest.mark.parametrize("quantile", [-1.0, math.nan])
def test_a_quantile_must_not_be_negative(quantile: float) -> None:
    with pytest.raises(DataError, match="quantile"):
        residual_interval(np.zeros(2), quantile)


def test_predictions_must_be_one_number_per_row() -> None:
    with pytest.raises(ShapeError, match=r"\(2, 2\)"):
        residual_interval(np.zeros((2, 2)), 1.0)


# Weighted -------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=60),
    st.sampled_from([0.1, 0.5, 0.55, 0.8, 0.9]),
    st.floats(0.01, 9),
)
def test_equal_weights_are_no_weights(scores: list[int], coverage: float, weight: float) -> None:
    held_out, weights = np.array(scores, float), np.full(len(scores), weight)
    if len(scores) < rows_needed(coverage):
        with pytest.raises(DataError, match="held-out rows"):
            weighted_quantiles(held_out, weights, weights[:1], coverage)
    else:
        expected = conformal_quantile(held_out, coverage)
        assert weighted_quantiles(held_out, weights, weights[:1], coverage) == [expected]


@given(st.integers(0, 1_000))
def test_weighted_quantiles_are_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, weights = rng.integers(0, 9, 40).astype(float), rng.choice([0.0, 0.5, 1.0, 3.0], 40)
    new = np.array([0.0, 1.0, 50.0])
    found = weighted_quantiles(scores, weights, new, 0.8)
    for v, quantile in zip(new, found, strict=True):
        enough = [s for s in np.unique(scores) if weights[scores <= s].sum() >= 0.8 * (weights.sum() + v)]
        assert quantile == (min(enough) if enough else np.inf)


def test_too_few_effective_rows_are_refused_with_their_number() -> None:
    assert effective_rows(np.zeros(3)) == effective_rows(np.empty(0)) == 0
    assert effective_rows(np.array([1e200, 1e200])) == pytest.approx(2)
    weights = np.array([100.0, *np.ones(99)])
    with pytest.raises(DataError, match=r"at least 9 held-out rows; got 100 whose weights .* count as 3\.9"):
        weighted_quantiles(np.arange(100.0), weights, weights[:1], 0.9)
    for bad in (np.full(100, -1.0), np.full(100, np.nan)):
        with pytest.raises(DataError, match="finite and not negative"):
            weighted_quantiles(np.arange(100.0), bad, weights[:1], 0.9)
    with pytest.raises(ShapeError, match="one per score"):
        weighted_quantiles(np.arange(100.0), weights[:9], weights[:1], 0.9)
