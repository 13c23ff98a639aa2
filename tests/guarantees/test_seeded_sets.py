"""Randomized sets of rows that are asked for one by one hold the truth as often as those of a batch."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom
from tests.guarantees.proof import Check, Figures, Proof, mean

import likely
from likely.data.hashes import row_codes
from likely.trust.conformal_sets import prediction_sets, set_quantiles
from likely.trust.row_uniforms import probability_codes, uniforms

COVERAGES = (0.8, 0.9, 0.95)
M, NEW = 400, 400


def _world(seed: int, kinds: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, what an overconfident model says of them, and their labels; of a few kinds only, or all different."""
    rng = np.random.default_rng(seed)
    n = M + NEW
    rows = rng.normal(size=(kinds or n, 4))
    scores = rows @ rng.normal(size=(4, 6))
    which = np.arange(n) if kinds is None else rng.choice(kinds, size=n, p=rng.dirichlet(np.full(kinds, 0.5)))
    rows, scores = rows[which], scores[which]
    labels = (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)
    probs = np.exp(1.8 * scores)
    return rows, probs / probs.sum(axis=1, keepdims=True), labels


def _draw(seed: int, kinds: int | None, by_rows: bool) -> Figures:
    rows, probs, labels = _world(seed, kinds)

    def u(index: np.ndarray) -> np.ndarray:
        # The seed stays the same: the rows alone make the difference.
        return uniforms(row_codes(rows[index]) if by_rows else probability_codes(probs[index]), seed=0)

    held, new = np.arange(M), np.arange(M, M + NEW)
    found = {}
    for coverage in COVERAGES:
        quantiles = set_quantiles(probs[held], labels[held], coverage, method="aps", u=u(held))
        inside = [
            prediction_sets(probs[[i]], quantiles, method="aps", u=u(np.array([i])), allow_empty=True)[0, labels[i]]
            for i in new
        ]
        found[f"covered_{coverage}"] = float(np.mean(inside))
    return found


def _checks(draws: list[Figures], exact: bool) -> list[Check]:
    checks = []
    for coverage in COVERAGES:
        share = mean(draws, f"covered_{coverage}")
        # One draw's coverage varies over held-out and new rows alike.
        error = 4 * np.sqrt(coverage * (1 - coverage) * (1 / M + 1 / NEW) / len(draws))
        low, high = coverage - error, coverage + 1 / (M + 1) + error if exact else 1.0
        what = f"mean coverage at {coverage:.0%}, one row per call"
        checks.append(Check(what, share, f"between {low:.4f} and {high:.4f}", low <= share <= high))
    return checks


def _rows_that_differ(seed: int) -> Figures:
    return _draw(seed, None, by_rows=True)


def _rows_of_a_few_kinds(seed: int) -> Figures:
    # Equal rows have equal numbers, held-out ones and new ones: their scores tie, which can only raise the coverage.
    return _draw(seed, 40, by_rows=True)


def _probabilities_alone(seed: int) -> Figures:
    return _draw(seed, None, by_rows=False)


DIFFERENT = Proof("seeded-sets", _rows_that_differ, lambda draws: _checks(draws, exact=True), draws=300)
KINDS = Proof("seeded-sets-of-kinds", _rows_of_a_few_kinds, lambda draws: _checks(draws, exact=False), draws=300)
PROBABILITIES = Proof(
    "seeded-sets-of-probabilities", _probabilities_alone, lambda draws: _checks(draws, exact=True), draws=300
)


@pytest.mark.parametrize("proof", [DIFFERENT, KINDS, PROBABILITIES], ids=lambda proof: proof.name)
def test_one_row_per_call_keeps_the_coverage(proof: Proof) -> None:
    assert all(check.ok for check in proof.checks(proof.some(3))), proof.checks(proof.some(3))


def test_the_numbers_are_uniform_and_those_of_two_seeds_are_independent() -> None:
    codes = np.arange(2**16, dtype=np.uint64)  # neighbors, as bad as codes can be
    first, second = uniforms(codes, 0), uniforms(codes, 1)
    for u in (first, second, np.abs(first - second) * (2 - np.abs(first - second))):
        counts = np.histogram(u, bins=20, range=(0, 1))[0]
        low, high = binom.ppf([1e-6, 1 - 1e-6], len(codes), 1 / 20)
        assert low <= counts.min() <= counts.max() <= high
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 0.02
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.02


def test_a_row_alone_gets_the_set_that_it_gets_among_others(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(900, 4))
    y = (2 * X @ rng.normal(size=(4, 5)) + rng.gumbel(size=(900, 5))).argmax(axis=1)
    clf = likely.Classifier(network="linear", epochs=10, random_state=0, verbose=False).fit(X[:500], y[:500])
    new = X[500:]
    loaded = likely.load(clf.predictor_.save(tmp_path / "m.likely"))
    calibrated = loaded.calibrate(X[500:700], y[500:700])
    for model in (loaded, calibrated):
        for seed in (0, 7):
            together = model.predict_set(new, 0.9, method="aps", seed=seed)
            assert [model.predict_set(row[None], 0.9, method="aps", seed=seed)[0] for row in new[:60]] == together[:60]
            assert model.predict_set(new.astype(np.float64)[::-1], 0.9, method="aps", seed=seed) == together[::-1]
            assert model.predict_set(new, 0.9, method="aps", seed=seed + 1) != together
            inside = np.mean([label in event for label, event in zip(y[500:], together, strict=True)])
            assert 0.8 < inside < 0.98
        # Without the rows their probabilities say which they are.
        probs = model.predict_proba(new)
        together = model.sets(probs, 0.9, method="aps", seed=0)
        assert all((model.sets(probs[[i]], 0.9, method="aps", seed=0) == together[i]).all() for i in range(60))


def test_a_file_without_codes_of_its_held_out_rows_still_answers(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    X = rng.normal(size=(600, 4))
    y = (2 * X @ rng.normal(size=(4, 5)) + rng.gumbel(size=(600, 5))).argmax(axis=1)
    model = (
        likely.Classifier(network="linear", epochs=10, random_state=0, verbose=False).fit(X[:300], y[:300]).predictor_
    )
    del model.arrays["held_out.row_codes"]
    loaded = likely.load(model.save(tmp_path / "m.likely"))
    together = loaded.predict_set(X[300:], 0.9, method="aps", seed=0)
    assert [loaded.predict_set(row[None], 0.9, method="aps", seed=0)[0] for row in X[300:340]] == together[:40]
    assert 0.8 < np.mean([label in event for label, event in zip(y[300:], together, strict=True)]) < 0.98
