"""What holds for every prediction and every label."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from likely import metrics

sizes = st.tuples(st.integers(1, 30), st.integers(1, 6))


@st.composite
def predictions(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    n, k = draw(sizes)
    weights = draw(arrays(np.float64, (n, k), elements=st.floats(0, 1)))
    weights[weights.sum(axis=1) < 1e-3] = 1.0
    labels = draw(arrays(np.int64, n, elements=st.integers(0, k - 1)))
    return weights / weights.sum(axis=1, keepdims=True), labels


@given(predictions())
def test_ranges(case: tuple[np.ndarray, np.ndarray]) -> None:
    assert 0 <= metrics.accuracy(*case) <= 1
    assert metrics.log_loss(*case) >= 0
    probs, labels = case
    possible = probs[np.arange(len(labels)), labels] > 0
    assert math.isfinite(metrics.log_loss(*case)) == possible.all()
    assert 0 <= metrics.brier_score(*case) <= 2 + 1e-12
    assert 0 <= metrics.calibration_error(*case) <= 1


@given(predictions(), st.integers(1, 30))
def test_bins_share_out_the_rows(case: tuple[np.ndarray, np.ndarray], n_bins: int) -> None:
    probs, labels = case
    bins = metrics.reliability_bins(probs, labels, n_bins)
    assert bins.count.sum() == len(probs)
    full = bins.count > 0
    assert np.all(bins.confidence[full] <= bins.edges[1:][full] + 1e-12)
    assert np.all(bins.confidence[full] >= bins.edges[:-1][full] - 1e-12)
    hits = np.nansum(bins.accuracy * bins.count) / len(probs)
    assert math.isclose(hits, metrics.accuracy(probs, labels), abs_tol=1e-12)


@given(predictions())
def test_one_bin_is_the_gap_between_accuracy_and_mean_confidence(case: tuple[np.ndarray, np.ndarray]) -> None:
    probs, labels = case
    gap = abs(metrics.accuracy(probs, labels) - probs.max(axis=1).mean())
    assert math.isclose(metrics.calibration_error(probs, labels, 1), gap, abs_tol=1e-12)
    # Finer bins can only add up to more.
    assert metrics.calibration_error(probs, labels, 15) >= gap - 1e-12


@given(predictions(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(case: tuple[np.ndarray, np.ndarray], random: object) -> None:
    probs, labels = case
    order = list(range(len(probs)))
    random.shuffle(order)
    for metric in (metrics.accuracy, metrics.log_loss, metrics.brier_score, metrics.calibration_error):
        assert math.isclose(metric(probs[order], labels[order]), metric(probs, labels), abs_tol=1e-9)


@given(predictions())
def test_confusion_counts_every_row_once(case: tuple[np.ndarray, np.ndarray]) -> None:
    probs, labels = case
    confusion = metrics.confusion_matrix(probs, labels)
    assert confusion.sum() == len(probs)
    assert np.array_equal(confusion.sum(axis=1), np.bincount(labels, minlength=probs.shape[1]))
    assert math.isclose(np.trace(confusion) / len(probs), metrics.accuracy(probs, labels))


@given(predictions())
def test_no_forecast_beats_the_truth_under_a_proper_score(case: tuple[np.ndarray, np.ndarray]) -> None:
    forecast, _ = case
    truth = np.roll(forecast, 1, axis=0)
    for score in (metrics.log_loss, metrics.brier_score):
        assert score(truth, truth) <= score(forecast, truth) + 1e-9


@given(arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e6, 1e6)), st.integers(0, 5))
def test_intervals_hold_their_value(values: np.ndarray, seed: int) -> None:
    [mean] = metrics.bootstrap(values[:, None], lambda sums: sums / len(values), seed)
    assert mean.low <= mean.value <= mean.high
    slack = 1e-9 * max(1.0, float(np.abs(values).max()))
    assert values.min() - slack <= mean.low
    assert mean.high <= values.max() + slack
