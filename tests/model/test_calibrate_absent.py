"""Calibration on rows that lack labels: it says so, and leaves the odds of those labels alone."""

import warnings

import numpy as np
import pytest

import likely
from likely.errors import DataError, GuaranteeWarning
from likely.model import ClassifierPredictor
from likely.trust.bias_corrected import fit_among, fit_calibration

RNG = np.random.default_rng(3)
CENTERS = np.array([[1.2, 0.0], [-0.6, 1.0], [-0.6, -1.0]])


def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
    y = RNG.integers(0, 3, n)
    return CENTERS[y] + RNG.normal(size=(n, 2)), np.array(["a", "b", "c"])[y]


@pytest.fixture(scope="module")
def model() -> ClassifierPredictor:
    return likely.Classifier(network="linear", random_state=0).fit(*draw(600)).predictor_


@pytest.mark.parametrize("absent", [["c"], ["b"], ["b", "c"]])
def test_sorted_rows_change_little_and_are_told(model: ClassifierPredictor, absent: list[str]) -> None:
    X, y = draw(600)
    new_X, new_y = draw(2000)
    kept = ~np.isin(y, absent)
    with pytest.warns(GuaranteeWarning, match=f"No calibration row has a label of '{absent[0]}'"):
        calibrated = model.calibrate(X[kept], y[kept])
    assert calibrated.score(new_X, new_y) > model.score(new_X, new_y) - 0.02


def test_rows_of_all_labels_warn_of_nothing(model: ClassifierPredictor) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.calibrate(*draw(300))


def test_biases_of_the_others_are_fitted_and_sum_to_what_they_did() -> None:
    labels, scores = np.repeat([0, 1], [80, 20]), np.zeros((100, 3))
    start = np.array([0.3, -0.1, 2.0])
    found = fit_among(np.array([True, True, False]), scores, labels, start=start)
    assert found.biases is not None
    assert found.biases[2] == 2
    assert found.biases.sum() == pytest.approx(start.sum(), abs=1e-6)
    assert found.biases[0] - found.biases[1] > 1
    spread = np.eye(3)[labels]
    np.testing.assert_allclose(
        fit_among(np.array([True, True, False]), scores, spread, start=start).biases, found.biases
    )
    everything = np.ones(3, bool)
    assert fit_among(everything, scores, labels).temperature == fit_calibration(scores, labels).temperature


@pytest.mark.parametrize("method", ["calibrate", "score"])
def test_booleans_are_no_numbers(method: str) -> None:
    X, y = draw(200)
    clf = likely.Classifier(network="linear").fit(X, (y == "a").astype(int))
    with pytest.raises(DataError, match=r"got (True|False) in row 0.*Try y\.astype"):
        getattr(clf.predictor_, method)(X + 1e-3, y == "a")
    of_booleans = likely.Classifier(network="linear").fit(X, y == "a")
    assert of_booleans.predictor_.score(X, y == "a") > 0.5
    with pytest.raises(DataError, match=r"got [01] in row 0.*Try y\.astype"):
        getattr(of_booleans.predictor_, method)(X + 1e-3, (y == "a").astype(int))


def test_a_regressor_scores_no_texts() -> None:
    X, _ = draw(200)
    reg = likely.Regressor(network="linear").fit(X, X[:, 0])
    assert reg.score(X, X[:, 0]) == pytest.approx(1)
    with pytest.raises(DataError, match="y must hold numbers"):
        reg.score(X, X[:, 0].astype(str))
