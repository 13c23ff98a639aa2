"""`paired_difference`: equal models are rarely called different, whatever their tails; unequal ones are told apart.

Every world has two labels and the log-odds L = 2.5 (z + u/2 + v/2) for the second one, with z, u, v normal. Light
tails: models that know z and u, or z and v, or z and parts of u and v, and say exactly P(label | what they know). Heavy
tails: models that know L and say another number, one sometimes far too sure, the other too timid by as much as makes
their expected NLL equal.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.special import expit
from tests.guarantees.proof import Check, Figures, Proof

from likely.metrics import Difference, paired_difference

SIZES = (500, 2_000, 10_000)
FIGURES = ("accuracy", "nll", "brier", "ece")
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(41)

World = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray, np.ndarray]]
"""From a generator and n to log-odds of two models and labels, shape (n,) each."""


def expected(mean: np.ndarray, deviation: float) -> np.ndarray:
    """The log-odds of the mean of expit(mean + deviation x) over a normal x."""
    p = expit(mean[:, None] + deviation * _NODES) @ (_WEIGHTS / _WEIGHTS.sum())
    return np.log(p / (1 - p))


def log_odds(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """L, labels drawn from it, and 2.5 times its parts z, u / 2 and v / 2."""
    z, u, v = 2.5 * rng.normal(size=(3, n)) * np.array([[1.0], [0.5], [0.5]])
    total = z + u + v
    return total, (rng.random(n) < expit(total)).astype(np.int64), z, u, v


def exchangeable(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each model knows one part that the other does not: equal in every figure, calibrated."""
    _, labels, z, u, v = log_odds(rng, n)
    return expected(z + u, 1.25), expected(z + v, 1.25), labels


