"""What each column of a table was taken for, and how it is written, in words."""

from collections.abc import Sequence
from typing import NamedTuple

from likely.preprocessing.column_reading import TIME
from likely.preprocessing.columns import Column


class Explained(NamedTuple):
    """A column of the table, what it holds, and how that is read."""

    name: str
    kind: str
    how: str


def explained(columns: Sequence[Column]) -> list[Explained]:
    """The columns of the table that are learned from, each once.

    Example:
        >>> from likely.preprocessing.column_reading import ColumnReading
        >>> explained([Column("price", None, True, ColumnReading("number", ".", ",", "$", codes=(-999.0,)))])
        [Explained(name='price', kind='number', how="',' between thousands, '$' omitted, -999 missing, may be missing")]
    """
    by_name: dict[str, list[Column]] = {}
    for column in columns:
        by_name.setdefault(column.table_column, []).append(column)
    return [Explained(name, made[0].how_read.kind, ", ".join(_how(made))) for name, made in by_name.items()]


def _how(made: Sequence[Column]) -> list[str]:
    column, reading = made[0], made[0].how_read
    said = list[str]()
    if column.part:
        order = "times" if reading.dates == TIME else reading.dates or "dates"
        said.append(f"{order} as {', '.join(c.part for c in made)}")
    elif column.categories is not None:
        said.append(f"{len(column.categories):,} kinds")
    said += ["decimal commas"] if reading.decimal == "," else []
    said += [f"{reading.thousands!r} between thousands"] if reading.thousands else []
    said += [f"{reading.unit!r} omitted"] if reading.unit else []
    said += [f"{code:g} missing" for code in reading.codes]
    return [*said, "may be missing"] if column.missing else said
