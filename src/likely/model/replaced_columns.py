"""What stands in for the columns of a table whose values a model is not told."""

from collections.abc import Collection, Iterable, Sequence

import numpy as np
import scipy

from likely.errors import DataError, nearest
from likely.explain.replacement import Replaced
from likely.model.stand_ins import StandIns, places_of
from likely.preprocessing.column_preprocessor import ColumnPreprocessor
from likely.preprocessing.columns import Column

_VALUES = 16
"""Of a column of which nothing but mean and standard deviation is known: quantiles of a normal distribution."""


def replaced_columns(
    preprocessor: ColumnPreprocessor,
    columns: Sequence[Column] | None,
    stand_ins: StandIns | None,
    together: Iterable[Iterable[object]] = (),
) -> list[Replaced]:
    """Every column of the table, or several that are named together, with the values that may stand in it.

    These are quantiles, or categories, of the training rows as the model file holds them. A column that missed some
    values in training is made missing. Of arrays the file holds means and standard deviations alone.

    Raises:
        DataError: if `together` names a column that does not exist, or one twice.
    """
    named = [Column(f"column {j}") for j in range(preprocessor.shape[0])] if columns is None else columns
    places = places_of(named)
    names = [named[at[0]].table_column for at in places]
    groups = _groups(names, together)
    return [_replaced(group, names, places, preprocessor, stand_ins) for group in groups]


def texts_of(row: np.ndarray, columns: Sequence[Column] | None) -> list[str]:
    """What stands in each column of a row, for people; of a date one of its parts says all, the others nothing.

    Example:
        >>> texts_of(np.array([1.5, 1, np.nan]), [Column("size"), Column("color", ("blue", "red")), Column("age")])
        ['1.5', 'red', 'missing']
        >>> dated = [Column("day", part="days", source="day"), Column("year", part="year", source="day")]
        >>> texts_of(np.array([19000.5, 2022]), dated)
        ['2022-01-08 12:00:00', '']
    """
    known = [Column("")] * len(row) if columns is None else columns
    told = {column.source for column in known if column.part in ("days", "hours")}
    return [_text(value, column, told) for value, column in zip(row.tolist(), known, strict=True)]


def _text(value: float, column: Column, told: Collection[str]) -> str:
    if column.part not in ("", "days", "hours") and column.source in told:
        return ""
    if np.isnan(value):
        return "missing"
    if column.part == "days":
        return str(np.datetime64(round(86_400 * value), "s")).removesuffix("T00:00:00").replace("T", " ")
    if column.part == "hours":
        hours, minutes = divmod(round(60 * value), 60)
        return f"{hours}:{minutes:02}"
    text = f"{value:.6g}" if column.categories is None else column.categories[int(value)]
    return f"{column.part} {text}" if column.part else text


def _groups(names: Sequence[str], together: Iterable[Iterable[object]]) -> list[tuple[int, ...]]:
    """The numbers of the columns that are replaced together, in the order of the first of them."""
    numbers, taken, groups = {name: i for i, name in enumerate(names)}, set[int](), list[tuple[int, ...]]()
    for group in together:
        found = []
        for name in [group] if isinstance(group, str) else group:
            key = f"column {name}" if isinstance(name, int) else str(name)
            if key not in numbers or numbers[key] in taken:
                why = f"There is none of that name. {nearest(key, names)}" if key not in numbers else "It comes twice."
                raise DataError(f"together must name columns of the table, each once; got {name!r}. {why}")
            taken.add(numbers[key])
            found.append(numbers[key])
        groups.append(tuple(found))
    return sorted([*filter(None, groups), *((i,) for i in range(len(names)) if i not in taken)])


def _replaced(
    group: tuple[int, ...],
    names: Sequence[str],
    places: Sequence[tuple[int, ...]],
    preprocessor: ColumnPreprocessor,
    stand_ins: StandIns | None,
) -> Replaced:
    at = tuple(j for source in group for j in places[source])
    named = tuple(names[source] for source in group)
    if stand_ins is None:
        values = np.stack([_guessed(preprocessor, j) for j in at], axis=1)
    elif all(stand_ins.values[source] is not None for source in group):
        return Replaced(named, at, *stand_ins.draws(group))
    else:
        values = np.concatenate([_quantile_rows(stand_ins, source, len(places[source])) for source in group], axis=1)
    if (values == values[:1]).all() or np.isnan(values).all():
        values = values[:1]
    return Replaced(named, at, values, np.full(len(values), 1 / len(values)))


def _quantile_rows(stand_ins: StandIns, source: int, width: int) -> np.ndarray:
    """Sixteen values of a column, missing ones where training rows missed some: shape (16, width)."""
    if stand_ins.values[source] is None:
        return np.full((_VALUES, width), np.nan)
    values, weights = stand_ins.draws((source,))
    at = np.searchsorted(np.cumsum(weights)[:-1], (np.arange(_VALUES) + 0.5) / _VALUES)
    return values[np.random.default_rng([_VALUES, source]).permutation(at)]


def _guessed(preprocessor: ColumnPreprocessor, j: int) -> np.ndarray:
    """Values of a column of which the file holds no quantiles, shape (16,)."""
    column = Column("") if preprocessor.columns is None else preprocessor.columns[j]
    if column.missing:
        return np.full(_VALUES, np.nan)
    order = np.random.default_rng([_VALUES, j]).permutation(_VALUES)
    if column.categories is not None:
        return np.floor(np.arange(_VALUES) * len(column.categories) / _VALUES)[order]
    mean, scale = preprocessor.mean_and_scale_of(j)
    return mean + scale * scipy.special.ndtri((np.arange(_VALUES) + 0.5) / _VALUES)[order]
