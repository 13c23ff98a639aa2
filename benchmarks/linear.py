"""The linear classifier beside its own descent and scikit-learn's LogisticRegression: NLL of new rows, processor time.

    python benchmarks/linear.py [--splits 0 1 2 3] [--fashion]

Run it with OMP_NUM_THREADS=1: processor time of several threads is not that of one.
"""

import argparse
import time
import warnings
from collections.abc import Iterator

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import likely
from likely.data.sources import open_dataset
from likely.metrics import log_loss

Split = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def three_gaussians(n: int, seed: int) -> Split:
    """Classes of 90, 7 and 3%, which overlap."""
    rng = np.random.default_rng(seed)
    y = rng.choice(3, size=n + 20_000, p=[0.9, 0.07, 0.03])
    X = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])[y] + rng.normal(size=(len(y), 2))
    return X[:n], X[n:], y[:n], y[n:]


def wide(seed: int) -> Split:
    """286 rows of 1,280 correlated columns."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, 886)
    directions, centers = rng.normal(size=(20, 1280)), 0.12 * rng.normal(size=(4, 1280))
    X = centers[y] + 0.5 * rng.normal(size=(886, 20)) @ directions + rng.normal(size=(886, 1280))
    return X[:286], X[286:], y[:286], y[286:]


def data(seed: int, fashion: bool) -> Iterator[tuple[str, Split]]:
    loads = {"digits": load_digits, "breast-cancer": load_breast_cancer, "iris": load_iris, "wine": load_wine}
    for name, load in loads.items():
        X, y = load(return_X_y=True)
        yield name, tuple(train_test_split(X, y, random_state=seed, stratify=y, test_size=0.25))
    yield "wide", wide(seed)
    for n in (8_000, 40_000):
        yield f"three Gaussians, {n:,}", three_gaussians(n, seed)
    if fashion:
        found = open_dataset("fashion-mnist")
        assert found.test is not None
        yield "fashion-mnist", (found.train.X, found.test.X, found.train.y, found.test.y)


def measured(model: object, split: Split, flat: bool) -> tuple[float, float]:
    X_train, X_test, y_train, y_test = split
    if flat and X_train.ndim > 2:
        X_train, X_test = (X.reshape(len(X), -1) / np.float32(255) for X in (X_train, X_test))
    began = time.process_time()
    model.fit(X_train, y_train)
    seconds = time.process_time() - began
    return log_loss(model.predict_proba(X_test), y_test), seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--splits", type=int, nargs="+", default=[0, 1, 2, 3])
    parser.add_argument("--fashion", action="store_true", help="Fashion-MNIST, too, which takes a minute a split")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    likely.Classifier(network="linear").fit(*load_iris(return_X_y=True))  # what is loaded once is not measured
    found: dict[str, list[list[tuple[float, float]]]] = {}
    for seed in args.splits:
        for name, split in data(seed, args.fashion):
            models = (
                likely.Classifier(network="linear", random_state=seed),
                likely.Classifier(network="linear", optimizer="adam", random_state=seed),
                make_pipeline(StandardScaler(), LogisticRegression()),
            )
            found.setdefault(name, []).append([measured(m, split, flat=m is models[2]) for m in models])
    print("| data | NLL | by descent | LogisticRegression() | processor seconds | by descent | LogisticRegression() |")
    print("|---|---|---|---|---|---|---|")
    for name, runs in found.items():
        means = np.mean(runs, axis=0)
        nll, seconds = (
            " | ".join(f"{v:.{digits}f}" for v in column) for column, digits in zip(means.T, (4, 2), strict=True)
        )
        print(f"| {name} | {nll} | {seconds} |")
    difference = np.mean([np.mean(runs, axis=0)[0, 0] - np.mean(runs, axis=0)[2, 0] for runs in found.values()])
    print(f"\nNLL minus that of LogisticRegression(), mean over the data: {difference:+.4f}")


if __name__ == "__main__":
    main()
