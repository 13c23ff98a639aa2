"""A data frame in memory, of pandas, polars, pyarrow or modin, as a sheet."""

from typing import TYPE_CHECKING, Any

import numpy as np

from likely.data.tables.sheet import Sheet
from likely.errors import DataError

if TYPE_CHECKING:
    import polars as pl

WHERE = "The data frame"


def is_frame(X: Any) -> bool:
    """Whether X is a data frame, or a sheet already."""
    if isinstance(X, Sheet):
        return True
    arrow = hasattr(X, "schema") and hasattr(X, "column_names")
    return arrow or (hasattr(X, "columns") and hasattr(X, "__getitem__"))


def sheet_of(frame: Any) -> Sheet:
    """The frame's columns with their types; those of Python objects get the type that all of them have.

    Raises:
        DataError: if two columns have one name.
    Example:
        >>> import pandas as pd
        >>> sheet_of(pd.DataFrame({"age": [31, None], "city": ["Rome", None]})).frame.rows()
        [(31.0, 'Rome'), (None, None)]
    """
    if isinstance(frame, Sheet):
        return frame
    import narwhals as nw
    import polars as pl

    columns = nw.from_native(frame, eager_only=True)
    names = [str(name) for name in columns.columns]
    if len(set(names)) < len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise DataError(f"The columns of the data frame must have different names; got {twice!r} twice. Rename one.")
    found = [_series(name, columns[original]) for name, original in zip(names, columns.columns, strict=True)]
    return Sheet(WHERE, pl.DataFrame(found), None)


def _series(name: str, column: Any) -> "pl.Series":
    import polars as pl

    if isinstance(column.to_native(), pl.Series):
        return column.to_native().alias(name)
    if column.dtype.is_float() or (column.dtype.is_integer() and not column.is_null().any()):
        values = np.ascontiguousarray(column.to_numpy())
        if values.dtype.kind in "iuf":
            return pl.Series(name, values if values.dtype.itemsize > 2 else values.astype(np.float32), nan_to_null=True)
    values = [None if _is_missing(value) else value for value in column.to_list()]
    kinds = {type(value) for value in values if value is not None}
    if kinds and not all(issubclass(kind, str) for kind in kinds):
        if all(issubclass(kind, int | float | np.number) and not issubclass(kind, bool) for kind in kinds):
            whole = all(issubclass(kind, int | np.integer) for kind in kinds)
            return pl.Series(name, values, dtype=pl.Int64 if whole else pl.Float64, strict=False)
        if len(kinds) == 1:
            return pl.Series(name, values, strict=False)
        values = [value if value is None or isinstance(value, str) else str(value) for value in values]
    return pl.Series(name, values, dtype=None if kinds else pl.Float64, strict=False)


def _is_missing(value: Any) -> bool:
    # pandas.NA is neither equal to itself nor different from itself.
    return value is None or type(value).__name__ in ("NAType", "NaTType") or value != value
