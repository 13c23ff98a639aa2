"""From a sheet to a table: every column read as was decided for it, or as a model has stored."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from likely.data.tables.column_options import USUAL, ColumnOptions, Mark
from likely.data.tables.read_sheet import opened_table, read_sheet
from likely.data.tables.table import Table
from likely.preprocessing.column_reading import ColumnReading

if TYPE_CHECKING:
    from likely.data.tables.sheet import Sheet
    from likely.data.tables.written_otherwise import AsWritten

_OF_PLAIN_NUMBERS = (None, ColumnReading("number"), ColumnReading("number", decimal=".,"))


def read_table(path: str | Path, options: ColumnOptions = USUAL, label: str | None = None) -> Table:
    """The whole table, whose columns are what `likely.data.tables.decide` decides; arguments as of the others here."""
    return table_of_sheet(read_sheet(path, options, texts_of(options, label)), options, label)


def texts_of(
    options: ColumnOptions, label: str | None, stored: Mapping[str, ColumnReading] = MappingProxyType({})
) -> Callable[[str], bool]:
    """The columns whose texts are asked for, even if they are numbers.

    These are the answers, what is to be a category, and what a model has stored another reading of.
    """
    named = {label, *options.categories, *(n for n, reading in stored.items() if reading != ColumnReading("number"))}
    return lambda name: options.missing is not None or name in named or (options.decimal is not None and name in stored)


def table_of_sheet(
    sheet: "Sheet",
    options: ColumnOptions = USUAL,
    label: str | None = None,
    stored: Mapping[str, ColumnReading] = MappingProxyType({}),
) -> Table:
    """The columns of a whole sheet; those that a model has stored a reading of are read so, and not decided anew."""
    from likely.data.tables.decide import decide

    sheet = sheet.with_numbers(texts_of(options, label, stored))
    names = set(sheet.names)
    stored = {name: options.applied_to(reading) for name, reading in stored.items() if name in names}
    decided = decide(sheet, options, label, leave_out=stored)
    table = table_with_readings(
        sheet,
        {**{name: found.reading for name, found in decided.items()}, **stored},
        {name: found.values for name, found in decided.items() if found.values is not None},
        options.mark,
    )
    reasons = {name: found.reason for name, found in decided.items() if found.reason}
    notes = [*sheet.notes, *(note for found in decided.values() for note in found.notes)]
    written = None
    if label in table.columns and label in table.readings:
        from likely.data.tables.column_values import read_values

        marks = table.readings[label].missing
        as_written = ColumnReading("category", missing=marks)
        known = table.readings[label] == as_written
        written = table.columns[label] if known else read_values(sheet.frame[label], as_written)[0]
    unusable_ = {name: reasons.get(name, kind) for name, kind in table.unusable.items()}
    return replace(table, unusable=unusable_, notes=tuple(notes), written=written)


def table_pieces(
    path: str | Path,
    readings: Mapping[str, ColumnReading],
    others: ColumnReading | None = None,
    options: ColumnOptions = USUAL,
) -> Iterator[Table]:
    """The columns that have a reading, or hold images, some thousand rows at a time.

    Args:
        path: as of `read_sheet`.
        readings: by name, such as a model stores them.
        others: the reading of all other columns; None leaves them out.
        options: its encoding and heading.
    """
    from likely.data.tables.text_cells import TextCells
    from likely.data.tables.text_file import plain_columns, text_pieces
    from likely.data.tables.written_otherwise import written_in

    with opened_table(path, options) as source:
        if isinstance(source, TextCells):
            plain = plain_columns(source, lambda name: readings.get(name, others) not in _OF_PLAIN_NUMBERS)
            pieces = partial(text_pieces, source, plain)
        else:
            pieces = source
        first = list(islice(pieces(), 2))
        readings = {**({} if others is None else dict.fromkeys(first[0].names, others)), **readings}
        written = written_in(pieces, readings) if len(first) > 1 else None  # one piece is the whole table
        for sheet in pieces() if len(first) > 1 else first:
            yield table_with_readings(sheet, readings, written=written)


def table_with_readings(
    sheet: "Sheet",
    readings: Mapping[str, ColumnReading | None],
    known: Mapping[str, np.ndarray] = MappingProxyType({}),
    decimal: Mark = "",
    written: Mapping[str, "AsWritten"] | None = None,
) -> Table:
    """The columns of a sheet that have a reading, or hold images.

    Args:
        sheet: some or all rows.
        readings: by name.
        known: values that have been read.
        decimal: what stands before decimals; "" where the rows tell it.
        written: how the columns are written that are not as their readings say; None where the rows tell it.
    """
    from likely.data.tables.column_values import can_be_read, images_of
    from likely.data.tables.decide import decimal_of
    from likely.data.tables.written_otherwise import AsWritten, read_as_written

    columns, wrong, others = dict[str, np.ndarray](), dict[str, dict[int, str]](), dict[str, str]()
    sheet = sheet.with_numbers(lambda name: name in known or readings.get(name) != ColumnReading("number"))
    if (
        not decimal
        and written is None
        and any(r is not None and r.kind != "category" for name, r in readings.items() if name not in known)
    ):
        decimal = decimal_of(sheet)
    for name in sheet.names:
        if name in known or name in sheet.numbers:
            if name in readings:
                columns[name] = known[name] if name in known else sheet.numbers[name]
            continue
        column, reading = sheet.frame.get_column(name), readings.get(name)
        if (images := images_of(column)) is not None:
            columns[column.name] = images
        elif reading is not None and can_be_read(column.dtype, reading):
            if written is None:
                columns[column.name], texts = read_as_written(column, reading, decimal)
            else:
                columns[column.name], texts = written.get(name, AsWritten(reading)).read(column)
            if texts:
                wrong[column.name] = texts
        elif column.name in readings:
            others[column.name] = str(column.dtype)
    used = {name: reading for name, reading in readings.items() if reading is not None}
    return Table(sheet.where, columns, others, used, wrong, notes=sheet.notes)
