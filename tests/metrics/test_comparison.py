"""Two models on the same rows: differences, their paired intervals, and what may be concluded."""

import json

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics

from likely import metrics
from likely.errors import DataError, ProbabilityError, ShapeError


def two_models(n: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    scores = 1.5 * rng.normal(size=(n, 4))
    labels = (scores + rng.gumbel(size=(n, 4))).argmax(axis=1)

    def model(noise: float) -> np.ndarray:
        exponentials = np.exp(scores + noise * rng.normal(size=(n, 4)))
        return exponentials / exponentials.sum(axis=1, keepdims=True)

    return model(0.5), model(0.3), labels


def test_values_are_second_minus_first() -> None:
    a, b, labels = two_models()
    found = metrics.paired_difference(a, b, labels)
    assert list(found) == ["accuracy", "nll", "brier", "ece"]
    for name, metric in (
        ("accuracy", metrics.accuracy),
        ("nll", metrics.log_loss),
        ("brier", metrics.brier_score),
        ("ece", lambda p, y: metrics.calibration_estimate(p, y).value),
    ):
        rounding = 5e-3 if name == "ece" else 1e-12  # the debiased ECE rests on draws
        assert found[name].first == pytest.approx(metric(a, labels), abs=rounding)
        assert found[name].second == pytest.approx(metric(b, labels), abs=rounding)
        assert found[name].value == pytest.approx(found[name].second - found[name].first, abs=1e-12)
        assert found[name].low <= found[name].value <= found[name].high


@pytest.mark.parametrize("name", ["accuracy", "nll", "brier"])
def test_intervals_are_somewhat_wider_than_scipys_paired_bootstrap(name: str) -> None:
    # They count on a row that was not seen, and the bootstrap does not.
    a, b, labels = two_models(3000)
    metric = {"accuracy": metrics.accuracy, "nll": metrics.log_loss, "brier": metrics.brier_score}[name]

    def difference(rows: np.ndarray) -> float:
        return metric(b[rows], labels[rows]) - metric(a[rows], labels[rows])

    # One resample of row numbers for both models is what pairing means.
    expected = scipy.stats.bootstrap(
        (np.arange(3000),),
        difference,
        vectorized=False,
        n_resamples=1200,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    width = expected.high - expected.low
    found = metrics.paired_difference(a, b, labels)[name]
    assert -0.15 * width < found.low - expected.low < 0.05 * width
    assert -0.05 * width < found.high - expected.high < 0.15 * width


def test_a_mean_of_zeros_and_ones_has_the_interval_of_clopper_and_pearson() -> None:
    for hits, n in ((0, 20), (3, 20), (10, 20), (299, 300)):
        exact = scipy.stats.binomtest(hits, n).proportion_ci(0.95, method="exact")
        found = metrics.mean_interval(np.r_[np.ones(hits), np.zeros(n - hits)], 0.0, 1.0)
        assert found == pytest.approx((exact.low, exact.high), abs=2e-3)


def test_without_an_unseen_row_it_is_the_bayesian_bootstrap() -> None:
    rng = np.random.default_rng(4)
    for values in (rng.normal(size=60), rng.exponential(size=60), np.exp(1.5 * rng.normal(size=200))):
        weights = rng.exponential(size=(40_000, len(values)))
        means = (weights @ values) / weights.sum(axis=1)
        expected = np.quantile(means, [0.025, 0.975])
        found = metrics.mean_interval(values, None, None)
        assert found == pytest.approx(expected, abs=0.02 * (expected[1] - expected[0]))


def test_a_loss_that_either_model_expects_but_that_no_row_shows_leaves_the_verdict_open() -> None:
    # The second model is a little better on each of 500 rows; once in 1,000 it should cost 13.8 nats.
    a, b = np.tile([[0.990, 0.010]], (500, 1)), np.tile([[1 - 1e-6, 1e-6]], (500, 1))
    found = metrics.paired_difference(a, b, np.zeros(500, int))["nll"]
    assert found.value < 0 < found.high
    assert found.conclusion.startswith("Too few rows")


def test_pairing_shortens_the_interval() -> None:
    a, b, labels = two_models()
    apart = [metrics.classification_metrics(p, labels, list("abcd"))["nll"] for p in (a, b)]
    found = metrics.paired_difference(a, b, labels)["nll"]
    assert found.high - found.low < 0.7 * max(e["high"] - e["low"] for e in apart)


def test_changing_places_changes_the_sign_and_the_winner() -> None:
    a, b, labels = two_models(3000)
    there, back = metrics.paired_difference(a, b, labels), metrics.paired_difference(b, a, labels)
    for name, one in there.items():
        assert one.value == pytest.approx(-back[name].value)
        assert one.low == pytest.approx(-back[name].high, abs=1e-9)
    assert (there["nll"].better, back["nll"].better) == ("second", "first")
    assert there["nll"].conclusion == "The second model is better."


def test_the_same_model_twice_is_alike() -> None:
    a, _, labels = two_models()
    for found in metrics.paired_difference(a, a, labels).values():
        assert (found.low, found.value, found.high) == (0, 0, 0)
        assert found.better is None
        assert "alike" in found.conclusion


def test_few_rows_that_tell_models_apart_decide_nothing() -> None:
    base = np.tile([[0.9, 0.1]], (100, 1))
    for rows, decided in ((5, False), (6, True)):
        worse = base.copy()
        worse[:rows] = [0.1, 0.9]
        found = metrics.paired_difference(worse, base, np.zeros(100, int))["accuracy"]
        assert found.rows_apart == rows
        assert found.value > 0
        assert found.decided is decided
        assert found.conclusion.startswith("The second" if decided else "Too few rows to tell")


def test_equal_models_are_rarely_told_apart() -> None:
    told = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        labels = np.zeros(200, int)
        a, b = (np.where(rng.random((200, 1)) < 0.9, [[0.8, 0.2]], [[0.3, 0.7]]) for _ in range(2))
        told += metrics.paired_difference(a, b, labels, seed)["nll"].decided
    assert told <= scipy.stats.binom.ppf(0.9995, 200, 0.06)


def test_json_is_strict() -> None:
    a, b, labels = two_models(50)
    found = {name: d.to_json() for name, d in metrics.paired_difference(a, b, labels).items()}
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert list(found["nll"]) == ["value", "low", "high", "better", "conclusion"]


def test_regression_differences() -> None:
    rng = np.random.default_rng(2)
    y = rng.normal(size=300)
    a, b = y + rng.normal(size=300), y + 0.5 * rng.normal(size=300)
    found = metrics.paired_regression_difference(y, a, b)
    mse, r2 = sklearn.metrics.mean_squared_error, sklearn.metrics.r2_score
    assert found["mse"].value == pytest.approx(mse(y, b) - mse(y, a))
    assert found["r2"].value == pytest.approx(r2(y, b) - r2(y, a))
    assert [d.better for d in found.values()] == ["second"] * 3
    several = metrics.paired_regression_difference(np.c_[y, y], np.c_[a, a], np.c_[b, b])
    assert several["mse"].value == pytest.approx(found["mse"].value)


def test_r2_of_equal_answers_decides_nothing() -> None:
    found = metrics.paired_regression_difference(np.ones(20), np.arange(20.0), np.zeros(20))["r2"]
    assert found.better is None
    assert found.to_json()["value"] is None


def test_bad_input_is_named() -> None:
    a, b, labels = two_models(10)
    with pytest.raises(ShapeError, match="same classes"):
        metrics.paired_difference(a, np.full((10, 5), 0.2), labels)
    with pytest.raises(ShapeError, match="10"):
        metrics.paired_difference(a, b[:5], labels)
    with pytest.raises(DataError, match="row 0"):
        metrics.paired_difference(a, b, labels + 9)
    with pytest.raises(ProbabilityError):
        metrics.paired_difference(a, 2 * b, labels)
    with pytest.raises(ShapeError, match="predictions"):
        metrics.paired_regression_difference(np.ones(3), np.ones(3), np.ones(2))


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_difference_of_eces_is_one_that_can_be(n: int, seed: int) -> None:
    a, b, labels = two_models(n, seed)
    sure = np.eye(4)[(labels + 1) % 4]
    for one, other in ((a, b), (a, sure), (sure, a), (np.eye(4)[labels], sure)):
        found = metrics.paired_difference(one, other, labels)["ece"]
        assert -1 <= found.low <= found.value <= found.high <= 1


def test_an_impossible_label_costs_a_floor_in_differences() -> None:
    impossible, half = np.array([[1.0, 0.0]] * 4), np.full((4, 2), 0.5)
    labels = np.array([0, 0, 0, 1])
    assert metrics.log_loss(impossible, labels) == np.inf
    found = metrics.paired_difference(half, impossible, labels)["nll"]
    assert found.second == pytest.approx(708.4 / 4, abs=0.01)
    event = metrics.event_metrics(impossible[:, 1], labels == 1)["nll"]["value"]
    assert event == pytest.approx(found.second, rel=1e-12)
