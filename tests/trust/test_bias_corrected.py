"""A temperature with biases: the optimum, what pulls it, and when rows are taken to support biases."""

import numpy as np
import pytest
import scipy.optimize
import scipy.special
from sklearn.linear_model import LogisticRegression

from likely.errors import ConfigError, DataError, ShapeError
from likely.trust.bias_corrected import Calibration, fit_bias_corrected, fit_calibration
from likely.trust.temperature import apply_temperature, fit_temperature


def world(n: int, biases: np.ndarray, seed: int, temperature: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Scores that softmax(scores / temperature + biases) makes true."""
    rng = np.random.default_rng(seed)
    scores = 3 * rng.normal(size=(n, len(biases)))
    return temperature * scores, (scores + biases + rng.gumbel(size=scores.shape)).argmax(axis=1)


def nll(log_probs: np.ndarray, labels: np.ndarray) -> float:
    return float(-log_probs[np.arange(len(labels)), labels].mean())


TILT = np.array([2.0, 0.0, -1.0, 0.5])


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("start", [None, np.array([1.0, -1.0, 0.0, 0.0])])
def test_the_optimum_is_that_of_a_plain_solver(temperature: float, start: np.ndarray | None) -> None:
    scores, labels = world(300, TILT, 0, temperature)
    origin = np.zeros(4) if start is None else start

    def objective(point: np.ndarray) -> float:
        z = scores * point[0] + point[1:]
        logs = scipy.special.log_softmax(z, axis=1)
        doubt = 0.5 / 301
        Y = (1 - doubt) * np.eye(4)[labels] + doubt / 3 * (1 - np.eye(4)[labels])
        return float(-(Y * logs).sum(axis=1).mean() + 0.5 / 300 * np.square(point[1:] - origin).sum())

    first = np.concatenate([[1 / temperature], origin])
    solved = scipy.optimize.minimize(objective, first, method="BFGS", options={"gtol": 1e-7})
    found = fit_bias_corrected(scores, labels, start=start)
    assert found.biases is not None
    assert objective(np.concatenate([[1 / found.temperature], found.biases])) <= solved.fun + 1e-9
    assert found.temperature == pytest.approx(1 / solved.x[0], rel=1e-3)
    np.testing.assert_allclose(found.biases, solved.x[1:], atol=2e-3)
    assert found.biases.sum() == pytest.approx(origin.sum(), abs=1e-6)


def test_two_classes_are_logistic_regression_on_the_difference() -> None:
    scores, labels = world(2_000, np.array([1.0, 0.0]), 1, 2.0)
    found = fit_bias_corrected(scores, labels, pull=1e-9, mistakes=0)
    platt = LogisticRegression(C=np.inf, tol=1e-10).fit(scores[:, 1:] - scores[:, :1], labels)
    assert found.biases is not None
    assert 1 / found.temperature == pytest.approx(platt.coef_[0, 0], rel=1e-4)
    assert found.biases[1] - found.biases[0] == pytest.approx(platt.intercept_[0], abs=1e-4)


def test_mean_answers_become_the_frequencies() -> None:
    scores, labels = world(1_000, TILT, 2)
    answers = np.exp(fit_bias_corrected(scores, labels).apply(scores)).mean(axis=0)
    np.testing.assert_allclose(answers, np.bincount(labels) / 1_000, atol=2e-3)
    plain = np.exp(apply_temperature(scores, fit_temperature(scores, labels))).mean(axis=0)
    assert np.abs(plain - np.bincount(labels) / 1_000).max() > 0.1


def test_a_class_without_rows_stays_near_its_start() -> None:
    scores, labels = world(400, np.zeros(4), 3)
    some = labels != 3
    found = fit_bias_corrected(scores[some], labels[some])
    assert found.biases is not None
    assert -8 < found.biases[3] - found.biases[:3].mean() < -1  # it would come 100 times among 400 rows
    few = fit_bias_corrected(scores[some][:6], labels[some][:6])
    assert few.biases is not None
    assert np.abs(few.biases).max() < 1.5
    assert np.isfinite(few.apply(scores)).all()


def test_weights_count_rows_and_soft_labels_are_label_distributions() -> None:
    scores, labels = world(200, TILT, 4)
    weights = np.repeat([1.0, 2.0], 100)
    doubled = np.concatenate([np.arange(200), np.arange(100, 200)])
    one = fit_bias_corrected(scores, labels, weights, pull=1.0, mistakes=0)
    two = fit_bias_corrected(scores[doubled], labels[doubled], pull=1.5, mistakes=0)
    np.testing.assert_allclose(one.biases, two.biases, atol=1e-4)  # pyright: ignore[reportArgumentType]
    soft = fit_bias_corrected(scores, np.eye(4)[labels])
    hard = fit_bias_corrected(scores, labels)
    np.testing.assert_allclose(soft.biases, hard.biases, atol=1e-6)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("k", [2, 10, 40])
def test_what_a_temperature_repairs_gets_no_biases(k: int) -> None:
    for seed in range(5):
        scores, labels = world(500, np.zeros(k), seed, 2.5)
        found = fit_calibration(scores, labels)
        assert found == Calibration(fit_temperature(scores, labels), None)


@pytest.mark.parametrize(("n", "k"), [(60, 3), (200, 10), (1_000, 50)])
def test_a_shift_of_the_classes_gets_biases_that_help_new_rows(n: int, k: int) -> None:
    tilt = np.random.default_rng(k).normal(size=k)
    for seed in range(3):
        scores, labels = world(n, tilt, seed)
        new, truth = world(4_000, tilt, seed + 100)
        found = fit_calibration(scores, labels)
        assert found.biases is not None
        gained = nll(apply_temperature(new, fit_temperature(scores, labels)), truth) - nll(found.apply(new), truth)
        assert gained > 0.05


def test_a_start_that_is_right_is_kept_and_one_that_is_wrong_repaired() -> None:
    scores, labels = world(400, TILT, 5)
    kept = fit_calibration(scores, labels, start=TILT)
    np.testing.assert_array_equal(kept.biases, TILT)  # pyright: ignore[reportArgumentType]
    assert kept.temperature == pytest.approx(1, abs=0.25)
    new, truth = world(4_000, TILT, 6)
    repaired = fit_calibration(scores, labels, start=-TILT)
    assert nll(repaired.apply(new), truth) < nll(apply_temperature(new, 1.0, TILT), truth) + 0.02


def test_a_masked_label_counts_nothing() -> None:
    scores, labels = world(600, TILT, 9)
    masked = np.column_stack([scores, np.where(np.arange(600) % 2, -np.inf, -1e9)])
    with_mask, without = fit_bias_corrected(masked, labels), fit_bias_corrected(scores, labels)
    assert with_mask.biases is not None
    assert without.biases is not None
    np.testing.assert_allclose(
        with_mask.biases[:4] - with_mask.biases[0], without.biases - without.biases[0], atol=1e-4
    )
    assert with_mask.temperature == pytest.approx(without.temperature, rel=1e-4)
    labels[5] = 4  # impossible: it costs the same whatever is fitted
    again = fit_calibration(masked, labels)
    assert again.temperature == pytest.approx(without.temperature, rel=0.02)
    assert np.isfinite(again.apply(masked)[:, :4]).all()


def test_few_rows_or_one_class_keep_a_temperature() -> None:
    scores, labels = world(19, TILT, 7)
    assert fit_calibration(scores, labels).biases is None
    assert fit_calibration(np.zeros((30, 1)), np.zeros(30, int)).biases is None
    weights = np.zeros(30)
    weights[3] = 1.0
    assert fit_calibration(np.zeros((30, 2)), np.zeros(30, int), weights).biases is None


def test_bad_input_is_named() -> None:
    scores, labels = world(30, TILT, 8)
    with pytest.raises(ShapeError, match=r"start must be one finite bias for each of 4 classes; got shape \(3,\)"):
        fit_calibration(scores, labels, start=np.zeros(3))
    with pytest.raises(ConfigError, match="pull"):
        fit_bias_corrected(scores, labels, pull=0)
    with pytest.raises(DataError, match="row 2"):
        fit_calibration(np.where(np.arange(30)[:, None] == 2, np.nan, scores), labels)
    with pytest.raises(ShapeError, match=r"biases must be one for each of 4 classes; got shape \(2,\)"):
        apply_temperature(scores, 1.0, np.zeros(2))
