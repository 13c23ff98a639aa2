"""What each column of a sheet holds: numbers, categories or dates, and how they are written there.

A text format says nothing about its columns: each is what all of its cells are. Typed formats and frames say it
themselves. What is not certain is said in a note, with the option that decides it; what may mean two numbers is
refused.
"""

import shlex
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import polars as pl

from likely.data.tables.cells import NOTHING, WORDS, are_words, kinds_in
from likely.data.tables.column_options import ColumnOptions, Mark
from likely.data.tables.column_values import read_values
from likely.data.tables.date_column import (
    called_like_dates,
    date_column,
    dates_among_texts,
    is_compact,
    may_be_compact,
)
from likely.data.tables.missing_codes import may_hold_codes, without_codes
from likely.data.tables.number_blocks import number_blocks
from likely.data.tables.number_text import NEGATED, Spelled, as_plain, decimal_mark, units_of
from likely.data.tables.numbers_among_texts import numbers_among
from likely.data.tables.plain_numbers import ends_like_thousands, may_be_grouped, plain_numbers
from likely.data.tables.points_in_doubt import points_in_doubt
from likely.data.tables.sheet import Sheet
from likely.errors import DataError, within
from likely.preprocessing.column_reading import TIME, ColumnReading

SOME = 1_000  # rows and columns that tell how decimals are written
_MOST_UNITS = 5


class Decided(NamedTuple):
    """How one column is read, None where it can't be; what is to be said of it; why it can't be read, if so; and its
    values, as far as they were read to decide.
    """

    reading: ColumnReading | None
    notes: tuple[str, ...] = ()
    reason: str = ""
    values: np.ndarray | None = None


def decide(
    sheet: Sheet, options: ColumnOptions, label: str | None = None, leave_out: Collection[str] = ()
) -> dict[str, Decided]:
    """How each column is read.

    Args:
        sheet: all rows.
        options: what was said of the columns.
        label: the column of answers, whose texts are all labels.
        leave_out: columns that are not asked about.
    Raises:
        DataError: if an option names a column that is not there, or a column's commas may mean two things.
    """
    options.check(sheet.names, sheet.where, label)
    decimal = options.mark or decimal_of(sheet)
    how, left_out = (_of_type if sheet.separator is None else _of_text), {*options.ignore} - {label} | {*leave_out}
    plain_reading = ColumnReading("number")
    decided = {
        name: Decided(plain_reading, values=sheet.numbers[name])
        if name in sheet.numbers
        else how(sheet.frame.get_column(name), sheet.where, options, decimal, name == label)
        for name in sheet.names
        if name not in left_out
    }
    if not decimal and sheet.separator is not None:
        decimals = {
            name: found.values
            for name, found in decided.items()
            if found.values is not None
            and name not in sheet.numbers
            and (found.reading and (found.reading.decimal, found.reading.thousands)) == (".", "")
        }
        for name, note in points_in_doubt(sheet, decimals).items():
            decided[name] = decided[name]._replace(notes=(*decided[name].notes, note))
    stay = {label, *options.numbers}
    plain = {n: found.values for n, found in decided.items() if found.values is not None and n not in stay}
    for names, block in number_blocks(plain):
        for j in np.flatnonzero(may_hold_codes(block)).tolist():
            decided[names[j]] = _with_codes(decided[names[j]], block[j], names[j])
    return decided


def decimal_of(sheet: Sheet) -> Mark:
    """What stands before decimals in a text, where some of its columns tell and all of them agree; else ""."""
    if sheet.separator is None or sheet.decimal is not None:
        return sheet.decimal or ""
    found: set[Mark] = {decimal_mark(column.to_list()) for column in sheet.frame[:SOME, :SOME].iter_columns()}
    found.discard("")
    return found.pop() if len(found) == 1 else ""


