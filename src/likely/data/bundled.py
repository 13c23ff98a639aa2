"""The small data sets that come with scikit-learn: on every machine, without a download."""

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
    from sklearn import datasets

    load = {
        "digits": datasets.load_digits,
        "wine": datasets.load_wine,
        "iris": datasets.load_iris,
        "breast-cancer": datasets.load_breast_cancer,
        "diabetes": lambda: datasets.load_diabetes(scaled=False),
    }
    # The stubs do not know that without return_X_y they return a Bunch.
    bunch: Any = load[name]()
    is_regression, is_images = name == "diabetes", name == "digits"
    X = np.rint(bunch.images * 255.0 / 16.0).astype(np.uint8) if is_images else np.asarray(bunch.data, np.float64)
    y = np.asarray(bunch.target, dtype=np.float64 if is_regression else np.int64)
    test, train = random_split(len(y), [round(TEST_SHARE * len(y))], np.random.default_rng(0))
    everything = Part(X, y)
    return Dataset(
        name,
        "regression" if is_regression else "classification",
        everything.take(train),
        everything.take(test),
        labels=() if is_regression else tuple(str(label) for label in bunch.target_names),
        label_type="int" if is_images else "str",
        features=None if is_images else tuple(str(feature) for feature in bunch.feature_names),
        found_at="scikit-learn",
        notes=(SPLIT_NOTE,),
    )
