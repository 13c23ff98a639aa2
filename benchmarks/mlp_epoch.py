"""One epoch of the sigmoid MLP 784-256-10 on Fashion-MNIST: three engines and scikit-learn's MLPClassifier.

What is in the clock: one pass over 60,000 pictures with Adam, from rows in memory to updated parameters. For the
engines that includes gathering uint8 pictures and dividing them by 255; scikit-learn gets float32 rows that were
divided before. Every contender takes an epoch in turn; the medians are printed. JAX compiles and scikit-learn sets up
in a first epoch that is not counted.

    python benchmarks/mlp_epoch.py [BATCH_SIZE] [EPOCHS]          (default 128 and 5; about 2 minutes on two cores)
"""

import platform
import sys
import time
from collections.abc import Callable

import numpy as np
from sklearn.neural_network import MLPClassifier

import likely
from likely.arrays import one_hot
from likely.data.normalize import Normalization
from likely.engines import create_engine
from likely.engines.engine import Optimizer
from likely.learning.descent import descend


def matrix_multiply_rate(side: int = 2048) -> float:
    """GFLOP/s of a float32 matrix product, the best of five."""
    a = np.ones((side, side), np.float32)
    best = min(_seconds(lambda: a @ a) for _ in range(5))
    return 2 * side**3 / best / 1e9


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    """Read the arguments, take turns, print a table."""
    batch_size = int(sys.argv[1]) if len(sys.argv) > 1 else 128
    epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    train = likely.open_dataset("fashion-mnist").train
    normalization = Normalization.for_pictures((28, 28))
    X, Y = normalization(train.X), one_hot(train.y, 10, np.float32)

    def an_epoch_of(name: str) -> Callable[[], object]:
        engine = create_engine(
            name,
            likely.MLP([784, 256, 10], "sigmoid"),
            n_outputs=10,
            head="softmax",
            loss="cross_entropy",
            optimizer=Optimizer("adam"),
            sample=X[:2],
            seed=0,
        )
        engine.place(train.X, Y, prepare=normalization)
        return lambda: list(
            descend(engine, len(X), epochs=1, batch_size=batch_size, learning_rate=lambda _: 1e-3, seed=0)
        )

    theirs = MLPClassifier((256,), activation="logistic", solver="adam", alpha=0, batch_size=batch_size, random_state=0)
    contenders: dict[str, Callable[[], object]] = {
        **{f"likely, engine {name}": an_epoch_of(name) for name in ("numpy", "torch", "jax")},
        "MLPClassifier.partial_fit": lambda: theirs.partial_fit(X, train.y, classes=np.arange(10)),
    }
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for epoch in range(epochs + 1):
        for name, run in contenders.items():
            seconds = _seconds(run)
            if epoch:
                times[name].append(seconds)
    rate = matrix_multiply_rate()
    # Forward, and backward for the weights: 2 products of the first layer, 3 of the second.
    work = 60_000 * 2 * (2 * 784 * 256 + 3 * 256 * 10)
    print(f"{platform.processor() or platform.machine()}, batch {batch_size}, {epochs} epochs, float32, medians")
    print(f"matrix product 2048^3: {rate:.0f} GFLOP/s\n")
    print("| contender | s per epoch | of the matrix product's rate |\n|---|---|---|")
    for name, seconds in times.items():
        median = float(np.median(seconds))
        print(f"| {name} | {median:.2f} | {work / median / 1e9 / rate:.0%} |")


if __name__ == "__main__":
    main()
