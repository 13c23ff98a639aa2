"""From the columns of a table to rows of numbers: texts as categories, dates as their parts."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from likely.data.classes import listed
from likely.data.tables.cells import as_texts
from likely.data.tables.date_parts import date_part
from likely.data.tables.number_blocks import number_blocks
from likely.data.tables.spelled_otherwise import spelled_otherwise
from likely.data.tables.table import Table, unusable
from likely.errors import DataError
from likely.preprocessing.column_reading import TIME
from likely.preprocessing.columns import Column, refusal

_AT_ONCE, _CELLS = 256, 2**16  # columns and cells that are copied at a time


class Unknown(NamedTuple):
    """In how many rows a column holds text that is none of its categories, and the first one."""

    rows: int
    text: str


class Encoded(NamedTuple):
    """Rows in terms of columns.

    X: shape (n, d), NaN for missing values, categories as their numbers.
    refused: why a row can't be answered, by its number.
    unknown: the texts of each column that are none of its categories; they count as missing.
    """

    X: np.ndarray
    refused: dict[int, str]
    unknown: dict[str, Unknown]


def encode(table: Table, columns: Sequence[Column], first_row: int = 0, *, gaps: bool = False) -> Encoded:
    """The rows of the table in terms of columns, found by name in any order; other columns are not looked at.

    Args:
        table: with all of these columns, read as they say.
        columns: what a model learned from.
        first_row: the number of the table's first row, for messages.
        gaps: whether a number may be missing that was in every training row: a model may answer all the same.
    Raises:
        DataError: if a column is not there; it lists what is needed.
    """
    _check_present(table, columns)
    X = np.empty((len(table), len(columns)))
    refused, unknown = dict[int, str](), dict[str, Unknown]()
    numbers = dict[str, np.ndarray]()
    for j, column in enumerate(columns):
        values = table.columns[column.table_column]
        for row, text in table.wrong.get(column.table_column, {}).items():
            what, fix = ("dates", "Write the year first") if column.part else ("numbers", "Fix the cell")
            if column.how_read.dates == TIME:
                what, fix = "times such as 14:30", "Fix the cell"
            refused.setdefault(
                row,
                f"Column {column.table_column!r} must have {what}; got {text!r} in row "
                f"{first_row + table.number_of(row)}. {fix}.",
            )
        if column.part:
            values = date_part(values, column.part)
        if column.categories is None:
            numbers[column.name] = np.asarray(values, dtype=np.float64)
        else:
            X[:, j], found = _categories(values, column.categories)
            if found is not None:
                unknown[column.name] = found
    places = {column.name: j for j, column in enumerate(columns)}
    _fill(X, [places[name] for name in numbers], list(numbers.values()))
    for names, block in number_blocks(numbers):
        for i in np.flatnonzero(~np.isfinite(block).all(axis=1)).tolist():
            column = columns[places[names[i]]]
            wrong = np.isinf(block[i]) if column.missing or gaps else ~np.isfinite(block[i])
            for row in np.flatnonzero(wrong).tolist():
                refused.setdefault(row, refusal(column, block[i, row], f"row {first_row + table.number_of(row)}"))
    return Encoded(X, refused, unknown)


def _fill(X: np.ndarray, at: Sequence[int], columns: Sequence[np.ndarray]) -> None:
    """Set columns of X, some rows and columns at a time: what is read and written then stays close together."""
    for start in range(0, len(at), _AT_ONCE):
        some = columns[start : start + _AT_ONCE]
        places = np.array(at[start : start + _AT_ONCE])
        where = slice(places[0], places[-1] + 1) if (np.diff(places) == 1).all() else places
        rows = _CELLS // len(some)
        for row in range(0, len(X), rows):
            X[row : row + rows, where] = np.stack([values[row : row + rows] for values in some]).T


def _categories(values: np.ndarray, categories: Sequence[str]) -> tuple[np.ndarray, Unknown | None]:
    """The numbers of texts, NaN where one is missing or unknown, and which are unknown."""
    codes = {text: float(code) for code, text in enumerate(categories)}
    texts = as_texts(values).tolist()
    strange = {text for text in texts if text is not None and text not in codes}
    codes |= {text: codes[same] for text, same in spelled_otherwise(strange, categories).items()}
    strange = [text for text in texts if text is not None and text not in codes]
    found = np.array([codes.get(text, np.nan) if isinstance(text, str) else np.nan for text in texts])
    return found, Unknown(len(strange), str(strange[0])) if strange else None


def about_unknown(name: str, unknown: Unknown, n: int) -> str:
    """What to say of a column with categories that a model does not know, in some of n rows.

    Example:
        >>> about_unknown("color", Unknown(2, "mauve"), 9).partition("; ")[0]
        "Column 'color' has categories that the model does not know in 2 of 9 rows, such as 'mauve'"
    """
    return (
        f"Column {name!r} has categories that the model does not know in {unknown.rows:,} of {n:,} rows, such as "
        f"{unknown.text!r}; they are treated as missing"
    )


def _check_present(table: Table, columns: Sequence[Column]) -> None:
    absent = list(dict.fromkeys(c.table_column for c in columns if c.table_column not in table.columns))
    if not absent:
        return
    name = absent[0]
    if name in table.unusable:
        raise unusable(table.path, name, table.unusable[name])
    more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
    needed = list(dict.fromkeys(column.table_column for column in columns))
    raise DataError(
        f"{table.path} must have the columns that the model learned from; got no column {name!r}{more}. It needs "
        f"{listed(needed, 50)}, in any order. Check the heading."
    )
