"""Classes as frequent in the field as they were not in training: calibration, sets and familiarity follow them."""

import numpy as np
import pytest
from tests.guarantees.proof import Check, Figures, Proof, mean

from likely.config import RunConfig
from likely.data.dataset import Dataset, Part
from likely.model import ClassifierPredictor
from likely.training.fit import learn
from likely.trust.conformal_sets import METHODS, prediction_sets, set_quantiles
from likely.trust.prior import label_shift_weights, shift_prior

MEANS = np.array([[0.0, 0.0], [1.5, 0.0], [0.0, 2.0]])
TRAINING, FIELD = np.array([0.9, 0.07, 0.03]), np.array([0.2, 0.3, 0.5])


def gaussians(n: int, frequencies: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n, 2) of three classes that overlap, and their classes (n,)."""
    y = rng.choice(3, size=n, p=frequencies)
    return MEANS[y] + rng.normal(size=(n, 2)), y


def learned(network: str, rng: np.random.Generator) -> ClassifierPredictor:
    """A model of 8,000 rows under the frequencies of training."""
    part = Part(*gaussians(8_000, TRAINING, rng))
    dataset = Dataset("gaussians", "classification", part, labels=("0", "1", "2"), label_type="int")
    predictor = learn(dataset, RunConfig(network=network, seed=int(rng.integers(1_000)))).predictor
    assert isinstance(predictor, ClassifierPredictor)
    return predictor


# Calibration ----------------------------------------------------------------------------------------------------


def calibrated(seed: int) -> Figures:
    """1,000 labeled rows of the field, under the right prior, under a wrong one and under none; 10,000 to judge by."""
    rng = np.random.default_rng(seed)
    found: Figures = {}
    for network in ("linear", "mlp"):
        model = learned(network, rng)
        rows, labels = gaussians(1_000, FIELD, rng)
        X, y = gaussians(10_000, FIELD, rng)

        def nll(one: ClassifierPredictor) -> float:
            return float(-one.predict_log_proba(X)[np.arange(len(y)), y].mean())  # noqa: B023

        right, wrong = model.with_prior(FIELD), model.with_prior(TRAINING[::-1])
        for how, start in (("right prior", right), ("wrong prior", wrong), ("no prior", model)):
            one = start.calibrate(rows, labels)
            found[f"{network}, {how}: NLL above prior-corrected"] = nll(one) - nll(right)
            gap = np.abs(one.predict_proba(X).mean(axis=0) - FIELD).max()
            found[f"{network}, {how}: gap of frequencies"] = float(gap)
            base = np.abs(np.array(one.card.class_frequencies) - FIELD).max()
            found[f"{network}, {how}: gap of stated frequencies"] = float(base)
        moved = right.calibrate(rows, labels)
        for alarm in (0.01, 0.05):
            found[f"{network}: false alarms at {alarm}"] = float((moved.familiarity(X) <= alarm).mean())
            found[f"{network}: false alarms at {alarm} before"] = float((model.familiarity(X) <= alarm).mean())
    return found


def calibration_checks(draws: list[Figures]) -> list[Check]:
    found: list[Check] = []
    for name in draws[0]:
        value = mean(draws, name)
        if "NLL" in name:
            found.append(Check(name, value, "at most 0.01", value <= 0.01))
        elif "gap" in name:
            found.append(Check(name, value, "at most 0.03", value <= 0.03))
        elif "before" in name:
            found.append(Check(name, value, "(for comparison)", ok=True))
        else:
            alarm = float(name.split()[-1])
            noise = 3 * np.sqrt(alarm / (1_000 * len(draws)))
            found.append(Check(name, value, f"at most {alarm + noise:.4f}", value <= alarm + noise))
    return found


CALIBRATE = Proof("label-shift-calibrate", calibrated, calibration_checks, draws=100)


def test_calibration_follows_the_field() -> None:
    for check in calibration_checks(CALIBRATE.some(3)):
        assert check.ok, check


# Sets -----------------------------------------------------------------------------------------------------------

WORLDS = {
    # frequencies of held-out and of new rows, held-out rows, how much too sharp the probabilities are
    "field": (TRAINING, FIELD, 2_000, 1.0),
    "overconfident": (TRAINING, FIELD, 2_000, 3.0),
    "the rarest becomes commonest": (np.array([0.5, 0.48, 0.02]), np.array([0.02, 0.02, 0.96]), 1_500, 1.0),
    "a class is gone": (np.array([0.4, 0.3, 0.3]), np.array([0.0, 0.5, 0.5]), 100, 1.0),
    "few rows": (np.array([0.4, 0.3, 0.3]), np.array([0.6, 0.3, 0.1]), 40, 0.5),
}
COVERAGES = (0.8, 0.9)


def covered(seed: int) -> Figures:
    """Weighted sets, and for comparison sets that know of no shift, for probabilities of three kinds."""
    found: Figures = {}
    for world, (old, new, m, sharper) in WORLDS.items():
        rng = np.random.default_rng(seed)

        def drawn(n: int, frequencies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            x, y = gaussians(n, frequencies, rng)  # noqa: B023
            scores = sharper * (-0.5 * np.square(x[:, None] - MEANS).sum(axis=2) + np.log(old))  # noqa: B023
            log_probs = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
            return np.exp(shift_prior(log_probs, old, new)), y  # noqa: B023

        (held_out, truth), (probs, y) = drawn(m, old), drawn(2_000, new)
        weights = label_shift_weights(old, new)
        for method in METHODS:
            u, v = (rng.random(m), rng.random(len(y))) if method == "aps" else (None, None)
            for coverage in COVERAGES:
                for how, settings in (("weighted", {"class_weights": weights}), ("unaware", {})):
                    name = f"{world}, {method} at {coverage:.0%}, {how}"
                    quantiles = set_quantiles(held_out, truth, coverage, method=method, u=u, **settings)
                    mask = prediction_sets(probs, quantiles, method=method, u=v, allow_empty=True)
                    found[name] = float(mask[np.arange(len(y)), y].mean())
    return found


def coverage_checks(draws: list[Figures]) -> list[Check]:
    found: list[Check] = []
    for name in draws[0]:
        values = [figures[name] for figures in draws]
        coverage, noise = float(name.split(" at ")[1][:2]) / 100, 3 * float(np.std(values)) / np.sqrt(len(values))
        value = mean(draws, name)
        if "unaware" in name:
            found.append(Check(name, value, "(for comparison)", ok=True))
        else:
            found.append(Check(name, value, f"at least {coverage - noise:.4f}", value >= coverage - noise))
    return found


SETS = Proof("label-shift-sets", covered, coverage_checks, draws=400)


def test_weighted_sets_hold_the_truth_as_often_as_promised() -> None:
    draws = SETS.some(40)
    for check in coverage_checks(draws):
        assert check.ok, check
    assert mean(draws, "field, lac at 80%, unaware") > 0.88  # without weights the sets are far too large here


def test_sets_per_class_need_no_weights() -> None:
    rng = np.random.default_rng(0)
    old, new = np.array([0.4, 0.3, 0.3]), np.array([0.05, 0.05, 0.9])
    shares = []
    for _ in range(200):
        x, truth = gaussians(300, old, rng)
        X, y = gaussians(500, new, rng)
        held_out, probs = (
            np.exp(s - np.logaddexp.reduce(s, axis=1, keepdims=True))
            for s in (-0.5 * np.square(rows[:, None] - MEANS).sum(axis=2) + np.log(new) for rows in (x, X))
        )
        mask = prediction_sets(probs, set_quantiles(held_out, truth, 0.9, per_class=True), allow_empty=True)
        shares.append(mask[np.arange(len(y)), y].mean())
    assert np.mean(shares) == pytest.approx(0.907, abs=0.015)
