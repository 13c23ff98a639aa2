"""Columns by which rows are earlier or later: numbers, or dates as text."""

from collections.abc import Mapping
from itertools import compress

import numpy as np

from likely.data.tables.number_blocks import number_blocks
from likely.errors import DataError

_UNITS = {"seconds": 1.0, "milliseconds": 1e3, "microseconds": 1e6, "nanoseconds": 1e9}
_CENTURY = 946_684_800.0, 4_102_444_800.0  # 2000 to 2100
_ORDERED = 20  # rows: fewer are in order by chance, or by hand
_SHOWN = "such as 2024-03-01 or 2024-03-01 12:30"


def time_like(values: np.ndarray) -> str:
    """What makes a column look like a time, as the end of a sentence, or nothing: new rows may lie beyond all others.

    Text that is dates throughout; numbers that grow or fall from row to row in unequal steps, or that count seconds,
    milliseconds, microseconds or nanoseconds since 1970, in this century.

    Example:
        >>> time_like(np.array(["2024-03-01", "2024-03-04"], dtype=object))
        'holds dates'
        >>> time_like(np.array([1.7e9, 1.6e9, 1.65e9]))
        'counts seconds since 1970'
        >>> time_like(np.array([1.0, 2.0, 3.0])), time_like(np.array([5.0, 1.0, 2.0]))
        ('', '')
    """
    if values.dtype.kind in "Mm":
        return "holds dates" if values.dtype.kind == "M" else ""
    if values.dtype == object:
        from likely.data.tables.date_text import moments_of_texts

        return "holds dates" if moments_of_texts(values) is not None else ""
    known = values[np.isfinite(values)]
    if len(np.unique(known)) < 2:
        return ""
    for unit, size in _UNITS.items():
        if (known >= _CENTURY[0] * size).all() and (known <= _CENTURY[1] * size).all():
            return f"counts {unit} since 1970"
    steps = np.diff(known)
    grows, falls = (steps >= 0).all(), (steps <= 0).all()
    even = np.ptp(steps) <= 1e-9 * np.abs(steps).max()
    if len(known) < _ORDERED or even or not (grows or falls) or np.count_nonzero(steps) < len(steps) / 2:
        return ""
    return f"{'grows' if grows else 'falls'} from row to row"


def may_be_times(columns: Mapping[str, np.ndarray]) -> list[str]:
    """The columns that `time_like` has to look at: the others are numbers, neither in order nor as large as a time."""
    none = set[str]()
    for names, block in number_blocks(columns):
        steps = np.diff(block[:, :10], axis=1)
        unordered = (steps > 0).any(axis=1) & (steps < 0).any(axis=1) & (block[:, 0] < _CENTURY[0])
        none.update(compress(names, unordered))
    return [name for name in columns if name not in none]


def in_order(values: np.ndarray, name: str, where: str) -> np.ndarray:
    """Numbers that grow as the values of a column do, shape (n,): the numbers themselves, or the seconds of dates.

    Values are float64 with NaN, datetime64 with NaT, or objects: text or None. A DataError if one is missing, or they
    are neither all numbers nor all dates.
    """
    if values.dtype == object:
        values = _moments(values, name, where)
    order = values
    if values.dtype.kind in "Mm":
        order = np.where(np.isnat(values), np.nan, values.astype(f"{values.dtype.kind}8[us]").astype(np.int64) / 1e6)
    absent = np.isnan(order)
    if absent.any():
        raise DataError(
            f"Column {name!r} of {where} must have a value in every row to determine the latest rows; it is missing in "
            f"{int(absent.sum()):,} of {len(order):,}. Fill them, drop these rows, or try another column."
        )
    return order


def _moments(values: np.ndarray, name: str, where: str) -> np.ndarray:
    from likely.data.tables.date_text import moments_of_texts

    moments = moments_of_texts(values)
    if moments is None:
        texts = [value for value in values.tolist() if isinstance(value, str)]
        wrong = next((text for text in texts if moments_of_texts(np.array([text], dtype=object)) is None), None)
        shown = "bytes" if not texts else "dates with and without a time zone" if wrong is None else repr(wrong)
        raise DataError(
            f"Column {name!r} of {where} must hold numbers, or dates {_SHOWN}, to determine the latest rows; got "
            f"{shown}. Try another column, or write dates year first."
        )
    return moments
