"""From the columns of a table to rows of numbers: which columns are worth learning from, and texts as categories."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from likely.data.tables.cells import NOTHING, number
from likely.data.tables.table import Table, as_texts, missing, unusable
from likely.errors import DataError
from likely.preprocessing.columns import Column, listed_names, refusal

_FEW = 20  # with fewer rows, that all are different says nothing


class Encoded(NamedTuple):
    """Rows in terms of columns.

    X: shape (n, d), NaN for missing values, categories as their numbers.
    refused: why a row can't be answered, by its number.
    unknown: how many texts of each column are none of its categories; they count as missing.
    """

    X: np.ndarray
    refused: dict[int, str]
    unknown: dict[str, int]


def describe(values: Mapping[str, np.ndarray], train: np.ndarray) -> tuple[tuple[Column, ...], list[str]]:
    """What the columns are, and a sentence for each that is left out because nothing can be learned from it.

    Left out are columns without a value, those with one value only, those that number the rows, and texts of which more
    than half are different: names, keys or prose.

    Args:
        values: the columns by name.
        train: the rows to learn from, by which columns are left out and which name the categories.
    """
    columns, notes = list[Column](), list[str]()
    for name, column in values.items():
        reason = _useless(column[train])
        if reason is not None:
            notes.append(f"Column {name!r} is ignored: {reason}.")
            continue
        categories = None
        if column.dtype == object:
            categories = tuple(sorted({text for text in column[train].tolist() if text is not None}))
        columns.append(Column(name, categories, bool(missing(column).any())))
    return tuple(columns), notes


def encode(table: Table, columns: Sequence[Column], first_row: int = 0) -> Encoded:
    """The rows of the table in terms of columns, found by name in any order; other columns are not looked at.

    Args:
        table: with all of these columns.
        columns: what a model learned from.
        first_row: the number of the table's first row, for messages.
    Raises:
        DataError: if a column is not there; it lists what is needed.
    """
    absent = [column for column in columns if column.name not in table.columns]
    if absent:
        name = absent[0].name
        if name in table.unusable:
            raise unusable(table.path, name, table.unusable[name])
        more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        raise DataError(
            f"{table.path} must have the columns that the model learned from; got no column {name!r}{more}. It needs "
            f"{listed_names(columns, 50)}, in any order. Check the heading."
        )
    X = np.empty((len(table), len(columns)))
    refused, unknown = dict[int, str](), dict[str, int]()
    for j, column in enumerate(columns):
        values = table.columns[column.name]
        if column.categories is None:
            X[:, j], texts = _numbers(values)
            for row, text in texts.items():
                refused.setdefault(
                    row,
                    f"Column {column.name!r} must have numbers; got {text!r} in row {first_row + row}. Fix the cell.",
                )
            wrong = np.isinf(X[:, j]) if column.missing else ~np.isfinite(X[:, j])
            for row in np.flatnonzero(wrong).tolist():
                refused.setdefault(row, refusal(column, X[row, j], f"row {first_row + row}"))
        else:
            codes = {text: float(code) for code, text in enumerate(column.categories)}
            texts = as_texts(values).tolist()
            X[:, j] = [codes.get(text, np.nan) if isinstance(text, str) else np.nan for text in texts]
            strange = sum(text is not None and text not in codes for text in texts)
            if strange:
                unknown[column.name] = strange
    return Encoded(X, refused, unknown)


def _numbers(values: np.ndarray) -> tuple[np.ndarray, dict[int, object]]:
    """Numbers, NaN where there is none, and the texts that should have been one by their row."""
    if values.dtype != object:
        return values, {}
    found, texts = np.full(len(values), np.nan), dict[int, object]()
    for row, text in enumerate(values.tolist()):
        if text is None or text in NOTHING:
            continue
        try:
            found[row] = number(text)
        except (ValueError, TypeError):
            texts[row] = text if isinstance(text, str) else type(text).__name__
    return found, texts


def _useless(values: np.ndarray) -> str | None:
    """Why nothing can be learned from the column, if so."""
    gone = missing(values)
    present = values[~gone]
    if not len(present):
        return "it has no value in any row"
    if values.dtype == object:
        if isinstance(present[0], bytes):
            return "it holds bytes"
        different = len(set(present.tolist()))
        if different == 1 and not gone.any():
            return f"it is {present[0]!r} in every row"
        if len(present) >= _FEW and different > len(present) / 2:
            return f"it looks like names or prose, {different:,} different texts in {len(present):,} rows"
        return None
    if (present == present[0]).all() and not gone.any():
        return f"it is {present[0]:.15g} in every row"
    if len(values) >= _FEW and np.isfinite(values).all() and (np.diff(values) == 1).all():
        return "it numbers the rows"
    return None
