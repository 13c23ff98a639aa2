"""Which of a network's inputs belong to one column of a table: what trees ask about are columns, not inputs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class InputGroups:
    """The inputs of a network for rows of a table, column by column.

    So many columns hold `numbers`; they are the first inputs, followed by indicators of those that may miss a number.
    Of each column of categories, the first input and the one after its last category are known.

    Example:
        >>> groups = InputGroups(numbers=1, indicated=(0,), categories=((2, 4),))
        >>> groups.columns(np.array([[0.5, 0, 0, 1], [0.0, 1, 0, 0]]))
        array([[1. , 0.5],
               [nan, nan]], dtype=float32)
    """

    numbers: int
    indicated: tuple[int, ...] = ()
    categories: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, numbers: int, indicated: Sequence[int], categories: Sequence[Sequence[int]]) -> "InputGroups":
        """From plain values, as a model file holds them."""
        pairs = tuple((int(start), int(stop)) for start, stop in categories)
        return cls(int(numbers), tuple(map(int, indicated)), pairs)

    @property
    def n_columns(self) -> int:
        """How many columns there are."""
        return len(self.categories) + self.numbers

    @property
    def n_inputs(self) -> int:
        """How many of a network's inputs are read."""
        return max([self.numbers + len(self.indicated), *(stop for _, stop in self.categories)])

    def columns(self, x: np.ndarray) -> np.ndarray:
        """The columns of prepared rows, float32 (n, columns): numbers of categories, then numbers.

        NaN where a number is missing, and where a category is missing or was in no training row.
        """
        found = np.empty((len(x), self.n_columns), np.float32)
        for column, (start, stop) in enumerate(self.categories):
            one_hot = x[:, start:stop]
            found[:, column] = np.where(one_hot.any(axis=1), one_hot.argmax(axis=1), np.nan)
        numbers = found[:, len(self.categories) :]
        numbers[:] = x[:, : self.numbers]
        for position, column in enumerate(self.indicated, start=self.numbers):
            numbers[x[:, position] > 0, column] = np.nan
        return found
