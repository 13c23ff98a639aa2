"""Data frames as rows of a data set: what each of their columns is, is decided as for files."""

import re
import warnings
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, cast

import numpy as np

from likely.config import RunConfig
from likely.data.tables.column_options import USUAL, ColumnOptions
from likely.data.tables.describe import describe
from likely.data.tables.encode import encode
from likely.data.tables.frame import column_names, holds_numbers_alone, is_frame, sheet_of, sheet_of_objects
from likely.data.tables.read_table import table_of_sheet
from likely.data.tables.sheet import Sheet
from likely.data.tables.table import refuse_unusable
from likely.errors import ColumnWarning, DataError
from likely.preprocessing.columns import Column

OPTIONS = ("ignore", "categories", "numbers", "keep", "missing", "decimal")
"""The settings that say what columns are."""

_IN_PYTHON = {"category": "categories", "number": "numbers", "group": "groups"}


def options_of(settings: Mapping[str, object]) -> ColumnOptions:
    """What the parameters of an estimator say of columns; a ConfigError if one is no list of names."""
    return ColumnOptions.of(RunConfig.from_json({name: settings[name] for name in OPTIONS}))


def sheet_to_learn_from(X: Any, options: ColumnOptions) -> Sheet | None:
    """The columns of a frame, or of an array of texts or of Python objects; None for what is an array of numbers.

    A frame of numbers alone is one, unless something is said or to be said of its columns: codes such as -999 stand for
    missing values in some, or counters and keys are not to be learned from.
    """
    if is_frame(X):
        if options != USUAL or not holds_numbers_alone(X):
            return sheet_of(X)
        sheet = sheet_of(X)
        table = table_of_sheet(sheet)
        used = {column.name for column in describe(table, list(table.columns), np.arange(len(table)), options)[0]}
        varied = any(np.ptp(values) for name, values in table.columns.items() if name not in used and len(values))
        return sheet if table.notes or varied else None
    if isinstance(X, list | tuple):
        rows = cast(Sequence[Any], X)
        if any(isinstance(value, str) for row in rows if isinstance(row, Sequence) for value in cast(Any, row)):
            X = np.array(rows, dtype=object)
    return sheet_of_objects(array := np.asarray(X), numbered(array.shape[1])) if holds_texts(X) else None


def numbered(d: int) -> list[str]:
    """What the d columns of an array are called, as in scikit-learn: x0, x1, ..."""
    return [f"x{j}" for j in range(d)]


def holds_texts(X: Any) -> bool:
    """Whether X is an array of rows with texts or dates, such as a `ColumnTransformer` makes of a frame with some.

    Example:
        >>> holds_texts(np.array([[1.5, "a"]], dtype=object)), holds_texts(np.array([[1.5, 2]], dtype=object))
        (True, False)
    """
    if not isinstance(X, np.ndarray) or X.ndim != 2 or X.dtype.kind not in "OU":
        return False
    if X.dtype.kind == "O":
        return any(isinstance(value, str | date) for value in X.ravel())
    try:
        X.astype(np.float64)
    except ValueError:
        return True
    return False


def learned_rows(sheet: Sheet, options: ColumnOptions) -> tuple[np.ndarray, tuple[Column, ...]]:
    """What is learned from a sheet: numbers (n, d), NaN where one is missing, and what their columns are.

    A DataError says that there is no column to learn from, a ColumnWarning that one is left out or not certain.
    """
    table = table_of_sheet(sheet, options)
    refuse_unusable(table)
    columns, notes = describe(table, list(table.columns), np.arange(len(table)), options)
    notes = [in_python(note) for note in (*table.notes, *notes)]
    if not columns:
        raise DataError(f"X must have a column to learn from; got none. {' '.join(notes)}")
    for note in notes:
        warnings.warn(note, ColumnWarning, stacklevel=4)
    encoded = encode(table, columns)
    if encoded.refused:
        raise DataError(encoded.refused[min(encoded.refused)])
    return encoded.X, columns


def without_others(X: Any, names: Sequence[str]) -> Any:
    """The columns of a frame with these names, in its order, with a warning of others; all where one is missing."""
    known, got = set(names), column_names(X)
    others = [name for name in got if name not in known]
    if not others or isinstance(X, Sheet) or not known <= set(got):
        return X
    listed = ", ".join(map(repr, others[:10])) + (", ..." if len(others) > 10 else "")
    warnings.warn(
        f"X has columns that were not there in fit, which are ignored: {listed}.", ColumnWarning, stacklevel=4
    )
    return X[[name for name in got if name in known]] if hasattr(X, "__getitem__") else X


def in_python(note: str) -> str:
    """A sentence with the options of the command line as arguments.

    Example:
        >>> in_python("Column 'id' is ignored: it counts the rows (--keep id).")
        "Column 'id' is ignored: it counts the rows (keep=['id'])."
    """

    def argument(found: re.Match[str]) -> str:
        name, value = found.groups()
        values = "[...]" if value in ("COLUMN", None) else repr([value.strip("'")])
        return f"{_IN_PYTHON.get(name, name)}={values}"

    return re.sub(
        r"--(category|number|keep|ignore|missing|group)\b(?: (?!says)('[^']*'|[^:;()]+?)(?=[:;)]|\.$|\. | or ))?",
        argument,
        note,
    )
