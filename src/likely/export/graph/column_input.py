"""The columns of a table as they come in, up to rows of numbers: categories as their numbers, dates as their parts.

Each column of the table is an input of shape (n, 1): texts for categories, "" where one is missing; float64 for
numbers, NaN where one is missing; float64 seconds since 1970 for dates, and seconds for times of a day.
"""

import math
from collections.abc import Sequence

import numpy as np

from likely.data.tables.date_parts import WEEKDAYS
from likely.export.graph.builder import ML, Graph
from likely.export.names import ROWS
from likely.preprocessing.columns import Column

_DAY, _HOUR = 86_400.0, 3_600.0


def column_input(g: Graph, columns: Sequence[Column] | None, d: int, names: dict[str, str]) -> str:
    """Rows (n, d) in float64, as `Predictor.rows` gives them.

    Args:
        g: the graph.
        columns: what the model learned from; None for numbers without names.
        d: how many there are.
        names: the column of the table by the name of its input.
    """
    if columns is None:
        return g.input(ROWS, np.float64, ("n", d))
    input_of = {column: name for name, column in names.items()}
    texts = {column.table_column: column.categories is not None and not column.part for column in columns}
    given = {
        column: g.input(input_of[column], str if is_text else np.float64, ("n", 1)) for column, is_text in texts.items()
    }
    return g.add("Concat", *(_column(g, given[column.table_column], column) for column in columns), axis=1)


def _column(g: Graph, value: str, column: Column) -> str:
    if column.part:
        return _part(g, value, column)
    if column.categories is None:
        return value
    codes = g.add(
        "LabelEncoder",
        value,
        domain=ML,
        keys_strings=list(column.categories),
        values_floats=[float(code) for code in range(len(column.categories))],
        default_float=math.nan,
    )
    return g.cast(codes, np.float64)


def _part(g: Graph, seconds: str, column: Column) -> str:
    """One of the parts of a moment, or of a time: see `likely.data.tables.date_parts`."""
    if column.part == "hours":
        return g.add("Div", seconds, _HOUR)
    if column.part == "days":
        return g.add("Div", seconds, _DAY)
    if column.part.startswith("hour"):
        turn = g.add("Div", _modulo(g, seconds, _DAY), _DAY)
        return _on_circle(g, turn, column.part)
    day = g.add("Floor", g.add("Div", seconds, _DAY))
    if column.part == "weekday":
        assert column.categories is not None
        codes = [column.categories.index(name) if name in column.categories else np.nan for name in WEEKDAYS]
        number = _modulo(g, g.add("Add", day, 3.0), 7.0)  # 1970-01-01 was a Thursday
        known = g.add("Where", g.add("IsNaN", day), 7.0, number)
        return g.add("Gather", np.array([*codes, np.nan]), g.cast(known, np.int64))
    year, month = _calendar(g, day)
    if column.part == "year":
        return year
    return _on_circle(g, g.add("Div", g.add("Sub", month, 1.0), 12.0), column.part)


def _on_circle(g: Graph, turn: str, part: str) -> str:
    angle = g.add("Mul", turn, 2 * np.pi)
    return g.add("Sin", angle if part.endswith("(sine)") else g.add("Add", angle, np.pi / 2))


def _calendar(g: Graph, day: str) -> tuple[str, str]:
    """Year and month, 1 to 12, of days since 1970 in the Gregorian calendar.

    Years begin in March here, so that a leap day is the last one, in cycles of 400 years, which have 146,097 days.
    """
    since = g.add("Add", day, 719_468.0)  # from 0000-03-01
    cycle = g.add("Floor", g.add("Div", since, 146_097.0))
    within = g.add("Sub", since, g.add("Mul", cycle, 146_097.0))
    leap_days = g.add("Add", _whole(g, within, 1_460.0), _whole(g, within, 146_096.0))
    plain = g.add("Sub", g.add("Add", within, _whole(g, within, 36_524.0)), leap_days)
    of_cycle = _whole(g, plain, 365.0)
    leaps = g.add("Sub", _whole(g, of_cycle, 4.0), _whole(g, of_cycle, 100.0))
    of_year = g.add("Sub", within, g.add("Add", g.add("Mul", of_cycle, 365.0), leaps))
    from_march = g.add("Floor", g.add("Div", g.add("Add", g.add("Mul", of_year, 5.0), 2.0), 153.0))
    next_year = g.add("GreaterOrEqual", from_march, 10.0)
    month = g.add("Sub", g.add("Add", from_march, 3.0), g.add("Where", next_year, 12.0, 0.0))
    year = g.add("Add", g.add("Add", g.add("Mul", cycle, 400.0), of_cycle), g.add("Where", next_year, 1.0, 0.0))
    return year, month


def _whole(g: Graph, value: str, unit: float) -> str:
    return g.add("Floor", g.add("Div", value, unit))


def _modulo(g: Graph, value: str, unit: float) -> str:
    """The remainder from 0 up."""
    return g.add("Sub", value, g.add("Mul", _whole(g, value, unit), unit))
