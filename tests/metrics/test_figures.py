"""Figures of predictions: edges of bins, 0/0, floors, intervals, and errors that name the row."""

import json
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import likely
from likely import metrics
from likely.errors import ConfigError, DataError, ProbabilityError, ShapeError
from likely.functional.losses import softmax_cross_entropy
from likely.metrics import calibration, intervals

PROBS = np.array([[0.6, 0.4], [0.5, 0.5], [0.1, 0.9]])
LABELS = np.array([0, 1, 1])


def random_case(n: int = 400, k: int = 5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.full(k, 0.5), size=n)
    labels = np.array([rng.choice(k, p=p) for p in probs])
    return probs, labels


# Values known by hand


def test_values_of_the_small_case() -> None:
    assert metrics.accuracy(PROBS, LABELS) == pytest.approx(2 / 3)  # a tie goes to the first class
    assert metrics.log_loss(PROBS, LABELS) == pytest.approx(-(math.log(0.6) + math.log(0.5) + math.log(0.9)) / 3)
    assert metrics.brier_score(PROBS, LABELS) == pytest.approx((0.32 + 0.5 + 0.02) / 3)
    assert metrics.confusion_matrix(PROBS, LABELS).tolist() == [[1, 0], [1, 1]]


def test_certainty() -> None:
    certain = np.eye(3)
    right, wrong = np.arange(3), np.array([1, 2, 0])
    assert metrics.brier_score(certain, right) == 0
    assert metrics.brier_score(certain, wrong) == 2
    assert metrics.calibration_error(certain, right) == 0
    assert metrics.calibration_error(certain, wrong) == 1
    assert math.copysign(1, metrics.log_loss(certain, right)) == 1


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_impossible_labels_cost_infinity_as_in_the_cross_entropy(dtype: Any) -> None:
    smallest = float(np.finfo(dtype).smallest_subnormal)
    for p in (0.0, smallest, 0.25):
        probs = np.array([[1 - p, p], [0.5, 0.5]], dtype)
        expected = likely.cross_entropy(np.array([[0.0, 1.0], [1.0, 0.0]]), probs.astype(np.float64)).mean()
        assert metrics.log_loss(probs, np.array([1, 0])) == pytest.approx(expected, rel=1e-6)
        assert metrics.log_loss(probs, np.eye(2)[[1, 0]]) == pytest.approx(expected, rel=1e-6)
        with np.errstate(divide="ignore"):
            loss = softmax_cross_entropy(np.eye(2, dtype=dtype)[[1, 0]], np.log(probs)).mean()
        assert loss == pytest.approx(expected, rel=1e-3)
    # A label that did not come may be impossible at no cost.
    assert metrics.log_loss(np.array([[1, 0]], dtype), np.array([0])) == 0
    # Figures with intervals are finite numbers, which JSON can hold, and the same in every dtype.
    found = metrics.classification_metrics(np.array([[1, 0]] * 2, dtype), np.array([1, 0]), ["a", "b"])
    assert found["nll"]["value"] == pytest.approx(708.3964 / 2, abs=1e-3)


def test_small_probabilities_are_exact() -> None:
    assert metrics.log_loss(np.array([[1.0, 1e-300]]), np.array([1])) == pytest.approx(300 * math.log(10))
    assert metrics.log_loss(np.array([[1.0, 5e-324]]), np.array([1])) == pytest.approx(744.44, abs=0.01)
    assert metrics.log_loss(np.array([[1.0, 1e-40]], np.float32), np.array([1])) == pytest.approx(92.1, abs=0.01)


def test_soft_labels_give_the_expectation_over_hard_ones() -> None:
    probs, _ = random_case(50, 3)
    truth = np.random.default_rng(1).dirichlet(np.ones(3), size=50)
    each = np.stack([[metrics.log_loss(p[None], np.array([c])) for c in range(3)] for p in probs])
    assert metrics.log_loss(probs, truth) == pytest.approx((truth * each).sum(axis=1).mean())
    assert metrics.brier_score(probs, truth) == pytest.approx(((probs - truth) ** 2).sum(axis=1).mean())


def test_one_hot_labels_equal_classes() -> None:
    probs, labels = random_case()
    for dtype in (np.float32, np.int64, bool):
        one_hot = np.eye(5)[labels].astype(dtype)
        assert metrics.log_loss(probs, one_hot) == pytest.approx(metrics.log_loss(probs, labels))
        assert metrics.brier_score(probs, one_hot) == pytest.approx(metrics.brier_score(probs, labels))


