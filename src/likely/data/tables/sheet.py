"""A table as its source holds it: what every reader gives, before anything decides what its columns are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from likely.data.tables.column_options import Mark
from likely.data.tables.number_blocks import columns_at_once

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Sheet:
    """Some or all rows of a table.

    Args:
        where: what to call it in messages.
        frame: the rows. Those of a text format are columns of text, each cell as it is written but for spaces around
            it, and "" where nothing is; other formats and frames keep their types, and null is a missing value.
        separator: between the cells of a text format, whose whole columns decide what they are; None for the others.
        notes: what was decided while reading: a sentence each.
        numbers: the columns that hold plain numbers and nothing else, if they were read as such: float64 with NaN
            where nothing is. They are not in the frame.
        order: the names of all columns; none where the frame has them all.
        decimal: what stands before decimals in a text; None where that is not decided.
    """

    where: str
    frame: "pl.DataFrame"
    separator: str | None
    notes: tuple[str, ...] = ()
    numbers: Mapping[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])
    order: tuple[str, ...] = ()
    decimal: Mark | None = None

    @property
    def names(self) -> Sequence[str]:
        """Of all columns, in their order."""
        return self.order or self.frame.columns

    def __len__(self) -> int:
        return len(next(iter(self.numbers.values()))) if self.numbers else self.frame.height

    def with_frame(self, frame: "pl.DataFrame") -> "Sheet":
        """The same source with other rows."""
        return replace(self, frame=frame)

    def with_numbers(self, stays: Callable[[str], bool]) -> "Sheet":
        """The same rows, with all columns of a type of numbers in `numbers`.

        Args:
            stays: which columns, by name, are to stay in the frame. So do those with integers that float64 can't hold.
        """
        import polars as pl

        kinds = [(name, kind) for name, kind in self.frame.schema.items() if kind.is_integer() or kind.is_float()]
        names = [name for name, _ in kinds if not stays(name)]
        whole = {name for name, kind in kinds if kind.is_integer()}
        found = dict[str, np.ndarray]()
        for some in columns_at_once(names, self.frame.height):
            columns = pl.DataFrame([self.frame.get_column(name) for name in some])
            block = columns.cast(pl.Float64).to_numpy(order="fortran", writable=True).T
            integers = np.array([name in whole for name in some])
            integers[integers] = (np.abs(block[integers]) >= 2**53).any(axis=1)
            found |= {name: row for name, row, large in zip(some, block, integers, strict=True) if not large}
        if not found:
            return self
        return replace(self, frame=self.frame.drop(found), numbers={**self.numbers, **found}, order=tuple(self.names))

    def select(self, names: Sequence[str]) -> "Sheet":
        """The same rows with some of the columns."""
        texts = [name for name in names if name not in self.numbers]
        numbers = {name: self.numbers[name] for name in names if name in self.numbers}
        return replace(self, frame=self.frame.select(texts), numbers=numbers, order=tuple(names))
