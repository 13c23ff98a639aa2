"""Numbers as people write them: decimal points and commas, thousands, units; decided by whole columns.

A column is one of numbers only if that is sure: 007, 1E3 among whole numbers, and whole numbers beyond 2^53, which
float64 can't tell apart, are names of something.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

import polars as pl

from likely.preprocessing.column_reading import ColumnReading

_PLAIN = r"^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|(?i:inf|infinity))$"
_LEADING_ZERO, _CODE, _LONG = r"^[+-]?0\d", r"^\d+[eE]\d+$", r"^[+-]?\d{16,}$"
_WHOLE = r"^[+-]?\d+$"
_MANY_DIGITS = r"\d[\d.]{15}"
_MANY_POINTED = 20
"""Different texts with a point before three digits: of so many decimals 9 in 10 times some have fewer digits."""
_DECIMAL_COMMA, _WITH_COMMAS = (
    re.compile(r"^[+-]?(?:\d*,(?:\d{1,2}|\d{4,})|0?,\d+)$", re.MULTILINE),
    re.compile(r"(?:[+-]?[\d.]*(?:,\d*)?\n)*"),  # each text in one way only, or it takes for ever where one is odd
)
_MILLIONS, _WITH_THOUSANDS = (
    re.compile(r"^[+-]?[1-9]\d{0,2}(?:\.\d{3}){2,}$", re.MULTILINE),
    re.compile(r"(?:[+-]?\d{1,3}(?:\.\d{3})*\n|\n)*"),
)
_POINTS_AND_COMMAS = str.maketrans(".,", ",.")
_SPACES = " \u00a0\u2009\u202f'’"  # what separates thousands, and nothing else
_UNITS = (
    "%|‰|°|°C|°F|mm|cm|m|km|in|ft|yd|mi|mg|g|kg|t|lb|lbs|oz|ml|l|L|gal|ms|s|sec|min|h|hrs?|d|days?|Hz|kHz|MHz|GHz|W|kW|"
    "MW|kWh|V|mV|A|mA|K|Pa|kPa|hPa|bar|psi|kB|KB|MB|GB|TB|px|pt|rpm|mph|km/h|m/s|m2|m²|km2|km²|ft2|m3|m³|cc|hp|USD|EUR|"
    "GBP|CHF|JPY|INR|SEK|NOK|DKK|PLN|kr|zł|Kč|€|\\$|£|¥|₹|₽"
)
_CURRENCY = r"(?:US|CA|AU|HK|NZ|R)?\$|[€£¥₹₽₩]|USD|EUR|GBP|CHF|JPY|INR|CAD|AUD|BRL|SEK|NOK|DKK|PLN|Rs\.?"
WITH_UNIT = (
    rf"^(?:({_CURRENCY})\s*)?([+-]?[\d.,{_SPACES}]*\d[\d.,]*(?:[eE][+-]?\d+)?)"
    rf"(?:\s*({_UNITS})|\s+([A-Za-zµ/²³%]{{1,6}}))?$"
)


NEGATED = r"^\(.*\d.*\)$|\d-$"
"""Negative numbers as bookkeepers write them: (37.25), 37.25-."""
_UNUSUAL = r"^\(|-$|^-\s*[$€£¥]|[^\x00-\x7f]"
_CHARACTERS = dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff", "")
_CHARACTERS |= {"\u2212": "-", "\uff0d": "-", "\uff0b": "+", "\uff0e": ".", "\uff0c": ",", "\u066b": ".", "\u066c": ","}
"""Signs and marks of other scripts, and what can't be seen, as ASCII."""


@dataclass(frozen=True)
class Spelled:
    """How the numbers of a column are written, and how sure that is: see `spelling_of`."""

    reading: ColumnReading
    sure: bool = True
    example: str = ""


def as_plain(cells: pl.Series) -> pl.Series:
    """Texts with numbers as ASCII writes them, the sign before the digits.

    Example:
        >>> as_plain(pl.Series(["(37.25)", "5-", "-$5", "($1,234.50)", "\u22123"])).to_list()
        ['-37.25', '-5', '$-5', '$-1,234.50', '-3']
    """
    if not cells.str.contains(_UNUSUAL).any():
        return cells
    digits = {char for char in set("".join(cells.drop_nulls())) if char.isdecimal() and not char.isascii()}
    others = _CHARACTERS | {digit: str(unicodedata.decimal(digit)) for digit in digits}
    texts = cells.str.replace_many(list(others), list(others.values())).str.strip_chars()
    texts = texts.str.replace(r"^-\s*([$€£¥])\s*", "${1}-")
    texts = texts.str.replace(r"^\(\s*([$€£¥]?)\s*([\d.,][^()+-]*)\)$", "${1}-${2}")
    return texts.str.replace(r"^([$€£¥]?)\s*([\d.,][^+-]*)-$", "${1}-${2}")


