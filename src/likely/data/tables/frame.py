"""A data frame in memory, of pandas or polars, as a table."""

from typing import Any

import numpy as np

from likely.data.tables.cells import NOTHING
from likely.data.tables.table import Table


def is_frame(X: Any) -> bool:
    """Whether X is a data frame, or a table already."""
    return isinstance(X, Table) or (hasattr(X, "columns") and hasattr(X, "__getitem__"))


def table_of(frame: Any) -> Table:
    """The frame's columns as numbers or texts, as `likely.data.tables.table.read_table` gives those of a file.

    Example:
        >>> import pandas as pd
        >>> table_of(pd.DataFrame({"age": [31, None], "city": ["Rome", None]})).columns
        {'age': array([31., nan]), 'city': array(['Rome', None], dtype=object)}
    """
    if isinstance(frame, Table):
        return frame
    return Table("The data frame", {str(name): _values(frame[name]) for name in frame.columns})


def _values(column: Any) -> np.ndarray:
    array = np.asarray(column.to_numpy() if hasattr(column, "to_numpy") else column)
    if array.dtype.kind in "fiu":
        return array.astype(np.float64)
    values = [None if _is_missing(value) else value for value in array.tolist()]
    if all(value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in values):
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    texts = [value if value is None or isinstance(value, bytes) else str(value).strip() for value in values]
    found = np.empty(len(texts), dtype=object)
    found[:] = [None if text in NOTHING else text for text in texts]
    return found


def _is_missing(value: Any) -> bool:
    # pandas.NA is neither equal to itself nor different from itself.
    return value is None or type(value).__name__ in ("NAType", "NaTType") or value != value
