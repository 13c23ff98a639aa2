"""A time limit never buys a broken model, and the length that folds chose fits the network that answers."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
from tests.guarantees.proof import Check, Figures, Proof, mean

from likely.arrays import one_hot
from likely.config import RunConfig
from likely.config.registry import HEADS
from likely.training.cross_validate import cross_validate
from likely.training.held_out_scores import TrainingOutcome
from likely.training.job import Job
from likely.training.resume.journal import Journal
from likely.training.task import CLASSIFICATION
from likely.training.training_rows import Rows
from likely.training.watcher import Silent
from likely.trust.temperature import apply_temperature, fit_temperature


class Ticks:
    """A watch that shows so many seconds more at each reading: a machine whose load the test decides."""

    def __init__(self, seconds: float = 1e-3) -> None:
        self.seconds, self.now = seconds, 0.0

    def __call__(self) -> float:
        self.now += self.seconds
        return self.now


def _clouds(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    return rng.normal(size=(n, 4)) + 2 * np.eye(3, 4)[y], y


def _learn(
    load: dict[str, float], limit: float = 6.0, n: int = 1_200, journal: Journal | None = None
) -> tuple[TrainingOutcome, list[str], Ticks]:
    """Cross-validation under a load that begins where a message begins with these words."""
    X, y = _clouds(n, 0)
    rows = Rows(X, one_hot(y, 3, np.float32), None, task=CLASSIFICATION)
    watch, said = Ticks(), []

    class Loaded(Silent):
        def say(self, message: str) -> None:
            said.append(message)
            watch.seconds = next((load[words] for words in load if message.startswith(words)), watch.seconds)

    config = RunConfig(network="mlp", hidden=(16,), epochs=1e5, time_limit=limit)
    job = Job(rows, config, watcher=Loaded(), watch=watch, journal=journal or Journal())
    return cross_validate(job), said, watch


def _log_probs(outcome: TrainingOutcome, X: np.ndarray) -> np.ndarray:
    """What the model would answer: under the temperature of its held-out rows."""
    log_probs = HEADS["softmax"].log_probs
    assert outcome.calibration is not None
    held_out = np.asarray(log_probs(outcome.calibration.scores), dtype=np.float64)
    temperature = fit_temperature(held_out, outcome.calibration.Y)
    return apply_temperature(np.asarray(log_probs(outcome.trained.scores(X)), dtype=np.float64), temperature)


def _figures(log_probs: np.ndarray, y: np.ndarray) -> Figures:
    """Accuracy, NLL, and by how much the mean confidence misses the accuracy."""
    p = np.exp(log_probs)
    accuracy = float((p.argmax(axis=1) == y).mean())
    return {
        "accuracy": accuracy,
        "nll": float(-log_probs[np.arange(len(y)), y].mean()),
        "confidence off": float(abs(p.max(axis=1).mean() - accuracy)),
    }


LOADS: dict[str, tuple[dict[str, float], str]] = {
    "quiet": ({}, "cross-validation"),
    "busy in the first fold": ({"Fold 1": 1e-2, "Fold 2": 1e-3}, "cross-validation"),
    "busy from the third fold on": ({"Fold 3": 5e-2}, "held-out"),
    "busy in the last training": ({"Out-of-fold": 5e-2}, "held-out"),
    "hardly moving in the last training": ({"Out-of-fold": 5.0}, "held-out"),
}


@pytest.mark.parametrize("load", LOADS)
def test_no_load_breaks_the_model(load: str) -> None:
    X, y = _clouds(4_000, 1)
    changes, method = LOADS[load]
    outcome, _, watch = _learn(changes)
    figures = _figures(_log_probs(outcome, X), y)
    assert figures["accuracy"] > 0.83  # the best possible is 0.876
    assert figures["confidence off"] < 0.08  # where a fold answers, 120 rows speak for it
    assert outcome.splits.method == method
    assert outcome.trained.stopped == "time limit"
    assert watch.now < 6.0 * 1.1 + 3.0 + 5.0 * (load == "hardly moving in the last training")
    if method == "held-out":
        # The network that answers has not seen the rows that speak for it.
        assert outcome.splits.train + outcome.splits.calibration + outcome.splits.thresholds == 1_200
        assert len(outcome.index) == outcome.splits.train == 960
        assert outcome.thresholds is not None
        [note] = outcome.notes
        assert note.startswith(
            "The time limit was reached before the final training finished; the model is the network of fold "
        )
    else:
        assert outcome.notes == ()


def test_the_fold_that_answers_is_the_latest_complete_one() -> None:
    journal = Journal()
    outcome, _, _ = _learn({"Fold 3": 5e-2}, journal=journal)
    assert "the network of fold 2" in outcome.notes[0]
    assert outcome.trained.history[-1].progress == 1
    quiet, _, _ = _learn({}, journal=Journal(lengths=journal.lengths))  # it gives up where that one did
    assert quiet.notes == outcome.notes
    for name, array in outcome.trained.engine.state().items():
        assert array.tobytes() == quiet.trained.engine.state()[name].tobytes()
    last, _, _ = _learn({"Out-of-fold": 5e-2})
    assert "the network of fold 5" in last.notes[0]


def test_all_networks_are_trained_as_long_as_the_first() -> None:
    X, y = _clouds(1_200, 0)
    rows = Rows(X, one_hot(y, 3, np.float32), None, task=CLASSIFICATION)
    last: dict[str, Any] = {}
    config = RunConfig(network="mlp", hidden=(16,), epochs=1e5, time_limit=6.0)

    class Last(Silent):
        def record(self, record: Any, fold: str = "") -> None:
            last[fold] = record

    cross_validate(Job(rows, config, watcher=Last(), watch=Ticks()))
    epochs = [entry.epoch for entry in last.values()]
    assert len(epochs) == 6
    assert max(epochs) - min(epochs) < 0.1
    # At the end of each the learning rate has come down.
    assert all(entry.learning_rate < 0.05 * 2e-2 for entry in last.values())


def test_more_time_is_more_steps() -> None:
    epochs = [_learn({}, limit)[0].trained.history[-1].epoch for limit in (1.0, 2.0, 4.0, 8.0)]
    assert epochs == sorted(epochs)
    assert epochs[-1] > 6 * epochs[0]


_PAUSED = """
import json, sys
from sklearn.datasets import load_digits
import likely
X, y = load_digits(return_X_y=True)
print("ready", flush=True)
model = likely.Classifier(network="mlp", time_limit=LIMIT, epochs=40.0, random_state=0).fit(X[:1200], y[:1200])
p = model.predict_proba(X[1200:])
print(json.dumps({"right": (p.argmax(1) == y[1200:]).mean(), "sure": p.max(1).mean(),
                  "stopped": model.predictor_.card.training.stopped}))
