"""Temperature: the optimum, its bounds, weights, soft labels, and scores that say nothing or everything."""

from typing import Any

import numpy as np
import pytest
import scipy.optimize
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from likely.errors import ConfigError, DataError, ProbabilityError, ShapeError
from likely.functional.heads import log_softmax
from likely.trust.temperature import FLATTEST, SHARPEST, apply_temperature, fit_temperature


def plain(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The temperature of highest likelihood, no mistake imagined."""
    return fit_temperature(scores, labels, weights, mistakes=0)


def nll(scores: np.ndarray, labels: np.ndarray, temperature: float, weights: np.ndarray | None = None) -> float:
    logs = scipy.special.log_softmax(scores / temperature, axis=1)
    losses = -logs[np.arange(len(labels)), labels] if labels.ndim == 1 else -(labels * logs).sum(axis=1)
    return float(np.average(losses, weights=weights))


def case(n: int, k: int, temperature: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Scores whose best temperature is near the given one."""
    rng = np.random.default_rng(seed)
    scores = 2 * rng.normal(size=(n, k))
    labels = (scores + rng.gumbel(size=(n, k))).argmax(axis=1)
    return temperature * scores, labels


class Scorer(ClassifierMixin, BaseEstimator):
    """A classifier whose scores are its input."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> "Scorer":
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.classes_[X.argmax(axis=1)]

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        return X


CASES = [(200, 2, 1.0), (500, 10, 3.0), (500, 10, 0.2), (100, 3, 100.0), (50, 40, 0.5), (2000, 5, 1.7)]


@pytest.mark.parametrize(("n", "k", "temperature"), CASES)
def test_the_optimum_is_scipys(n: int, k: int, temperature: float) -> None:
    scores, labels = case(n, k, temperature)
    best = scipy.optimize.minimize_scalar(
        lambda log_b: nll(scores, labels, np.exp(-log_b)), bounds=(-7, 3), method="bounded", options={"xatol": 1e-10}
    )
    found = plain(scores, labels)
    assert found == pytest.approx(np.exp(-best.x), rel=1e-6)
    assert nll(scores, labels, found) <= best.fun + 1e-13


@pytest.mark.parametrize(("n", "k", "temperature"), [c for c in CASES if 2 < c[1] <= 10])
def test_the_optimum_is_scikit_learns(n: int, k: int, temperature: float) -> None:
    scores, labels = case(n, k, temperature)
    assert len(np.unique(labels)) == k
    model = FrozenEstimator(Scorer().fit(scores, labels))
    peer = CalibratedClassifierCV(model, method="temperature", ensemble=False).fit(scores, labels)
    expected = peer.predict_proba(scores)
    found = np.exp(apply_temperature(scores, plain(scores, labels)))
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(("n", "k", "temperature"), CASES)
def test_the_slope_at_the_optimum_is_zero(n: int, k: int, temperature: float) -> None:
    scores, labels = case(n, k, temperature)
    b = 1 / plain(scores, labels)
    p = scipy.special.softmax(b * scores, axis=1)
    slope = ((p * scores).sum(axis=1) - scores[np.arange(n), labels]).mean()
    assert abs(slope) < 1e-10 * np.abs(scores).max()


def test_the_temperature_that_made_the_labels_is_found() -> None:
    scores, labels = case(20_000, 5, 2.5)
    assert plain(scores, labels) == pytest.approx(2.5, rel=0.05)


def test_calibrated_scores_keep_their_temperature() -> None:
    scores, labels = case(5_000, 5, 1.8)
    calibrated = apply_temperature(scores, plain(scores, labels))
    assert plain(calibrated, labels) == pytest.approx(1.0, rel=1e-9)


def test_shifted_rows_change_nothing() -> None:
    scores, labels = case(300, 4, 2.0)
    shifts = np.random.default_rng(1).normal(size=(300, 1)) * 1000
    assert plain(scores + shifts, labels) == pytest.approx(plain(scores, labels), rel=1e-8)


def test_one_hot_labels_equal_classes() -> None:
    scores, labels = case(300, 4, 2.0)
    for dtype in (np.float32, np.float64):
        assert plain(scores, np.eye(4, dtype=dtype)[labels]) == pytest.approx(plain(scores, labels), rel=1e-10)


def test_soft_labels_are_repeated_rows() -> None:
    scores, _ = case(100, 2, 2.0)
    soft = np.tile([[0.75, 0.25]], (100, 1))
    repeated, labels = np.repeat(scores, 4, axis=0), np.tile([0, 0, 0, 1], 100)
    scores[:, 0] += 3
    repeated[:, 0] += 3
    assert plain(scores, soft) == pytest.approx(plain(repeated, labels), rel=1e-8)


def test_weights_are_repeated_rows() -> None:
    scores, labels = case(200, 3, 2.0)
    times = np.random.default_rng(2).integers(0, 4, size=200)
    repeated = plain(np.repeat(scores, times, axis=0), np.repeat(labels, times))
    assert plain(scores, labels, times) == pytest.approx(repeated, rel=1e-9)
    assert plain(scores, labels, times * 1e-9) == pytest.approx(repeated, rel=1e-9)


def test_float32_scores_are_computed_in_float64() -> None:
    scores, labels = case(500, 5, 2.0)
    single = scores.astype(np.float32)
    assert plain(single, labels) == plain(single.astype(np.float64), labels)
    assert apply_temperature(single, 2.0).dtype == np.float64


# The ends


@pytest.mark.parametrize("labels", [[0, 1, 2], [0, 1, 1]])
def test_scores_that_put_every_label_first_are_sharpened_to_the_bound(labels: list[int]) -> None:
    assert plain(np.eye(3)[labels], np.array(labels)) == SHARPEST


def test_scores_that_mislead_stop_at_the_flat_bound() -> None:
    assert plain(1000 * np.eye(3), np.array([1, 2, 0])) == FLATTEST


def test_useless_scores_are_flattened_to_the_frequencies() -> None:
    rng = np.random.default_rng(0)
    scores, labels = 50 * rng.normal(size=(2000, 4)), rng.integers(4, size=2000)
    found = plain(scores, labels)
    assert found > 100
    assert nll(scores, labels, found) == pytest.approx(np.log(4), abs=0.01)


@pytest.mark.parametrize("scores", [np.zeros((5, 3)), np.tile(np.arange(5.0)[:, None], 3), np.full((5, 3), 1e300)])
def test_rows_of_equal_scores_give_one(scores: np.ndarray) -> None:
    assert plain(scores, np.array([0, 1, 2, 0, 1])) == 1.0


def test_one_class_gives_one() -> None:
    assert plain(np.array([[3.0], [4.0]]), np.array([0, 0])) == 1.0


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e-3, 1e3, 1e30, 1e300])
def test_scores_of_any_size_stay_within_the_bounds(scale: float) -> None:
    scores, labels = case(100, 3, 1.0)
    found = plain(scale * scores, labels)
    assert SHARPEST <= found <= FLATTEST
    assert nll(scale * scores, labels, found) <= nll(scale * scores, labels, 1.0)


@settings(max_examples=200)
@given(
    st.integers(1, 12),
    st.integers(1, 5),
    st.integers(0, 2**32 - 1),
    st.floats(-6, 6),
    st.booleans(),
)
def test_held_out_rows_never_get_less_likely(n: int, k: int, seed: int, log_scale: float, soft: bool) -> None:
    rng = np.random.default_rng(seed)
    scores = 10**log_scale * rng.normal(size=(n, k))
    labels = rng.dirichlet(np.ones(k), size=n) if soft else rng.integers(k, size=n)
    found = plain(scores, labels)
    assert SHARPEST <= found <= FLATTEST
    before, after = nll(scores, labels, 1.0), nll(scores, labels, found)
    assert after <= before + 1e-12 * max(1.0, before)
    # Convex: no other temperature does better.
    for other in np.geomspace(SHARPEST, FLATTEST, 25):
        assert after <= nll(scores, labels, other) * (1 + 1e-9) + 1e-12


# Imagined mistakes


@pytest.mark.parametrize("n", [1, 10, 300])
@pytest.mark.parametrize("mistakes", [0.5, 1, 3])
def test_equal_gaps_are_sharpened_until_the_doubt_is_that_of_n_rows(n: int, mistakes: float) -> None:
    scores, labels = np.tile(np.eye(3), (n, 1)), np.tile([0, 1, 2], n)
    probs = np.exp(apply_temperature(scores, fit_temperature(scores, labels, mistakes=mistakes)))
    expected = 1 - mistakes / (3 * n + 2 * mistakes)  # Krichevsky and Trofimov, or succession
    np.testing.assert_allclose(probs[np.arange(3 * n), labels], expected, rtol=1e-9)


@given(
    st.integers(1, 40),
    st.integers(2, 5),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.booleans(),
    st.booleans(),
)
def test_imagined_mistakes_are_soft_labels(
    n: int, k: int, seed: int, mistakes: float, soft: bool, weighted: bool
) -> None:
    rng = np.random.default_rng(seed)
    scores, labels = rng.normal(size=(n, k)), rng.integers(k, size=n)
    Y = rng.dirichlet(np.ones(k), size=n) if soft else np.eye(k)[labels]
    weights = rng.integers(0, 3, size=n).astype(float) if weighted else None
    if weights is not None:
        weights[0] = 1
    counted = n if weights is None else np.count_nonzero(weights)
    doubt = mistakes / (counted + 2 * mistakes)
    spread = (1 - doubt) * Y + doubt * (1 - Y) / (k - 1)
    found = fit_temperature(scores, Y if soft else labels, weights, mistakes=mistakes)
    assert found == pytest.approx(plain(scores, spread, weights), rel=1e-6)


def test_many_rows_leave_nothing_to_imagine() -> None:
    scores, labels = case(50_000, 5, 1.7)
    assert fit_temperature(scores, labels) == pytest.approx(plain(scores, labels), rel=1e-4)


def test_one_mistake_in_new_rows_costs_less_than_with_plain_likelihood() -> None:
    # 30 rows, all right, some by little: plain likelihood would sharpen to the bound.
    gaps = np.linspace(0.2, 8, 30)
    scores = np.stack([gaps, np.zeros(30)], axis=1)
    T = fit_temperature(scores, np.zeros(30, np.int64))
    assert plain(scores, np.zeros(30, np.int64)) == SHARPEST
    assert 0.5 < T < 2


# Applying it


def test_apply_is_log_softmax() -> None:
    scores, _ = case(20, 5, 3.0)
    expected = scipy.special.log_softmax(scores / 1.7, axis=1)
    np.testing.assert_allclose(apply_temperature(scores, 1.7), expected, rtol=1e-12)


def test_apply_keeps_the_order_and_the_input() -> None:
    scores, _ = case(50, 5, 3.0)
    before = scores.copy()
    for temperature in (SHARPEST, 1.0, FLATTEST):
        logs = apply_temperature(scores, temperature)
        assert np.array_equal(logs.argmax(axis=1), scores.argmax(axis=1))
        np.testing.assert_allclose(np.exp(logs).sum(axis=1), 1, rtol=1e-12)
    assert np.array_equal(scores, before)


def test_temperature_one_keeps_log_probabilities() -> None:
    scores, _ = case(50, 5, 3.0)
    logs = scipy.special.log_softmax(scores, axis=1)
    np.testing.assert_allclose(apply_temperature(logs, 1.0), logs, atol=1e-14)


# Masked labels


def masked(scores: np.ndarray, how: str) -> np.ndarray:
    """The scores beside those of two more labels that are impossible in every row."""
    none = np.full((len(scores), 1), -np.inf, scores.dtype)
    wide = np.concatenate([none, scores, none], axis=1)
    if how == "log_softmax":
        return np.asarray(log_softmax(wide))
    return {"-inf": wide, "lowest": np.maximum(wide, np.finfo(wide.dtype).min), "-1e9": np.maximum(wide, -1e9)}[how]


@pytest.mark.parametrize("how", ["-inf", "log_softmax", "lowest", "-1e9"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "k", "temperature"), [(200, 2, 1.0), (500, 5, 3.0), (100, 3, 100.0), (50, 6, 0.5)])
def test_masked_labels_do_not_change_the_temperature(n: int, k: int, temperature: float, dtype: Any, how: str) -> None:
    scores, labels = case(n, k, temperature)
    scores = scores.astype(dtype)
    expected = fit_temperature(scores, labels)
    found = fit_temperature(masked(scores, how), labels + 1)
    assert found == pytest.approx(expected, rel=1e-5)
    probs = np.exp(apply_temperature(masked(scores, how), found))
    assert np.all(probs[:, [0, -1]] == 0)
    np.testing.assert_allclose(probs[:, 1:-1], np.exp(apply_temperature(scores, expected)), rtol=1e-4, atol=1e-12)
    soft = np.zeros((n, k + 2))
    soft[:, 1:-1] = 0.5 * np.eye(k)[labels] + 0.5 / k
    assert fit_temperature(masked(scores, how), soft) == pytest.approx(fit_temperature(scores, soft[:, 1:-1]), rel=1e-5)


def test_rows_whose_label_is_masked_do_not_count() -> None:
    scores, labels = case(300, 4, 2.0)
    scores[::3, 0] = -np.inf
    labels[::6] = 0
    kept = np.setdiff1d(np.arange(300), np.arange(0, 300, 6)[:50])
    kept = kept[scores[kept, labels[kept]] > -np.inf]
    found = fit_temperature(scores, labels)
    assert found == pytest.approx(fit_temperature(scores[kept], labels[kept]), rel=1e-9)
    assert fit_temperature(np.array([[0.0, -np.inf]] * 3), np.array([1, 1, 1])) == 1.0


# Errors


SCORES, LABELS = case(6, 3, 1.0)


def spoiled(row: int, value: float) -> np.ndarray:
    scores = SCORES.copy()
    scores[row, 1] = value
    return scores


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ((spoiled(4, np.nan), LABELS), DataError, "row 4"),
        ((spoiled(2, np.inf), LABELS), DataError, "row 2"),
        ((np.where(np.arange(6)[:, None] == 3, -np.inf, SCORES), LABELS), DataError, "row 3.*not for all of a row"),
        ((SCORES[0], LABELS), ShapeError, r"\(3,\)"),
        ((SCORES[:0], LABELS[:0]), ShapeError, r"\(0, 3\)"),
        ((SCORES.astype(str), LABELS), ShapeError, "numbers"),
        ((SCORES, LABELS[:5]), ShapeError, "6 integers"),
        ((SCORES, np.array([0, 1, 2, 3, 0, 1])), DataError, "got 3 in row 3"),
        ((SCORES, np.ones((6, 3))), ProbabilityError, "labels.*row 0"),
        ((SCORES, np.eye(6)), ShapeError, r"\(6, 3\)"),
        ((SCORES, LABELS, np.ones(5)), ShapeError, "weights"),
        ((SCORES, LABELS, np.array([1, 1, -1, 1, 1, 1])), DataError, "got -1 in row 2"),
        ((SCORES, LABELS, np.array([1, np.inf, 1, 1, 1, 1])), DataError, "row 1"),
        ((SCORES, LABELS, np.zeros(6)), DataError, "not all be 0"),
        ((SCORES, LABELS, None, -0.5), ConfigError, "mistakes.*-0.5"),
        ((SCORES, LABELS, None, np.nan), ConfigError, "mistakes"),
    ],
)
def test_bad_input_is_named(arguments: tuple[Any, ...], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        fit_temperature(*arguments[:3], **({"mistakes": arguments[3]} if len(arguments) > 3 else {}))


@pytest.mark.parametrize("temperature", [0.0, -1.0, np.nan, np.inf])
def test_a_temperature_must_be_positive(temperature: float) -> None:
    with pytest.raises(ConfigError, match="temperature"):
        apply_temperature(SCORES, temperature)
