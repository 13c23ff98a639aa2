"""A table as columns of numbers, texts, moments or bytes, whatever its format."""

from dataclasses import dataclass, field, replace

import numpy as np

from likely.data.classes import listed
from likely.errors import DataError, nearest, within
from likely.preprocessing.column_reading import ColumnReading


@dataclass(frozen=True)
class Table:
    """Some or all rows of a table.

    Args:
        path: where it came from, for messages.
        columns: by name, each of shape (n,): float64 with NaN where a value is missing, datetime64 with NaT, or
            objects: text, bytes (an image) or None.
        unusable: the columns that can be none of these, and why.
        readings: how the columns were read; images have none.
        wrong: the texts that are no number or moment where one should be, by column and row.
        written: the answers as they are written, or None: objects, shape (n,); None without a column of answers.
        numbers: of the rows in the source, shape (n,); None if none was left out.
        notes: what was decided while reading, a sentence each.
    """

    path: str
    columns: dict[str, np.ndarray]
    unusable: dict[str, str] = field(default_factory=dict[str, str])
    readings: dict[str, ColumnReading] = field(default_factory=dict[str, ColumnReading])
    wrong: dict[str, dict[int, str]] = field(default_factory=dict[str, dict[int, str]])
    written: np.ndarray | None = None
    numbers: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def take(self, rows: np.ndarray) -> "Table":
        """Some of the rows, in the order of these indices, which grows."""
        place = {row: i for i, row in enumerate(rows.tolist())}
        return replace(
            self,
            columns={name: values[rows] for name, values in self.columns.items()},
            wrong={
                name: {place[row]: text for row, text in texts.items() if row in place}
                for name, texts in self.wrong.items()
            },
            written=None if self.written is None else self.written[rows],
            numbers=rows if self.numbers is None else self.numbers[rows],
        )

    def number_of(self, row: int) -> int:
        """The number of a row in the source."""
        return row if self.numbers is None else int(self.numbers[row])

    def column(self, name: str, purpose: str, option: str = "") -> np.ndarray:
        """The column with this name.

        Args:
            name: of the column.
            purpose: what it should hold, for the message.
            option: the option that would name another one.
        Raises:
            DataError: if there is none, listing the columns, or it can't be used.
        """
        if name in self.unusable:
            raise unusable(self.path, name, self.unusable[name])
        if name not in self.columns:
            names = [*self.columns, *self.unusable]
            if len(names) == 1 and name in names[0]:
                raise DataError(
                    f"{self.path} must have its cells separated by commas, semicolons, tabs or |; got the heading "
                    f"{names[0]!r}, which stays one cell. Separate the cells by one of these."
                )
            hint = nearest(name, names)
            choices = "" if hint.startswith("Choose") else f" Its columns are {listed(names, 20)}."
            raise DataError(
                f"{self.path} must have a column {name!r} with {purpose}; got none. {hint}{choices}"
                f"{f' Try {option}.' if option else ''}"
            )
        return self.columns[name]


def refuse_unusable(table: Table) -> None:
    """Refuse a table with a column whose type is not one to learn from; a column that a note names is not learned from.

    Raises:
        DataError: naming the first.
    """
    for name, kind in table.unusable.items():
        if not kind.startswith(("dates", "times")):
            raise unusable(table.path, name, kind)


def unusable(path: object, name: str, kind: str) -> DataError:
    """What to say of a column whose type is not one to learn from."""
    return DataError(
        f"Column {name!r} of {within(path)} must hold numbers, text, dates, true and false, or images as bytes; got "
        f"{kind}. Nothing says how to learn from that. Cast it, or try --ignore {name} (ignore= in Python)."
    )
