"""All rows of a data set, one after the other, and what each is called."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from likely.data.check.findings import Place
from likely.data.corrections import relative_path
from likely.data.dataset import Dataset, Part
from likely.data.tables.suffixes import is_table


@dataclass(frozen=True)
class AllRows:
    """The rows of every part of a data set, numbered through: training first."""

    dataset: Dataset

    @cached_property
    def parts(self) -> dict[str, Part]:
        """The parts by name, in the order of their rows."""
        return self.dataset.parts

    @cached_property
    def starts(self) -> np.ndarray:
        """The number of the first row of each part."""
        return np.cumsum([0, *(len(part) for part in self.parts.values())])[:-1]

    @cached_property
    def part_of(self) -> np.ndarray:
        """The number of the part of each row, shape (n,)."""
        return np.repeat(np.arange(len(self.parts)), [len(part) for part in self.parts.values()])

    @cached_property
    def y(self) -> np.ndarray:
        """The answer of each row."""
        return np.concatenate([part.y for part in self.parts.values()])

    @property
    def folder(self) -> Path:
        """Where the files of the rows are, if they are files."""
        found_at = Path(self.dataset.found_at)
        return found_at.parent if is_table(found_at) else found_at

    @property
    def are_images(self) -> bool:
        """Whether the rows are images."""
        return self.dataset.train.X.ndim > 2

    @property
    def noun(self) -> str:
        """What one row is called."""
        return "image" if self.are_images else "row"

    def class_counts(self) -> dict[str, dict[str, int]]:
        """The number of rows of each class in each part; empty for regression."""
        labels = self.dataset.labels
        if not labels:
            return {}
        counts = {name: np.bincount(part.y, minlength=len(labels)).tolist() for name, part in self.parts.items()}
        return {name: dict(zip(labels, of_part, strict=True)) for name, of_part in counts.items()}

    def __len__(self) -> int:
        return len(self.part_of)

    def take(self, rows: np.ndarray) -> np.ndarray:
        """The values of these rows, in this order."""
        owner = self.part_of[rows]
        X = self.dataset.train.X
        values = np.empty((len(rows), *X.shape[1:]), X.dtype)
        for number, part in enumerate(self.parts.values()):
            mine = owner == number
            values[mine] = part.X[rows[mine] - self.starts[number]]
        return values

    def place(self, row: int, detail: str = "") -> Place:
        """The name of a row."""
        number = int(self.part_of[row])
        name, part = list(self.parts.items())[number]
        index = row - int(self.starts[number])
        label = self.dataset.labels[int(part.y[index])] if self.dataset.labels else f"{part.y[index]:.15g}"
        if part.paths is None:
            return Place(str(index), "row", name, index, label, detail)
        return Place(relative_path(part.paths[index], str(self.folder)), "path", name, index, label, detail)
