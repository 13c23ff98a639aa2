"""Columns of another file than the one that a model learned from, which may write numbers and dates otherwise."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import polars as pl

from likely.data.tables.cells import NOTHING
from likely.data.tables.column_options import Mark
from likely.data.tables.column_values import read_values
from likely.data.tables.date_column import dates_as_written
from likely.data.tables.decide import decimal_of
from likely.data.tables.number_text import spelling_of
from likely.data.tables.sheet import Sheet
from likely.data.tables.spelled_otherwise import BOOLEANS
from likely.preprocessing.column_reading import ColumnReading


class AsWritten(NamedTuple):
    """How a column of texts is read in this file, and whether it writes numbers as True and False."""

    reading: ColumnReading
    booleans: bool = False

    def read(self, column: pl.Series) -> tuple[np.ndarray, dict[int, str]]:
        """The values, as `read_values` gives them."""
        if self.booleans:
            column = column.str.strip_chars().str.to_lowercase().replace(BOOLEANS)
        return read_values(column, self.reading)


def read_as_written(column: pl.Series, reading: ColumnReading, decimal: Mark) -> tuple[np.ndarray, dict[int, str]]:
    """The values of a whole column of another file than the one that the reading was decided by.

    It may be written otherwise, with decimal commas for points: where texts are no numbers as they were written in
    training, and all are for sure as another file writes them, they are read so.
    """
    values, wrong = read_values(column, reading)
    if not _may_differ(column, reading) or not (wrong or _otherwise(column, reading, decimal)):
        return values, wrong
    return _as_written(_present(column, reading), reading, decimal).read(column)


def written_in(pieces: Callable[[], Iterator[Sheet]], readings: Mapping[str, ColumnReading]) -> dict[str, AsWritten]:
    """How the columns are written that are not read in every row as in training: one decision for all pieces.

    Args:
        pieces: gives the rows, some at a time, as often as it is called.
        readings: of training.
    """
    differ = set[str]()
    for sheet in pieces():
        for name in [n for n in sheet.frame.columns if n in readings and n not in differ]:
            column = sheet.frame.get_column(name)
            if _may_differ(column, readings[name]) and (
                _otherwise(column, readings[name], decimal_of(sheet)) or read_values(column, readings[name])[1]
            ):
                differ.add(name)
    if not differ:
        return {}
    found, decimal = dict[str, list[pl.Series]](), ""
    for sheet in pieces():
        for name in differ:
            found.setdefault(name, []).append(_present(sheet.frame.get_column(name), readings[name]))
        decimal = decimal_of(sheet)
    return {
        name: _as_written(pl.concat(texts).unique(maintain_order=True), readings[name], decimal)
        for name, texts in found.items()
    }


def _may_differ(column: pl.Series, reading: ColumnReading) -> bool:
    return reading.kind != "category" and isinstance(column.dtype, pl.String)


def _otherwise(column: pl.Series, reading: ColumnReading, decimal: Mark) -> bool:
    """Whether texts hold a decimal mark that has another meaning in this file: 3.265 beside 0,49."""
    return (
        reading.kind == "number"
        and reading.decimal in (".", ",")
        and decimal not in ("", reading.decimal)
        and column.str.contains(reading.decimal, literal=True).any()
    )


def _present(column: pl.Series, reading: ColumnReading) -> pl.Series:
    """The different texts of a column, without those that mean a missing value."""
    cells = column.str.strip_chars()
    marks = list(NOTHING if reading.missing is None else reading.missing)
    return cells.filter((cells != "") & ~cells.is_in(marks)).unique(maintain_order=True)


def _as_written(texts: pl.Series, reading: ColumnReading, decimal: Mark) -> AsWritten:
    """How these texts are read, all different ones of a column, of which some are not read as in training."""
    if reading.kind == "date":
        order = dates_as_written(texts, reading.dates)
        return AsWritten(replace(reading, dates=order) if order else reading)
    if texts.str.to_lowercase().is_in(list(BOOLEANS)).all():
        return AsWritten(reading, booleans=True)
    spelled = spelling_of(texts, decimal)
    if spelled is None or not spelled.sure:
        return AsWritten(reading)
    return AsWritten(replace(spelled.reading, missing=reading.missing, codes=reading.codes))
