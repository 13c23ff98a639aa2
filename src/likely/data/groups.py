"""Rows that are related: copies of one example, several images of one person. They are drawn together and count once.

Guarantees are theorems about exchangeable rows. Groups of related rows are exchangeable, and so are rows of which each
was drawn at random from a group of its own; the rows of one group among themselves are not.
"""

import math
import warnings
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

import numpy as np

from likely.arrays import to_numpy
from likely.data.copies import find_copies, in_doubt
from likely.data.dataset import Dataset, Part
from likely.errors import DataError, GuaranteeWarning, ShapeError
from likely.metrics.numerals import counted
from likely.preprocessing.columns import Column
from likely.preprocessing.stored_rows import RowArray, join_rows


def group_numbers(values: Iterable[Hashable]) -> np.ndarray:
    """A number 0, 1, ... per row, equal where the values are; a missing value (None, NaN) is a group of its own.

    Example:
        >>> group_numbers(["ann", "bob", None, "ann", None]).tolist()
        [0, 1, 2, 0, 3]
    """
    numbers: dict[Any, int] = {}
    keys = (("row", row) if _is_missing(value) else ("value", value) for row, value in enumerate(values))
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def checked_groups(groups: Any, n_rows: int) -> np.ndarray | None:
    """The number of each row's group, shape (n,), or None where none were given.

    Raises:
        ShapeError: if there is not one value per row.
        DataError: if a value is missing (None, NaN); it names the first such row.
    Example:
        >>> checked_groups(["ann", "bob", "ann"], 3)
        array([0, 1, 0])
    """
    if groups is None:
        return None
    values = to_numpy(groups) if hasattr(groups, "detach") else np.asarray(groups)
    if values.shape != (n_rows,):
        raise ShapeError(
            f"groups must be one value per row of X, of shape ({n_rows},); got shape {values.shape}. Rows with equal "
            "values are related. Try groups=None if none are."
        )
    named = values.tolist()
    missing = [row for row, value in enumerate(named) if _is_missing(value)]
    if missing:
        count = f" ({len(missing):,} such rows)" if len(missing) > 1 else ""
        raise DataError(
            f"groups must have a value for every row; got {named[missing[0]]} at row {missing[0]}{count}. Whether such "
            "a row is related to others is unknown. For a row that is related to none, try a unique value such as its "
            "row number."
        )
    return group_numbers(named)


def one_per_group(groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One row of each group, drawn uniformly from it: sorted row numbers.

    Example:
        >>> len(one_per_group(np.array([0, 0, 0, 1]), np.random.default_rng(0)))
        2
    """
    shuffled = rng.permutation(len(groups))
    _, first = np.unique(groups[shuffled], return_index=True)
    return np.sort(shuffled[first])


def n_unrelated(part: Part) -> int:
    """How many rows there are of which no two are related."""
    return len(part) if part.groups is None else len(np.unique(part.groups))


def groups_or_copies(X: RowArray, groups: Any, columns: Sequence[Column] | None) -> np.ndarray | None:
    """The groups that were given, checked, else those of copies; None where no rows are related.

    Where it cannot be told whether rows are copies, a GuaranteeWarning says so.
    """
    declared = checked_groups(groups, len(X))
    if declared is not None:
        return declared
    found = find_copies(X, columns)
    if in_doubt(X, columns, found):
        warnings.warn(_about_doubt(found.expected, len(X)), GuaranteeWarning, stacklevel=4)
    return found.groups


def with_copies_grouped(dataset: Dataset) -> Dataset:
    """The data set with its copies as groups, in all parts together; one whose groups are declared keeps those.

    What was found is a sentence in the notes: see `find_copies` for the rule.
    """
    parts = dataset.parts
    declared = [part.groups for part in parts.values() if part.groups is not None]
    if declared:
        return dataset.with_notes(about_groups(np.concatenate(declared)))
    X: RowArray = reduce(join_rows, (part.X for part in parts.values()))
    found = find_copies(X, dataset.columns)
    noun = "image" if X.ndim > 2 else "row"
    notes: list[str] = []
    if found.extra:
        which = counted(found.extra, f"{noun} is an exact copy", f"{noun}s are exact copies")
        notes.append(
            f"{which} of an earlier one; copies are drawn together and count once (--group COLUMN, or groups= in "
            "Python, adds other related rows)."
        )
    doubt = _about_doubt(found.expected, len(X)) if in_doubt(X, dataset.columns, found) else ""
    if doubt:
        notes.append(doubt)
    elif found.expected:
        notes.append(
            f"{found.expected:,} of {len(X):,} rows equal an earlier one, as expected when columns have so few "
            "distinct values; each counts as a separate row (--group COLUMN, or groups= in Python, if they are "
            "related)."
        )
    dataset = replace(dataset, equal_by_chance=found.equal_by_chance, doubt=doubt).with_notes(*notes)
    if found.groups is None:
        return dataset
    ends = np.cumsum([len(part) for part in parts.values()])[:-1]
    grouped = zip(parts.items(), np.split(found.groups, ends), strict=True)
    return replace(dataset, **{name: replace(part, groups=groups) for (name, part), groups in grouped})


def about_groups(groups: np.ndarray) -> str:
    """What groups do to the guarantees, in a sentence.

    Example:
        >>> about_groups(np.array([0, 0, 1, 1]))[:49]
        '2 groups of related rows, all of size 2: a group '
    """
    sizes = np.unique(groups, return_counts=True)[1]
    how, ending = f"all of size {sizes[0]:,}", "."
    if sizes.min() < sizes.max():
        how = f"of {sizes.min():,} to {sizes.max():,} rows"
        ending = "; where groups differ in size, rows of large ones count less."
    return (
        f"{len(sizes):,} groups of related rows, {how}: a group is drawn whole and counts as one row, drawn from it at "
        f"random. So figures and guarantees refer to a random row of a random new group{ending}"
    )


def one_row_per_group(part: Part, seed: int) -> Part:
    """The part with one row of each of its groups, drawn at random; itself where no rows are related."""
    if part.groups is None:
        return part
    chosen = one_per_group(part.groups, np.random.default_rng([seed, *b"groups"]))
    return part if len(chosen) == len(part) else part.take(chosen)


def shared_with(part: Part, others: Sequence[Part | None]) -> np.ndarray:
    """Which rows of a part have a related one in other parts: booleans (n,)."""
    if part.groups is None:
        return np.zeros(len(part), dtype=bool)
    known = [other.groups for other in others if other is not None and other.groups is not None]
    return np.isin(part.groups, np.concatenate(known)) if known else np.zeros(len(part), dtype=bool)


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value)) or str(value) in ("<NA>", "NaT")


def _about_doubt(equal: int, n_rows: int) -> str:
    return (
        f"{equal:,} of {n_rows:,} rows equal an earlier one, and it cannot be determined whether they are copies. Each "
        "counts as a separate row; if they are copies, no guarantee holds. Specify related rows with --group COLUMN, "
        "or groups= in Python (groups=range(len(X)) if none are)."
    )
