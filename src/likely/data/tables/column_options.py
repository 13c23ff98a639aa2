"""What people say of the columns of a table, where the file does not say it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from likely.errors import DataError, nearest

if TYPE_CHECKING:
    from likely.config import RunConfig


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
                    raise DataError(f"{option} must name columns of {where}; got {name!r}. {nearest(name, known)}")


USUAL = ColumnOptions()
"""Nothing was said."""
