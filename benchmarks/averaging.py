"""What averaging buys on Fashion-MNIST: of weights over the end of training, of scores over an image and its mirror.

Everything is judged on the 4,800 rows that the `fast` preset holds out, with a temperature fitted on one half of them
and figures from the other half, both ways round; the test part is not touched. Weights are averaged over the states
(normalization statistics included) that the loop passes at its records, 20 times an epoch, from the given share of
training to its end. "in doubt" mirrors only images whose largest probability is below the given value.

What is in the clock: one pass over the 4,800 held-out images, the median of 5.

    python benchmarks/averaging.py [SEEDS]          (default 3; about 90 s per seed on two cores)
"""

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import likely
from likely.config import RunConfig
from likely.data.splits import random_split
from likely.functional.heads import softmax
from likely.metrics import accuracy, calibration_error, log_loss
from likely.training import train
from likely.training.fit import learn
from likely.training.watcher import Silent
from likely.trust.temperature import apply_temperature, fit_temperature

_STARTS = (0.95, 0.9, 0.8, 0.6)
_DOUBTS = (0.9, 0.99)


class Snapshots(Silent):
    """Keeps the engine's state at every record."""

    def __init__(self) -> None:
        self.states: list[tuple[float, dict[str, np.ndarray]]] = []
        self.engine: Any = None
        self._create = train.create_engine

    def create(self, *args: Any, **settings: Any) -> Any:
        self.engine = self._create(*args, **settings)
        return self.engine

    def record(self, record: Any, fold: str = "") -> None:
        if record.progress > min(_STARTS):
            self.states.append((record.progress, self.engine.state()))

    def mean(self, start: float) -> dict[str, np.ndarray]:
        chosen = [state for progress, state in self.states if progress > start]
        return {
            name: np.mean([state[name] for state in chosen], axis=0).astype(chosen[0][name].dtype) for name in chosen[0]
        }


def main() -> None:
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
    data = likely.open_dataset("fashion-mnist")
    found: dict[str, list[tuple[float, float, float, float]]] = {}
    for seed in seeds:
        for name, row in judged(seed, data):
            found.setdefault(name, []).append(row)
            print(seed, name, row, file=sys.stderr, flush=True)
    print("| averaging | accuracy | NLL (nats) | ECE | pass |\n|---|---|---|---|---|")
    for name, rows in found.items():
        share, nll, ece, seconds = np.mean(rows, axis=0)
        print(f"| {name} | {share:.2%} | {nll:.4f} | {ece:.2%} | {seconds:.2f} s |")


def judged(seed: int, data: Any) -> Iterator[tuple[str, tuple[float, float, float, float]]]:
    """Each way to average: its accuracy, NLL, ECE and seconds per pass."""
    shots = Snapshots()
    train.create_engine = shots.create
    predictor: Any = learn(data, RunConfig(data="fashion-mnist", seed=seed), shots).predictor
    parts = random_split(len(data.train), [2400, 2400, 0], np.random.default_rng(seed))
    X, y = (np.concatenate([values[parts[0]], values[parts[1]]]) for values in (data.train.X, data.train.y))
    prepared = predictor.preprocessor(X)
    flipped = np.ascontiguousarray(prepared[..., ::-1])

    def scores(x: np.ndarray) -> np.ndarray:
        parts = [shots.engine.forward(x[i : i + 500])[0] for i in range(0, len(x), 500)]
        return np.concatenate(parts).astype(np.float64)

    def both(doubt: float = 1.0) -> np.ndarray:
        plain = scores(prepared)
        unsure = np.flatnonzero(softmax(plain).max(axis=1) < doubt) if doubt < 1 else np.arange(len(plain))
        plain[unsure] = (plain[unsure] + scores(flipped[unsure])) / 2
        return plain

    def row(ask: Callable[[], np.ndarray]) -> tuple[float, float, float, float]:
        times: list[float] = []
        for _ in range(5):
            began = time.perf_counter()
            answers = ask()
            times.append(time.perf_counter() - began)
        return (*figures(answers, y), float(np.median(times)))

    shots.engine.load_state(shots.states[-1][1])
    yield "last weights, image alone", row(lambda: scores(prepared))
    for doubt in _DOUBTS:
        yield f"last weights, mirrored where P < {doubt}", row(lambda doubt=doubt: both(doubt))
    yield "last weights, always mirrored", row(both)
    for start in _STARTS:
        shots.engine.load_state(shots.mean(start))
        yield f"mean of the last {1 - start:.0%}, always mirrored", row(both)


def figures(scores: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Accuracy, NLL and ECE of each half under the temperature of the other, pooled."""
    half = len(y) // 2
    first, second = slice(None, half), slice(half, None)
    probs = np.concatenate(
        [
            np.exp(apply_temperature(scores[a], fit_temperature(scores[b], y[b])))
            for a, b in ((first, second), (second, first))
        ]
    )
    return accuracy(probs, y), log_loss(probs, y), calibration_error(probs, y)


if __name__ == "__main__":
    main()
