"""The values of a column of a sheet, as its reading says: numbers, texts or moments."""

import re
from dataclasses import replace
from decimal import Decimal

import numpy as np
import polars as pl

from likely.data.tables.cells import NOTHING, as_objects, as_texts
from likely.data.tables.date_text import date_order, read_dates, read_times
from likely.data.tables.number_text import read_numbers
from likely.data.tables.plain_numbers import plain_numbers
from likely.preprocessing.column_reading import TIME, ColumnReading

_PLAIN = ColumnReading("number")
_FOR_SURE = re.compile(r"[+-]?(?:0|[1-9]\d*)(?:\.\d+)?|\d{4}-\d\d-\d\d.*|\d\d?:\d\d.*")  # numbers, dates, times
_SHORT = 2_000  # rows
_BLANKS = "".join(
    map(chr, [*range(9, 14), 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000])
)
"""What polars strips."""


def read_values(column: pl.Series, reading: ColumnReading) -> tuple[np.ndarray, dict[int, str]]:
    """The values, shape (n,), and the texts that are none, by their row.

    Numbers are float64 with NaN where one is missing, texts objects with None, moments datetime64[us] with NaT, times
    without a date timedelta64[us] with NaT.
    """
    if isinstance(column.dtype, pl.Categorical | pl.Enum):
        column = column.cast(pl.String)
    if reading.kind == "category":
        return _texts(column, reading), {}
    if reading.dates == "Ymd" and column.dtype.is_numeric():
        column = column.cast(pl.Int64).cast(pl.String)
    if not isinstance(column.dtype, pl.String):
        return _without_marks(_typed(column, reading), reading), {}
    if reading == _PLAIN and (numbers := plain_numbers(column)) is not None:
        return numbers, {}
    cells = column.str.strip_chars()
    marks = NOTHING if reading.missing is None else reading.missing
    present = cells.is_not_null() & (cells != "") & ~cells.is_in(list(marks))
    if reading.kind == "number":
        found = read_numbers(cells, reading)
    elif reading.dates == TIME:
        found = read_times(cells)
    else:  # a column that was of dates already, not of texts, has no order
        found = read_dates(cells, reading.dates or date_order(cells.filter(present)))
    wrong = present & found.is_null()
    texts = dict(zip(wrong.arg_true().to_list(), cells.filter(wrong).to_list(), strict=True))
    found = found.set(~present.fill_null(value=False), None)
    if reading.kind == "date":
        return found.to_numpy().astype("timedelta64[us]" if reading.dates == TIME else "datetime64[us]"), texts
    return _without_marks(_without_codes(found, reading), reading), texts


def can_be_read(kind: pl.DataType, reading: ColumnReading) -> bool:
    """Whether a column of this type can hold what the reading says."""
    if isinstance(kind, pl.String | pl.Categorical | pl.Enum | pl.Null):
        return True
    if reading.kind == "date":
        if reading.dates == TIME:
            return isinstance(kind, pl.Time)
        return isinstance(kind, pl.Date | pl.Datetime) or (reading.dates == "Ymd" and kind.is_numeric())
    if reading.kind == "number":
        return kind.is_numeric() or isinstance(kind, pl.Boolean | pl.Duration)
    return not (kind.is_nested() or isinstance(kind, pl.Binary | pl.Object))


def _typed(column: pl.Series, reading: ColumnReading) -> np.ndarray:
    """Numbers or moments of a column that says that it holds some."""
    if reading.dates == TIME and not isinstance(column.dtype, pl.Null):
        return (column.cast(pl.Int64) // 1000).to_numpy().astype("timedelta64[us]")
    if reading.kind == "date":
        if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is not None:
            column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return column.cast(pl.Datetime("us")).to_numpy().astype("datetime64[us]")
    if isinstance(column.dtype, pl.Duration):
        return _without_codes(column.dt.total_microseconds() / 1e6, reading)
    return _without_codes(column.cast(pl.Float64), reading)


def _without_codes(numbers: pl.Series, reading: ColumnReading) -> np.ndarray:
    found = np.array(numbers.fill_null(np.nan).to_numpy(), dtype=np.float64)
    if reading.codes:
        found[np.isin(found, reading.codes)] = np.nan
    return found


def _without_marks(found: np.ndarray, reading: ColumnReading) -> np.ndarray:
    """Numbers or moments without those that are written like a missing value."""
    texts = [mark for mark in reading.missing or () if _FOR_SURE.fullmatch(mark)]
    if not texts:
        return found
    bare = replace(reading, missing=(), codes=())
    marks = np.concatenate([read_values(pl.Series([text]), bare)[0] for text in texts])
    return np.where(np.isin(found, marks[~np.isnan(marks)]), np.array(None, found.dtype), found)


def _texts(column: pl.Series, reading: ColumnReading) -> np.ndarray:
    as_they_are = isinstance(column.dtype, pl.String)
    texts = column if as_they_are else pl.Series(_as_texts(column, reading).tolist(), dtype=pl.String)
    none = {"", *(NOTHING if reading.missing is None else reading.missing)}
    if len(texts) <= _SHORT:
        cells = [(text or "").strip(_BLANKS) for text in texts.to_list()]
        return as_objects(None if text in none else text for text in cells)
    texts = texts.fill_null("").str.strip_chars()
    kinds = texts.unique()
    if 2 * len(kinds) > len(texts):
        return as_objects(None if text in none else text for text in texts.to_list())
    # Each text is one object, however many rows hold it.
    numbers = texts.replace_strict(kinds, pl.Series(np.arange(len(kinds))), return_dtype=pl.Int64).to_numpy()
    return as_objects(None if text in none else text for text in kinds.to_list())[numbers]


def _as_texts(column: pl.Series, reading: ColumnReading) -> np.ndarray:
    kind = column.dtype
    if isinstance(kind, pl.Boolean):
        return as_objects(None if value is None else str(value) for value in column.to_list())
    if kind.is_float() or isinstance(kind, pl.Decimal):
        if kind == pl.Float32:  # 0.1, not 0.10000000149011612
            column = column.cast(pl.String)
        texts = as_texts(_without_codes(column.cast(pl.Float64), reading))
        if isinstance(kind, pl.Decimal):  # as written where float64 holds another number
            exact = column.to_list()
            return as_objects(
                text if text is None or Decimal(text) == number else str(number)
                for text, number in zip(texts, exact, strict=True)
            )
        return texts
    if isinstance(kind, pl.Datetime):
        return as_texts(_typed(column, ColumnReading("date")))
    return as_objects(column.cast(pl.String).str.strip_chars().to_list())


def images_of(column: pl.Series) -> np.ndarray | None:
    """The bytes or paths of a column of images; None if it holds something else.

    A structure of `bytes` and `path`, as Hugging Face writes images, gives the bytes, or without them the path.
    """
    kind = column.dtype
    if isinstance(kind, pl.Binary):
        return as_objects(column.to_list())
    names = {field.name for field in kind.fields} if isinstance(kind, pl.Struct) else set[str]()
    if names and names <= {"bytes", "path"}:
        rows = ({} if v is None else v for v in column.to_list())
        return as_objects(v.get("path") if v.get("bytes") is None else v["bytes"] for v in rows)
    return None
