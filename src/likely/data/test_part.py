"""Rows to judge with, drawn where the source declares none."""

from dataclasses import replace

import numpy as np

from likely.data.dataset import Dataset
from likely.data.split import stratified_split
from likely.errors import DataError

SHARE = 0.2


def with_test_part(dataset: Dataset, seed: int) -> Dataset:
    """The data set itself if it has a test part, else with a fifth of its rows as one, drawn class by class.

    The only row of a class stays in training: what was never learned can't be judged.

    Raises:
        DataError: if no class has two rows.
    Example:
        >>> from likely.data.sources import open_dataset
        >>> iris = open_dataset("iris")
        >>> with_test_part(iris, seed=0) is iris
        True
    """
    if dataset.test is not None:
        return dataset
    strata = dataset.train.y if dataset.task == "classification" else np.zeros(len(dataset.train), np.int64)
    pool = np.flatnonzero(np.bincount(strata)[strata] > 1)
    if not len(pool):
        raise DataError(
            f"{dataset.name} must have a class with two rows, one to learn from and one to judge with; got "
            f"{len(strata)} rows of as many classes. Add rows."
        )
    drawn, _ = stratified_split(strata[pool], [max(1, round(SHARE * len(pool)))], np.random.default_rng(seed))
    test, rest = pool[drawn], np.setdiff1d(np.arange(len(strata)), pool[drawn])
    note = f"no test part of its own: {len(test)} rows drawn with seed {seed}"
    return replace(dataset, train=dataset.train.take(rest), test=dataset.train.take(test), notes=(*dataset.notes, note))
