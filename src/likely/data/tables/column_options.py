"""What people say of the columns of a table, where the file does not say it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from likely.errors import DataError, nearest, within
from likely.preprocessing.column_reading import ColumnReading

if TYPE_CHECKING:
    from likely.config import RunConfig

Mark: TypeAlias = Literal["", ".", ","]


@dataclass(frozen=True)
class ColumnOptions:
    """How the columns are to be read and used; the usual rules decide about all others.

    Args:
        ignore: columns that are not learned from.
        categories: columns whose values are names, even if they are written as numbers.
        numbers: columns of numbers, even if they look like codes.
        keep: columns that are learned from although they look like row numbers, names or keys.
        missing: the texts that mean a missing value, beside an empty cell; None takes the usual ones.
        decimal: what stands before decimals, where commas and points may mean two things.
        encoding: of a text file; None takes UTF-8.
        header: whether the first row of a text file holds the names of the columns.
    """

    ignore: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    missing: tuple[str, ...] | None = None
    decimal: Literal["point", "comma"] | None = None
    encoding: str | None = None
    header: bool = True

    @classmethod
    def of(cls, config: "RunConfig") -> "ColumnOptions":
        """Those that a configuration states."""
        return cls(
            config.ignore,
            config.categories,
            config.numbers,
            config.keep,
            config.missing,
            config.decimal,
            config.encoding,
            config.header,
        )

    @property
    def mark(self) -> Mark:
        """What was said to stand before decimals; "" where nothing was."""
        return "" if self.decimal is None else "." if self.decimal == "point" else ","

    def applied_to(self, reading: ColumnReading) -> ColumnReading:
        """A reading that a model has stored, where rows are said to be written otherwise."""
        if self.missing is not None:
            reading = replace(reading, missing=self.missing)
        if self.mark and reading.kind == "number":
            other = "," if self.mark == "." else "."
            thousands = other if reading.thousands in ("", ".", ",") else reading.thousands
            reading = replace(reading, decimal=self.mark, thousands=thousands)
        return reading

    def check(self, names: Iterable[str], where: str, label: str | None = None) -> None:
        """Refuse columns that the table does not have, and options that contradict each other.

        Raises:
            DataError: naming the nearest column, or both options.
        """
        for one, other, named in (
            ("numbers", "categories", set(self.numbers) & set(self.categories)),
            ("ignore", "keep", set(self.ignore) & set(self.keep)),
            ("ignore", "label", {label} & set(self.ignore)),
        ):
            if named:
                raise DataError(
                    f"{one} and {other} must name different columns; got {min(map(str, named))!r} in both, which "
                    "contradict each other. Try one of them alone."
                )
        known = list(names)
        for option, columns in (
            ("ignore", self.ignore),
            ("categories", self.categories),
            ("numbers", self.numbers),
            ("keep", self.keep),
        ):
            for name in columns:
                if name not in known:
                    raise DataError(
                        f"{option} must name columns of {within(where)}; got {name!r}. {nearest(name, known)}"
                    )


USUAL = ColumnOptions()
"""Nothing was said."""
