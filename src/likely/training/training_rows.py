"""The rows that are learned from."""

from dataclasses import dataclass

import numpy as np

from likely.data.groups import one_per_group
from likely.preprocessing.columns import Column, input_width
from likely.preprocessing.stored_rows import RowArray, take_rows
from likely.training.task import Task


@dataclass(frozen=True)
class Rows:
    """What is learned from.

    Args:
        X: stored rows, such as uint8 images.
        Y: label distributions (n, k), or targets (n, m).
        weights: one non-negative number per row, or None.
        task: what Y is.
        class_weight: how much each class counts in training, shape (k,), or None.
        columns: what the columns of X are, where they are more than plain numbers.
        groups: integers (n,), equal for rows that are related and must not be parted, or None.
    """

    X: RowArray
    Y: np.ndarray
    weights: np.ndarray | None
    task: Task
    class_weight: np.ndarray | None = None
    columns: tuple[Column, ...] | None = None
    groups: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.Y)

    def take(self, index: np.ndarray) -> tuple[RowArray, np.ndarray, np.ndarray | None]:
        """X, Y and the weights of the rows with these indices."""
        return take_rows(self.X, index), self.Y[index], None if self.weights is None else self.weights[index]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one row as the network meets it: an image's, or the number of inputs of a table's columns."""
        return self.X.shape[1:] if self.columns is None else (input_width(self.columns),)

    @property
    def n_groups(self) -> int:
        """How many rows there are of which no two are related."""
        return len(self) if self.groups is None else len(np.unique(self.groups))

    @property
    def strata(self) -> np.ndarray:
        """What folds hold about as many rows of: see `Task.strata`."""
        return self.task.strata(self.Y)

    def one_per_group(self, index: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """One row of each group among these, drawn from it at random; all of them where no rows are related."""
        return index if self.groups is None else index[one_per_group(self.groups[index], rng)]
