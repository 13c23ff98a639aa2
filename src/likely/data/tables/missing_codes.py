"""Numbers such as -999 that stand for a missing value."""

import math
import shlex
from collections.abc import Callable

import numpy as np

from likely.data.tables.cells import as_texts

_CODES = {-9.0, *(sign * code for code in (99.0, 999.0, 9999.0, 99999.0) for sign in (1, -1))}
_BESIDE_CODES = {math.copysign(abs(code) - k, code) for code in _CODES for k in range(3)}


def may_hold_codes(values: np.ndarray) -> np.ndarray:
    """Which columns of numbers `missing_codes` has to look at: it finds none in the others.

    Args:
        values: of shape (columns, rows).
    Example:
        >>> may_hold_codes(np.array([[-999.0, 1.5, -999.0, 2.0, -999.0], [0.0, 1.0, 2.0, 1.0, 0.0]]))
        array([ True, False])
    """
    present = np.isfinite(values)
    maybe = np.flatnonzero(_recurs(values, present, np.inf, np.min) | _recurs(values, present, -np.inf, np.max))
    found = np.zeros(len(values), dtype=bool)
    if len(maybe):
        some, there = values[maybe], present[maybe]
        low, high = _end(some, there, np.inf, np.min), _end(some, there, -np.inf, np.max)
        next_low = _end(some, there & (some > low[:, None]), np.inf, np.min)
        next_high = _end(some, there & (some < high[:, None]), -np.inf, np.max)
        for code, gap, spread in ((low, next_low - low, high - next_low), (high, high - next_high, next_high - low)):
            found[maybe] |= (spread > 0) & ((gap > 3 * spread) | np.isin(code, [*_BESIDE_CODES, -1.0]))
    return found


def _recurs(values: np.ndarray, present: np.ndarray, other: float, end: Callable[..., np.ndarray]) -> np.ndarray:
    """Whether the least or largest number of each column comes three times or more."""
    return np.count_nonzero(values == _end(values, present, other, end)[:, None], axis=1) >= 3


def _end(values: np.ndarray, present: np.ndarray, other: float, end: Callable[..., np.ndarray]) -> np.ndarray:
    return end(values if present.all() else np.where(present, values, other), axis=1)


_LEAST_OTHERS = 5
"""With fewer different values beside it, any other number that lies far from them is no code."""


def missing_codes(values: np.ndarray) -> tuple[list[float], list[float]]:
    """Numbers such as -999 that stand for a missing value: those that are taken for it, and those that only may be.

    A code is -9, or 99, 999, 9999 or 99999 with either sign, comes three times or more and lies beyond all other
    values. It is taken for missing where the gap to them is more than three times their whole range, with the numbers
    just before it (-998, 97) that lie so far away, too. Any other value that recurs so far away may be one, and so may
    -1 where all others are 5 or more.

    Example:
        >>> missing_codes(np.array([-999.0, 1.5, -0.2, 2.0, -999.0, -999.0]))
        ([-999.0], [])
    """
    present = values[np.isfinite(values)]
    taken, doubtful, again = list[float](), list[float](), True
    while again and len(present):
        again, doubtful = False, []
        for end in (np.min, np.max):
            codes, sure = _codes_at(present, end)
            if sure:
                taken, again = [*taken, *codes], True
                present = present[~np.isin(present, codes)]
            else:
                doubtful += codes
    return taken, doubtful


def without_codes(values: np.ndarray, name: str) -> tuple[np.ndarray, tuple[float, ...], list[str]]:
    """The numbers of a column with NaN for codes that are taken for missing, these codes, and a note on each code.

    Args:
        values: shape (n,).
        name: of the column; "" where options can't name it.
    """
    taken, doubtful = missing_codes(values)
    number = f" (--number {shlex.quote(name)}: a number)" if name else ""
    notes = [
        f"Column {name!r}: {code} lies far from all other values, and is taken for a missing one{number}."
        for code in as_texts(np.array(taken))
    ]
    notes += [
        f"Column {name!r}: {code} may stand for a missing value; it is taken for a number (--missing {code})."
        for code in as_texts(np.array(doubtful))
    ]
    return np.where(np.isin(values, taken), np.nan, values) if taken else values, tuple(taken), notes


def _codes_at(present: np.ndarray, end: Callable[[np.ndarray], np.floating]) -> tuple[list[float], bool]:
    """The codes at the low or the high end of the values, and whether they are ones for sure."""
    codes, doubtful, rest = list[float](), list[float](), present
    while len(rest):
        code = float(end(rest))
        count = int(np.count_nonzero(rest == code))
        if count < 3 or count == len(rest):
            break
        others = rest[rest != code]
        gap, spread = float(np.abs(others - code).min()), float(np.ptp(others))
        if not spread:
            break
        far = gap > 3 * spread
        codes.append(code)
        if far and _CODES.intersection(codes):
            return codes, True
        if rest is present and (
            (code in _CODES and gap > spread / 2)
            or (code == -1 and others.min() >= 5)
            or (far and len(present) <= 100 * count < 50 * len(present) and len(np.unique(others)) >= _LEAST_OTHERS)
        ):
            doubtful = [code]
        if code not in _BESIDE_CODES:
            break
        rest = others
    return doubtful, False
