"""Whether a column of texts holds dates, in which order, and which of its texts stand for missing ones."""

import re
import shlex
from datetime import date

import numpy as np
import polars as pl

from likely.data.tables.cells import NOTHING
from likely.data.tables.date_text import (
    AMBIGUOUS,
    MIXED,
    date_order,
    is_date,
    read_dates,
    read_times,
    some_zones,
    two_orders,
)
from likely.preprocessing.column_reading import TIME, ColumnReading

_CALLED = re.compile(r"(?i)dat(?:e|um)|(?:^|[^a-z])(?:day|tag|time|when|dt|ymd)(?:$|[^a-z])|(?:day|time)s?$")
_LIKE_DATES = (
    r"(?i)^(?:(?:19|20)\d\d[-/ .]?[QWH]\d{1,2}(?:-\d)?|[QWH]\d{1,2}[-/ .]?(?:19|20)\d\d|(?:\d{1,2}[-/ .]+)?"
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?[-/ .']*\d{1,4}|"
    r"\d{1,2}[-/ .]+(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*|"
    r"(?:19|20)\d\d-[0-3]\d\d|.*\b(?:19|20)\d\d\b.* \d{1,2}:\d\d\b.*|.* \d{1,2}:\d\d\b.*\b(?:19|20)\d\d)$"
)
"""Quarters, weeks, days or months without the year, days of the year, and what holds a year and a time."""
_STRAY_SHARE, _STRAY_KINDS, _LEAST_DATES = 0.2, 10, 3
"""Texts among dates count as missing where they stand in at most this share of the rows, are so few different ones, and
there are at least so many different dates beside them."""
_STRAYS_OF_NO_DATES = 0.8  # a larger share of other texts makes a column of names
_SENTINELS = (date(9999, 12, 31), date(1900, 1, 1), date(1970, 1, 1))
"""Dates that stand for none, where they recur and lie further from all others than those from each other."""

Decision = tuple[ColumnReading | None, tuple[str, ...], str]


def may_be_compact(numbers: np.ndarray) -> bool:
    """Whether all of these numbers may be dates such as 20230429; quick where the first one is none."""
    if not len(numbers) or not 19000101 <= np.nan_to_num(numbers[0], nan=20000101) <= 21001231:
        return False
    present = numbers[~np.isnan(numbers)]
    return bool(len(present) and present.min() >= 19000101 and present.max() <= 21001231)


def is_compact(values: pl.Series) -> bool:
    """Whether these different texts are whole numbers that look like dates, as 20230429 does."""
    return len(values) > 1 and read_dates(values, "Ymd").null_count() <= _STRAY_SHARE * len(values)


def called_like_dates(name: str) -> bool:
    """Whether a column is called like one of dates.

    Example:
        >>> [called_like_dates(name) for name in ("birth_date", "Datum", "dayOff", "amount")]
        [True, True, False, False]
    """
    return bool(_CALLED.search(name))


def date_column(column: pl.Series, values: pl.Series, missing: tuple[str, ...] | None) -> Decision | None:
    """How a column of dates is read, or None and why not, with what to say; None where it holds none.

    Args:
        column: of texts.
        values: its different texts, without missing ones.
        missing: the texts that were said to be missing; None for the usual ones.
    """
    name, quoted = column.name, shlex.quote(column.name)
    compact = is_compact(values)
    real = read_dates(values, "Ymd").is_not_null() if compact else is_date(values)
    times = read_times(values).is_not_null()
    if of_day := bool(times.sum() > real.sum()):
        real = times
    dates, strays = values.filter(real), values.filter(~real)
    if dates.is_empty() and values.str.contains(r"^\d{1,2}\.?[ -]\p{L}{3,}\.?,?[ -]\d{4}$").all():
        note = (
            f"Column {name!r} holds texts such as {values[0]}, dates whose months are not known by name: it is "
            f"ignored. Write them like 2023-04-29, or try --category {quoted}."
        )
        return None, (note,), "dates whose months are not known by name"
    if dates.is_empty() or (len(strays) and len(dates) < _LEAST_DATES):
        return None
    notes, what = list[str](), "times" if of_day else "dates"
    if len(strays):
        rows = column.is_in(strays.to_list())
        count, known = int(rows.sum()), int(column.is_in(values.to_list()).sum())
        if count > _STRAYS_OF_NO_DATES * known:
            return None
        said = f"Column {name!r} holds {what}, but {strays[0]!r} in row {rows.arg_max()}" + (
            f" and other texts in {count - 1:,} more rows" if len(strays) > 1 else f" and {count - 1:,} more rows"
        ) * (count > 1)
        if count > max(1.0, _STRAY_SHARE * known) or len(strays) > _STRAY_KINDS:
            return (
                None,
                (f"{said}: it is ignored (--missing says which texts are missing, --category {quoted}: as names).",),
                f"{what} beside other texts",
            )
        notes.append(f"{said}: taken as missing (--category {quoted}: all of them as names).")
        missing = (*(tuple(sorted(NOTHING)) if missing is None else missing), *strays.to_list())
    if of_day:
        return ColumnReading("date", missing=missing, dates=TIME), tuple(notes), ""
    order = date_order(dates, compact=compact)
    if order == AMBIGUOUS:
        note = (
            f"Column {name!r} holds dates such as {dates[0]}, of which day and month can't be told apart: it is "
            f"ignored. Write the year first, or try --category {quoted}."
        )
        return None, (note,), "dates of which day and month can't be told apart"
    if order == MIXED:
        one, other = two_orders(dates)
        note = (
            f"Column {name!r} holds dates in two orders, such as {one} and {other}: it is ignored. Write the year "
            f"first in all of them, or try --category {quoted}."
        )
        return None, (note,), "dates in two orders"
    if "y" in order:
        notes.append(f"Column {name!r}: years of two digits, as in {dates[0]}, are those from 1970 to 2069.")
    if bare := some_zones(dates):
        notes.append(f"Column {name!r} has dates with and without a time zone, such as {bare}: these are taken as UTC.")
    for sentinel, count in _sentinels(read_dates(column.str.strip_chars(), order)):
        texts = dates.filter(read_dates(dates, order).dt.date() == sentinel).to_list()
        missing = (*(tuple(sorted(NOTHING)) if missing is None else missing), *texts)
        notes.append(
            f"Column {name!r}: {texts[0]}, in {count:,} rows, lies far from all other dates, and is taken for a "
            "missing one."
        )
    return ColumnReading("date", missing=missing, dates=order), tuple(notes), ""


def dates_among_texts(column: pl.Series, values: pl.Series) -> str:
    """What to say of a column of texts that may be dates: of a form that is not read, or too few to be sure; or ""."""
    if len(values) > 1 and values.str.contains(_LIKE_DATES).all():
        return f"texts such as {values[0]!r} that look like dates: it is read as text. Write them like 2024-03-01"
    dates = values.filter(is_date(values))
    if dates.is_empty() or 2 * column.is_in(dates.to_list()).sum() < (column != "").sum():
        return ""
    other = values.filter(~values.is_in(dates.to_list()))[0]
    return f"dates such as {dates[0]} beside {other!r}: it is read as text (--missing {shlex.quote(other)}: as dates)"


def dates_as_written(values: pl.Series, order: str) -> str:
    """The order of dates that are not written as in training; "" where they may be, or nothing is certain."""
    if order == TIME:
        return ""
    dates = values.filter(is_date(values) | read_dates(values, "Ymd").is_not_null())
    found = date_order(dates, compact=True)
    return "" if found in (AMBIGUOUS, MIXED, order) else found


def _sentinels(moments: pl.Series) -> list[tuple[date, int]]:
    days = moments.drop_nulls().dt.date()
    others = days.filter(~days.is_in(list(_SENTINELS)))
    if others.n_unique() < 2:
        return []
    dates: list[date] = others.sort().to_list()
    first, last, found = dates[0], dates[-1], list[tuple[date, int]]()
    for sentinel in _SENTINELS:
        count = int((days == sentinel).sum())
        if count >= max(3, len(days) / 100) and max(first - sentinel, sentinel - last) > last - first:
            found.append((sentinel, count))
    return found
