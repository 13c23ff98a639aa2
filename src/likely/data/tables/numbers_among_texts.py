"""Numbers among texts: how they are written, and which few texts beside them stand for a missing value."""

import shlex

import polars as pl

from likely.data.tables.column_options import ColumnOptions, Mark
from likely.data.tables.number_text import WITH_UNIT, Spelled, as_plain, read_numbers, spelling_of
from likely.preprocessing.column_reading import ColumnReading

_LOOKS = r"^[+-]?[\d.,]*\d[\d.,]*(?:[eE][+-]?\d+)?$"
_STRAY_SHARE, _STRAY_KINDS, _LEAST_NUMBERS = 0.05, 3, 5
"""Words among numbers count as missing where they stand in at most this share of the rows, are so few different ones,
and there are at least so many different numbers beside them. Signs without letters and digits, such as -, always do."""
_SHARE_AMONG_MANY, _MANY_NUMBERS, _MANY_LABELS = 0.2, 10, 21
"""The share where there are so many different numbers; those of answers are more than classes may be."""


def numbers_among(
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
