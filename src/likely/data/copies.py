"""Which equal rows are copies of one example, and which are equal as independent rows are expected to be.

Images are never equal by chance. Of rows in a table, a measured number that nobody else would have gives a copy away;
two people of one sex, region and age in years are two people. So the rule asks how many equal pairs independent rows
would have, and calls rows copies only where that number explains next to nothing of what is there.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from likely.data.few_rows import OfFewRows, few_rows
from likely.data.hashes import row_hashes
from likely.preprocessing.columns import Column
from likely.preprocessing.stored_rows import RowArray, take_rows

_EXPLAINED = 0.05
"""Equal rows are copies if chance would give a row less than so many equals, and less than this share of all pairs."""
_REPEATS = 20
"""A column whose values come more often than this on average holds categories, codes or coarse numbers."""
_MANY = 100
"""Up to so many different values, even irregular ones may be codes in disguise, such as logarithms of counts."""
_PAIRS = 20_000


class Copies(NamedTuple):
    """What equal rows there are.

    groups: the number of the example that each row is a copy of, 0, 1, ..., shape (n,); None if all are different ones.
    extra: how many rows are second or later copies.
    expected: how many rows equal an earlier one as independent rows are expected to, and count as rows of their own.
    equal_by_chance: the share of rows that equal another one as independent rows do; of new ones it is about the same.
    """

    groups: np.ndarray | None
    extra: int
    expected: int
    equal_by_chance: float


def find_copies(X: RowArray, columns: Sequence[Column] | None = None, hashes: np.ndarray | None = None) -> Copies:
    """The copies among rows, by what is equal and how likely that is for independent rows.

    Equal images are copies. Equal rows of n numbers and categories are copies if both hold:

        n prod_j c_j < 0.05         c_j: how likely two rows share the value of column j
        N_j c_j / (1 - c_j) < 0.05 times the equal pairs, for every j

    N_j counts the pairs that differ in column j alone: where rows are equal by chance, many pairs only just differ. c_j
    is the share of equal values where values repeat (more than 20 rows for each), and for other numbers it follows from
    how densely they lie and how finely they are written. A column of repeated values that another one determines does
    not count. Of few rows that come more often than 20 times on average `few_rows` decides; in doubt, they count as
    rows of their own.

    Args:
        X: images, or rows of numbers (n, d); NaN is a missing value.
        columns: which columns are categories; None takes all for numbers.
        hashes: of the rows, if they are known.
    Example:
        >>> rng = np.random.default_rng(0)
        >>> measured, category = rng.normal(size=(500, 1)), rng.integers(0, 3, size=(1000, 1))
        >>> found = find_copies(np.concatenate([measured, measured]))
        >>> found.extra, len(np.unique(found.groups))
        (500, 500)
        >>> find_copies(category)
        Copies(groups=None, extra=0, expected=997, equal_by_chance=1.0)
    """
    if hashes is None:
        hashes = row_hashes(X)
    _, first, number, counts = np.unique(hashes, return_index=True, return_inverse=True, return_counts=True)
    repeated = counts > 1
    if not repeated.any():
        return Copies(None, 0, 0, 0.0)
    if X.ndim > 2 or _few(X, columns, first) is OfFewRows.COPIES:
        copied = repeated
    else:
        copied = repeated & ~_by_chance(np.asarray(X), columns, first, number, counts)
    extra, equal = int((counts[copied] - 1).sum()), int((counts - 1).sum())
    by_chance = float(counts[repeated & ~copied].sum() / len(number))
    if not extra:
        return Copies(None, 0, equal, by_chance)
    # Every row that is no copy is an example of its own.
    own = np.where(copied[number], number, len(first) + np.arange(len(number)))
    return Copies(np.unique(own, return_inverse=True)[1].astype(np.int64), extra, equal - extra, by_chance)


def in_doubt(X: RowArray, columns: Sequence[Column] | None, found: Copies) -> bool:
    """Whether rows that were found to be equal by chance may as well be copies: a few rows that come very often.

    Example:
        >>> measured = np.random.default_rng(0).normal(size=(20, 1))
        >>> X = np.repeat(measured, 100, axis=0)
        >>> found = find_copies(X)
        >>> found.expected, in_doubt(X, None, found)
        (1980, True)
    """
    distinct = len(X) - found.extra - found.expected
    if not found.expected or len(X) <= _REPEATS * distinct:
        return False
    return _few(X, columns, np.unique(row_hashes(X), return_index=True)[1]) is not OfFewRows.CATEGORIES


def _few(X: RowArray, columns: Sequence[Column] | None, first: np.ndarray) -> OfFewRows:
    """What the distinct rows are if they come more often than 20 times on average."""
    if len(X) <= _REPEATS * len(first):
        return OfFewRows.CATEGORIES
    return few_rows(np.asarray(take_rows(X, np.sort(first))), np.array(_texts(X, columns)))


def _texts(X: RowArray, columns: Sequence[Column] | None) -> list[bool]:
    """Which columns are codes of texts."""
    return [False] * X.shape[1] if columns is None else [column.categories is not None for column in columns]


def _by_chance(
    X: np.ndarray, columns: Sequence[Column] | None, first: np.ndarray, number: np.ndarray, counts: np.ndarray
) -> np.ndarray:
    """For each kind of row, whether independent rows may well be equal to it: booleans (m,).

    `first` is a row of each kind, `counts` how often it comes, (m,); `number` the kind of each row, (n,).
    """
    n, m = len(X), len(first)
    likely = [_column(X[:, j], first, is_text) for j, is_text in enumerate(_texts(X, columns))]
    likely = _undetermined([column for column in likely if column.agree < 1], m)
    log_equal = sum((np.log(np.maximum(column.by_row, 1e-300)) for column in likely), start=np.zeros(m))
    by_chance = log_equal + math.log(n) >= math.log(_EXPLAINED)
    pairs = (counts * (counts - 1) / 2)[~by_chance].sum()
    if not pairs:
        return by_chance
    rng = np.random.default_rng(0)
    keys = [rng.integers(0, 2**64, size=m, dtype=np.uint64)[column.codes] for column in likely]
    total = np.sum(keys, axis=0, dtype=np.uint64)
    for column, key in zip(likely, keys, strict=True):
        _, others_equal = np.unique(total - key, return_inverse=True)
        together = np.bincount(others_equal, weights=counts)
        only_this = (np.square(together).sum() - np.square(counts, dtype=np.float64).sum()) / 2
        if only_this * column.agree / (1 - column.agree) >= _EXPLAINED * pairs:
            return np.ones(m, dtype=bool)
    return by_chance


class _Agreement(NamedTuple):
    """How likely independent rows share a value of a column.

    agree: of two rows.
    by_row: of another row with each distinct row, shape (m,): more where the value is a common one.
    codes: the value of each distinct row as a number 0, 1, ..., shape (m,).
    repeats: whether values come so often that they are categories, codes or coarse numbers.
    """

    agree: float
    by_row: np.ndarray
    codes: np.ndarray
    repeats: bool


def _column(values: np.ndarray, first: np.ndarray, is_category: bool) -> _Agreement:
    n = len(values)
    found, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    shares, of_first = counts / n, codes[first]
    equal = float((counts * (counts - 1.0)).sum() / (n * (n - 1.0)))
    numbers = values[np.isfinite(values)].astype(np.float64)
    fine = not is_category and len(found) >= _MANY and _step(np.unique(numbers))[1]
    if is_category or (n > _REPEATS * len(found) and not fine):
        return _Agreement(equal, np.maximum(equal, shares[of_first]), of_first, repeats=True)
    # Among different rows no value is shared for being a copy.
    m = len(first)
    distinct = np.bincount(of_first)
    agree = float((distinct * (distinct - 1.0)).sum() / max(1.0, m * (m - 1.0)))
    if len(numbers) > 1:
        agree = max(agree, _written_alike(numbers))
    # Zero rain, or no value at all: far more often than the others, so shared by rows of all kinds.
    often = (counts > 10 * n / len(found) + _REPEATS) | ~np.isfinite(found)
    return _Agreement(agree, np.where(often, np.maximum(agree, shares), agree)[of_first], of_first, repeats=False)


def _written_alike(values: np.ndarray) -> float:
    """How likely two independent values are equal as they are written.

    With steps of s between values that can be written, values at most r apart are equal in s / (2 r + s) of the cases.
    """
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, len(values), size=(2, _PAIRS))
    apart = np.abs(values[one] - values[other])[one != other]
    reach = float(np.quantile(apart, 0.1))
    near = float((apart <= reach).mean())
    step, _ = _step(np.unique(values))
    return near * step / (2 * reach + step)


def _step(values: np.ndarray) -> tuple[float, bool]:
    """The step between different sorted numbers, of their grid or decimals, and whether nothing but rounding sets it.

    Example:
        >>> _step(np.array([1.5, 2.0, 4.0])), _step(np.array([7.75, 8.05, 512.3292]))
        ((0.5, False), (0.0001, False))
    """
    size = float(np.abs(values).max(initial=0.0))
    if size == 0:
        return 1.0, False
    single = bool((values == values.astype(np.float32)).all())
    noise = size * (2.0**-23 if single else 1e-12)
    gaps = np.diff(values)
    gaps = gaps[gaps > 8 * noise]
    if not len(gaps):
        return noise, True
    steps = [float(gaps.min()), *(10.0**-places for places in range(7))]
    for step in steps:
        multiples = (values - values[0]) / step if step == steps[0] else values / step
        unsure = 4 * noise / step
        if unsure < 0.2 and (np.abs(multiples - np.round(multiples)) <= max(unsure, 1e-6)).all():
            return step, False
    return noise, True


def _undetermined(columns: Sequence[_Agreement], m: int) -> list[_Agreement]:
    """The columns without those of repeated values that another one of them determines, such as a code by its name."""
    kept: list[_Agreement] = []
    for column in sorted(columns, key=lambda column: column.agree):
        if not column.repeats or not any(_determines(other, column, m) for other in kept if other.repeats):
            kept.append(column)
    return kept


def _determines(one: _Agreement, other: _Agreement, m: int) -> bool:
    pairs = one.codes.astype(np.int64) * (m + 1) * 2 + other.codes
    return len(np.unique(pairs)) == len(np.unique(one.codes))
