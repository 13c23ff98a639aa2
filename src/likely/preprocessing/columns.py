"""The columns of a table of numbers and categories, and which values they may hold."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from likely.errors import DataError, ShapeError
from likely.preprocessing.column_reading import ColumnReading


@dataclass(frozen=True)
class Column:
    """One column of a table; in a matrix of rows its missing values are NaN, its categories numbers 0, 1, ...

    Args:
        name: as in the table.
        categories: the texts that the column may hold, in the order of their numbers; None for a column of numbers.
        missing: whether values may be missing, because some are in the table that was learned from.
        reading: how its cells become values; None in models of before, which read numbers and texts in one way.
        part: of the dates that it holds, such as "year"; then `source` is the column in the table.
        source: the column in the table, where it has another name.
    """

    name: str
    categories: tuple[str, ...] | None = None
    missing: bool = False
    reading: ColumnReading | None = None
    part: str = ""
    source: str = ""

    @property
    def table_column(self) -> str:
        """The name of the column in a table."""
        return self.source or self.name

    @property
    def how_read(self) -> ColumnReading:
        """How the column of a table is read."""
        usual = ColumnReading("number", decimal=".,") if self.categories is None else ColumnReading("category")
        return self.reading or usual

    def to_json(self) -> dict[str, Any]:
        """Plain values that `from_json` makes an equal column of."""
        categories = None if self.categories is None else list(self.categories)
        more: dict[str, Any] = {"part": self.part, "source": self.source} if self.part else {}
        if self.reading is not None:
            more["reading"] = self.reading.to_json()
        return {"name": self.name, "categories": categories, "missing": self.missing, **more}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Column":
        """The column that `to_json` gave the values of; raises ValueError, KeyError or TypeError for others."""
        name, categories, missing = values["name"], values["categories"], values["missing"]
        part, source, reading = values.get("part", ""), values.get("source", ""), values.get("reading")
        unknown = set(values) - {"name", "categories", "missing", "reading", "part", "source"}
        are_texts = all(isinstance(text, str) for text in (name, *(categories or ()), part, source))
        if unknown or not are_texts or not isinstance(missing, bool):
            raise ValueError(f"column {name!r}")
        read = None if reading is None else ColumnReading.from_json(reading)
        return cls(name, None if categories is None else tuple(categories), missing, read, part, source)


def input_width(columns: Sequence[Column]) -> int:
    """How many inputs a network has for rows of these columns.

    Example:
        >>> input_width([Column("size", missing=True), Column("color", ("blue", "red"))])
        4
    """
    return sum((1 if c.categories is None else len(c.categories)) + c.missing for c in columns)


def check_values(rows: np.ndarray, columns: Sequence[Column]) -> np.ndarray:
    """The rows as float64, if they are rows of these columns; errors as of `ColumnPreprocessor.check`."""
    if rows.ndim != 2 or rows.shape[1] != len(columns):
        names = ", ".join(repr(column.name) for column in columns[:20]) + (", ..." if len(columns) > 20 else "")
        raise ShapeError(
            f"X must have shape (n, {len(columns)}), one column for each of {names}; got shape {rows.shape}. Check the "
            "columns."
        )
    if rows.dtype.kind not in "fiub":
        raise ShapeError(f"X must be real numbers, categories as their numbers; got dtype {rows.dtype}. Encode them.")
    rows = rows.astype(np.float64, copy=False)
    for j, column in enumerate(columns):
        wrong = np.flatnonzero(_wrong(rows[:, j], column))
        if len(wrong):
            raise DataError(refusal(column, rows[wrong[0], j], f"row {wrong[0]}"))
    return rows


def check_numbers(rows: np.ndarray, d: int) -> np.ndarray:
    """The rows as float64, if they are finite numbers in d columns; errors as of `ColumnPreprocessor.check`."""
    if rows.ndim != 2 or rows.shape[1] != d:
        raise ShapeError(
            f"X must have shape (n, {d}) like the rows learned from; got shape {rows.shape}. Check the columns."
        )
    if rows.dtype.kind not in "fiub":
        raise ShapeError(f"X must be real numbers; got dtype {rows.dtype}. Try X.astype(float).")
    rows = rows.astype(np.float64, copy=False)
    if not np.isfinite(rows).all():
        row, column = (int(i) for i in np.argwhere(~np.isfinite(rows))[0])
        raise DataError(f"X must be finite; got {rows[row, column]} at row {row}, column {column}. Fill or drop it.")
    return rows


def refusal(column: Column, value: float, where: str) -> str:
    """Why the column cannot hold the value."""
    what = f"Column {column.table_column!r} must"
    if column.categories is not None:
        n = len(column.categories)
        return f"{what} hold numbers of its {n} categories, or NaN; got {value} in {where}. Encode text as in training."
    if math.isnan(value):
        return f"{what} have a value in every row; got none in {where}. No value was missing in training. Fill it in."
    return f"{what} have finite numbers; got {value} in {where}. Fill or drop it."


def _wrong(values: np.ndarray, column: Column) -> np.ndarray:
    """Which values the column cannot hold."""
    if column.categories is None:
        return np.isinf(values) if column.missing else ~np.isfinite(values)
    return ~np.isnan(values) & ~np.isin(values, np.arange(len(column.categories)))