def test_float32_probabilities_give_float64_figures() -> None:
    probs, labels = random_case(20_000)
    single = probs.astype(np.float32)
    for metric in (metrics.log_loss, metrics.brier_score, metrics.calibration_error):
        assert metric(single, labels) == pytest.approx(metric(probs, labels), rel=1e-5)


# Bins


def two_classes(*confidences: float) -> np.ndarray:
    c = np.array(confidences)
    return np.column_stack([c, 1 - c])


def test_confidence_one_is_in_the_last_bin() -> None:
    bins = metrics.reliability_bins(two_classes(1.0, 1.0, 0.95), np.array([0, 1, 0]))
    assert bins.count.tolist() == [0] * 14 + [3]
    assert bins.accuracy[-1] == pytest.approx(2 / 3)


def test_confidence_zero_is_in_the_first_bin() -> None:
    # Only more classes than a sum of 1 can serve makes so small a confidence; a hundred million would be needed for 0.
    bins, edges = calibration.binned(np.zeros(1), 15, "width")
    assert bins.tolist() == [0]
    assert edges[0] == 0
    assert edges[-1] == 1


@pytest.mark.parametrize("n_bins", [1, 2, 3, 10, 15, 100])
def test_an_edge_belongs_to_the_bin_below(n_bins: int) -> None:
    edges = np.linspace(0, 1, n_bins + 1)[1:]
    edges = edges[edges >= 0.5]
    bins = metrics.reliability_bins(two_classes(*edges), np.zeros(len(edges), int), n_bins)
    assert bins.count[n_bins - len(edges) :].tolist() == [1] * len(edges)


def test_empty_bins_are_nan_and_null() -> None:
    bins = metrics.reliability_bins(two_classes(0.9), np.array([0]), n_bins=2)
    assert np.isnan(bins.confidence[0])
    assert np.isnan(bins.accuracy[0])
    assert bins.to_json() == [
        {"low": 0.0, "high": 0.5, "count": 0, "confidence": None, "accuracy": None},
        {"low": 0.5, "high": 1.0, "count": 1, "confidence": 0.9, "accuracy": 1.0},
    ]


# Per class


