"""Going on from a fitted model: guarantees rest on rows that it has not seen, or are refused."""

import tempfile
import warnings
from pathlib import Path

import numpy as np
from tests.guarantees.proof import Check, Figures, Proof, count, mean

import likely
from likely.data.hashes import hashes_to_know_again
from likely.errors import DataError, GuaranteeWarning

COVERAGES = (0.8, 0.9, 0.95)
N, NEW = 400, 2_000


def _world(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Noisy labels in 40 dimensions: a network that has seen its 400 rows knows their labels by heart."""
    rng = np.random.default_rng([seed, 1])
    W = np.random.default_rng(0).normal(size=(40, 4)) * 0.4
    X = rng.normal(size=(n, 40))
    return X, (X @ W + rng.gumbel(size=(n, 4))).argmax(axis=1)


def _draw(seed: int) -> Figures:
    """A model of the first rows; one that goes on with them and as many others, and one that has only them."""
    X, y = _world(seed, 2 * N + NEW)
    settings = {"network": "mlp", "hidden": (64,), "preset": "fast", "epochs": 10, "verbose": False}
    first = likely.Classifier(**settings, random_state=seed).fit(X[:N], y[:N])
    found: Figures = {}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", GuaranteeWarning)
        path = first.predictor_.save(Path(folder) / "model.likely")
        again = likely.Classifier(**settings, random_state=seed, init_from=path).fit(X[:N], y[:N])
        np.save(Path(folder) / "row_hashes.npy", hashes_to_know_again(X[:N]))
        more = likely.Classifier(**settings, random_state=seed, init_from=path).fit(X[: 2 * N], y[: 2 * N])
    new, truth = X[2 * N :], y[2 * N :]
    probs = more.predict_proba(new)
    for coverage in COVERAGES:
        sets = more.predictor_.sets(probs, coverage, allow_empty=True)
        found[f"covered_{coverage}"] = float(sets[np.arange(NEW), truth].mean())
    try:
        again.predict_set(new[:1], 0.9)
        found["promised"] = 1.0
    except DataError:
        found["promised"] = 0.0
    found["gap"] = float(likely.metrics.log_loss(probs, truth)) - more.predictor_.card.held_out["nll"]
    return found


def _checks(draws: list[Figures]) -> list[Check]:
    promised = count(draws, "promised")
    checks = [Check("guarantees that rest on rows that the start has seen", promised, "0", promised == 0)]
    for coverage in COVERAGES:
        share = mean(draws, f"covered_{coverage}")
        error = 4 * np.sqrt(coverage * (1 - coverage) * (1 / 100 + 1 / NEW) / len(draws))
        low, high = coverage - error, coverage + 1 / 101 + error
        what = f"mean coverage at {coverage:.0%}, going on with the old and as many new rows"
        checks.append(Check(what, share, f"between {low:.4f} and {high:.4f}", low <= share <= high))
    gap = mean(draws, "gap")
    error = 0.2 / np.sqrt(len(draws)) + 0.02
    checks.append(Check("NLL on new rows minus that on held-out rows, nats", gap, f"at most {error:.3f}", gap <= error))
    return checks


GOING_ON = Proof("going-on", _draw, _checks, draws=100)


def test_guarantees_rest_on_rows_that_the_start_has_not_seen() -> None:
    checks = GOING_ON.checks(GOING_ON.some(2))
    assert all(check.ok for check in checks), checks