def knows_less(known: float, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both know z and v, the second also a share of the variance of u: better in all but the ECE, which is 0 twice."""
    _, labels, z, u, v = log_odds(rng, n)
    seen = np.sqrt(known) * (np.sqrt(known) * u + np.sqrt(1 - known) * 1.25 * rng.normal(size=n))
    return expected(z + v, 1.25), expected(z + v + seen, 1.25 * np.sqrt(1 - known)), labels


def too_sure(temperature: float, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The second model knows as much as the first, which is calibrated, but divides its log-odds by a temperature."""
    _, labels, z, u, v = log_odds(rng, n)
    return expected(z + u, 1.25), expected(z + v, 1.25) / temperature, labels


def rarely_wild(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The second model is six times too sure in one row of 200 (skewness of the difference of losses: 50)."""
    total, labels, *_ = log_odds(rng, n)
    return total / 1.18052, np.where(rng.random(n) < 0.005, 6.0, 1.0) * total, labels


def often_sure(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The second model is twice too sure, the first 2.4 times too timid (skewness 4)."""
    total, labels, *_ = log_odds(rng, n)
    return total / 2.41263, total / 0.5, labels


def of_all_kinds(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The second model multiplies its log-odds by log-normal numbers, the first is three times too timid (21)."""
    total, labels, *_ = log_odds(rng, n)
    return total / 3.03456, total * rng.lognormal(-0.5, 1.0, size=n), labels


def compared(world: World, seed: int, n: int) -> dict[str, Difference]:
    first, second, labels = world(np.random.default_rng([seed, n]), n)
    return paired_difference(*(np.column_stack([expit(-odds), expit(odds)]) for odds in (first, second)), labels, seed)


LIGHT: dict[str, World] = {"exchangeable": exchangeable, "calibrated": partial(knows_less, 0.5)}
HEAVY: dict[str, World] = {"wild": rarely_wild, "sure": often_sure, "all kinds": of_all_kinds}
EQUAL: dict[str, tuple[str, ...]] = {
    "exchangeable": FIGURES,
    "calibrated": ("ece",),
    "wild": ("nll", "accuracy"),
    "sure": ("nll", "accuracy"),
    "all kinds": ("nll", "accuracy"),
}
"""In which figures the two models of a world are equal."""


def draw_equal(seed: int) -> Figures:
    found: Figures = {}
    for name, world in {**LIGHT, **HEAVY}.items():
        for n in SIZES:
            differences = compared(world, seed, n)
            for figure in EQUAL[name]:
                found[f"{name}, {figure}, {n}"] = float(differences[figure].decided)
            if name == "exchangeable":
                for figure in FIGURES:
                    none = "No difference seen" in differences[figure].conclusion
                    found[f"none seen, {figure}, {n}"] = float(none)
    return found


def check_equal(draws: list[Figures], slack: int = 0) -> list[Check]:
    most, least = 0.065 * len(draws) + slack, 0.90 * len(draws) - slack
    found: list[Check] = []
    for name in draws[0]:
        times = sum(figures[name] for figures in draws)
        if name.startswith("none seen"):
            if not name.endswith(", 500"):
                found.append(Check(name, times / len(draws), "at least 0.90", times >= least))
        else:
            found.append(Check(f"called different: {name}", times / len(draws), "at most 0.065", times <= most))
    return found


FOUR_ERRORS: dict[tuple[str, int], World] = {
    ("accuracy", 2_000): partial(knows_less, 0.71),
    ("nll", 2_000): partial(knows_less, 0.23),
    ("brier", 2_000): partial(knows_less, 0.255),
    ("ece", 2_000): partial(too_sure, 0.70),
    ("accuracy", 10_000): partial(knows_less, 0.27),
    ("nll", 10_000): partial(knows_less, 0.040),
    ("brier", 10_000): partial(knows_less, 0.044),
    ("ece", 10_000): partial(too_sure, 0.85),
}
"""Light tails, and a true difference of about four standard errors of the figure."""


def draw_power(seed: int) -> Figures:
    found: Figures = {}
    for (figure, n), world in FOUR_ERRORS.items():
        difference = compared(world, seed, n)[figure]
        better = "first" if figure == "ece" else "second"
        found[f"named: {figure}, {n}"] = float(difference.better == better)
        found[f"value: {figure}, {n}"] = difference.value
    return found


def check_power(draws: list[Figures], slack: int = 0) -> list[Check]:
    found: list[Check] = []
    for figure, n in FOUR_ERRORS:
        values = np.array([figures[f"value: {figure}, {n}"] for figures in draws])
        named = sum(figures[f"named: {figure}, {n}"] for figures in draws)
        if not slack:
            errors = float(abs(values.mean()) / values.std())
            what = f"true difference in standard errors: {figure}, {n}"
            found.append(Check(what, errors, "3.5 to 4.5", 3.5 <= errors <= 4.5))
        what = f"better model named: {figure}, {n}"
        found.append(Check(what, named / len(draws), "at least 0.80", named >= 0.8 * len(draws) - slack))
    return found


def timid_and_sure(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both ECEs are 4.3%, one of a model that is too sure, one of a model that is too timid."""
    _, labels, z, u, v = log_odds(rng, n)
    return expected(z + u, 1.25) / 0.73, expected(z + v, 1.25) / 1.34057, labels


def draw_equally_bad(seed: int) -> Figures:
    return {str(n): float(compared(timid_and_sure, seed, n)["ece"].decided) for n in SIZES}


def check_equally_bad(draws: list[Figures]) -> list[Check]:
    rates = {n: sum(figures[n] for figures in draws) / len(draws) for n in draws[0]}
    return [Check(f"called different: ECE of 4.3%, {n}", r, "at most 0.08", r <= 0.08) for n, r in rates.items()]


EQUAL_MODELS = Proof("compare-equal", draw_equal, check_equal, draws=2_000)
UNEQUAL_MODELS = Proof("compare-power", draw_power, check_power, draws=500)
EQUALLY_BAD = Proof("compare-ece", draw_equally_bad, check_equally_bad, draws=500)


def test_equal_models_are_rarely_called_different() -> None:
    # Of 5 draws, 4 false alarms have a chance below 1 in 10,000 for each of the figures.
    assert all(check.ok for check in check_equal(EQUAL_MODELS.some(5), slack=3))


def test_differences_of_four_standard_errors_are_named() -> None:
    assert all(check.ok for check in check_power(UNEQUAL_MODELS.some(4), slack=2))
