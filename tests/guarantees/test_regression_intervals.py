"""Intervals of a regressor: how often they hold the truth, in the noisiest rows too, and how wide they are for it.

growing     noise that grows elevenfold with one of three inputs; 400 rows (out of fold) and 6,000 (held out)
bent        as growing, with a curve that a linear network cannot follow
constant    the same noise everywhere: a scale of errors must cost next to nothing
heavy       growing noise of Student's t with 2 degrees of freedom: no variance
wide        growing noise in one of 30 inputs
ties        rows of 12 kinds and whole numbers as noise, in single precision
exact       no noise at all, in single precision: only rounding is left
stamps      growing noise around 1.7 billion
few         30 rows
"""

import numpy as np
import pytest
from tests.guarantees.proof import Check, Figures, Proof, mean

import likely

COVERAGE = 0.9
NEW = 4_000


def _world(name: str, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, numbers, and how large the noise of each row is."""
    X = rng.random((n, 30 if name == "wide" else 3))
    signal, noise = 4 * X[:, 1] + X[:, 2], rng.normal(size=n)
    scale = np.ones(n) if name == "constant" else 0.1 + X[:, 0]
    if name == "bent":
        signal = signal + np.sin(3 * X[:, 0])
    if name == "heavy":
        noise = rng.standard_t(2, size=n)
    if name == "stamps":
        signal = signal + 1.7e9
    if name in ("ties", "exact"):
        kinds = rng.integers(0, (3, 2, 2), (n, 3)).astype(float)
        whole = rng.integers(-2, 3, n) if name == "ties" else np.zeros(n)
        return kinds, kinds @ [0.3, 1.7, 2.9] + whole, np.ones(n)
    return X, signal + scale * noise, scale


def _figures(name: str, n: int, seed: int) -> Figures:
    rng = np.random.default_rng([seed, *name.encode(), n])
    X, y, _ = _world(name, n, rng)
    new, truth, scale = _world(name, NEW, rng)
    dtype = np.float32 if name in ("ties", "exact") else np.float64
    model = likely.Regressor(network="linear", random_state=seed).fit(X.astype(dtype), y)
    low, high = model.predict_interval(new.astype(dtype), COVERAGE).T
    inside = (low <= truth) & (truth <= high)
    # The constant width that would hold as many of these rows.
    same = 2 * np.quantile(np.abs(truth - model.predict(new.astype(dtype))), inside.mean())
    familiar = model.familiarity(new.astype(dtype))
    return {
        f"{name} {n}": float(inside.mean()),
        f"{name} {n}, noisiest": float(inside[scale >= np.quantile(scale, 0.9)].mean()),
        f"{name} {n}, width": float((high - low).mean() / max(same, 1e-300)),
        f"{name} {n}, alarms": float((familiar <= 0.05).mean()),
    }


SMALL = [(name, 400) for name in ("growing", "bent", "constant", "heavy", "wide", "ties", "exact", "stamps")]
WORLDS = [*SMALL, ("growing", 6_000), ("constant", 6_000), ("ties", 6_000), ("few", 30)]
NOISY = [("growing", 400), ("bent", 400), ("heavy", 400), ("stamps", 400), ("growing", 6_000)]


def draw(seed: int) -> Figures:
    """All worlds once."""
    found: Figures = {}
    for name, n in WORLDS:
        found |= _figures(name, n, seed)
    return found


def checks(draws: list[Figures]) -> list[Check]:
    found: list[Check] = []

    def at_least(figure: str, least: float) -> None:
        value = mean(draws, figure)
        found.append(Check(figure, value, f"at least {least}", value >= least))

    def at_most(figure: str, most: float) -> None:
        value = mean(draws, figure)
        found.append(Check(figure, value, f"at most {most}", value <= most))

    for name, n in WORLDS:
        at_least(f"{name} {n}", COVERAGE - 0.01)
        if name not in ("ties", "exact"):
            at_most(f"{name} {n}, alarms", 0.06)
    for name, n in NOISY:
        at_least(f"{name} {n}, noisiest", 0.85)
    for n in (400, 6_000):
        at_most(f"constant {n}, width", 1.05)
    return found


INTERVALS = Proof("regression-intervals", draw, checks, draws=100)


@pytest.fixture(scope="module")
def some() -> list[Figures]:
    return INTERVALS.some(8)


def test_intervals_hold_the_truth(some: list[Figures]) -> None:
    # The mean of eight draws has a standard error of 0.8 points with 400 rows, 3 with 30.
    for name, n in WORLDS:
        assert mean(some, f"{name} {n}") > COVERAGE - (0.08 if n == 30 else 0.03)


def test_the_noisiest_rows_are_covered_and_constant_noise_costs_little(some: list[Figures]) -> None:
    for name, n in NOISY:
        assert mean(some, f"{name} {n}, noisiest") > 0.82
    for n in (400, 6_000):
        assert mean(some, f"constant {n}, width") < 1.05


def test_familiar_rows_seldom_raise_an_alarm(some: list[Figures]) -> None:
    for name, n in WORLDS:
        if name not in ("ties", "exact"):
            assert mean(some, f"{name} {n}, alarms") < 0.09
