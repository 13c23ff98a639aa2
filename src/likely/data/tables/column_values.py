"""A column of a sheet as numbers, with NaN for missing ones, or as texts, with None."""

from collections.abc import Iterable

import numpy as np
import polars as pl

from likely.data.tables.cells import NOTHING, number

_DECIMAL_COMMA = r"^([+-]?\d*),(\d+(?:[eE][+-]?\d+)?)$"


def text_values(column: pl.Series, *, as_text: bool, decimal_commas: bool) -> np.ndarray:
    """The values of a column of a text format.

    Args:
        column: of texts.
        as_text: whether it stays text, even if it holds nothing but numbers.
        decimal_commas: whether 1,5 stands for 1.5.
    """
    if decimal_commas:
        column = column.str.replace(_DECIMAL_COMMA, "$1.$2")
    present = column.set(column.is_in(list(NOTHING)), None)
    if not as_text:
        numbers = _numbers(present)
        if numbers is not None:
            return numbers
    return _objects(present.to_list())


def _numbers(present: pl.Series) -> np.ndarray | None:
    """The numbers, if every value that is present is one as Python reads it."""
    numbers = present.cast(pl.Float64, strict=False)
    left = present.is_not_null() & numbers.is_null()
    if left.any():  # few kinds of numbers are left that Python knows, such as other digits
        try:
            read = {text: number(text) for text in present.filter(left).unique().to_list()}
        except ValueError:
            return None
        numbers = numbers.set(left, 0.0) + present.replace_strict(read, default=0.0, return_dtype=pl.Float64)
    return numbers.fill_null(np.nan).to_numpy().astype(np.float64)


def typed_values(column: pl.Series) -> np.ndarray | None:
    """The values of a column that has a type; None if nothing says how to learn from it.

    A structure of `bytes` and `path`, as Hugging Face writes images, gives the bytes, or without them the path.
    """
    kind = column.dtype
    if kind == pl.Null:
        return np.full(len(column), np.nan)
    if kind.is_numeric():
        return column.cast(pl.Float64).fill_null(np.nan).to_numpy().astype(np.float64)
    if kind == pl.Boolean:
        return _objects(None if value is None else str(value) for value in column.to_list())
    if isinstance(kind, pl.String | pl.Categorical | pl.Enum):
        texts = column.cast(pl.String).str.strip_chars()
        return _objects(texts.set(texts.is_in(list(NOTHING)), None).to_list())
    if kind == pl.Binary:
        return _objects(column.to_list())
    if isinstance(kind, pl.Struct) and {field.name for field in kind.fields} <= {"bytes", "path"}:
        rows = column.to_list()
        return _objects(None if v is None else v["bytes"] if v["bytes"] is not None else v.get("path") for v in rows)
    return None


def _objects(values: Iterable[object]) -> np.ndarray:
    listed = list(values)
    # Bytes of one length would become an array of characters.
    found = np.empty(len(listed), dtype=object)
    found[:] = listed
    return found
