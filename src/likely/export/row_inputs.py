"""From rows, as a predictor takes them, to the inputs of an exported model."""

from collections.abc import Mapping, Sequence

import numpy as np

from likely.export.names import IMAGES, ROWS
from likely.preprocessing.columns import Column

_DAY, _HOUR = 86_400.0, 3_600.0


def row_inputs(rows: np.ndarray, columns: Sequence[Column] | None, names: Mapping[str, str]) -> dict[str, np.ndarray]:
    """The inputs by name: images, rows of numbers, or columns of shape (n, 1).

    Args:
        rows: images, or rows (n, d) in which categories are numbers and dates are their parts.
        columns: what the model learned from; None for images and for numbers without names.
        names: the column of the table by the name of its input.
    Example:
        >>> columns, rows = [Column("size"), Column("color", ("blue", "red"))], np.array([[2.5, 1], [1.5, np.nan]])
        >>> row_inputs(rows, columns, {"size": "size", "color": "color"})["color"].tolist()
        [['red'], ['']]
    """
    if columns is None:
        return {IMAGES if rows.ndim > 2 else ROWS: rows}
    # Of several parts of a date the first one says all: how many days, or hours, it is since 1970.
    place = {column.table_column: j for j, column in reversed(list(enumerate(columns)))}
    return {name: _input(rows[:, place[column]], columns[place[column]])[:, None] for name, column in names.items()}


def _input(values: np.ndarray, column: Column) -> np.ndarray:
    if column.part:
        return np.round(values * (_HOUR if column.part == "hours" else _DAY), 6)  # to microseconds, as dates are read
    if column.categories is None:
        return values
    texts = ("", *column.categories)
    return np.array([texts[0 if np.isnan(code) else int(code) + 1] for code in values.tolist()], object)
