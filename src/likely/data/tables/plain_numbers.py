"""Texts that are numbers for sure, whatever else stands in their column: what most columns of numbers hold.

Whatever is read here, `number_text.spelling_of` reads in the same way; this spares large tables most of the work.
"""

import re
from typing import Literal

import numpy as np
import polars as pl

_FOR_SURE = re.compile(r"(?:(?:[+-]?(?:0|[1-9]\d{0,14})(?:\.\d+)?(?:[eE][+-]\d+)?)?\n)*")
_MANY_DIGITS = r"\d[\d.]{15}"
_CODE = r"^[+-]?0\d|[eE]\d"
_POINT, _ZERO, _NINE, _E = b".09e"
_SHORT = 2_000  # rows
_CHUNK = 2**17  # bytes that stay in the cache
DIGITS = 15
"""Numbers of so many characters or fewer are different in float64, too."""


def plain_numbers(column: pl.Series, decimal: Literal["", ".", ","] = "") -> np.ndarray | None:
    """The numbers of a column of texts that are empty or numbers for sure, with NaN; None if one is neither.

    Whatever this reads, `spelling_of` reads in the same way; it spares large tables most of the work.
    """
    if len(column) > _SHORT:
        return None if decimal == "," else _many_plain_numbers(column)
    cells = column.to_list()
    if None in cells:
        return None
    text = "\n".join(cells) + "\n"
    if not _FOR_SURE.fullmatch(text) or (decimal == "," and "." in text):
        return None
    numbers = np.array([cell or "nan" for cell in cells], dtype=np.float64)
    if re.search(_MANY_DIGITS, text) and len(np.unique(numbers)) < len(set(cells)):
        return None
    return numbers


def _many_plain_numbers(column: pl.Series) -> np.ndarray | None:
    """The same of a long column, in few passes: no texts longer than the digits that float64 tells apart."""
    if column.null_count() or int(column.str.len_bytes().max() or 0) > DIGITS:  # pyright: ignore[reportArgumentType]
        return None
    numbers = column.cast(pl.Float64, strict=False)
    sure = numbers.is_finite() & ~column.str.contains(r"^[+-]?0\d|[eE]\d|[^0-9.+eE-]")
    if not (sure.fill_null(value=False) | (column == "")).all():
        return None
    return numbers.fill_null(np.nan).to_numpy()


def ends_like_thousands(cells: pl.Series) -> pl.Series:
    """Which texts end with a point and three zeros, as 3.000 does, of which the number says nothing."""
    return cells.str.ends_with(".000")


def may_be_grouped(numbers: np.ndarray, *, zeros: bool) -> bool:
    """Whether numbers (n,), with NaN, may be whole ones whose points separate thousands, such as 812 and 3.758.

    Args:
        numbers: as they are if the points stand before decimals.
        zeros: whether a text of theirs `ends_like_thousands`.
    Example:
        >>> [may_be_grouped(np.array([812, x]), zeros=False) for x in (3.758, 0.758, 3)]
        [True, False, False]
    """
    for some in (numbers[:1_000], numbers):  # the first ones tell of most columns
        fractions = np.abs(some[some != np.trunc(some)])
        fractions = fractions[~np.isnan(fractions)]
        thousands = 1000 * fractions
        if (
            (np.abs(some) >= 1000).any()
            or (fractions < 1).any()
            or (np.abs(thousands - np.rint(thousands)) > 1e-6).any()
        ):
            return False
    return zeros or len(fractions) > 0


def sure_numbers(
    cells: pl.Series, suspects: np.ndarray | None, decimal: Literal["", ".", ","] = ""
) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of single cells, NaN where there is none, and which cells are empty or numbers for sure.

    Args:
        cells: texts.
        suspects: as `suspects_in` finds them; None looks at all cells.
        decimal: what is known to stand before decimals elsewhere in the file; "" where nothing is.
    Example:
        >>> values, sure = sure_numbers(pl.Series(["1.5", "", "007", "1E3", "x", "0.10000000000000001"]), None)
        >>> values.tolist(), sure.tolist()
        ([1.5, nan, 7.0, 1000.0, nan, 0.1], [True, True, False, False, False, False])
    """
    read = cells.cast(pl.Float64, strict=False)
    values = read.to_numpy()
    sure = np.isfinite(values)
    others = np.flatnonzero(~sure)
    sure[others] = (cells.gather(others) == "").to_numpy()
    if suspects is None:
        suspects = np.arange(len(cells))
    some = cells.gather(suspects)
    fine = ~some.str.contains(_CODE) & ((some.str.len_bytes() <= DIGITS) | _is_shortest(some, read.gather(suspects)))
    sure[suspects] &= fine.to_numpy()
    if decimal == ",":
        sure &= ~cells.str.contains(".", literal=True).to_numpy()
    return values, sure


def _is_shortest(cells: pl.Series, read: pl.Series) -> pl.Series:
    """Whether texts are the shortest ones that float64 reads as these numbers: then no other such text is read so."""
    long = (cells.str.len_bytes() > DIGITS) & read.is_finite().fill_null(value=False)
    found = long & (read.cast(pl.String) == cells).fill_null(value=False)
    rest = (long & ~found).arg_true()  # Python writes small numbers otherwise
    return found.scatter(rest, [repr(float(text)) == text for text in cells.gather(rest).to_list()])


def suspects_in(text: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The numbers of all cells in which a digit follows an e or a zero that may begin the cell, and of long ones.

    Args:
        text: bytes.
        ends: where the cells end.
    Example:
        >>> suspects_in(np.frombuffer(b"007,0.7,70,7e7,0.123456789012345678", np.uint8), np.array([3, 7, 10, 14, 35]))
        array([0, 3, 4])
    """
    at = [np.arange(0)]
    for start in range(0, len(text), _CHUNK):
        before = max(0, start - 1)
        some = text[before : start + _CHUNK + 1]
        digit = (some - np.uint8(_ZERO)) <= _NINE - _ZERO
        begins = some == _ZERO
        begins[1:] &= ~(digit[:-1] | (some[:-1] == _POINT))
        exponent = (some | 0x20) == _E
        at.append(before + np.flatnonzero((begins[:-1] | exponent[:-1]) & digit[1:]))
    long = np.flatnonzero(np.diff(ends, prepend=-1) - 1 > DIGITS)
    return np.union1d(np.searchsorted(ends, np.concatenate(at)), long)