def units_of(cells: pl.Series) -> list[str]:
    """The different units of texts that are all numbers with one or without (""); none if one is no number."""
    parts = as_plain(cells).str.extract_groups(WITH_UNIT).struct.unnest()
    if parts.to_series(1).null_count():
        return []
    return parts.select(pl.coalesce("1", "3", "4", pl.lit(""))).to_series().unique().sort().to_list()


def spelling_of(cells: pl.Series, decimal: Literal["", ".", ","] = "") -> Spelled | None:
    """How these texts write numbers; None where one is no number for sure.

    Args:
        cells: texts without missing ones, each once.
        decimal: what is known to stand before decimals elsewhere in the file; "" where nothing is.
    Returns:
        The reading. It is not sure where every comma, or every point, stands before three digits and nothing tells
        whether it separates thousands; `example` is such a text, if the reading took one for the other by evidence.
    """
    if cells.is_empty():
        return None
    if cells.str.contains(NEGATED).all():
        return None
    unit, cells = "", as_plain(cells).unique(maintain_order=True)
    if not cells.str.contains(r"^[+-]?[\d.,]+(?:[eE][+-]?\d+)?$").all() and not cells.str.contains(_PLAIN).all():
        parts = cells.str.extract_groups(WITH_UNIT).struct.unnest()
        units = parts.select(pl.concat_str(["1", pl.coalesce("3", "4")], ignore_nulls=True)).to_series().unique()
        if parts.to_series(1).null_count() or len(units) != 1:
            return None
        unit, cells = units[0], parts.to_series(1)
        if unit and len(cells) < 2:
            return None
    for mark in _SPACES:
        grouped = rf"^[+-]?\d{{1,3}}(?:{mark}\d{{3}})+(?:[.,]\d+)?$"
        if cells.str.contains(mark, literal=True).any():
            if not (cells.str.contains(grouped) | cells.str.contains(r"^[+-]?\d+(?:[.,]\d+)?$")).all():
                return None
            inner = spelling_of(cells.str.replace_all(mark, "", literal=True).unique(), decimal)
            return inner and replace(inner, reading=replace(inner.reading, thousands=mark, unit=unit))
    found = _marks(cells, decimal)
    if found is None or (not unit and not _sure(cells)) or _merged(cells, found.reading):
        return None
    return replace(found, reading=replace(found.reading, unit=unit))


def _sure(cells: pl.Series) -> bool:
    """Whether texts that can be read as numbers are no codes."""
    if cells.str.contains(_LEADING_ZERO).any():
        return False
    if cells.str.contains("[.,]").any():
        return True
    return not (
        cells.str.contains(_CODE).any()
        or any(abs(int(text)) > 2**53 for text in cells.filter(cells.str.contains(_LONG)))
    )


def _merged(cells: pl.Series, reading: ColumnReading) -> bool:
    """Whether float64 makes one number of two that are written here, or another whole number of one."""
    texts = cells.str.replace_all(reading.thousands or " ", "", literal=True).str.replace(",", ".", literal=True)
    if not texts.str.contains(_MANY_DIGITS).any():
        return False
    numbers = texts.cast(pl.Float64, strict=False)
    wholes = texts.filter(texts.str.contains(r"^[+-]?\d{16,}(?:\.0*)?$"))
    if any(Decimal(text) != Decimal(repr(float(text))) for text in wholes):
        return True
    exact = dict[float, Decimal]()
    again = texts.filter(numbers.is_duplicated() & numbers.is_finite())
    return any(exact.setdefault(float(text), Decimal(text)) != Decimal(text) for text in again)


