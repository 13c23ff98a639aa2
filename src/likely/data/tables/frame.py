"""A data frame in memory, of pandas, polars, pyarrow or modin, as a sheet."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from likely.data.storable_text import refuse_unstorable
from likely.data.tables.cells import as_texts
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


def column_names(frame: Any) -> list[str]:
    """The names of its columns, as text."""
    if isinstance(frame, Sheet):
        return list(frame.names)
    names = getattr(frame, "column_names", None)
    return [str(name) for name in (frame.columns if names is None else names)]


def holds_numbers_alone(frame: Any) -> bool:
    """Whether all columns are integers or floats without a missing value, so that the frame is an array with names.

    Example:
        >>> import pandas as pd
        >>> holds_numbers_alone(pd.DataFrame({"a": [1, 2]})), holds_numbers_alone(pd.DataFrame({"a": [True, False]}))
        (True, False)
    """
    if isinstance(frame, Sheet):
        return False
    columns = _columns_of(frame)
    if not all(dtype.is_integer() or dtype.is_float() for dtype in columns.schema.values()):
        return False
    values = columns.to_numpy()  # at once: one column after the other takes a minute for a hundred thousand
    return values.dtype.kind in "iu" or (values.dtype.kind == "f" and not np.isnan(values).any())


def sheet_of(frame: Any) -> Sheet:
    """The frame's columns with their types; those of Python objects get the type that all of them have.

    Raises:
        DataError: if two columns have one name, or the rows are not in memory.
    Example:
        >>> import pandas as pd
        >>> sheet_of(pd.DataFrame({"age": [31, None], "city": ["Rome", None]})).frame.rows()
        [(31.0, 'Rome'), (None, None)]
    """
    if isinstance(frame, Sheet):
        return frame
    import polars as pl

    columns = _columns_of(frame)
    if isinstance(native := columns.to_native(), pl.DataFrame):
        return Sheet(WHERE, native, None)
    numbers = _number_columns(columns)
    found = [numbers[n] if n in numbers else _series(str(n), columns.get_column(n)) for n in columns.columns]
    return Sheet(WHERE, pl.DataFrame(found), None)


def sheet_of_objects(rows: np.ndarray, names: Sequence[str]) -> Sheet:
    """An array of Python objects (n, d), or of numbers, with these names of its columns.

    Example:
        >>> sheet_of_objects(np.array([[31, "Rome"], [None, "Oslo"]], dtype=object), ["age", "city"]).frame.rows()
        [(31, 'Rome'), (None, 'Oslo')]
    """
    import polars as pl

    return Sheet("X", pl.DataFrame([_of_objects(n, v.tolist()) for n, v in zip(names, rows.T, strict=True)]), None)


def _columns_of(frame: Any) -> Any:
    """The frame as narwhals sees it, once its columns are seen to have different names."""
    import narwhals as nw

    try:
        columns = nw.from_native(frame, eager_only=True)
    except TypeError:
        raise DataError(
            f"X must be a data frame in memory, of pandas, polars, pyarrow or modin; got a {type(frame).__name__}. "
            "Collect or convert it."
        ) from None
    except nw.exceptions.DuplicateError:
        columns = None
    names = column_names(frame)
    refuse_unstorable(names, "The name of a column")
    if len(set(names)) < len(names):
        seen = set[str]()
        twice = next(name for name in names if name in seen or seen.add(name))
        raise DataError(f"The columns of the data frame must have different names; got {twice!r} twice. Rename one.")
    return columns


def _number_columns(columns: Any) -> dict[Any, "pl.Series"]:
    """The columns of numbers, all of one type at once where none of them has a gap that changes the type."""
    import polars as pl

    by_type, found, names = dict[Any, list[int]](), dict[Any, pl.Series](), columns.columns
    for j, kind in enumerate(columns.schema.values()):
        if kind.is_integer() or kind.is_float():
            by_type.setdefault(kind, []).append(j)
    for kind, places in by_type.items():
        values = columns[:, places].to_numpy()  # names need not be texts
        if values.dtype.kind in ("f" if kind.is_float() else "iu"):
            rows = np.ascontiguousarray(values.T, dtype=np.float32 if values.dtype == np.float16 else None)
            found |= {
                names[j]: pl.Series(str(names[j]), row, nan_to_null=True) for j, row in zip(places, rows, strict=True)
            }
    return found


def _series(name: str, column: Any) -> "pl.Series":
    import narwhals as nw
    import polars as pl

    if isinstance(column.dtype, nw.Categorical | nw.Enum):  # also of numbers, which are then the names of categories
        return pl.Series(name, [_text(value) for value in column.to_list()], dtype=pl.Categorical)
    if column.dtype.is_float() or (column.dtype.is_integer() and not column.is_null().any()):
        values = np.ascontiguousarray(column.to_numpy())
        if values.dtype.kind in "iuf":
            return pl.Series(name, values if values.dtype.itemsize > 2 else values.astype(np.float32), nan_to_null=True)
    return _of_objects(name, column.to_list())


def _of_objects(name: str, found: list[Any]) -> "pl.Series":
    """Values of the type that all of them have; texts where they have several."""
    import polars as pl

    values = [None if _is_missing(value) else value for value in found]
    kinds = {type(value) for value in values if value is not None}
    if kinds and not all(issubclass(kind, str) for kind in kinds):
        if all(issubclass(kind, int | float | np.number) and not issubclass(kind, bool) for kind in kinds):
            if not all(issubclass(kind, int | np.integer) for kind in kinds):
                return pl.Series(name, values, dtype=pl.Float64, strict=False)
            large = max(value for value in values if value is not None) >= 2**63
            return pl.Series(name, values, dtype=pl.UInt64 if large else pl.Int64, strict=False)
        if {kind.__name__ for kind in kinds} == {"Period"}:  # of pandas: 2024-03
            values = [None if value is None else str(value) for value in values]
        if len(kinds) == 1:
            return pl.Series(name, values, strict=False)
        values = [value if value is None or isinstance(value, str) else str(value) for value in values]
    try:
        return pl.Series(name, values, dtype=None if kinds else pl.Null, strict=False)
    except UnicodeEncodeError:
        refuse_unstorable(values, f"Every value of column {name!r}")
        raise


def _text(value: Any) -> str | None:
    if _is_missing(value):
        return None
    return as_texts(np.array([value]))[0] if isinstance(value, float) else str(value)


def _is_missing(value: Any) -> bool:
    # pandas.NA is neither equal to itself nor different from itself.
    return value is None or type(value).__name__ in ("NAType", "NaTType") or value != value
