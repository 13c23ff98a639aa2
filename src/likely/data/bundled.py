"""The small data sets that come with scikit-learn: on every machine, without a download."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from likely.data.dataset import Dataset, Part
from likely.data.splits import random_split

TEST_SHARE = 0.2
SPLIT_NOTE = "The data set has no test part; a fifth of the rows, drawn at random with seed 0, was set aside."


def load_bundled(name: str, data_folder: object = None, progress: object = None) -> Dataset:
    """One of scikit-learn's sets, with a fixed fifth of its rows as the test part.

    `digits` are images: uint8 of 8 x 8, scaled from the 17 levels of the source to 0..255. The others are rows of
    numbers in the units of the source.
    """
    del data_folder, progress  # it lies where scikit-learn does
    if name == "digits":
        return _dataset(name, *_digits(), tuple("0123456789"), None)
    from sklearn import datasets

    load = {
        "wine": datasets.load_wine,
        "iris": datasets.load_iris,
        "breast-cancer": datasets.load_breast_cancer,
        "diabetes": lambda: datasets.load_diabetes(scaled=False),
    }
    # The stubs do not know that without return_X_y they return a Bunch.
    bunch: Any = load[name]()
    is_regression = name == "diabetes"
    y = np.asarray(bunch.target, dtype=np.float64 if is_regression else np.int64)
    labels = () if is_regression else tuple(str(label) for label in bunch.target_names)
    return _dataset(name, np.asarray(bunch.data, np.float64), y, labels, tuple(map(str, bunch.feature_names)))


def _digits() -> tuple[np.ndarray, np.ndarray]:
    """Images and labels from the file that scikit-learn reads; to import it takes longer than to learn from them."""
    package = importlib.util.find_spec("sklearn")
    assert package is not None
    assert package.origin is not None
    rows = np.loadtxt(Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz", delimiter=",")
    return np.rint(rows[:, :-1].reshape(-1, 8, 8) * 255.0 / 16.0).astype(np.uint8), rows[:, -1].astype(np.int64)


def _dataset(
    name: str, X: np.ndarray, y: np.ndarray, labels: tuple[str, ...], features: tuple[str, ...] | None
) -> Dataset:
    test, train = random_split(len(y), [round(TEST_SHARE * len(y))], np.random.default_rng(0))
    everything = Part(X, y)
    return Dataset(
        name,
        "classification" if labels else "regression",
        everything.take(train),
        everything.take(test),
        labels=labels,
        label_type="int" if features is None else "str",
        features=features,
        found_at="scikit-learn",
        notes=(SPLIT_NOTE,),
    )
