"""Rows to evaluate on, drawn where the source declares none."""

from dataclasses import replace

import numpy as np

from likely.data.classes import listed
from likely.data.dataset import Dataset
from likely.data.groups import n_unrelated, one_row_per_group
from likely.data.splits import random_split
from likely.errors import DataError

LEAST, SMALL = 20, 5_000
"""Rows, or groups of related ones, from which some can be held out: with fewer, what is left says little of the whole;
and below which there is time for a training per fold. From so many on, rows are held out once."""
_USUAL = 0.2


def share_to_draw(dataset: Dataset, asked: float | None, *, goes_on: bool = False) -> float:
    """The share of rows that is drawn for a test part: what was asked for, else a fifth, or none.

    None of tables with 20 to 4,999 rows: all of them teach, and figures are out of fold. But where a training goes on
    from a model (`goes_on`), which has seen rows, and where the latest rows are to be the test part, there are no folds
    that could say as much.

    Raises:
        DataError: if none is asked for, and there are too few rows for folds.
    Example:
        >>> from likely.data.sources import open_dataset
        >>> from dataclasses import replace
        >>> iris = replace(open_dataset("iris"), test=None)
        >>> share_to_draw(iris, None), share_to_draw(iris, 0.1)
        (0.0, 0.1)
    """
    units = n_unrelated(dataset.train)
    if asked == 0 and dataset.test is None and units < LEAST:
        raise DataError(
            f"{dataset.name} must have at least {LEAST} rows that are not related, or a test part; got {units}. So few "
            "rows cannot be held out in folds, and nothing would be known of the model. Try --test-share 20%."
        )
    if asked is not None:
        return asked
    is_table = dataset.train.X.ndim == 2 and dataset.train.order is None and not goes_on
    return 0.0 if is_table and LEAST <= units < SMALL else _USUAL


def with_test_part(dataset: Dataset, seed: int, share: float = _USUAL) -> Dataset:
    """The data set itself if it has a test part, else with this share of its rows as one, drawn uniformly at random.

    A share of 0 draws none.

    Where the data set says which rows are later, the latest are taken in place of random ones: as near to the share as
    rows of the same moment allow, which stay together.

    Of related rows this share of the groups is drawn, and one row of each is evaluated on; the others are left out. All
    rows of a rare class may be drawn: such a label stays an answer, of small probability, and a note names it.

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
            f"{dataset.name} must have a class with at least two rows, one for training and one for the test part; got "
            f"{n} rows of as many classes. Add rows."
        )
    groups, units = dataset.train.groups, n_unrelated(dataset.train)
    if units < 2:
        raise DataError(
            f"{dataset.name} must have at least two groups of related rows, one for training and one for the test "
            "part; got 1. Try another group column, or none."
        )
    if not share:
        return dataset
    if dataset.train.order is not None:
        drawn, rest = latest(dataset.train.order, share, f"Column {dataset.test_last!r} of {dataset.name}")
        how = f"Taking the latest rows by {dataset.test_last!r} for the test part"
    else:
        drawn, rest = random_split(
            n, [min(max(1, round(share * units)), units - 1)], np.random.default_rng(seed), groups
        )
        how = f"The draw of the test part with seed {seed}"
    test = one_row_per_group(dataset.train.take(drawn), seed)
    left_out = f", {len(drawn) - len(test)} more related to them removed" if len(drawn) > len(test) else ""
    if dataset.train.order is not None:
        which = f"the {len(test)} latest rows by column {dataset.test_last!r}, {len(drawn) / n:.0%} of all"
    else:
        which = f"{len(test)} rows drawn with seed {seed}"
    notes = [f"no test part given: {which}{left_out}"]
    if classifies:
        notes += _without_rows(dataset, dataset.train.y[rest], how)
    return replace(
        dataset, train=dataset.train.take(rest), test=test, test_drawn=True, left_out=len(drawn) - len(test)
    ).with_notes(*notes)


def latest(order: np.ndarray, share: float, what: str) -> tuple[np.ndarray, np.ndarray]:
    """The indices of the latest rows, about this share of all, and of the others; equal ones stay on one side.

    Raises:
        DataError: if all values are the same.
    Example:
        >>> test, rest = latest(np.array([3.0, 1.0, 2.0, 3.0, 1.0]), 0.2, "Column 'day'")
        >>> test.tolist(), rest.tolist()
        ([0, 3], [1, 2, 4])
    """
    values, counts = np.unique(order, return_counts=True)
    if len(values) < 2:
        raise DataError(
            f"{what} must hold at least two values, earlier and later ones; got {values[0]:g} in every row. Try "
            "another column."
        )
    later = np.cumsum(counts[::-1])[:-1]  # how many rows have one of the latest values
    border = values[::-1][int(np.argmin(np.abs(later - share * len(order))))]
    return np.flatnonzero(order >= border), np.flatnonzero(order < border)


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
    return [f"{what} left no training row of {labels}: {listed(empty)}. The model can hardly predict them."]
