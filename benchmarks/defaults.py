"""`Classifier()` against scikit-learn's `MLPClassifier()` and `LogisticRegression()`, all at their defaults.

Claim: out of the box, the probabilities of `Classifier()` cost no more nats than those of either, on every data set (on
breast-cancer within two standard errors), and on Fashion-MNIST it takes no longer than `MLPClassifier()`.

Each split holds out a fifth of the rows (Fashion-MNIST: 10,000), stratified, drawn with its number as the seed; with
`--folds` splits 0 to 4 are the five folds of one partition, 5 to 9 those of another, and so on, so that every row is
judged as often as any other. Every contender fits every split, one after the other in turns, so that differences are
paired. likely sees the data as it comes: numbers (n, d) in float64, digits included as rows of 64 numbers;
Fashion-MNIST as uint8 images (n, 28, 28). scikit-learn sees the same rows standardized with the mean and deviation of
the training rows; Fashion-MNIST in float32. In the clock: fitting, from arrays in memory to a fitted model,
standardizing and calibrating included. likely's plan for small tables was tuned on splits of these same data sets.

    python benchmarks/defaults.py [--data iris wine breast-cancer digits fashion-mnist]
                                  [--splits 0 1 2 3 4] [--folds] [--rows N] [--processor]

The small sets take half a minute on two cores. Fashion-MNIST takes some two minutes per split; `--rows` takes so many
of its rows to train on instead of 60,000.
"""

import argparse
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import sklearn
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import likely

SMALL = {"iris": load_iris, "wine": load_wine, "breast-cancer": load_breast_cancer, "digits": load_digits}
OURS, MLP, LINEAR = "Classifier()", "MLPClassifier()", "LogisticRegression()"


def ours(split: int) -> Any:
    return likely.Classifier(random_state=split)


def mlp(split: int) -> Any:
    return make_pipeline(StandardScaler(), MLPClassifier(random_state=split))


def linear(split: int) -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression())


CONTENDERS: dict[str, Callable[[int], Any]] = {OURS: ours, MLP: mlp, LINEAR: linear}


def main() -> None:
    """Read the arguments, take turns, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", choices=[*SMALL, "fashion-mnist"], default=[*SMALL, "fashion-mnist"])
    parser.add_argument("--splits", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--folds", action="store_true", help="splits are the five folds of partitions")
    parser.add_argument("--rows", type=int, default=60_000, help="of Fashion-MNIST to train on")
    parser.add_argument("--processor", action="store_true", help="count processor seconds, of all threads together")
    parser.add_argument("--contenders", nargs="+", choices=list(CONTENDERS), default=list(CONTENDERS))
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    warnings.simplefilter("ignore", RuntimeWarning)

    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, scikit-learn {sklearn.__version__}, "
        f"NumPy {np.__version__}; {'folds' if options.folds else 'splits'} "
        f"{', '.join(map(str, options.splits))}; mean ± standard deviation over splits; "
        "ours - theirs: mean of the paired differences in NLL ± its standard error.\n"
    )
    print("| data | n | model | NLL (nats) | ours - theirs | accuracy | seconds | time ours / theirs |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for name in options.data:
        print_rows(name, options)


def print_rows(name: str, options: argparse.Namespace) -> None:
    """Fit and judge every contender on every split of a data set; print a line for each."""
    X, y, test_size = load(name)
    found: dict[str, list[tuple[float, float, float]]] = {contender: [] for contender in options.contenders}
    n = 0
    for split in options.splits:
        if options.folds:
            partition = StratifiedKFold(5, shuffle=True, random_state=split // 5)
            kept, test = list(partition.split(X, y))[split % 5]
        else:
            kept, test = train_test_split(np.arange(len(y)), test_size=test_size, stratify=y, random_state=split)
        if name == "fashion-mnist":
            kept = kept[: options.rows]
        n = len(kept)
        for contender in options.contenders:
            rows = X if contender == OURS or X.ndim == 2 else X.reshape(len(X), -1).astype(np.float32)
            model = CONTENDERS[contender](split)
            clock = time.process_time if options.processor else time.perf_counter
            began = clock()
            model.fit(rows[kept], y[kept])
            seconds = clock() - began
            probs = np.asarray(model.predict_proba(rows[test]), np.float64)
            probs /= probs.sum(axis=1, keepdims=True)
            nll, accuracy = likely.metrics.log_loss(probs, y[test]), likely.metrics.accuracy(probs, y[test])
            found[contender].append((nll, accuracy, seconds))
            said = f"{name} split {split} {contender:22} NLL {nll:.4f} accuracy {accuracy:.4f} {seconds:.2f} s"
            print(said, file=sys.stderr, flush=True)
    for contender, results in found.items():
        nll, accuracy, seconds = np.array(results).T
        against = ratio = ""
        if contender != OURS and OURS in found:
            mine = np.array(found[OURS])
            difference = mine[:, 0] - nll
            against = f"{difference.mean():+.4f} ± {_deviation(difference) / np.sqrt(len(difference)):.4f}"
            ratio = f"{np.median(mine[:, 2] / seconds):.2f}"
        print(
            f"| {name} | {n:,} | {contender} | {nll.mean():.4f} ± {_deviation(nll):.4f} | {against} | "
            f"{accuracy.mean():.2%} ± {_deviation(accuracy):.2%} | {seconds.mean():.2f} ± {_deviation(seconds):.2f} | "
            f"{ratio} |",
            flush=True,
        )


def load(name: str) -> tuple[np.ndarray, np.ndarray, float | int]:
    """Rows, class numbers, and how many of them test."""
    if name in SMALL:
        bunch: Any = SMALL[name]()
        return bunch.data, bunch.target, 0.2
    data = likely.open_dataset("fashion-mnist")
    assert data.test is not None
    return np.concatenate([data.train.X, data.test.X]), np.concatenate([data.train.y, data.test.y]), 10_000


def _deviation(values: np.ndarray) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else 0.0


if __name__ == "__main__":
    main()
