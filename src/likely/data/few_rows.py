"""Whether a few distinct rows that come very often are copies of measurements, or categories in disguise.

Twenty measured rows of which each comes a hundred times look like a category of twenty names. What tells them apart is
how their numbers are written, and that measurements of one row have nothing to do with each other.
"""

from enum import Enum

import numpy as np

_FEW = 5
"""With fewer distinct rows, the order of their values says nothing."""


class OfFewRows(Enum):
    """What a few distinct rows that come very often are."""

    CATEGORIES = "categories"
    COPIES = "copies"
    IN_DOUBT = "in doubt"


def few_rows(rows: np.ndarray, texts: np.ndarray) -> OfFewRows:
    """Whether m distinct rows that come very often are measured ones, by the columns in which all m of them differ.

    Independent categories cross: values of one come with several of another, so that the values of a column do not all
    differ. Where they do, each such column names the row. Two columns of numbers that lie on no grid, of which neither
    is a smooth function of the other, are measurements: rows are copies, unless a column of codes or texts, or columns
    of two values together, name the row as well. Doubt remains where there is such a code, where there is but one
    column that lies on no grid, or where two columns on grids name the row without having to do with each other.
    `rows` are the distinct ones, (m, d), `texts` the columns that are codes of texts, booleans (d,).

    Example:
        >>> measured = np.random.default_rng(0).normal(size=(20, 3))
        >>> few_rows(measured, np.zeros(3, bool)).value, few_rows(measured[:, :1], np.zeros(1, bool)).value
        ('copies', 'in doubt')
        >>> category = np.arange(20.0)[:, None]
        >>> few_rows(category / category.std(), np.zeros(1, bool)).value
        'categories'
    """
    m = len(rows)
    naming = np.array([len(np.unique(column)) == m for column in rows.T])
    names = rows[:, naming & ~texts]
    if m < 3 or not names.shape[1]:
        return OfFewRows.CATEGORIES
    fine = np.array([not lies_on_grid(column) for column in names.T])
    measured = names[:, fine]
    if _unrelated(measured):
        coded = (naming & texts).any() or not fine.all() or _named_by_indicators(rows)
        return OfFewRows.IN_DOUBT if coded else OfFewRows.COPIES
    one_is_enough = m >= _FEW and measured.shape[1] > 0
    in_doubt = one_is_enough or _differ(measured) or _unrelated(names)
    return OfFewRows.IN_DOUBT if in_doubt else OfFewRows.CATEGORIES


def lies_on_grid(values: np.ndarray) -> bool:
    """Whether numbers are, up to rounding, whole multiples of a step that is not tiny, from some origin.

    So are codes, decimals and both of them standardized. The step is the common divisor of the gaps (Euclid).

    Example:
        >>> codes = np.array([0.0, 3.0, 7.0, 12.0])
        >>> lies_on_grid((codes - codes.mean()) / codes.std()), lies_on_grid(np.log(codes + 1))
        (True, False)
    """
    numbers = np.unique(values[np.isfinite(values)].astype(np.float64))
    if len(numbers) < 3 or (numbers == np.round(numbers)).all():
        return True
    size = float(np.abs(numbers).max())
    single = bool((numbers == numbers.astype(np.float32)).all())
    rounding, least = (size * 2.0**-16, size * 1e-3) if single else (size * 1e-10, size * 1e-4)
    step = 0.0
    for gap in np.diff(numbers).tolist():
        step = _common_divisor(step, gap, rounding)
        if step < least:
            return False
    return True


def _common_divisor(one: float, other: float, rounding: float) -> float:
    while min(one, other) > rounding:
        one, other = other, abs(one - other * round(one / other))
    return max(one, other)


def _unrelated(columns: np.ndarray) -> bool:
    """Whether of two of the columns one goes up and down along the other as often as if it knew nothing of it.

    A random order of m values turns 2 (m - 2) / 3 times on average, a polynomial of degree 3 at most twice.
    """
    m = len(columns)

    def turns_along(column: np.ndarray) -> np.ndarray:
        rises = np.diff(columns[np.argsort(column)], axis=0) > 0
        return (rises[1:] != rises[:-1]).sum(axis=0)

    return m >= _FEW and any((turns_along(column) > max(2, (m - 2) / 3)).any() for column in columns.T)


def _differ(columns: np.ndarray) -> bool:
    """Whether one of the columns is no linear function of the first, so that they are not one column twice."""
    if columns.shape[1] < 2 or not np.isfinite(columns).all():
        return False
    values = columns.astype(np.float64)
    scaled = (values - values.min(axis=0)) / np.ptp(values, axis=0)
    same, turned = np.abs(scaled - scaled[:, :1]), np.abs(1 - scaled - scaled[:, :1])
    return bool((np.minimum(same.max(axis=0), turned.max(axis=0)) > 1e-4).any())


def _named_by_indicators(rows: np.ndarray) -> bool:
    """Whether the columns of two values tell the rows apart."""
    indicators = [column for column in rows.T if len(np.unique(column)) == 2]
    return bool(indicators) and len(np.unique(np.stack(indicators, axis=1), axis=0)) == len(rows)
