"""One epoch of the sigmoid MLP 784-256-10 on Fashion-MNIST: three engines and scikit-learn's MLPClassifier.

What is in the clock: one pass over 60,000 images with Adam in float32, from rows in memory to updated parameters. For
the engines that includes gathering uint8 images and dividing them by 255; scikit-learn gets float32 rows that were
divided before, and its check of them is in the clock. Every contender lives in a process of its own, since the waiting
threads of one library slow another beside it, and takes an epoch in turn; the medians are printed. A first epoch, in
which JAX compiles and scikit-learn sets up, is not counted. The loss is the mean over the last epoch, the rate that of
the best product of two 2048 x 2048 float32 matrices in NumPy, measured between the epochs.

    python benchmarks/mlp_epoch.py [EPOCHS [BATCH_SIZE...]]        (default 5, 128 and 1024; 2 minutes on two cores)
"""

import multiprocessing
import platform
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

import likely
from likely.arrays import one_hot
from likely.engines import create_engine
from likely.engines.protocol import Optimizer
from likely.preprocessing.image_preprocessor import ImagePreprocessor
from likely.training.loop.descent import descend

THEIRS = "MLPClassifier.partial_fit"
CONTENDERS = {"likely, engine numpy": "numpy", "likely, engine torch": "torch", "likely, engine jax": "jax"}
WORK = 60_000 * 2 * (2 * 784 * 256 + 3 * 256 * 10)
"""Multiplications and additions of an epoch: forward, and backward for theta; the input needs no gradient."""
kept: dict[str, Callable[[], float]] = {}


def main() -> None:
    """Read the arguments, take turns, print a table for each batch size."""
    epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"{platform.processor() or platform.machine()}, {epochs} epochs each, float32, medians")
    for batch_size in map(int, sys.argv[2:] or ("128", "1024")):
        compare(batch_size, epochs)


def compare(batch_size: int, epochs: int) -> None:
    """Take turns, print a table."""
    names = [*CONTENDERS, THEIRS]
    spawn = multiprocessing.get_context("spawn")
    homes = {name: ProcessPoolExecutor(1, mp_context=spawn) for name in names}
    times: dict[str, list[float]] = {name: [] for name in names}
    losses, rate = dict.fromkeys(names, 0.0), 0.0
    for epoch in range(epochs + 1):
        rate = max(rate, matrix_multiply_rate())
        for name, home in homes.items():
            seconds, losses[name] = home.submit(an_epoch, name, batch_size).result()
            if epoch:
                times[name].append(seconds)
    for home in homes.values():
        home.shutdown()
    medians = {name: float(np.median(seconds)) for name, seconds in times.items()}
    print(f"\nbatch {batch_size}, matrix product 2048^3: {rate:.0f} GFLOP/s\n")
    print("| contender | s per epoch | times as fast | of the product's rate | loss |\n|---|---|---|---|---|")
    for name, seconds in medians.items():
        share = WORK / seconds / 1e9 / rate
        print(f"| {name} | {seconds:.2f} | {medians[THEIRS] / seconds:.1f} | {share:.0%} | {losses[name]:.3f} |")


def an_epoch(name: str, batch_size: int) -> tuple[float, float]:
    """Seconds and mean loss of the next epoch of a contender, in its process."""
    if name not in kept:
        kept[name] = theirs(batch_size) if name == THEIRS else ours(CONTENDERS[name], batch_size)
    began = time.perf_counter()
    loss = kept[name]()
    return time.perf_counter() - began, loss


def ours(engine_name: str, batch_size: int) -> Callable[[], float]:
    """An epoch of an engine."""
    train = likely.open_dataset("fashion-mnist").train
    preprocessor = ImagePreprocessor((28, 28))
    engine = create_engine(
        engine_name,
        likely.MLP([784, 256, 10], "sigmoid"),
        n_outputs=10,
        head="softmax",
        loss="cross_entropy",
        optimizer=Optimizer("adam"),
        sample=preprocessor(train.X[:2]),
        seed=0,
    )
    engine.place(train.X, one_hot(train.y, 10, np.float32), prepare=preprocessor)

    def epoch() -> float:
        run = descend(engine, len(train), epochs=1, batch_size=batch_size, learning_rate=lambda _: 1e-3, seed=0)
        return float(np.mean([record.loss for record in run]))

    return epoch


def theirs(batch_size: int) -> Callable[[], float]:
    """An epoch of scikit-learn."""
    from sklearn.neural_network import MLPClassifier

    train = likely.open_dataset("fashion-mnist").train
    X = ImagePreprocessor((28, 28))(train.X)
    made: Any = MLPClassifier(
        (256,), activation="logistic", solver="adam", alpha=0, batch_size=batch_size, random_state=0
    )

    def epoch() -> float:
        made.partial_fit(X, train.y, classes=np.arange(10))
        assert {a.dtype for a in made.coefs_} == {np.dtype(np.float32)}
        return float(made.loss_)

    return epoch


def matrix_multiply_rate(side: int = 2048) -> float:
    """GFLOP/s of a float32 matrix product, the best of three."""
    a = np.ones((side, side), np.float32)
    times = []
    for _ in range(3):
        began = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - began)
    return 2 * side**3 / min(times) / 1e9


if __name__ == "__main__":
    main()
