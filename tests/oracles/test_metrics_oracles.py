"""Metrics against scikit-learn, scipy and a loop."""

import math

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics

from likely import metrics


@pytest.fixture(scope="module", params=[(500, 2), (1000, 7), (300, 40)], ids=str)
def case(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    n, k = request.param
    rng = np.random.default_rng(n + k)
    scores = 2 * rng.normal(size=(n, k))
    labels = (scores + 2 * rng.gumbel(size=(n, k))).argmax(axis=1)
    return np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True), labels


def test_accuracy(case: tuple[np.ndarray, np.ndarray]) -> None:
    probs, labels = case
    expected = sklearn.metrics.accuracy_score(labels, probs.argmax(axis=1))
    assert metrics.accuracy(probs, labels) == pytest.approx(expected, rel=1e-12)


def test_log_loss(case: tuple[np.ndarray, np.ndarray]) -> None:
    probs, labels = case
    expected = sklearn.metrics.log_loss(labels, probs, labels=range(probs.shape[1]))
    assert metrics.log_loss(probs, labels) == pytest.approx(expected, rel=1e-12)


def test_brier(case: tuple[np.ndarray, np.ndarray]) -> None:
    probs, labels = case
    expected = sklearn.metrics.brier_score_loss(labels, probs, labels=range(probs.shape[1]), scale_by_half=False)
    assert metrics.brier_score(probs, labels) == pytest.approx(expected, rel=1e-12)


def test_confusion_and_per_class(case: tuple[np.ndarray, np.ndarray]) -> None:
    probs, labels = case
    classes, told = range(probs.shape[1]), probs.argmax(axis=1)
    confusion = metrics.confusion_matrix(probs, labels)
    assert np.array_equal(confusion, sklearn.metrics.confusion_matrix(labels, told, labels=classes))
    precision, recall, f1, support = sklearn.metrics.precision_recall_fscore_support(
        labels, told, labels=classes, zero_division=np.nan
    )
    found = metrics.per_class(confusion)
    np.testing.assert_allclose(found.precision, precision, rtol=1e-12)
    np.testing.assert_allclose(found.recall, recall, rtol=1e-12)
    np.testing.assert_allclose(found.f1, f1, rtol=1e-12)
    assert np.array_equal(found.support, support)


@pytest.mark.parametrize("n_bins", [1, 10, 15])
def test_calibration_error_equals_a_loop(case: tuple[np.ndarray, np.ndarray], n_bins: int) -> None:
    probs, labels = case
    total, counts = 0.0, []
    for b in range(n_bins):
        inside = [
            (float(p.max()), float(p.argmax() == y))
            for p, y in zip(probs, labels, strict=True)
            if b / n_bins < p.max() <= (b + 1) / n_bins
        ]
        counts.append(len(inside))
        if inside:
            confidence = math.fsum(c for c, _ in inside) / len(inside)
            share = math.fsum(hit for _, hit in inside) / len(inside)
            total += len(inside) / len(probs) * abs(share - confidence)
    assert metrics.calibration_error(probs, labels, n_bins) == pytest.approx(total, rel=1e-10)
    bins = metrics.reliability_bins(probs, labels, n_bins)
    assert bins.count.tolist() == counts
    gaps = np.abs(bins.accuracy - bins.confidence) * bins.count / len(probs)
    assert np.nansum(gaps) == pytest.approx(total, rel=1e-10)


@pytest.mark.parametrize("shape", [(200,), (200, 3)])
def test_regression(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(2)
    y = 5 + rng.normal(size=shape)
    f = y + rng.normal(size=shape)
    found = metrics.regression_metrics(y, f)
    assert found["mse"]["value"] == pytest.approx(sklearn.metrics.mean_squared_error(y, f), rel=1e-12)
    assert found["mae"]["value"] == pytest.approx(sklearn.metrics.mean_absolute_error(y, f), rel=1e-12)
    assert found["r2"]["value"] == pytest.approx(sklearn.metrics.r2_score(y, f), rel=1e-10)


def test_intervals_of_a_mean_equal_scipys() -> None:
    probs = np.random.default_rng(3).dirichlet(np.ones(4), size=600)
    labels = np.random.default_rng(4).integers(4, size=600)
    losses = -np.log(probs[np.arange(600), labels])
    expected = scipy.stats.bootstrap(
        (losses,), np.mean, n_resamples=5000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    found = metrics.classification_metrics(probs, labels, list("abcd"))["nll"]
    width = expected.high - expected.low
    assert found["low"] == pytest.approx(expected.low, abs=0.08 * width)
    assert found["high"] == pytest.approx(expected.high, abs=0.08 * width)


def test_intervals_of_r2_equal_scipys() -> None:
    rng = np.random.default_rng(5)
    y = 100 + rng.normal(size=150)
    f = y + rng.normal(size=150)
    expected = scipy.stats.bootstrap(
        (y, f),
        sklearn.metrics.r2_score,
        paired=True,
        vectorized=False,
        n_resamples=1500,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    found = metrics.regression_metrics(y, f)["r2"]
    width = expected.high - expected.low
    assert found["low"] == pytest.approx(expected.low, abs=0.12 * width)
    assert found["high"] == pytest.approx(expected.high, abs=0.12 * width)


def test_intervals_of_ece_equal_resampling_row_by_row() -> None:
    rng = np.random.default_rng(6)
    probs = rng.dirichlet(np.ones(3), size=300)
    labels = rng.integers(3, size=300)
    resampled = []
    for _ in range(1500):
        rows = rng.integers(300, size=300)
        resampled.append(metrics.calibration_error(probs[rows], labels[rows]))
    low, high = np.quantile(resampled, [0.025, 0.975])
    found = metrics.classification_metrics(probs, labels, list("abc"))["ece"]
    assert found["low"] == pytest.approx(low, abs=0.12 * (high - low))
    assert found["high"] == pytest.approx(high, abs=0.12 * (high - low))


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(7)
    covered = 0
    for seed in range(200):
        right = rng.random(300) < 0.8
        labels = np.where(right, 0, 1)
        found = metrics.classification_metrics(np.tile([[0.8, 0.2]], (300, 1)), labels, ["a", "b"], seed)
        covered += found["accuracy"]["low"] <= 0.8 <= found["accuracy"]["high"]
    # Within the 99.9% binomial bounds of 200 tries, a percentile interval being a little short.
    assert scipy.stats.binom.ppf(0.0005, 200, 0.93) <= covered <= scipy.stats.binom.ppf(0.9995, 200, 0.96)
