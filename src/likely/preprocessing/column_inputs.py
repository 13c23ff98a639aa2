"""Which column each input of a network comes from."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from likely.networks.input_groups import InputGroups
from likely.preprocessing.columns import Column
from likely.preprocessing.piecewise_linear import PiecewiseLinear
from likely.preprocessing.target_encoding import TargetEncoding


@dataclass(frozen=True)
class ColumnInputs:
    """The inputs that `ColumnPreprocessor` makes, in its order: numbers, indicators, categories and pieces.

    Args:
        columns: of the rows.
        encoding: of columns of many categories, if any; their numbers come after those of columns of numbers.
        pieces: of the numbers, if any.
        unseen: the inputs that are 0 in every training row.
        off: the columns that have no input.
    """

    columns: tuple[Column, ...]
    encoding: TargetEncoding | None
    pieces: PiecewiseLinear | None
    unseen: tuple[int, ...]
    off: tuple[int, ...]

    @cached_property
    def numbers(self) -> np.ndarray:
        """The columns of numbers."""
        return np.array([j for j, column in enumerate(self.columns) if column.categories is None], dtype=np.int64)

    @cached_property
    def column_of_number(self) -> np.ndarray:
        """The column that each standardized number comes from: those of numbers, then those that are encoded."""
        return self.numbers if self.encoding is None else np.append(self.numbers, self.encoding.column_of_number)

    @cached_property
    def indicators(self) -> np.ndarray:
        """The columns of numbers that may miss some."""
        found = [j for j, column in enumerate(self.columns) if column.categories is None and column.missing]
        return np.array(found, dtype=np.int64)

    @cached_property
    def categories(self) -> list[tuple[int, np.ndarray, bool]]:
        """Each column of categories, their numbers (-1 without a training row), whether it may miss some."""
        position, found = len(self.column_of_number) + len(self.indicators), list[tuple[int, np.ndarray, bool]]()
        for j, k in self._one_hot:
            codes = np.where(self.live[position : position + k] > 0, np.arange(k), -1.0)
            found.append((j, codes, self.columns[j].missing))
            position += k + self.columns[j].missing
        return found

    @cached_property
    def of_all(self) -> np.ndarray:
        """The column that each input would come from if none were off."""
        found = [*self.column_of_number.tolist(), *self.indicators.tolist()]
        for j, k in self._one_hot:
            found += [j] * (k + self.columns[j].missing)
        pieces = [] if self.pieces is None else self.column_of_number[self.pieces.bins[0]].tolist()
        return np.array(found + pieces, dtype=np.int64)

    @cached_property
    def kept(self) -> np.ndarray:
        """The inputs whose columns are not off, of all that there would be."""
        return np.flatnonzero(~np.isin(self.of_all, self.off))

    @cached_property
    def live(self) -> np.ndarray:
        """0 for what is 0 in every training row, 1 for the others."""
        live = np.ones(len(self.of_all))
        live[list(self.unseen)] = 0
        return live

    @cached_property
    def numbers_alone(self) -> bool:
        """Whether the inputs are the numbers and nothing else."""
        return self.encoding is None and len(self.kept) == len(self.numbers)

    @property
    def groups(self) -> InputGroups:
        """Which inputs belong to one column."""
        position, found = len(self.column_of_number) + len(self.indicators), list[tuple[int, int]]()
        for _, codes, missing in self.categories:
            found.append((position, position + len(codes)))
            position += len(codes) + missing
        indicated = np.searchsorted(self.numbers, self.indicators)
        return InputGroups(len(self.column_of_number), tuple(indicated.tolist()), tuple(found))

    @property
    def _one_hot(self) -> list[tuple[int, int]]:
        """The columns that have an input for each category, and how many that are."""
        encoded: Collection[int] = () if self.encoding is None else self.encoding.columns
        each = ((j, column.categories) for j, column in enumerate(self.columns) if j not in encoded)
        return [(j, len(categories)) for j, categories in each if categories is not None]