def _marks(cells: pl.Series, decimal: str) -> Spelled | None:
    """The decimal and thousands marks of texts of digits, points, commas, signs and exponents."""
    comma, point = cells.str.contains(",", literal=True), cells.str.contains(".", literal=True)
    if not comma.any():
        if cells.str.contains(_PLAIN).all():
            grouped = cells.filter(point)
            if decimal == "," and len(grouped) and grouped.str.contains(_groups(".")).all():
                return Spelled(ColumnReading("number", ",", "."), example=grouped[0])
            if not decimal and _points_group(grouped, cells.filter(~point)):
                return Spelled(ColumnReading("number", ",", "."), example=grouped[0])
            return Spelled(ColumnReading("number"))
        if (cells.str.contains(_groups(".")) | cells.str.contains(_WHOLE)).all():
            return Spelled(ColumnReading("number", ",", "."))
        return None
    english = (cells.str.contains(_groups(",", r"(?:\.\d*)?")) | cells.str.contains(_PLAIN)).all()
    continental = (
        cells.str.contains(_groups(".", r"(?:,\d*)?"))
        | cells.str.contains(r"^[+-]?\d*,\d+(?:[eE][+-]?\d+)?$")
        | cells.str.contains(_WHOLE)
    ).all()
    with_point = ColumnReading("number", ".", ",")
    with_comma = ColumnReading("number", ",", "." if point.any() else "")
    if english != continental:
        return Spelled(with_point if english else with_comma)
    if not english:
        return None
    if cells.str.contains(r",\d+,").any():
        return Spelled(with_point)
    example = cells.filter(comma)[0]
    if decimal:
        return Spelled(with_point if decimal == "." else with_comma, example=example)
    whole = cells.filter(~comma).cast(pl.Float64).abs()
    small = bool(len(whole)) and bool((whole < 1000).all())
    return Spelled(with_point, sure=small, example=example)


def _points_group(pointed: pl.Series, whole: pl.Series) -> bool:
    """Whether points separate thousands in these texts: 812 beside 3.750.

    Of decimals beside 812, which nobody has filled up with zeros, none ends in a zero, and a tenth has fewer digits.
    """
    if not len(pointed) or not len(whole) or not pointed.str.contains(_groups(".")).all():
        return False
    below = whole.str.contains(r"^[+-]?\d{1,3}$").all()
    return bool(below and (len(pointed) >= _MANY_POINTED or pointed.str.ends_with("0").any()))


def _groups(mark: str, rest: str = "") -> str:
    m = re.escape(mark)
    indian = rf"|[1-9]\d?(?:{m}\d{{2}})+{m}\d{{3}}" if mark == "," else ""
    return rf"^[+-]?(?:[1-9]\d{{0,2}}(?:{m}\d{{3}})+{indian}){rest}$"


def decimal_mark(cells: Sequence[str]) -> Literal["", ".", ","]:
    """Which mark certainly stands before decimals in these texts: one that is not before three digits, or that is not
    between thousands and millions.

    Example:
        >>> decimal_mark(["1.234", "0,5"]), decimal_mark(["1,234,567", "812"]), decimal_mark(["1.234"])
        (',', '.', '')
    """
    text = "\n".join(cells) + "\n"
    if _tells_of_commas(text):
        return ","
    return "." if _tells_of_commas(text.translate(_POINTS_AND_COMMAS)) else ""


def _tells_of_commas(lines: str) -> bool:
    """Whether commas certainly stand before decimals."""
    decimals = _DECIMAL_COMMA.search(lines) and _WITH_COMMAS.fullmatch(lines)
    return bool(decimals or (_MILLIONS.search(lines) and _WITH_THOUSANDS.fullmatch(lines)))


def read_numbers(cells: pl.Series, reading: ColumnReading) -> pl.Series:
    """The numbers in texts, null where there is none that is written like this."""
    texts = as_plain(cells)
    if reading.unit:
        texts = texts.str.replace_all(re.escape(reading.unit), "").str.strip_chars()
    if reading.thousands:
        m, point = re.escape(reading.thousands), re.escape(reading.decimal)
        grouped = rf"^[+-]?(?:\d{{1,3}}(?:{m}\d{{3}})+|\d{{1,2}}(?:{m}\d{{2}})+{m}\d{{3}})(?:{point}\d*)?$"
        texts = pl.select(
            pl.when(texts.str.contains(grouped))
            .then(texts.str.replace_all(reading.thousands, "", literal=True))
            .otherwise(texts)
        ).to_series()
    if reading.decimal == ".,":  # models of before: either, even in one column
        texts = texts.str.replace(r"^([+-]?\d*),(\d+(?:[eE][+-]?\d+)?)$", "$1.$2")
    elif reading.decimal == ",":
        # A point among decimal commas is a decimal point, unless it may separate thousands.
        texts = texts.set(texts.str.contains(_groups(".")), None).str.replace(",", ".", literal=True)
    return texts.set(~texts.str.contains(_PLAIN), None).cast(pl.Float64, strict=False)