"""


def test_processes_that_are_stopped_for_a_while_end_with_good_models() -> None:
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-c", _PAUSED.replace("LIMIT", "4.0")]
    with ExitStack() as stack:
        children = [
            stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment))
            for _ in range(2)
        ]
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        early, late = children
        began = time.monotonic()
        for moment, child, number in (
            (0.7, early, signal.SIGSTOP),
            (2.5, late, signal.SIGSTOP),
            (5.7, early, signal.SIGCONT),
            (7.5, late, signal.SIGCONT),
        ):
            time.sleep(max(0.0, began + moment - time.monotonic()))
            child.send_signal(number)
        for child in children:
            assert child.stdout is not None
            found = json.loads(child.stdout.read())
            assert child.wait() == 0
            assert found["right"] > 0.9  # without a limit 0.93 to 0.94
            assert abs(found["sure"] - found["right"]) < 0.05


def _survival(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Two dates in days and more: who has the last day of all as the second one is alive, and eleven in 1,990 others.

    A network must learn a step at the edge of a column, where it sees every second row: it is never done.
    """
    first = rng.integers(8_400, 11_504, n)
    second = np.minimum(first + rng.exponential(900, n).astype(int), 11_504)
    y = ((second < 11_504) & (rng.random(n) > 0.006)).astype(int)
    others = (rng.normal(37, 10, n).round(), rng.integers(0, 2, (n, 9)))
    return np.column_stack([first, second, *others]).astype(float), y


def _noise(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Twenty columns, of which three say something: what is learned late is not true of other rows."""
    X = rng.normal(size=(n, 20))
    scores = np.column_stack([X[:, 0], X[:, 1], np.sin(2 * X[:, 2])]) * 1.5
    return X, (scores + rng.gumbel(size=(n, 3))).argmax(axis=1)


def _new_rows(world: Any, n: int, seed: int) -> Figures:
    """How the out-of-fold figures of a fit fit 4,000 new rows."""
    rng = np.random.default_rng(seed)
    (X, y), (X_new, y_new) = world(rng, n), world(rng, 4_000)
    rows = Rows(X, one_hot(y, int(y.max()) + 1, np.float32), None, task=CLASSIFICATION)
    outcome = cross_validate(Job(rows, RunConfig(seed=seed)))
    assert outcome.calibration is not None
    log_probs = np.asarray(HEADS["softmax"].log_probs(outcome.calibration.scores), dtype=np.float64)
    held_out = apply_temperature(log_probs, fit_temperature(log_probs, rows.Y))[np.arange(n), y]
    new = _log_probs(outcome, X_new)[np.arange(4_000), y_new]
    threshold = np.sort(held_out)[int(0.01 * (n + 1)) - 1]
    return {"out of fold": -held_out.mean(), "new": -new.mean(), "99% sets": float((new >= threshold).mean())}


def _draw_both(seed: int) -> Figures:
    survival, noise = _new_rows(_survival, 1_600, seed), _new_rows(_noise, 400, seed)
    return {f"{name}, dates": value for name, value in survival.items()} | {
        f"{name}, noise": value for name, value in noise.items()
    }


def _fits_new_rows(draws: list[Figures]) -> list[Check]:
    checks: list[Check] = []
    for world in ("dates", "noise"):
        gap = mean(draws, f"new, {world}") - mean(draws, f"out of fold, {world}")
        covered = mean(draws, f"99% sets, {world}")
        checks.append(Check(f"NLL of new rows above out of fold, {world}", gap, "at most 0.01", gap <= 0.01))
        checks.append(Check(f"99% sets hold, {world}", covered, "at least 0.985", covered >= 0.985))
    return checks


LENGTHS = Proof("chosen-length", _draw_both, _fits_new_rows, draws=100)


def test_out_of_fold_figures_fit_new_rows() -> None:
    draws = LENGTHS.some(4)
    for world in ("dates", "noise"):
        # Four draws: the standard error of the difference is 0.01.
        assert mean(draws, f"new, {world}") < mean(draws, f"out of fold, {world}") + 0.03
        assert mean(draws, f"99% sets, {world}") > 0.98