def _of_type(column: pl.Series, where: str, options: ColumnOptions, decimal: Mark, label: bool) -> Decided:
    kind, name = column.dtype, column.name
    if isinstance(kind, pl.String | pl.Categorical | pl.Enum):
        texts = column.cast(pl.String)
        if name in options.numbers:
            return _of_text(texts.fill_null(""), where, options, decimal, label)
        kinds = kinds_in(texts)
        found = _category(kinds, name, options, label)
        if name in options.categories or not isinstance(kind, pl.String) or are_words(kinds):
            return found
        texts = texts.fill_null("").str.strip_chars()
        values = _present(texts, options)
        if values.is_empty():
            return found
        if not label and (dates := date_column(texts, values, options.missing)):
            return Decided(*dates)
        spelled, strays, looks = numbers_among(values, texts, options, decimal, label=label)
        words = [*strays, *sorted(_marks(options).intersection(texts.unique()) - {""})]
        if spelled is not None and words and spelled.reading == ColumnReading("number"):
            # Numbers would be of a type of numbers, were it not for these words.
            return _number(spelled, pl.Series(words), texts, where, options, label)
        if spelled is not None:
            number = f" (--number {shlex.quote(name)})" if name else ""
            looks = f"numbers as text: taken for names{number}"
        return found._replace(notes=(*found.notes, f"Column {name!r} holds {looks}.")) if looks else found
    if name in options.categories or kind == pl.Boolean or (label and kind.is_temporal() and kind != pl.Duration):
        return Decided(ColumnReading("category", missing=options.missing))
    if name not in options.numbers and (what := _beyond_float64(column)):
        said = (
            "" if label else f"Column {name!r} holds {what}, which are taken for names (--number {shlex.quote(name)})."
        )
        return Decided(ColumnReading("category", missing=options.missing), (said,) if said else ())
    if kind.is_numeric() or isinstance(kind, pl.Null | pl.Duration):
        reading = ColumnReading("number", missing=options.missing)
        return Decided(reading, values=read_values(column, reading)[0])
    if isinstance(kind, pl.Date | pl.Datetime):
        return Decided(ColumnReading("date", missing=options.missing))
    if kind == pl.Time:
        return Decided(ColumnReading("date", missing=options.missing, dates=TIME))
    return Decided(None, reason=str(kind))


def _beyond_float64(column: pl.Series) -> str:
    """What a column holds that float64 would change or merge; "" for nothing."""
    if column.dtype.is_integer():
        # Integers are compared as such: 2^53 + 1 would round to 2^53.
        ends = (column.min(), column.max())
        return "whole numbers beyond 2^53" if any(isinstance(n, int) and abs(n) > 2**53 for n in ends) else ""
    if isinstance(column.dtype, pl.Decimal):
        kinds = column.drop_nulls().unique()
        return "decimals that float64 can't tell apart" if kinds.cast(pl.Float64).n_unique() < len(kinds) else ""
    return ""


def _of_text(column: pl.Series, where: str, options: ColumnOptions, decimal: Mark, label: bool) -> Decided:
    name = column.name
    if name in options.categories:
        return _category(_or_none(kinds_in(column)), name, options, label)
    plain = plain_numbers(column, decimal) if options.missing is None else None
    if (
        plain is not None
        and not may_be_compact(plain)
        and (decimal or not may_be_grouped(plain, zeros=ends_like_thousands(column).any()))
    ):
        return Decided(ColumnReading("number"), values=plain)
    kinds = kinds_in(column)
    if name not in options.numbers and are_words(kinds) and not kinds <= _marks(options):
        return _category(_or_none(kinds), name, options, label)
    values = _present(column, options)
    if values.is_empty():
        if label and kinds & WORDS:
            return _category(_or_none(kinds), name, options, label)
        return Decided(ColumnReading("number", missing=options.missing))
    spelled, strays, looks = numbers_among(values, column, options, decimal, label=label)
    compact = not label and name not in options.numbers and is_compact(values)
    if (
        not label
        and (spelled is None or (compact and called_like_dates(name)))
        and (found := date_column(column, values, options.missing))
    ):
        return Decided(*found)
    if spelled is not None:
        found = _number(spelled, strays, column, where, options, label)
        like_dates = (
            f"Column {name!r}: numbers such as {values[0]} look like dates; learned from as numbers. Write 2023-04-29."
        )
        return found._replace(notes=(*found.notes, like_dates)) if compact else found
    found = _category(_or_none(kinds), name, options, label)
    units = units_of(values)
    if not label and not looks:
        looks = dates_among_texts(column, values)
    if 1 < len(units) <= _MOST_UNITS:
        listed = " and ".join(repr(unit) if unit else "none" for unit in units)
        looks = f"numbers in different units, {listed}: it is read as text. Write all of them in one unit"
    return found._replace(notes=(*found.notes, f"Column {name!r} holds {looks}.")) if looks else found


