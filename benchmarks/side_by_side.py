"""Accuracy against time: likely beside the tools that people would otherwise use, in one run on one machine.

What is in the clock: learning, from arrays in memory; for likely that includes holding out 8% of the rows, calibration
and the statistics of familiarity. What is not: imports, reading the data, and looking at the test part on the way,
which is done while the clock stands still and chooses nothing. Every contender has five minutes; the table gives the
best accuracy that it showed in them, when it first showed it, and the time in which likely reached the same; they are
drawn in docs/images/side_by_side.svg.
Trained one after the other, likely's plans before, between and after the others, each in a process of its own.

    python benchmarks/side_by_side.py [SECONDS] [SEEDS]        (default 300 1; about half an hour per seed)

Needs the extra `bench`: pip install 'likely[bench]'.
"""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import likely

FIGURE = Path(__file__).parents[1] / "docs/images/side_by_side.svg"

Look = Callable[[np.ndarray], None]
"""Takes labels, or probabilities, for the test images."""


class Clock:
    """Seconds of learning; stands still while the test part is looked at."""

    def __init__(self, y: np.ndarray, limit: float) -> None:
        self.y, self.limit = y, limit
        self.spent, self._since = 0.0, time.perf_counter()
        self.curve: list[tuple[float, float]] = []

    @property
    def over(self) -> bool:
        return self.spent >= self.limit

    def look(self, answer: Callable[[], np.ndarray]) -> None:
        self.spent += time.perf_counter() - self._since
        labels = answer()
        labels = labels if labels.ndim == 1 else labels.argmax(axis=1)
        self.curve.append((self.spent, float((labels == self.y).mean())))
        self._since = time.perf_counter()


def mlp_classifier(X: np.ndarray, y: np.ndarray, X_test: np.ndarray, seed: int, clock: Clock) -> None:
    """`MLPClassifier()`: one hidden layer of 100, Adam, batches of 200."""
    from sklearn.neural_network import MLPClassifier

    rows, test = (part.reshape(len(part), -1).astype(np.float32) / 255 for part in (X, X_test))
    model = MLPClassifier(random_state=seed)
    while not clock.over and len(clock.curve) < model.max_iter:
        model.partial_fit(rows, y, classes=np.arange(10))
        clock.look(lambda: model.predict(test))


def hist_gradient_boosting(X: np.ndarray, y: np.ndarray, X_test: np.ndarray, seed: int, clock: Clock) -> None:
    """`HistGradientBoostingClassifier()`: 100 rounds at most, looked at after every 5."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    rows, test = (part.reshape(len(part), -1) for part in (X, X_test))
    model = HistGradientBoostingClassifier(random_state=seed, warm_start=True, max_iter=5)
    while not clock.over and model.max_iter <= 100:
        model.fit(rows, y)
        clock.look(lambda: model.predict(test))
        model.max_iter += 5


def lightgbm(X: np.ndarray, y: np.ndarray, X_test: np.ndarray, seed: int, clock: Clock) -> None:
    """`LGBMClassifier()`: 100 rounds, looked at after every 5."""
    from lightgbm import LGBMClassifier
    from lightgbm.callback import EarlyStopException

    rows, test = (part.reshape(len(part), -1).astype(np.float32) for part in (X, X_test))

    def look(env: Any) -> None:
        if (env.iteration + 1) % 5 == 0:
            clock.look(lambda: env.model.predict(test))
            if clock.over:
                raise EarlyStopException(env.iteration, [])

    LGBMClassifier(random_state=seed, verbose=-1).fit(rows, y, callbacks=[look])


def keras(X: np.ndarray, y: np.ndarray, X_test: np.ndarray, seed: int, clock: Clock) -> None:
    """The convnet of Keras' own example "Simple MNIST convnet", as it stands there: batches of 128, Adam."""
    import keras

    keras.utils.set_random_seed(seed)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    rows, test = (part[..., None].astype(np.float32) / 255 for part in (X, X_test))
    while not clock.over:
        model.fit(rows, y, batch_size=128, epochs=1, verbose=0)
        clock.look(lambda: np.asarray(model.predict(test, batch_size=500, verbose=0)))


def skorch(X: np.ndarray, y: np.ndarray, X_test: np.ndarray, seed: int, clock: Clock) -> None:
    """The same net in torch under skorch: batches of 128, Adam."""
    import torch
    from skorch import NeuralNetClassifier
    from torch import nn

    torch.manual_seed(seed)
    net = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.5), nn.Linear(1600, 10),
    )  # fmt: skip
    model = NeuralNetClassifier(
        net, criterion=nn.CrossEntropyLoss, optimizer=torch.optim.Adam, lr=1e-3, batch_size=128,
        iterator_train__shuffle=True, train_split=None, verbose=0,
    )  # fmt: skip
    rows, test = (part[:, None].astype(np.float32) / 255 for part in (X, X_test))
    while not clock.over:
        model.partial_fit(rows, y)
        clock.look(lambda: model.predict(test))


