"""Intervals of a linear regressor under heavy-tailed noise (Student's t, 3 degrees of freedom) cover 90%, no more."""

import numpy as np
import pytest
from tests.guarantees.proof import Check, Figures, Proof, mean

import likely

COVERAGE, NEW = 0.9, 100


def _covered(n: int, seed: int) -> Figures:
    """The share of fresh rows inside the intervals of a model of n rows."""
    rng = np.random.default_rng([seed, n])
    X = rng.normal(size=(n + NEW, 2))
    y = X @ [1.0, -2.0] + rng.standard_t(3, size=n + NEW)
    reg = likely.Regressor(network="linear", random_state=seed).fit(X[:n], y[:n])
    low, high = reg.predict_interval(X[n:], COVERAGE).T
    return {"covered": float(((low <= y[n:]) & (y[n:] <= high)).mean())}


def _check(draws: list[Figures], held_out: int) -> list[Check]:
    # Draws share nothing; within a draw the hits share a threshold, whose own spread adds to the binomial one.
    share, spread = mean(draws, "covered"), np.sqrt(COVERAGE * (1 - COVERAGE) / len(draws) * (1 / NEW + 1 / held_out))
    within = 4 * spread + 1 / held_out
    return [Check("coverage", share, f"{COVERAGE} within {within:.4f}", bool(abs(share - COVERAGE) < within))]


def _out_of_fold(seed: int) -> Figures:
    return _covered(300, seed)


def _held_out(seed: int) -> Figures:
    return _covered(6_000, seed)


FEW = Proof("heavy-tailed-intervals", _out_of_fold, lambda draws: _check(draws, 300), draws=200)
MANY = Proof("heavy-tailed-intervals-of-many-rows", _held_out, lambda draws: _check(draws, 240), draws=200)


@pytest.mark.parametrize("proof", [FEW, MANY], ids=lambda proof: proof.name)
def test_intervals_cover_what_they_promise(proof: Proof) -> None:
    assert all(check.ok for check in proof.checks(proof.some(20))), proof.checks(proof.some(20))
