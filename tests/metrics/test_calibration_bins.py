"""Bins of equal width and equal mass, their ends, events, and the floor that chance sets."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.calibration import calibration_curve

from likely import metrics
from likely.errors import ConfigError, DataError, ProbabilityError, ShapeError

probabilities = arrays(np.float64, st.integers(1, 60), elements=st.floats(0, 1) | st.sampled_from([0.0, 0.5, 1.0]))


def binary(p: np.ndarray) -> np.ndarray:
    return np.column_stack([1 - p, p])


# Ends


@pytest.mark.parametrize("n_bins", [1, 2, 15])
@pytest.mark.parametrize("binning", ["width", "mass"])
def test_exactly_0_and_1_are_in_the_first_and_last_bin(n_bins: int, binning: str) -> None:
    p = np.array([0.0, 0.0, 0.3, 0.8, 1.0, 1.0])
    bins = metrics.event_reliability(p, p > 0.5, n_bins, binning=binning)
    assert bins.count.sum() == 6
    assert bins.count[0] >= 2
    assert bins.count[-1] >= 2
    if n_bins > 1:
        assert bins.accuracy[0] == 0
        assert bins.accuracy[-1] == 1
    assert (bins.edges[0], bins.edges[-1]) == (0, 1)


def test_certain_predictions_have_the_error_rate_as_ece() -> None:
    certain = np.eye(2)[[0, 0, 0, 1]]
    for binning in ("width", "mass"):
        assert metrics.calibration_error(certain, np.array([0, 0, 1, 1]), binning=binning) == 0.25
        assert metrics.reliability_bins(certain, np.array([0, 0, 1, 1]), binning=binning).count[-1] == 4


# Equal mass


@given(probabilities, st.integers(1, 20), st.randoms(use_true_random=False))
def test_equal_confidences_share_a_bin_whatever_the_order(p: np.ndarray, n_bins: int, random: object) -> None:
    order = list(range(len(p)))
    random.shuffle(order)
    inside = np.arange(len(p)) % 3 == 0
    bins = metrics.event_reliability(p, inside, n_bins, binning="mass")
    again = metrics.event_reliability(p[order], inside[order], n_bins, binning="mass")
    assert np.array_equal(bins.count, again.count)
    assert bins.count.min() > 0
    assert len(bins.count) <= n_bins
    assert np.all(np.diff(bins.edges) >= 0)
    assert np.all(bins.confidence <= bins.edges[1:] + 1e-12)
    assert np.all(bins.confidence[1:] > bins.edges[1:-1] - 1e-12)


@pytest.mark.parametrize(("n", "n_bins"), [(100, 10), (101, 7), (5, 15)])
def test_bins_of_equal_mass_are_equal_up_to_one_row(n: int, n_bins: int) -> None:
    p = np.random.default_rng(0).random(n)
    count = metrics.event_reliability(p, p > 0.5, n_bins, binning="mass").count
    assert len(count) == min(n, n_bins)
    assert count.max() - count.min() <= 1


@pytest.mark.parametrize("binning", ["width", "mass"])
def test_event_bins_equal_scikit_learns(binning: str) -> None:
    rng = np.random.default_rng(1)
    p = rng.random(900)
    inside = rng.random(900) < p**2
    strategy = {"width": "uniform", "mass": "quantile"}[binning]
    frequency, mean = calibration_curve(inside, p, n_bins=10, strategy=strategy)
    bins = metrics.event_reliability(p, inside, 10, binning=binning)
    np.testing.assert_allclose(bins.accuracy, frequency, atol=1e-12)
    np.testing.assert_allclose(bins.confidence, mean, atol=1e-12)
    expected = (bins.count / 900) @ np.abs(frequency - mean)
    assert metrics.event_calibration_error(p, inside, 10, binning=binning) == pytest.approx(expected)


@given(probabilities)
def test_an_event_of_two_classes_with_p_above_one_half_is_the_top_label(p: np.ndarray) -> None:
    p = 0.5 + p / 2
    labels = (np.arange(len(p)) % 2 == 0).astype(int)
    # At exactly one half the tie goes to class 0, and the event is class 1.
    p = np.where(p == 0.5, 0.6, p)
    for binning in ("width", "mass"):
        top = metrics.calibration_error(binary(p), labels, binning=binning)
        assert metrics.event_calibration_error(p, labels == 1, binning=binning) == pytest.approx(top, abs=1e-9)


# The floor


def drawn(probs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (rng.random((len(probs), 1)) > np.cumsum(probs, axis=1)[:, :-1]).sum(axis=1)


@pytest.mark.parametrize("binning", ["width", "mass"])
def test_the_floor_is_the_mean_ece_of_labels_drawn_from_the_predictions(binning: str) -> None:
    probs = np.random.default_rng(2).dirichlet(np.full(4, 0.3), size=500)
    rng = np.random.default_rng(3)
    errors = [metrics.calibration_error(probs, drawn(probs, rng), binning=binning) for _ in range(1500)]
    floor = metrics.calibration_floor(probs, binning=binning, draws=3000)
    assert floor.value == pytest.approx(np.mean(errors), rel=0.02)
    low, high = np.quantile(errors, [0.025, 0.975])
    assert floor.low == pytest.approx(low, rel=0.06)
    assert floor.high == pytest.approx(high, rel=0.06)


def test_the_floor_of_an_event_is_that_of_its_draws() -> None:
    p = np.random.default_rng(4).random(300)
    rng = np.random.default_rng(5)
    errors = [metrics.event_calibration_error(p, rng.random(300) < p) for _ in range(1500)]
    assert metrics.event_calibration_floor(p, draws=2000).value == pytest.approx(np.mean(errors), rel=0.02)


def test_certainty_has_no_floor_and_more_rows_lower_it() -> None:
    assert metrics.calibration_floor(np.eye(3)).to_json() == {"value": 0.0, "low": 0.0, "high": 0.0}
    probs = np.random.default_rng(6).dirichlet(np.ones(3), size=4000)
    few, many = metrics.calibration_floor(probs[:100]), metrics.calibration_floor(probs)
    assert many.value < few.value / 3


def test_draws_in_blocks_are_the_same_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    probs = np.random.default_rng(7).dirichlet(np.ones(3), size=50)
    whole = metrics.calibration_floor(probs)
    monkeypatch.setattr("likely.metrics.calibration_error_floor._BLOCK", 130)
    assert metrics.calibration_floor(probs) == whole


def test_the_floor_tells_calibrated_from_overconfident() -> None:
    rng = np.random.default_rng(8)
    probs = rng.dirichlet(np.ones(5), size=3000)
    labels = drawn(probs, rng)
    sharp = probs**3 / (probs**3).sum(axis=1, keepdims=True)
    true, false = (metrics.classification_metrics(p, labels, list("abcde")) for p in (probs, sharp))
    assert true["ece_floor"]["low"] <= true["ece_plugin"] <= true["ece_floor"]["high"]
    assert true["ece"]["low"] == 0
    assert true["calibration_p"] > 0.05
    assert false["ece"]["low"] > 4 * false["ece_floor"]["high"]
    assert false["calibration_p"] < 0.01
    by_mass = metrics.calibration_estimate(probs, labels, binning="mass")
    assert true["ece_mass"] == by_mass.to_json()
    assert by_mass.value < metrics.calibration_error(probs, labels, binning="mass") < by_mass.high


# Debiased


def test_the_estimate_is_less_than_the_figure_and_inside_its_interval() -> None:
    rng = np.random.default_rng(11)
    for sharpness in (1.0, 1.2, 3.0):
        probs = rng.dirichlet(np.ones(5), size=2000)
        said = probs**sharpness / (probs**sharpness).sum(axis=1, keepdims=True)
        labels = drawn(probs, rng)
        for found, counted in (
            (metrics.calibration_estimate(said, labels), metrics.calibration_error(said, labels)),
            (metrics.classwise_calibration_estimate(said, labels), metrics.classwise_calibration_error(said, labels)),
        ):
            assert 0 <= found.low <= found.value < counted < found.high


def test_two_classes_share_their_classwise_error() -> None:
    rng = np.random.default_rng(12)
    p = rng.random(500)
    inside = rng.random(500) < p
    by_class = metrics.classwise_calibration_error(binary(p), inside.astype(int), n_bins=10)
    assert by_class == pytest.approx(metrics.event_calibration_error(p, inside, n_bins=10), abs=1e-12)


@pytest.mark.parametrize("certain", [np.array([[1.0, 0.0]] * 40), np.array([[0.5, 0.5]])])
def test_certain_and_single_rows_have_an_interval(certain: np.ndarray) -> None:
    labels = np.zeros(len(certain), int)
    for found in (
        metrics.calibration_estimate(certain, labels),
        metrics.classwise_calibration_estimate(certain, labels),
    ):
        assert 0 <= found.low <= found.value <= found.high <= 1
    if len(certain) == 40:  # all 40 right, each said to be certain: the true share may be 91%
        assert 0.05 < metrics.calibration_estimate(certain, labels).high < 0.12
        wrong = metrics.calibration_estimate(certain, np.ones(40, int))
        assert (wrong.value, wrong.high) == (pytest.approx(1, abs=1e-3), pytest.approx(1, abs=1e-3))


# Few rows


def test_classes_of_few_rows_are_flagged() -> None:
    labels = np.repeat([0, 1, 2], [metrics.FEW_ROWS, metrics.FEW_ROWS - 1, 1])
    found = metrics.classification_metrics(np.tile([[0.5, 0.3, 0.2]], (len(labels), 1)), labels, list("abc"))
    assert [entry["too_few"] for entry in found["per_class"]] == [False, True, True]


# Events


def test_event_metrics_have_the_schema() -> None:
    rng = np.random.default_rng(9)
    p = rng.random(400)
    inside = rng.random(400) < p
    found = metrics.event_metrics(p, inside)
    assert list(found) == ["n", "frequency", "nll", "brier", "ece", "ece_plugin", "ece_floor", "calibration_p"]
    assert found["frequency"]["value"] == pytest.approx(inside.mean())
    assert found["nll"]["value"] == pytest.approx(metrics.log_loss(binary(p), inside.astype(int)))
    assert found["brier"]["value"] == pytest.approx(metrics.brier_score(binary(p), inside.astype(int)))
    assert found["ece"] == metrics.event_calibration_estimate(p, inside).to_json()
    assert found["ece_plugin"] == pytest.approx(metrics.event_calibration_error(p, inside))


# Errors

HALF = np.array([0.5, 0.5])


@pytest.mark.parametrize(
    ("p", "inside", "error", "match"),
    [
        (np.array([0.5, 1.1]), np.array([True, False]), ProbabilityError, "row 1"),
        (np.array([np.nan, 0.5]), np.array([True, False]), ProbabilityError, "row 0"),
        (HALF, np.array([True]), ShapeError, "2 booleans"),
        (HALF, np.array([0.0, 1.0]), ShapeError, "float64"),
        (HALF, np.array([0, 2]), DataError, "got 2 in row 1"),
        (HALF[None], np.array([True, False]), ShapeError, r"\(n,\)"),
        (HALF[:0], np.zeros(0, bool), ShapeError, "at least one"),
    ],
)
def test_bad_events_are_named(p: np.ndarray, inside: np.ndarray, error: type[Exception], match: str) -> None:
    for metric in (metrics.event_reliability, metrics.event_calibration_error, metrics.event_metrics):
        with pytest.raises(error, match=match):
            metric(p, inside)


def test_a_binning_or_number_of_draws_that_does_not_exist_is_refused() -> None:
    probs, labels = np.array([[0.5, 0.5]]), np.array([0])
    with pytest.raises(ConfigError, match="'width' or 'mass'; got 'kernel'"):
        metrics.calibration_error(probs, labels, binning="kernel")
    with pytest.raises(ConfigError, match="draws must be at least 1"):
        metrics.calibration_floor(probs, draws=0)
