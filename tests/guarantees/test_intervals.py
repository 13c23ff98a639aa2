"""Intervals of shares: exact for every number of rows and every share, near 0 and 1 above all."""

import numpy as np
import scipy.stats
from tests.guarantees.proof import Check, Figures, Proof

from likely.metrics import classification_metrics, event_metrics, proportion, regression_metrics

SHARES = (0.0, 0.001, 0.01, 0.05, 0.3, 0.7, 0.95, 0.99, 0.999, 1.0)
ROWS = (5, 30, 200, 2_000)


def draw(seed: int) -> Figures:
    """Whether the interval of each kind of share holds the true one."""
    found: Figures = {}
    for n in ROWS:
        for share in SHARES:
            rng = np.random.default_rng([seed, n, int(1_000 * share)])
            flags = rng.random(n) < share
            estimate = proportion(int(flags.sum()), n)
            found[f"{share}, {n}"] = float(estimate.low <= share <= estimate.high)
    return found


def check(draws: list[Figures]) -> list[Check]:
    covers = {name: sum(figures[name] for figures in draws) / len(draws) for name in draws[0]}
    worst = min(covers, key=lambda name: covers[name])
    least = 0.95 - 3 * (0.95 * 0.05 / len(draws)) ** 0.5
    return [
        Check(f"coverage of 95% intervals, worst of {len(covers)} cases ({worst})", covers[worst],
              f"at least {least:.3f}", covers[worst] >= least),
        Check("mean coverage", float(np.mean(list(covers.values()))), "at least 0.95",
              float(np.mean(list(covers.values()))) >= 0.95),
    ]  # fmt: skip


SHARES_PROOF = Proof("shares", draw, check, draws=5_000)


def test_intervals_of_shares_hold_them() -> None:
    assert all(check.ok for check in check(SHARES_PROOF.some(100)))


def test_every_coverage_is_at_least_95_percent() -> None:
    for n in (1, 2, 10, 30, 100):
        ends = [proportion(hits, n) for hits in range(n + 1)]
        for share in np.linspace(0.001, 0.999, 333):
            inside = [end.low <= share <= end.high for end in ends]
            assert scipy.stats.binom.pmf(np.arange(n + 1), n, share)[inside].sum() >= 0.95 - 1e-9


def test_figures_that_are_shares_have_exact_intervals() -> None:
    right = np.tile([[0.9, 0.1]], (30, 1))
    accuracy = classification_metrics(right, np.zeros(30, np.int64), ["a", "b"])["accuracy"]
    frequency = event_metrics(np.full(30, 0.9), np.ones(30, bool))["frequency"]
    y = np.arange(30.0)
    coverage = regression_metrics(y, y, y - 1, y + 1)["coverage"]
    for figure in (accuracy, frequency, coverage):
        assert figure["value"] == figure["high"] == 1
        assert 0.88 < figure["low"] < 0.89