def _present(column: pl.Series, options: ColumnOptions) -> pl.Series:
    """The different texts of a column, without those that mean a missing value."""
    return column.filter(~column.is_in(list(_marks(options)))).unique(maintain_order=True)


def _marks(options: ColumnOptions) -> set[str]:
    """The texts that mean a missing value among numbers and dates."""
    return {"", *(NOTHING if options.missing is None else options.missing)}


def _number(
    spelled: Spelled, strays: pl.Series, column: pl.Series, where: str, options: ColumnOptions, label: bool
) -> Decided:
    name, reading = column.name, spelled.reading
    if not spelled.sure:
        raise DataError(
            f"Column {name!r} of {within(where)} must hold numbers that can be read in one way; got "
            f"{spelled.example!r}, whose comma may stand before decimals or between thousands. Try --decimal point or "
            "--decimal comma (decimal= in Python)."
        )
    notes = list[str]()
    if reading.thousands:
        shown = spelled.example or column.filter(column.str.contains(reading.thousands, literal=True))[0]
        notes.append(f"Column {name!r}: {reading.thousands!r} separates thousands, as in {shown} (--decimal decides).")
    if reading.unit:
        notes.append(f"Column {name!r} is read as numbers, without {reading.unit!r}.")
    if (negative := column.filter(column.str.contains(NEGATED))).len() and name not in options.numbers:
        value = as_plain(negative)[0]
        notes.append(f"Column {name!r}: {negative[0]} is read as {value} (--category {shlex.quote(name)}: as names).")
    if len(strays):
        there = column.is_in(strays.to_list())
        row, count = int(there.arg_max() or 0), int(there.sum())
        others = "the same text" if len(strays) == 1 else "other texts"
        more = f" and {others} in {count - 1:,} more row{'s' if count > 2 else ''}" if count > 1 else ""
        asked = name in options.numbers or not name
        option = "" if asked else f" (--category {shlex.quote(name)}: all of them as names)"
        notes.append(
            f"Column {name!r} holds numbers, but {column[row]!r} in row {row}{more}: taken as missing{option}."
        )
        reading = replace(reading, missing=tuple(sorted({*_marks(options), *strays})))
    elif options.missing is not None:
        reading = replace(reading, missing=options.missing)
    return Decided(reading, tuple(notes), values=read_values(column, reading)[0])


def _with_codes(decided: Decided, values: np.ndarray, name: str) -> Decided:
    """The reading of numbers with the codes that stand for missing values, such as -999."""
    if decided.reading is None:
        return decided
    values, codes, notes = without_codes(values, name)
    if not notes:
        return decided
    return Decided(replace(decided.reading, codes=codes), (*decided.notes, *notes), values=values)


def _or_none(kinds: Iterable[str | None]) -> set[str | None]:
    """Texts of a text format, where an empty one is nothing."""
    return {text or None for text in kinds}


def _category(kinds: Collection[str | None], name: str, options: ColumnOptions, label: bool) -> Decided:
    """A column of names, of these kinds; None where nothing is."""
    if options.missing is not None:
        return Decided(ColumnReading("category", missing=options.missing))
    words = sorted(WORDS.intersection(text.strip() for text in kinds if text is not None))
    others = tuple(sorted(NOTHING - WORDS))
    if label or not words:
        return Decided(ColumnReading("category", missing=others if label else None))
    listed, one = ", ".join(words), len(words) == 1
    if None in kinds:
        are = "is a category" if one else "are categories"
        return Decided(
            ColumnReading("category", missing=others),
            (f"Column {name!r}: {listed} {are} beside empty cells (--missing {','.join(words)}: missing values).",),
        )
    are = "is taken for a missing value" if one else "are taken for missing values"
    return Decided(
        ColumnReading("category"),
        (f"Column {name!r}: {listed} {are} (--missing says which texts are).",),
    )
