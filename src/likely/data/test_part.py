"""Rows to judge with, drawn where the source declares none."""

from dataclasses import replace

import numpy as np

from likely.data.classes import listed
from likely.data.dataset import Dataset
from likely.data.split import random_split
from likely.errors import DataError

SHARE = 0.2


def with_test_part(dataset: Dataset, seed: int) -> Dataset:
    """The data set itself if it has a test part, else with a fifth of its rows as one, drawn uniformly at random.

    The rows of a class with few of them may all be drawn. Such a label stays an answer, of small probability; its rows
    count as mistakes, as new rows of labels that were never learned would; and a note names it.

    Raises:
        DataError: if no class has two rows, or the draw leaves a single class to learn from.
    Example:
        >>> from likely.data.sources import open_dataset
        >>> iris = open_dataset("iris")
        >>> with_test_part(iris, seed=0) is iris
        True
    """
    if dataset.test is not None:
        return dataset
    n = len(dataset.train)
    classifies = dataset.task == "classification"
    if n < 2 or (classifies and np.bincount(dataset.train.y).max() < 2):
        raise DataError(
            f"{dataset.name} must have a class with two rows, one to learn from and one to judge with; got "
            f"{n} rows of as many classes. Add rows."
        )
    test, rest = random_split(n, [max(1, round(SHARE * n))], np.random.default_rng(seed))
    notes = [f"no test part of its own: {len(test)} rows drawn with seed {seed}"]
    if classifies:
        notes += _without_rows(dataset, dataset.train.y[rest], f"The draw of the test part with seed {seed}")
    return replace(
        dataset, train=dataset.train.take(rest), test=dataset.train.take(test), notes=(*dataset.notes, *notes)
    )


def _without_rows(dataset: Dataset, y: np.ndarray, what: str) -> list[str]:
    """A sentence about the labels that have no row left to learn from, if there are any."""
    counts = np.bincount(y, minlength=len(dataset.labels))
    if np.count_nonzero(counts) < 2:
        only = dataset.labels[int(counts.argmax())]
        raise DataError(
            f"{dataset.name} must have at least two classes to learn from; got only {only!r} "
            f"after {what[0].lower()}{what[1:]}. The others have too few rows. Try more rows of them, or another seed."
        )
    empty = [label for label, count in zip(dataset.labels, counts, strict=True) if not count]
    if not empty:
        return []
    labels = f"{len(empty)} labels" if len(empty) > 1 else "a label"
    return [f"{what} left no row to learn from of {labels}: {listed(empty)}. They can hardly be answered."]
