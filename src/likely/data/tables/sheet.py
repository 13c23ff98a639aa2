"""A table as its source holds it: what every reader gives, before anything decides what its columns are."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

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
    """

    where: str
    frame: "pl.DataFrame"
    separator: str | None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return self.frame.height

    def with_frame(self, frame: "pl.DataFrame") -> "Sheet":
        """The same source with other rows."""
        return replace(self, frame=frame)
