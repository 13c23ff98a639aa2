"""Nothing tuned: small data, many classes, odd shapes; and no worse than scikit-learn's defaults."""

import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import likely
from likely.config import RunConfig
from likely.errors import DataError
from likely.metrics import log_loss
from likely.training.fit import fit


def entropy_of(y: np.ndarray) -> float:
    """The NLL in nats of answering with the frequencies."""
    shares = np.bincount(y) / len(y)
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_digits])
def test_no_worse_than_scikit_learns_defaults(load: Any) -> None:
    X, y = load(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)
    ours = log_loss(likely.Classifier(random_state=0).fit(X_train, y_train).predict_proba(X_test), y_test)
    for other in (LogisticRegression(), MLPClassifier(random_state=0)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            theirs = make_pipeline(StandardScaler(), other).fit(X_train, y_train).predict_proba(X_test)
        # One split is a guard against collapse; benchmarks/defaults.py compares.
        assert ours < 1.3 * log_loss(theirs, y_test) + 0.05


def test_fifty_rows() -> None:
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, train_size=50, random_state=0, stratify=y)
    clf = likely.Classifier(random_state=0).fit(X_train, y_train)
    assert log_loss(clf.predict_proba(X_test), y_test) < 0.6 * entropy_of(y_test)
    assert clf.score(X_test, y_test) > 0.7


def test_two_rows_of_each_class_are_calibrated_and_promise_what_twenty_rows_can() -> None:
    X, y = load_digits(return_X_y=True)
    few = np.concatenate([np.flatnonzero(y == digit)[:2] for digit in range(10)])
    clf = likely.Classifier(random_state=0).fit(X[few], y[few])
    assert clf.predictor_.card.splits.method == "cross-validation"
    assert clf.score(X, y) > 0.4
    assert log_loss(clf.predict_proba(X), y) < entropy_of(y)
    with pytest.raises(DataError, match=r"0\.99"):
        clf.predict_set(X, coverage=0.99)


def test_a_thousand_classes() -> None:
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(1_000, 32))
    y = np.arange(5_000) % 1_000
    X = centers[y] + 0.3 * rng.normal(size=(5_000, 32))
    test = centers[y[:1_000]] + 0.3 * rng.normal(size=(1_000, 32))
    began = time.perf_counter()
    clf = likely.Classifier(random_state=0).fit(X, y)
    assert time.perf_counter() - began < 120
    assert log_loss(clf.predict_proba(test), y[:1_000]) < 0.3 * np.log(1_000)
    assert clf.score(test, y[:1_000]) > 0.8


def test_one_class_in_a_hundred() -> None:
    rng = np.random.default_rng(0)
    y = (np.arange(2_000) % 100 == 0).astype(int)
    X = rng.normal(size=(2_000, 5)) + 1.5 * y[:, None]
    clf = likely.Classifier(random_state=0).fit(X[:1_000], y[:1_000])
    assert log_loss(clf.predict_proba(X[1_000:]), y[1_000:]) < entropy_of(y)


def test_more_columns_than_rows_and_columns_of_very_different_size() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 300)) * 10.0 ** rng.integers(-6, 6, 300)
    y = (X[:, :10] / X[:, :10].std(axis=0)).sum(axis=1) > 0
    clf = likely.Classifier(random_state=0).fit(X[:100], y[:100])
    # Hardly to be learned from so few rows: what counts is that the answers do not claim more than they know.
    assert log_loss(clf.predict_proba(X[100:]), y[100:].astype(int)) < 1.1 * np.log(2)


def test_a_folder_of_two_hundred_images(tmp_path: Path) -> None:
    data = likely.open_dataset("fashion-mnist")
    chosen = {"Bag": 8, "Sneaker": 7, "Trouser": 1, "Shirt": 6}
    for name, label in chosen.items():
        folder = tmp_path / "clothes" / name
        folder.mkdir(parents=True)
        for i in np.flatnonzero(data.train.y == label)[:50]:
            Image.fromarray(data.train.X[i]).resize((40, 40)).convert("RGB").save(folder / f"{i}.png")
    run = fit(RunConfig(data=str(tmp_path / "clothes"), image_size=24, epochs=10, out=str(tmp_path / "run")))
    assert run.evaluation.accuracy.value > 0.8
    assert run.evaluation.nll.value < 0.6
    assert run.predictor.card.splits.method == "cross-validation"
    assert not run.predictor.card.hflip


def test_images_are_not_mirrored_unless_somebody_says_so() -> None:
    digits = load_digits()
    images = (digits.images * 15).astype(np.uint8)[:100]
    assert not likely.Classifier(epochs=1, random_state=0).fit(images, digits.target[:100]).predictor_.card.hflip
    mirrored = likely.Classifier(epochs=1, random_state=0, hflip=True).fit(images, digits.target[:100])
    assert mirrored.predictor_.card.hflip
