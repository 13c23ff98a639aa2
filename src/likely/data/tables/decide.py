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
from likely.data.tables.number_text import (
    NEGATED,
    WITH_UNIT,
    Spelled,
    as_plain,
    decimal_mark,
    read_numbers,
    spelling_of,
    units_of,
)
from likely.data.tables.plain_numbers import may_be_grouped, plain_numbers
from likely.data.tables.sheet import Sheet
from likely.errors import DataError, within
from likely.preprocessing.column_reading import TIME, ColumnReading

SOME = 1_000  # rows and columns that tell how decimals are written
_LOOKS = r"^[+-]?[\d.,]*\d[\d.,]*(?:[eE][+-]?\d+)?$"
_STRAY_SHARE, _STRAY_KINDS, _LEAST_NUMBERS = 0.05, 3, 5
"""Words among numbers count as missing where they stand in at most this share of the rows, are so few different ones,
and there are at least so many different numbers beside them. Signs without letters and digits, such as -, always do."""
_SHARE_AMONG_MANY, _MANY_NUMBERS, _MANY_LABELS = 0.2, 10, 21
"""The share where there are so many different numbers; those of answers are more than classes may be."""
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
        return found._replace(notes=(*found.notes, *_numbers_as_text(texts, values, options, decimal, label=label)))
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


def _numbers_as_text(
    texts: pl.Series, values: pl.Series, options: ColumnOptions, decimal: Mark, *, label: bool
) -> list[str]:
    """What to say of a column of text, in a format that says so, all or most of which are numbers."""
    spelled, strays, looks = _numbers_among(values, texts, options, decimal, label=label)
    if spelled is None:
        return [f"Column {texts.name!r} holds {looks}."] if looks else []
    but = f", but for {strays[0]!r} in row {texts.is_in(strays.to_list()).arg_max()}" if len(strays) else ""
    number = f" (--number {shlex.quote(texts.name)})" if texts.name else ""
    return [f"Column {texts.name!r} holds numbers as text{but}: taken for names{number}."]


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
    if plain is not None and not may_be_compact(plain) and (decimal or not may_be_grouped(plain)):
        return Decided(ColumnReading("number"), values=plain)
    kinds = kinds_in(column)
    marks = NOTHING if options.missing is None else {"", *options.missing}
    if name not in options.numbers and are_words(kinds) and not kinds <= marks:
        return _category(_or_none(kinds), name, options, label)
    values = _present(column, options)
    if values.is_empty():
        if label and kinds & WORDS:
            return _category(_or_none(kinds), name, options, label)
        return Decided(ColumnReading("number", missing=options.missing))
    spelled, strays, looks = _numbers_among(values, column, options, decimal, label=label)
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


def _numbers_among(
    values: pl.Series, column: pl.Series, options: ColumnOptions, decimal: Mark, *, label: bool
) -> tuple[Spelled | None, pl.Series, str]:
    """How numbers are written, the other texts that count as missing, and what to say where those are too many."""
    spelled, looks, none = spelling_of(values, decimal), "", values.head(0)
    if spelled is not None:
        return spelled, none, ""
    ascii_ = as_plain(values)
    for pattern in (_LOOKS, WITH_UNIT):
        found = ascii_.str.contains(pattern)
        others, numbers = values.filter(~found), ascii_.filter(found).unique(maintain_order=True)
        inner = spelling_of(numbers, decimal)
        if inner is None and column.name in options.numbers and pattern == _LOOKS:
            inner = Spelled(ColumnReading("number", decimal or "."))
            others = values.filter(read_numbers(values, inner.reading).is_null())
        if inner is not None and column.name in options.numbers and not len(others):
            return inner, none, ""
        if inner is None or not len(others):
            continue
        if column.name in options.numbers or _few(others, len(numbers), column, label=label):
            return inner, others, ""
        looks = looks or _but_for(others, column)
    comma, point = (values.filter(ascii_.str.contains(rf"^[+-]?\d*{mark}\d+$")) for mark in ("\\.", ","))
    if not looks and len(comma) and len(point) and ascii_.str.contains(r"^[+-]?\d*[.,]?\d+$").all():
        looks = f"numbers with decimal points and commas, such as {comma[0]} and {point[0]}: it is read as text"
    return None, none, looks


def _present(column: pl.Series, options: ColumnOptions) -> pl.Series:
    """The different texts of a column, without those that mean a missing value."""
    marks = options.missing if options.missing is not None else tuple(NOTHING)
    return column.filter((column != "") & ~column.is_in(list(marks))).unique(maintain_order=True)


def _few(strays: pl.Series, numbers: int, column: pl.Series, *, label: bool) -> bool:
    """Whether texts among so many different numbers are so few that they count as missing."""
    words = strays.filter(strays.str.contains(r"[\p{L}\p{N}]"))
    if words.is_empty():
        return numbers >= (_LEAST_NUMBERS if label else 2)
    share = _SHARE_AMONG_MANY if numbers >= (_MANY_LABELS if label else _MANY_NUMBERS) else _STRAY_SHARE
    rows = int(column.is_in(words.to_list()).sum())
    few = rows <= max(1.0, share * float((column != "").sum()))
    return few and len(words) <= _STRAY_KINDS and numbers >= _LEAST_NUMBERS


def _but_for(strays: pl.Series, column: pl.Series) -> str:
    """What to say of a column of texts of which most are numbers; "" if they are not."""
    rows, total = int(column.is_in(strays.to_list()).sum()), int((column != "").sum())
    if 2 * rows > total:
        return ""
    more = f" and {len(strays) - 1:,} other text{'s' if len(strays) > 2 else ''}" if len(strays) > 1 else ""
    option = f"--missing {shlex.quote(','.join(strays))} or " if len(strays) <= _STRAY_KINDS else ""
    named = column.name and f"--number {shlex.quote(column.name)}"
    percent = f"{100 * rows / total:.2g}%"
    return f"numbers but for {strays[0]!r}{more} in {percent} of rows: it is read as text ({option}{named})"


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
        marks = options.missing if options.missing is not None else tuple(sorted(NOTHING))
        reading = replace(reading, missing=(*marks, *strays.to_list()))
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