def test_zero_by_zero_is_nan_per_class_and_null_in_json() -> None:
    probs = np.array([[0.8, 0.1, 0.1, 0.0], [0.7, 0.3, 0.0, 0.0], [0.1, 0.2, 0.7, 0.0]])
    labels = np.array([0, 1, 0])
    found = metrics.per_class(metrics.confusion_matrix(probs, labels))
    assert np.isnan(found.precision).tolist() == [False, True, False, True]
    assert np.isnan(found.recall).tolist() == [False, False, True, True]
    assert np.isnan(found.f1).tolist() == [False, False, False, True]
    assert found.support.tolist() == [2, 1, 0, 0]
    rows = metrics.classification_metrics(probs, labels, list("abcd"))["per_class"]
    assert rows[3] == {"label": "d", "precision": None, "recall": None, "f1": None, "support": 0, "too_few": True}
    assert rows[0] == {"label": "a", "precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2, "too_few": True}


# The dicts


def test_classification_metrics_have_the_schema() -> None:
    probs, labels = random_case()
    found = metrics.classification_metrics(probs, labels, list("abcde"))
    calibration = ["ece", "ece_plugin", "ece_floor", "calibration_p", "ece_mass", "ece_classwise"]
    assert list(found) == ["n", "accuracy", "nll", "brier", *calibration, "per_class", "confusion"]
    assert found["n"] == 400
    assert found["accuracy"]["value"] == pytest.approx(metrics.accuracy(probs, labels))
    assert found["nll"]["value"] == pytest.approx(metrics.log_loss(probs, labels))
    assert found["brier"]["value"] == pytest.approx(metrics.brier_score(probs, labels))
    assert found["ece"] == metrics.calibration_estimate(probs, labels).to_json()
    assert found["ece_plugin"] == pytest.approx(metrics.calibration_error(probs, labels))
    assert found["calibration_p"] == metrics.calibration_p_value(probs, labels)
    assert found["ece_classwise"] == metrics.classwise_calibration_estimate(probs, labels).to_json()
    assert found["confusion"] == metrics.confusion_matrix(probs, labels).tolist()
    for name in ("accuracy", "nll", "brier", "ece", "ece_floor", "ece_mass", "ece_classwise"):
        figure = found[name]
        assert list(figure) == ["value", "low", "high"]
        assert figure["low"] <= figure["value"] <= figure["high"]
        assert figure["low"] < figure["high"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_seed_repeats_intervals() -> None:
    probs, labels = random_case()
    same = [metrics.classification_metrics(probs, labels, list("abcde"), seed=s) for s in (3, 3, 4)]
    assert same[0] == same[1]
    assert same[0]["nll"] != same[2]["nll"]
    assert same[0]["nll"]["value"] == same[2]["nll"]["value"]


def test_one_row_leaves_nearly_everything_open() -> None:
    found = metrics.classification_metrics(np.array([[0.25, 0.75]]), np.array([0]), ["a", "b"])
    assert found["accuracy"] == {"value": 0.0, "low": 0.0, "high": pytest.approx(0.975)}
    assert found["ece"]["low"] == 0
    assert found["ece"]["high"] == pytest.approx(0.75, abs=0.01)
    assert found["ece_plugin"] == 0.75


def test_the_interval_of_ece_holds_its_value_where_resamples_are_all_larger() -> None:
    # Perfectly calibrated: nearly every resample looks worse than the sample.
    probs = np.tile([[0.75, 0.25]], (400, 1))
    labels = np.repeat([0, 1], [300, 100])
    ece = metrics.classification_metrics(probs, labels, ["a", "b"])["ece"]
    assert ece["value"] == pytest.approx(0, abs=1e-12)
    assert ece["low"] <= ece["value"]
    assert 0.02 < ece["high"] < 0.08


def test_regression_metrics_have_the_schema() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=200)
    f = y + rng.normal(size=200) / 2
    found = metrics.regression_metrics(y, f, f - 1, f + 1)
    assert list(found) == ["n", "mse", "mae", "r2", "coverage"]
    assert found["mse"]["value"] == pytest.approx(((y - f) ** 2).mean())
    assert found["mae"]["value"] == pytest.approx(np.abs(y - f).mean())
    assert found["coverage"]["value"] == pytest.approx(metrics.interval_coverage(y, f - 1, f + 1))
    for name in ("mse", "mae", "r2", "coverage"):
        assert found[name]["low"] <= found[name]["value"] <= found[name]["high"]
    assert "coverage" not in metrics.regression_metrics(y, f)


def test_several_targets_are_averaged() -> None:
    rng = np.random.default_rng(0)
    y, f = rng.normal(size=(2, 50, 3))
    both = metrics.regression_metrics(y, f, f - 1, f + 1)
    each = [metrics.regression_metrics(y[:, j], f[:, j], f[:, j] - 1, f[:, j] + 1) for j in range(3)]
    for name in ("mse", "mae", "r2", "coverage"):
        assert both[name]["value"] == pytest.approx(np.mean([e[name]["value"] for e in each]))


def test_r2_of_equal_answers_is_null() -> None:
    found = metrics.regression_metrics(np.full(5, 0.1), np.arange(5.0))
    assert found["r2"] == {"value": None, "low": None, "high": None}
    assert found["mse"]["value"] is not None


def test_resamples_of_equal_answers_are_left_out_of_the_interval_of_r2() -> None:
    y = np.array([0.1, 0.1, 0.1, 0.7])
    r2 = metrics.regression_metrics(y, np.array([0.1, 0.2, 0.1, 0.6]))["r2"]
    assert all(value is not None and -10 < value <= 1 for value in r2.values())


def test_r2_far_from_zero_keeps_its_digits() -> None:
    y = np.array([1.0, 2.0, 3.0, 4.0])
    f = np.array([1.5, 2.0, 3.0, 3.5])
    near, far = (metrics.regression_metrics(y + shift, f + shift)["r2"]["value"] for shift in (0, 1e9))
    assert near == far == pytest.approx(0.9)


def test_interval_ends_count_as_inside() -> None:
    y = np.array([1.0, 2.0, 3.0])
    assert metrics.interval_coverage(y, y, y) == 1
    assert metrics.interval_coverage(y, np.full(3, -np.inf), np.full(3, np.inf)) == 1
    assert metrics.interval_coverage(y, y + 1, y - 1) == 0


def test_bootstrap_memory_blocks_do_not_change_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(0).normal(size=(50, 2))
    whole = metrics.bootstrap(rows, lambda sums: sums / 50)
    monkeypatch.setattr(intervals, "BLOCK", 130)
    for found, expected in zip(metrics.bootstrap(rows, lambda sums: sums / 50), whole, strict=True):
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-12)


def test_metrics_of_many_rows_are_quick() -> None:
    # A guard against a loop over resamples in Python; the bound is many times what is needed.
    probs, labels = random_case(200)
    probs, labels = np.tile(probs, (50, 1)), np.tile(labels, 50)
    began = time.perf_counter()
    metrics.classification_metrics(probs, labels, list("abcde"))
    assert time.perf_counter() - began < 10


