"""From any X to the rows that a model was trained on: the gate that every question to a predictor passes."""

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from likely.arrays import to_numpy
from likely.data.images.decode import ImageForm, read_image
from likely.data.images.image_arrays import files_in, fit_to_shape, refuse_alone
from likely.data.images.open_image import name_of
from likely.errors import ColumnWarning, DataError, GuaranteeWarning, RenamedWarning
from likely.model.card import Card
from likely.model.stand_ins import about_gaps, read_stand_ins
from likely.preprocessing.columns import Column
from likely.preprocessing.preprocessor import Preprocessor
from likely.preprocessing.stored_rows import RowArray, StoredRows

if TYPE_CHECKING:
    from likely.data.tables.sheet import Sheet


class Gate:
    """What a model reads: rows as in training, and what is to be said of gaps in them.

    Args:
        where: the file of the model, for messages.
        card, arrays: what it holds.
        preprocessor: from rows to inputs.
    """

    def __init__(self, where: str, card: Card, arrays: Mapping[str, np.ndarray], preprocessor: Preprocessor) -> None:
        self.where, self.card, self.arrays, self.preprocessor = where, card, dict(arrays), preprocessor
        self._stand_ins = read_stand_ins(where, self.arrays, self.columns)

    @property
    def image_shape(self) -> tuple[int, ...] | None:
        """(h, w) or (h, w, 3) of the images that the model reads; None for rows of numbers."""
        return self.preprocessor.image_shape

    @property
    def image_form(self) -> ImageForm | None:
        """What becomes of an image in a file before the model reads it; None for rows of numbers."""
        return None if self.image_shape is None else ImageForm(self.image_shape, self.card.conversion)

    @property
    def picture_shape(self) -> tuple[int, ...] | None:  # deprecated
        """The old name of `image_shape`."""
        warnings.warn("picture_shape is deprecated; use image_shape.", RenamedWarning, stacklevel=2)  # deprecated
        return self.image_shape

    @property
    def columns(self) -> tuple[Column, ...] | None:
        """What the columns of its rows are; None for images, and for numbers without names."""
        if self.preprocessor.columns is not None:
            return self.preprocessor.columns
        return None if self.card.features is None else tuple(Column(name) for name in self.card.features)

    def rows(self, X: Any, *, raw: bool = False) -> np.ndarray:
        """X as the rows that the model was trained on: arrays are checked, images and paths go through the gate.

        A model of a table takes a data frame with the columns it learned from, in any order, others beside them. A
        value that is missing here, but was in no training row, stays NaN: the answer averages over the values that the
        column had, and nothing is guaranteed of it (see `likely.model.stand_ins`).

        Args:
            X: an array of rows, a data frame, or a list of paths, bytes, open files or PIL images; an array or series
                of paths. Arrays of images may have their channels first or last, or lie in rows of numbers.
            raw: only resize images, without the data set's conversion of photographs.
        Warns:
            ColumnWarning: for texts that the model does not know.
            GuaranteeWarning: for values that are missing, but were in no training row.
        """
        rows = self._rows(X, raw=raw)
        for sentence in about_gaps(self.gaps_by_column(rows), len(rows)):
            warnings.warn(f"{sentence}.", GuaranteeWarning, stacklevel=3)
        return rows

    @property
    def fills_gaps(self) -> bool:
        """Whether rows are answered in which a value is missing that was in every training row."""
        return self._stand_ins is not None

    def gaps(self, rows: RowArray) -> np.ndarray:
        """Which of `rows(X)` lack a value that every training row had, booleans (n,): nothing is guaranteed of them."""
        if self._stand_ins is None:
            return np.zeros(len(rows), np.bool_)
        return np.any(self._stand_ins.gaps(np.asarray(rows)), axis=1)

    def gaps_by_column(self, rows: RowArray) -> dict[str, int]:
        """How many rows have such a gap in each column of a table; none are left out."""
        if self._stand_ins is None:
            return {}
        return self._stand_ins.by_column(np.asarray(rows), self.columns or ())

    def _rows(self, X: Any, *, raw: bool = False) -> np.ndarray:
        """X as `rows` gives it, without a word of gaps."""
        refuse_alone(X)
        if (files := files_in(X)) is not None:
            if self.image_shape is None:
                raise DataError(
                    f"X must be rows of {self.preprocessor.shape[0]} numbers; got images. "
                    f"The model was trained on a table. Try predict with an array of shape (n, d)."
                )
            read = partial(read_image, shape=self.image_shape, conversion=self.card.conversion, raw=raw)
            return self.preprocessor.check(
                np.stack([read(x, name=name_of(x, f"Row {i}")) for i, x in enumerate(files)])
            )
        if self.columns is not None and (sheet := _sheet(X)) is not None:
            from likely.data.tables.encode import about_unknown, encode
            from likely.data.tables.read_table import table_with_readings

            table = table_with_readings(sheet, {c.table_column: c.how_read for c in self.columns})
            encoded = encode(table, self.columns, gaps=self.fills_gaps)
            if encoded.refused:
                raise DataError(encoded.refused[min(encoded.refused)])
            for name, found in encoded.unknown.items():
                warnings.warn(f"{about_unknown(name, found, len(table))}.", ColumnWarning, stacklevel=3)
            X = encoded.X
        elif self.image_shape is not None and not isinstance(X, StoredRows):
            X = fit_to_shape(X, self.image_shape)
        rows = self._checked(X)
        if not isinstance(rows, StoredRows):
            # How numbers lie in memory decides in which order products are summed: equal rows get equal answers.
            rows = np.ascontiguousarray(rows)
        too_large = self.too_large(rows)
        if too_large:
            raise DataError(too_large[min(too_large)])
        return rows

    def later_than_training(self, rows: Any) -> dict[str, int]:
        """How many rows (n, d) lie beyond all training rows in each column that looks like a time; none are left out.

        No held-out row speaks for them: a guarantee is about rows like those of training.
        """
        if self.columns is None:
            return {}
        rows = np.asarray(rows)
        greatest = [self.card.data.latest.get(column.name, np.inf) for column in self.columns]
        counts = np.count_nonzero(rows > np.array(greatest), axis=0)
        return {column.name: int(n) for column, n in zip(self.columns, counts, strict=True) if n}

    def too_large(self, rows: Any, first_row: int = 0, names: Sequence[str] | None = None) -> dict[int, str]:
        """Why some rows hold a number that the network cannot compute with: a sentence by the number of the row.

        Messages name the columns by `names` or those of training, and count rows from `first_row`.
        """
        found = self.preprocessor.too_large(rows)
        if not found.any():
            return {}
        if names is None:
            names = None if self.columns is None else [column.name for column in self.columns]
        reasons: dict[int, str] = {}
        for row in np.flatnonzero(found.any(axis=1)).tolist():
            j = int(found[row].argmax())
            column = j if names is None else repr(names[j])
            reasons[row] = (
                f"X must hold numbers that can be computed with; got {rows[row, j]:g} in column {column} at row "
                f"{first_row + row}. It is too far from everything the model was trained on. Fix or drop it."
            )
        return reasons

    def _checked(self, X: Any) -> np.ndarray:
        """X as the preprocessor accepts it, where it has no gaps."""
        if self._stand_ins is None or isinstance(X, StoredRows):
            return self.preprocessor.check(X)
        rows = to_numpy(X)
        if rows.dtype.kind != "f" or rows.ndim != 2 or rows.shape[1:] != self.preprocessor.shape:
            return self.preprocessor.check(X)
        gaps = self._stand_ins.gaps(rows)
        return np.where(gaps, np.nan, self.preprocessor.check(self._stand_ins.filled(rows)))

    def _whole_rows(self, X: Any) -> np.ndarray:
        """X as rows in which no number is missing that was in every training row."""
        return self.preprocessor.check(self._rows(X))

    def _filled(self, rows: RowArray) -> RowArray:
        """The rows with some value in every gap."""
        return rows if self._stand_ins is None else self._stand_ins.filled(np.asarray(rows))


def _sheet(X: Any) -> "Sheet | None":
    """A data frame as a sheet; None of anything else."""
    from likely.data.tables.frame import is_frame, sheet_of

    return sheet_of(X) if is_frame(X) else None
