"""More rows never make it worse: the NLL of `Classifier()` on the same new rows after 200, 400, ..., 60,000 rows.

Claim: no doubling of the training rows raises the mean NLL by more than two paired standard errors, 5,000 rows
included, from which on rows are held out in place of cross-validation.

Data: scikit-learn's breast cancer and digits up to their size, the pixels of Fashion-MNIST as rows of 784 numbers, and
two worlds: a fifth of the labels wrong (20 columns, 5 classes), and 10 columns that matter among 100 (2 classes). A
seed draws the order of the rows, of which the first n teach, and the test rows, which are the same for every n.

    python benchmarks/growth_of_rows.py [--data NAME ...] [--sizes N ...] [--seeds 0 1 2 3 4] [--network auto]

Finished fits are kept in runs/growth_of_rows.jsonl (`--out`) and not repeated: stop it and start it again as you
please. Remove the file after a change of the library. All of it takes some two hours on two cores.
"""

import argparse
import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits

import likely

SIZES = [200 * 2**i for i in range(9)] + [60_000]
TESTED = 5_000


def _teacher(X: np.ndarray, width: int, n_classes: int, rng: np.random.Generator) -> np.ndarray:
    hidden = np.tanh(1.5 * (X @ rng.normal(size=(X.shape[1], width)) / np.sqrt(X.shape[1])))
    return hidden @ rng.normal(size=(width, n_classes)) * 6 / np.sqrt(width)


def noisy(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Five classes by a smooth function of 20 columns; a fifth of the labels are drawn anew."""
    X = rng.normal(size=(n, 20))
    y = (_teacher(X, 30, 5, np.random.default_rng(1)) + rng.gumbel(size=(n, 5))).argmax(axis=1)
    return X, np.where(rng.random(n) < 0.2, rng.integers(5, size=n), y)


def useless(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two classes by a smooth function of 10 of the 100 columns."""
    X = rng.normal(size=(n, 100))
    return X, (_teacher(X[:, :10], 20, 2, np.random.default_rng(2)) + rng.gumbel(size=(n, 2))).argmax(axis=1)


def breast_cancer(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """All 569 rows, shuffled."""
    X, y = load_breast_cancer(return_X_y=True)
    order = rng.permutation(len(y))
    return X[order], y[order]


def digits(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """All 1,797 rows of 64 numbers, shuffled."""
    X, y = load_digits(return_X_y=True)
    order = rng.permutation(len(y))
    return X[order], y[order]


def fashion_mnist(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Its 70,000 images as rows of 784 numbers, the first 5,000 of the test part first, the others shuffled."""
    data = likely.open_dataset("fashion-mnist")
    assert data.test is not None
    order = rng.permutation(len(data.train))
    X = np.concatenate([data.test.X[:TESTED], data.train.X[order][: n - TESTED]]).reshape(n, -1)
    return X.astype(np.float32), np.concatenate([data.test.y[:TESTED], data.train.y[order][: n - TESTED]])


DATA: dict[str, Any] = {
    "breast-cancer": (breast_cancer, 569, 114),
    "digits": (digits, 1_797, 360),
    "noisy": (noisy, 60_000 + TESTED, TESTED),
    "useless": (useless, 60_000 + TESTED, TESTED),
    "fashion-mnist": (fashion_mnist, 60_000 + TESTED, TESTED),
}
"""What draws the rows, how many there are, and how many of them, the first ones, test."""


def measure(name: str, n: int, seed: int, network: str) -> dict[str, Any]:
    """Fit n rows and look at the test rows."""
    draw, most, tested = DATA[name]
    X, y = draw(most, np.random.default_rng([seed, len(name)]))
    began = time.process_time()
    model = likely.Classifier(network=network, random_state=seed).fit(X[tested:][:n], y[tested:][:n])
    seconds = time.process_time() - began
    probs, classes = model.predict_proba(X[:tested]), np.searchsorted(model.classes_, y[:tested])
    nll, accuracy = likely.metrics.log_loss(probs, classes), likely.metrics.accuracy(probs, classes)
    return {"nll": nll, "accuracy": accuracy, "seconds": seconds}


def main() -> int:
    """Fit what is missing, from few rows to many, and print a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", choices=list(DATA), default=list(DATA))
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--network", default="auto")
    parser.add_argument("--out", type=Path, default=Path("runs/growth_of_rows.jsonl"))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    lines = options.out.read_text().splitlines() if options.out.exists() else []
    found = {tuple(key): figures for key, figures in map(json.loads, lines)}
    jobs = [
        (name, n, seed, options.network)
        for n in sorted(options.sizes)
        for name in options.data
        for seed in options.seeds
        if n <= DATA[name][1] - DATA[name][2]
    ]
    missing = [job for job in jobs if job not in found]
    for number, job in enumerate(missing, start=1):
        found[job] = measure(*job)
        with options.out.open("a") as file:
            file.write(json.dumps([job, found[job]]) + "\n")
        print(f"{number} of {len(missing)}: {job} {found[job]}", file=sys.stderr, flush=True)

    print(
        "| data | rows | NLL (nats) | against half as many | accuracy | processor seconds |\n|---|---|---|---|---|---|"
    )
    worse = 0
    for name in options.data:
        before = None
        for n in sorted({job[1] for job in jobs if job[0] == name}):
            figures = [found[name, n, seed, options.network] for seed in options.seeds]
            nll, accuracy, seconds = (np.array([one[key] for one in figures]) for key in ("nll", "accuracy", "seconds"))
            against = ""
            if before is not None:
                difference = nll - before
                error = float(difference.std(ddof=1) / np.sqrt(len(nll))) if len(nll) > 1 else 0.0
                against = f"{difference.mean():+.4f} ± {error:.4f}"
                worse += difference.mean() > 2 * error
            before = nll
            print(f"| {name} | {n:,} | {nll.mean():.4f} | {against} | {accuracy.mean():.2%} | {seconds.mean():.1f} |")
    print(f"\nDoublings that make it worse by more than two standard errors: {worse}")
    return int(worse > 0)


if __name__ == "__main__":
    sys.exit(main())
