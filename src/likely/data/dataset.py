"""What every source of data becomes: rows with answers, and what is known about them."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from likely.data.storable_text import refuse_unstorable
from likely.data.tables.column_options import USUAL, ColumnOptions
from likely.errors import ShapeError
from likely.preprocessing.column_reading import ColumnReading
from likely.preprocessing.columns import Column
from likely.preprocessing.stored_rows import RowArray, pieces, take_rows

Task: TypeAlias = Literal["classification", "regression"]
PARTS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "validate", "dev", "development", "eval", "evaluation"),
    "test": ("test", "testing", "holdout"),
}
"""The parts of a data set, and what folders and columns call them, in lower or upper case."""


@dataclass(frozen=True)
class Part:
    """Rows with answers: the training part or the test part of a data set.

    Args:
        X: images as uint8 of shape (n, h, w) or (n, h, w, 3), perhaps still on disk, or numbers of shape (n, d).
        y: for classification integers 0..k-1 of shape (n,), for regression floats of shape (n,).
        paths, numbers: the file that each row came from, or which row of its table it is.
        order: what grows from earlier rows to later ones, of shape (n,), where the latest are to be the test part.
        groups: integers of shape (n,), equal for rows that are related, such as copies or images of one person; the
            same numbers in every part of a data set. None: no two rows are.
    """

    X: RowArray
    y: np.ndarray
    paths: Sequence[str] | None = None
    order: np.ndarray | None = None
    numbers: np.ndarray | None = None
    groups: np.ndarray | None = None

    def __post_init__(self) -> None:
        if len(self.X) != len(self.y):
            raise ShapeError(f"A part must have one answer per row; got {len(self.X)} rows and {len(self.y)} answers.")

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: np.ndarray) -> "Part":
        """The rows with these indices, in this order."""
        paths = None if self.paths is None else [self.paths[int(i)] for i in rows]
        aside = (None if values is None else values[rows] for values in (self.order, self.numbers, self.groups))
        return Part(take_rows(self.X, rows), self.y[rows], paths, *aside)


def without_folders(path: str) -> str:
    """A path as it is kept in models: its last part, which says nothing of who made them, and where.

    Example:
        >>> without_folders("/home/ada/clothes.csv"), without_folders("digits")
        ('clothes.csv', 'digits')
    """
    return Path(path).resolve().name if path in (".", "..") or path.endswith("/..") else Path(path).name or path


@dataclass(frozen=True)
class Dataset:
    """A training part, perhaps a test part, and what the source declares about them.

    Args:
        name: what the user asked for, such as "fashion-mnist" or a folder.
        train, val, test: the rows to learn from; to hold out for calibration and promises, or None to draw these from
            the training part; to evaluate on, or None where the source declares none.
        labels: the names of the classes in the order of `y`; empty for regression.
        label_type: what the names were before they became text.
        features: the names of the columns of number rows, if they have any.
        columns: what these columns are, where they are more than plain numbers: a table's.
        label, image: the columns of a table that hold the answers, and the images.
        label_reading: how the column of answers is read.
        test_last, group: the columns of a table whose latest rows are the test part, and that says which are related.
        group_by_folder: whether images in one folder below that of their class are related.
        options: what was said of the columns, for a table.
        test_drawn: whether the test part was drawn from the training rows.
        left_out: how many rows are in no part, being related to rows that were drawn to evaluate on.
        equal_by_chance: how likely a row equals another one though it is no copy of it.
        doubt: why the guarantees may not hold, where it cannot be told whether rows are copies; "" otherwise.
        hflip: whether an image flipped left to right still shows the same thing (clothes yes, digits no).
        conversion: how a photograph becomes an image of this set: a name from the closed list of
            `likely.data.images.decode` with its numbers, or None to only resize.
        found_at: where the data came from, for people.
        notes: sentences about the data that its users should know.
    """

    name: str
    task: Task
    train: Part
    test: Part | None = None
    val: Part | None = None
    labels: tuple[str, ...] = ()
    label_type: Literal["str", "int", "float", "bool"] = "str"
    features: tuple[str, ...] | None = None
    columns: tuple[Column, ...] | None = None
    label: str | None = None
    label_reading: ColumnReading | None = None
    image: str | None = None
    test_last: str | None = None
    group: str | None = None
    group_by_folder: bool = False
    options: ColumnOptions = USUAL
    test_drawn: bool = False
    left_out: int = 0
    equal_by_chance: float = 0.0
    doubt: str = ""
    hflip: bool = False
    conversion: dict[str, object] | None = None
    found_at: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        refuse_unstorable(self.labels, "A label")
        refuse_unstorable(self.features or (), "The name of a column")

    @property
    def parts(self) -> dict[str, Part]:
        """The parts that there are, by name, training first."""
        parts = {"train": self.train, "val": self.val, "test": self.test}
        return {name: part for name, part in parts.items() if part is not None}

    @cached_property
    def sha256(self) -> str:
        """The hash of the content: labels, shapes, dtypes and every value, in order."""
        digest = hashlib.sha256("\x00".join(self.labels).encode())
        for column in self.columns or ():
            # How a column was written does not count: the values below do.
            digest.update(json.dumps(Column(column.name, column.categories, column.missing).to_json()).encode())
        for part in (self.train, self.test, self.val):
            for array in () if part is None else (part.X, part.y):
                digest.update(f"{array.shape}{array.dtype.str}".encode())
                for piece in pieces(array):
                    digest.update(np.ascontiguousarray(piece).data)
        return digest.hexdigest()

    def with_notes(self, *notes: str) -> "Dataset":
        """The same data set with these notes after its own."""
        return replace(self, notes=(*self.notes, *notes))
