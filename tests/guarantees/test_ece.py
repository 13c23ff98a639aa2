"""`calibration_estimate`: its interval holds the ECE of the population, at 0 as well as away from it, and is short."""

from collections.abc import Callable
from functools import cache, partial

import numpy as np
from tests.guarantees.proof import Check, Figures, Proof, mean

from likely.metrics import calibration_estimate, calibration_p_value, classwise_calibration_estimate
from likely.metrics.calibration import binned

N = 2_000
BINS = 15

World = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]
"""From a generator and n to confidences, and how often such a row is right, shape (n,) each."""


def scores(rng: np.random.Generator, n: int, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities over ten labels, and what a model says that divides its scores by a temperature."""
    s = 8 * rng.normal(size=(n, 10))
    s -= s.max(axis=1, keepdims=True)
    true, said = np.exp(s), np.exp(s / temperature)
    return true / true.sum(axis=1, keepdims=True), said / said.sum(axis=1, keepdims=True)


def tempered(temperature: float, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Ten labels, accuracy 87%: too sure everywhere."""
    true, said = scores(rng, n, temperature)
    return said.max(axis=1), true.max(axis=1)


def both_ways(gap: float, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Accuracy 90%: too sure in one bin, too timid in the next."""
    confidence = 0.5 + 0.5 * rng.beta(4, 1, size=n)
    return confidence, np.clip(confidence + np.where(np.ceil(BINS * confidence) % 2, gap, -gap), 0, 1)


def near_one(mean_doubt: float, gap: float, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Nearly all confidences in the last bin."""
    confidence = np.clip(1 - mean_doubt * rng.exponential(size=n), 0.5, 1)
    return confidence, np.clip(confidence - gap, 0, 1)


WORLDS: dict[str, World] = {
    "tempered, 0%": partial(tempered, 1.0),
    "tempered, 2.3%": partial(tempered, 0.83),
    "tempered, 6.3%": partial(tempered, 0.53),
    "both ways, 2.3%": partial(both_ways, 0.030),
    "both ways, 6.3%": partial(both_ways, 0.086),
    "near one, 0%": partial(near_one, 0.01, 0.0),
    "near one, 2.3%": partial(near_one, 0.01, 0.0225),
    "near one, 6.3%": partial(near_one, 0.02, 0.063),
    "very near one, 0%": partial(near_one, 0.0005, 0.0),
    "very near one, 0.2%": partial(near_one, 0.0005, 0.002),
}


@cache
def truth(name: str) -> float:
    """The ECE of the population: of half a million rows, without the chance of their labels."""
    confidence, right = WORLDS[name](np.random.default_rng(20_000), 500_000)
    bins, _ = binned(confidence, BINS, "width")
    return float(np.abs(np.bincount(bins, right - confidence)).sum() / len(bins))


def draw(seed: int) -> Figures:
    found: Figures = {}
    for name, world in WORLDS.items():
        rng = np.random.default_rng([seed, len(name)])
        confidence, right = world(rng, N)
        probs, labels = np.column_stack([confidence, 1 - confidence]), (rng.random(N) >= right).astype(np.int64)
        estimate = calibration_estimate(probs, labels, seed=seed)
        found[f"covers: {name}"] = float(estimate.low <= truth(name) <= estimate.high)
        found[f"width: {name}"] = estimate.high - estimate.low
        found[f"value: {name}"] = estimate.value
        if name.endswith(" 0%"):
            found[f"p up to 5%: {name}"] = float(calibration_p_value(probs, labels, seed=seed) <= 0.05)
    return found


def check(draws: list[Figures], slack: float = 0.0) -> list[Check]:
    found: list[Check] = []
    for name in WORLDS:
        true, covers = truth(name), mean(draws, f"covers: {name}")
        width, bias = (100 * mean(draws, f"width: {name}"), 100 * (mean(draws, f"value: {name}") - true))
        found += [
            Check(f"covers {100 * true:.2f}%: {name}", covers, "at least 0.90", covers >= 0.90 - slack),
            Check(f"mean width in points: {name}", width, "at most 3", width <= 3 + slack),
            Check(f"mean error of the value in points: {name}", bias, "-0.5 to 0.5", abs(bias) <= 0.5 + 4 * slack),
        ]
        if name.endswith(" 0%"):
            rate = mean(draws, f"p up to 5%: {name}")
            found.append(Check(f"p-value up to 5%: {name}", rate, "at most 0.07", rate <= 0.07 + slack))
    return found


TEMPERATURES = (1.0, 0.83, 0.53)


@cache
def classwise_truth(temperature: float) -> float:
    true, said = scores(np.random.default_rng(30_000), 500_000, temperature)
    gaps = [np.bincount(binned(said[:, j], BINS, "width")[0], true[:, j] - said[:, j]) for j in range(10)]
    return float(sum(np.abs(gap).sum() for gap in gaps)) / 10 / len(true)


def draw_classwise(seed: int) -> Figures:
    found: Figures = {}
    for temperature in TEMPERATURES:
        rng = np.random.default_rng([seed, 3])
        true, said = scores(rng, N, temperature)
        labels = (true.cumsum(axis=1) < rng.random((N, 1))).sum(axis=1).clip(0, 9)
        estimate = classwise_calibration_estimate(said, labels, seed=seed)
        found[f"covers: {temperature}"] = float(estimate.low <= classwise_truth(temperature) <= estimate.high)
        found[f"value: {temperature}"] = estimate.value
    return found


def check_classwise(draws: list[Figures], slack: float = 0.0) -> list[Check]:
    found: list[Check] = []
    for temperature in TEMPERATURES:
        true, covers = classwise_truth(temperature), mean(draws, f"covers: {temperature}")
        bias = 100 * (mean(draws, f"value: {temperature}") - true)
        found += [
            Check(f"covers classwise {100 * true:.2f}%", covers, "at least 0.90", covers >= 0.90 - slack),
            Check("mean error of the value in points", bias, "-0.2 to 0.2", abs(bias) <= 0.2 + slack),
        ]
    return found


ECE = Proof("ece", draw, check, draws=500)
CLASSWISE = Proof("ece-classwise", draw_classwise, check_classwise, draws=500)


def test_intervals_hold_the_true_error() -> None:
    # Of 6 draws, 3 misses at 94% have a chance of 4 in 1,000 for each of ten worlds: these seeds are fixed.
    assert all(check.ok for check in check(ECE.some(6), slack=0.3))


def test_classwise_intervals_hold_the_true_error() -> None:
    assert all(check.ok for check in check_classwise(CLASSWISE.some(6), slack=0.3))
