"""Rows to judge with, drawn where the source declares none."""

from dataclasses import replace

import numpy as np

from likely.data.dataset import Dataset
from likely.data.split import stratified_split

SHARE = 0.2


def with_test_part(dataset: Dataset, seed: int) -> Dataset:
    """The data set itself if it has a test part, else with a fifth of its rows as one, drawn class by class.

    Example:
        >>> from likely.data.sources import open_dataset
        >>> iris = open_dataset("iris")
        >>> with_test_part(iris, seed=0) is iris
        True
    """
    if dataset.test is not None:
        return dataset
    strata = dataset.train.y if dataset.task == "classification" else np.zeros(len(dataset.train), np.int64)
    test, rest = stratified_split(strata, [max(1, round(SHARE * len(strata)))], np.random.default_rng(seed))
    note = f"no test part of its own: {len(test)} rows drawn with seed {seed}"
    return replace(dataset, train=dataset.train.take(rest), test=dataset.train.take(test), notes=(*dataset.notes, note))