# Errors


BAD_PROBS = PROBS.copy()
BAD_PROBS[1] = [0.5, 0.4]
NEGATIVE = PROBS.copy()
NEGATIVE[2] = [-0.1, 1.1]
NOT_A_NUMBER = PROBS.copy()
NOT_A_NUMBER[2, 1] = np.nan


@pytest.mark.parametrize(
    "metric",
    [
        metrics.accuracy,
        metrics.log_loss,
        metrics.brier_score,
        metrics.calibration_error,
        metrics.reliability_bins,
        metrics.confusion_matrix,
        lambda p, y: metrics.classification_metrics(p, y, ["a", "b"]),
    ],
)
@pytest.mark.parametrize(
    ("probs", "labels", "error", "match"),
    [
        (BAD_PROBS, LABELS, ProbabilityError, "row 1"),
        (NEGATIVE, LABELS, ProbabilityError, "row 2"),
        (NOT_A_NUMBER, LABELS, ProbabilityError, "row 2"),
        (PROBS, np.array([0, 2, 1]), DataError, r"classes 0\.\.1; got 2 in row 1"),
        (PROBS, np.array([0, 1, -1]), DataError, "got -1 in row 2"),
        (PROBS, np.array([0.0, 1.0, 1.0]), ShapeError, "3 integers.*float64"),
        (PROBS, np.array([True, False, True]), ShapeError, "bool"),
        (PROBS, np.array(["a", "b", "a"]), ShapeError, "<U1"),
        (PROBS, np.array([0, 1]), ShapeError, r"\(2,\)"),
        (PROBS, np.zeros((3, 2, 1), int), ShapeError, r"\(3, 2, 1\)"),
        (PROBS[0], LABELS, ShapeError, r"\(2,\)"),
        (PROBS[:0], LABELS[:0], ShapeError, "at least one row"),
    ],
)
def test_bad_input_is_named(
    metric: Callable[..., Any], probs: np.ndarray, labels: np.ndarray, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        metric(probs, labels)


@pytest.mark.parametrize("metric", [metrics.log_loss, metrics.brier_score])
def test_bad_soft_labels_are_named(metric: Callable[..., float]) -> None:
    with pytest.raises(ProbabilityError, match=r"labels.*row 1"):
        metric(PROBS, BAD_PROBS)
    with pytest.raises(ShapeError, match=r"labels must have shape \(3, 2\)"):
        metric(PROBS, np.eye(3))


def test_soft_labels_are_refused_where_a_class_is_needed() -> None:
    with pytest.raises(ShapeError, match="integers"):
        metrics.accuracy(PROBS, PROBS)


@pytest.mark.parametrize("n_bins", [0, -1])
def test_bins_must_be_positive(n_bins: int) -> None:
    with pytest.raises(ConfigError, match="n_bins"):
        metrics.calibration_error(PROBS, LABELS, n_bins)


def test_names_must_fit() -> None:
    with pytest.raises(ShapeError, match="3 names for 2 classes"):
        metrics.classification_metrics(PROBS, LABELS, ["a", "b", "c"])


ONE_TO_THREE = np.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ((ONE_TO_THREE, ONE_TO_THREE[:2]), ShapeError, r"predictions must have the shape of y, \(3,\)"),
        ((ONE_TO_THREE, np.array([1, np.inf, 2])), DataError, "predictions must be finite; .* row 1"),
        ((np.array([1, 2, np.nan]), ONE_TO_THREE), DataError, "y must be finite; .* row 2"),
        ((np.array(["a"]), np.array(["a"])), ShapeError, "numbers"),
        ((np.zeros(0), np.zeros(0)), ShapeError, "at least one"),
        ((np.array(1.0), np.array(1.0)), ShapeError, "shape"),
        ((ONE_TO_THREE, ONE_TO_THREE, ONE_TO_THREE), ConfigError, "together"),
        ((ONE_TO_THREE, ONE_TO_THREE, None, ONE_TO_THREE), ConfigError, "together"),
        ((ONE_TO_THREE, ONE_TO_THREE, ONE_TO_THREE[:1], ONE_TO_THREE), ShapeError, "low"),
        ((ONE_TO_THREE, ONE_TO_THREE, ONE_TO_THREE, np.array([1, np.nan, 3])), DataError, "high .* row 1"),
    ],
)
def test_bad_regression_input_is_named(arguments: tuple[Any, ...], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        metrics.regression_metrics(*arguments)
