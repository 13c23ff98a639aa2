"""Cross-entropy against squared error: how fast the same network learns Fashion-MNIST with each.

The sigmoid MLP 784-256-10 with softmax, plain gradient descent (no momentum) over batches of 100 of 50,000 training
rows, 2,000 steps. Both losses get the same first values, the same order of rows and the same grid of constant learning
rates. Each takes the rate whose accuracy on 10,000 held-out training rows, averaged over the seeds and over the steps
in the table, is highest. Only then are the 10,000 test rows looked at, for the last table and the figure.

    python benchmarks/loss_comparison.py [FIGURE]    (default docs/images/loss_comparison.svg; about 5 minutes)
"""

import os
import platform
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

import likely
from likely.arrays import one_hot
from likely.data.splits import random_split
from likely.engines import create_engine
from likely.engines.protocol import Engine, Optimizer
from likely.preprocessing.image_preprocessor import ImagePreprocessor
from likely.training.loop.descent import descend

LOSSES = {"cross_entropy": "cross-entropy", "squared_error": "squared error"}
RATES = (0.1, 0.3, 1.0, 3.0)
SEEDS = (0, 1, 2)
STEPS = 2_000
BATCH = 100
IN_TABLE = (250, 500, 1_000, 2_000)
JUDGED = (25, 50, 100, 150, 250, 375, 500, 750, 1_000, 1_250, 1_500, 1_750, 2_000)
DEFAULT_FIGURE = Path(__file__).parent.parent / "docs" / "images" / "loss_comparison.svg"


class Rows(NamedTuple):
    """Prepared rows and their class numbers."""

    X: np.ndarray
    y: np.ndarray


class Run(NamedTuple):
    """Held-out accuracy in percent at the steps IN_TABLE, and the parameters at the steps JUDGED."""

    held_out: np.ndarray
    states: list[dict[str, np.ndarray]]


def create(loss: str, seed: int, rows: Rows) -> Engine:
    """The network, ready to learn these rows."""
    engine = create_engine(
        "numpy",
        likely.MLP([784, 256, 10], "sigmoid"),
        n_outputs=10,
        head="softmax",
        loss=loss,
        optimizer=Optimizer("sgd"),
        sample=rows.X[:2],
        seed=seed,
    )
    engine.place(rows.X, one_hot(rows.y, 10, np.float32), prepare=lambda x: x)
    return engine


def percent(engine: Engine, judged: Rows) -> float:
    """Accuracy in percent."""
    return 100 * float((engine.forward(judged.X)[0].argmax(axis=1) == judged.y).mean())


def train(loss: str, rate: float, seed: int, rows: Rows, held_out: Rows) -> Run:
    """One run, judged along the way."""
    engine = create(loss, seed, rows)
    run = Run(np.zeros(len(IN_TABLE)), [])
    for record in descend(
        engine,
        len(rows.X),
        epochs=STEPS * BATCH / len(rows.X),
        batch_size=BATCH,
        learning_rate=lambda _: rate,
        seed=seed,
    ):
        if record.step in JUDGED:
            run.states.append(engine.state())
        if record.step in IN_TABLE:
            run.held_out[IN_TABLE.index(record.step)] = percent(engine, held_out)
    if len(run.states) != len(JUDGED):
        raise RuntimeError(f"{len(run.states)} of {len(JUDGED)} steps were recorded.")
    return run


def test_curve(engine: Engine, run: Run, test: Rows) -> list[float]:
    """Test accuracy in percent at the steps JUDGED."""
    curve: list[float] = []
    for state in run.states:
        engine.load_state(state)
        curve.append(percent(engine, test))
    return curve


def processor() -> str:
    """The processor by its name."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def save_figure(test: dict[str, np.ndarray], rates: dict[str, float], path: Path) -> None:
    """Mean test accuracy by step, with a band from the worst to the best seed."""
    import matplotlib as mpl

    mpl.use("Agg")
    # The same numbers give the same file.
    mpl.rcParams["svg.hashsalt"] = "likely"
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    for loss, curves in test.items():
        (line,) = ax.plot(JUDGED, curves.mean(axis=0), marker="o", markersize=3)
        line.set_label(f"{LOSSES[loss]}, learning rate {rates[loss]:g}")
        ax.fill_between(JUDGED, curves.min(axis=0), curves.max(axis=0), color=line.get_color(), alpha=0.25, linewidth=0)
    ax.set_xscale("log")
    ax.set_xticks(JUDGED[:3] + IN_TABLE, [f"{step:,}" for step in JUDGED[:3] + IN_TABLE])
    ax.minorticks_off()
    ax.set_xlabel(f"steps (batches of {BATCH}), log scale")
    ax.set_ylabel("accuracy on 10,000 test images, %")
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, loc="lower right")
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Run the grid, choose the rates, print the tables, draw the figure."""
    figure = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_FIGURE
    dataset = likely.open_dataset("fashion-mnist")
    if dataset.test is None:
        raise RuntimeError("Fashion-MNIST has a test part.")
    preprocessor = ImagePreprocessor((28, 28))
    kept, rest = random_split(len(dataset.train), [10_000], np.random.default_rng(0))
    rows, held_out = (Rows(preprocessor(dataset.train.X[part]), dataset.train.y[part]) for part in (rest, kept))
    test = Rows(preprocessor(dataset.test.X), dataset.test.y)
    at = [JUDGED.index(step) for step in IN_TABLE]

    print(f"command: python benchmarks/{Path(__file__).name}")
    print(
        f"hardware: {processor()}, {os.cpu_count()} cores; Python {platform.python_version()}, NumPy {np.__version__}"
    )
    print(f"n: {len(rows.X)} training, {len(held_out.X)} held-out, {len(test.X)} test rows; seeds {SEEDS}\n")
    print("Held-out accuracy by learning rate, %: mean over seeds and steps; at the end, lowest to highest seed\n")
    print("| loss | " + " | ".join(f"{rate:g}" for rate in RATES) + " |\n|---" + "|---" * len(RATES) + "|")
    chosen: dict[str, np.ndarray] = {}
    rates: dict[str, float] = {}
    for loss, name in LOSSES.items():
        runs = {rate: [train(loss, rate, seed, rows, held_out) for seed in SEEDS] for rate in RATES}
        held = {rate: np.array([run.held_out for run in of_rate]) for rate, of_rate in runs.items()}
        cells = [f"{h.mean():.1f}; {h[:, -1].min():.1f} to {h[:, -1].max():.1f}" for h in held.values()]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
        rates[loss] = max(RATES, key=lambda rate, held=held: float(held[rate].mean()))
        engine = create(loss, 0, rows)
        chosen[loss] = np.array([test_curve(engine, run, test) for run in runs[rates[loss]]])
    print("\nTest accuracy, %: mean (lowest to highest of the seeds)\n")
    print("| loss | learning rate | " + " | ".join(f"{step:,} steps" for step in IN_TABLE) + " |")
    print("|---|---" + "|---" * len(IN_TABLE) + "|")
    for loss, curves in chosen.items():
        cells = [f"{c.mean():.1f} ({c.min():.1f} to {c.max():.1f})" for c in curves[:, at].T]
        print(f"| {LOSSES[loss]} | {rates[loss]:g} | " + " | ".join(cells) + " |")
    save_figure(chosen, rates, figure)
    print(f"\nfigure: {figure.name}")


if __name__ == "__main__":
    main()