def ours(seconds: float) -> Callable[..., None]:
    """likely's plan for so many seconds of training; None takes the preset "fast"."""

    def learn_for(X: np.ndarray, y: np.ndarray, X_test: np.ndarray, seed: int, clock: Clock) -> None:
        from likely.config import RunConfig
        from likely.training.fit import learn

        data = likely.open_dataset("fashion-mnist")
        learn(data, RunConfig(data="digits", epochs=0.02))  # imports
        clock.__init__(clock.y, clock.limit)
        config = RunConfig(data="fashion-mnist", seed=seed, time_limit=seconds or None)
        predictor: Any = learn(data, config).predictor
        clock.look(lambda: predictor.predict_proba(X_test))

    return learn_for


PEERS: dict[str, Callable[..., None]] = {
    "MLPClassifier()": mlp_classifier,
    "HistGradientBoostingClassifier()": hist_gradient_boosting,
    "LightGBM, LGBMClassifier()": lightgbm,
    "Keras, its convnet, on JAX": keras,
    "Keras, its convnet, on torch": keras,
    "skorch, the same convnet": skorch,
}
PLANS = {f"likely, {seconds:g} s": ours(seconds) for seconds in (1, 2, 3, 5, 8, 12, 20, 30)} | {
    "likely, preset fast": ours(0)
}


def run_one(name: str, seed: int, limit: float) -> None:
    data = likely.open_dataset("fashion-mnist")
    assert data.test is not None
    clock = Clock(data.test.y, limit)
    (PEERS | PLANS)[name](data.train.X, data.train.y, data.test.X, seed, clock)
    print(json.dumps(clock.curve))


def order() -> Iterator[str]:
    """likely's plans spread among the others, so that a noisy hour hits all alike."""
    peers, plans = list(PEERS), list(PLANS)
    share = -(-len(plans) // (len(peers) + 1))
    while peers or plans:
        yield from plans[:share]
        del plans[:share]
        yield from peers[:1]
        del peers[:1]


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        run_one(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
        return
    limit = float(sys.argv[1]) if len(sys.argv) > 1 else 300.0
    seeds = range(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    curves: dict[str, list[list[tuple[float, float]]]] = {name: [] for name in [*PLANS, *PEERS]}
    for seed in seeds:
        for name in order():
            backend = "jax" if "JAX" in name else "torch"
            command = [sys.executable, __file__, "--one", name, str(seed), str(limit)]
            environment = {**os.environ, "KERAS_BACKEND": backend}
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(f"{name} failed:\n{done.stderr[-2000:]}")
            curve = json.loads(done.stdout.splitlines()[-1])
            curves[name].append(curve)
            best = max(curve, key=lambda point: point[1])
            print(f"seed {seed}  {name:34} {best[1]:.2%} at {best[0]:.1f} s", file=sys.stderr, flush=True)
    report(curves, len(seeds), limit)


def report(curves: dict[str, list[list[tuple[float, float]]]], n_seeds: int, limit: float) -> None:
    median = {
        name: tuple(np.median([max(curve, key=lambda point: point[1]) for curve in of_seeds], axis=0))
        for name, of_seeds in curves.items()
    }
    print(f"{platform.machine()}, {os.cpu_count()} cores, medians of {n_seeds} seeds, {limit:g} s each\n")
    print("| likely | seconds | accuracy |\n|---|---|---|")
    for name in PLANS:
        print(f"| {name} | {median[name][0]:.1f} | {median[name][1]:.2%} |")
    print("\n| peer | best accuracy | its seconds | likely's seconds to the same | ratio |\n|---|---|---|---|---|")
    for name in PEERS:
        seconds, accuracy = median[name]
        reached = [median[plan][0] for plan in PLANS if median[plan][1] >= accuracy]
        least = min(reached, default=float("nan"))
        print(f"| {name} | {accuracy:.2%} | {seconds:.1f} | {least:.1f} | {seconds / least:.1f} |")
    draw(median, FIGURE)


def draw(found: dict[str, tuple[float, float]], path: Path) -> None:
    """Accuracy over seconds: likely's plans as a line, each peer as a point."""
    import matplotlib as mpl

    mpl.use("Agg")
    # The same numbers give the same file.
    mpl.rcParams["svg.hashsalt"] = "likely"
    import matplotlib.pyplot as plt
    from matplotlib.ticker import PercentFormatter

    figure, ax = plt.subplots(figsize=(7.0, 4.0), layout="constrained")
    seconds, accuracy = zip(*(found[name] for name in PLANS), strict=True)
    ax.plot(seconds, accuracy, "o-", color="tab:blue")
    ax.annotate(
        "likely", (seconds[-1], accuracy[-1]), (0, 7), textcoords="offset points", ha="center", color="tab:blue"
    )
    for name in PEERS:
        ax.plot(*found[name], "o", color="tab:orange")
        label = name.removesuffix("()").replace("LightGBM, LGBMClassifier", "LightGBM").replace(", its convnet,", "")
        ax.annotate(label, found[name], (-7, -3), textcoords="offset points", ha="right", fontsize=9)
    ax.set_xscale("log")
    ax.set_xticks([3, 10, 30, 100, 300], ["3", "10", "30", "100", "300"])
    ax.minorticks_off()
    ax.set_ylim(top=max(accuracy) + 0.01)
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.set_xlabel("seconds of learning on two cores" if os.cpu_count() == 2 else "seconds of learning")
    ax.set_ylabel("test accuracy")
    ax.grid(alpha=0.3)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
