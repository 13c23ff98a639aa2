"""Images of any size and color: what the conv net learns from a few hundred to a few thousand, and in what time.

The images are made here, so that nothing has to be downloaded: clothes of Fashion-MNIST (its training part), tinted,
enlarged, and put somewhere on a cut-out of a photograph that comes with scikit-learn, with a little noise. Another
1,000 judge. Beside it stand scikit-learn's `LogisticRegression` and `HistGradientBoostingClassifier` at their
defaults on the same images reduced to 16 x 16 pixels, in color. In the clock: `fit` from images in memory.

    python benchmarks/image_sizes.py [--side 32 96 224] [--rows 200 2000] [--classes 3] [--seeds 0]
"""

import argparse
import os
import platform
import time
from typing import Any

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_sample_images
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import likely

LABELS = (0, 1, 7, 8, 3, 4, 2, 5, 6, 9)
TESTED, SMALL = 1_000, 16


def main() -> None:
    """Read the arguments, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", nargs="+", type=int, default=[32, 96, 224])
    parser.add_argument("--rows", nargs="+", type=int, default=[200, 2000])
    parser.add_argument("--classes", type=int, default=3)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}, {options.classes} classes\n")
    print("| side | images | seed | model | accuracy | NLL (nats) | s |\n|---|---|---|---|---|---|---|", flush=True)
    for side in options.side:
        for n in options.rows:
            for seed in options.seeds:
                compare(side, n, options.classes, seed)


def compare(side: int, n: int, classes: int, seed: int) -> None:
    """Print a line for each contender."""
    X, y = images(side, n + TESTED, classes, seed)
    contenders: dict[str, tuple[Any, Any]] = {
        'Classifier(network="conv")': (likely.Classifier(network="conv", random_state=seed), lambda X: X),
        "LogisticRegression()": (make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)), reduced),
        "HistGradientBoostingClassifier()": (HistGradientBoostingClassifier(random_state=seed), reduced),
    }
    for name, (model, prepared) in contenders.items():
        rows, test = prepared(X[:n]), prepared(X[n:])
        began = time.perf_counter()
        model.fit(rows, y[:n])
        took = time.perf_counter() - began
        probs = np.asarray(model.predict_proba(test), np.float64)
        probs /= probs.sum(axis=1, keepdims=True)
        nll, accuracy = likely.metrics.log_loss(probs, y[n:]), likely.metrics.accuracy(probs, y[n:])
        print(f"| {side} | {n:,} | {seed} | {name} | {accuracy:.1%} | {nll:.3f} | {took:.1f} |", flush=True)


def images(side: int, n: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Clothes of several colors before flowers and a temple: uint8 (n, side, side, 3), and their classes."""
    rng = np.random.default_rng(seed)
    clothes = likely.open_dataset("fashion-mnist").train
    photographs: Any = load_sample_images().images
    wanted = sorted(LABELS[:classes])
    X = np.empty((n, side, side, 3), np.uint8)
    chosen = rng.permutation(np.flatnonzero(np.isin(clothes.y, wanted)))[:n]
    for i, row in enumerate(chosen):
        photograph, cut = photographs[rng.integers(2)], int(rng.integers(100, 400))
        top, left = (int(rng.integers(0, length - cut)) for length in photograph.shape[:2])
        scene = _resized(photograph[top : top + cut, left : left + cut], side)
        size = int(side * rng.uniform(0.6, 0.95))
        piece = _resized(clothes.X[row], size)[..., None] / 255
        top, left = rng.integers(0, side - size + 1, 2)
        part = scene[top : top + size, left : left + size]
        opaque = np.clip(4 * piece, 0, 1)
        part[...] = (1 - opaque) * part + opaque * piece * rng.uniform(60, 255, 3)
        X[i] = np.clip(scene + rng.normal(0, 4, scene.shape), 0, 255)
    return X, np.searchsorted(wanted, clothes.y[chosen])


def reduced(X: np.ndarray) -> np.ndarray:
    """Rows of numbers: each image in 16 x 16 pixels."""
    return np.stack([_resized(x, SMALL).ravel() for x in X])


def _resized(image: np.ndarray, side: int) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC), np.float64)


if __name__ == "__main__":
    main()
