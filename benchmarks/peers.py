"""Fashion-MNIST against scikit-learn on the same machine, in one run.

What is in the clock: fitting, from arrays in memory to a fitted model; for likely this includes holding out 8% of the
training rows and fitting the temperature. What is not: reading the data and importing libraries.
Each model is fitted once per seed, one after the other, alternating; medians over the seeds are printed. The test part
is only used for the figures. scikit-learn gets pixels divided by 255 as float32 and its own defaults except where the
table says otherwise.

    python benchmarks/peers.py [SEEDS]          (default 3; about 4 minutes per seed on two cores)
"""

import platform
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

import likely
from likely.config import RunConfig
from likely.training.fit import learn


def main() -> None:
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
    warnings.simplefilter("ignore", ConvergenceWarning)
    data = likely.open_dataset("fashion-mnist")
    test = data.test
    assert test is not None
    rows, test_rows = (part.X.reshape(len(part), -1).astype(np.float32) / 255 for part in (data.train, test))

    def ours(seed: int) -> tuple[float, np.ndarray]:
        began = time.perf_counter()
        predictor: Any = learn(data, RunConfig(data="fashion-mnist", seed=seed)).predictor
        return time.perf_counter() - began, predictor.predict_proba(test.X)

    def theirs(make: Callable[[int], Any]) -> Callable[[int], tuple[float, np.ndarray]]:
        def fit(seed: int) -> tuple[float, np.ndarray]:
            model = make(seed)
            began = time.perf_counter()
            model.fit(rows, data.train.y)
            return time.perf_counter() - began, model.predict_proba(test_rows)

        return fit

    contenders = {
        "likely, preset fast": ours,
        "LogisticRegression(max_iter=100)": theirs(lambda seed: LogisticRegression(max_iter=100)),
        "MLPClassifier(256, max_iter=20)": theirs(
            lambda seed: MLPClassifier(hidden_layer_sizes=(256,), max_iter=20, random_state=seed)
        ),
        "RandomForestClassifier()": theirs(lambda seed: RandomForestClassifier(n_jobs=-1, random_state=seed)),
    }
    found: dict[str, list[tuple[float, float, float, float]]] = {name: [] for name in contenders}
    for seed in seeds:
        for name, fit in contenders.items():
            seconds, probs = fit(seed)
            probs = probs.astype(np.float64)
            figures = (
                likely.metrics.accuracy(probs, test.y),
                likely.metrics.log_loss(probs, test.y),
                likely.metrics.calibration_error(probs, test.y),
            )
            found[name].append((seconds, *figures))
            print(f"seed {seed}  {name:34}  {seconds:6.1f} s  {figures}", file=sys.stderr, flush=True)
    print(f"{platform.machine()}, n = {len(rows):,} + {len(test):,}, medians of {len(seeds)} seeds\n")
    print("| model | fit | accuracy | NLL (nats) | ECE |\n|---|---|---|---|---|")
    for name, results in found.items():
        seconds, accuracy, nll, ece = np.median(np.array(results), axis=0)
        print(f"| {name} | {seconds:.0f} s | {accuracy:.2%} | {nll:.3f} | {ece:.2%} |")


if __name__ == "__main__":
    main()
