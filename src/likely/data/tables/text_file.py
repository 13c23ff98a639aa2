"""CSV, TSV and other text with separators, as columns: of text, or of numbers where they hold nothing else."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import polars as pl

from likely.data.tables.column_options import Mark
from likely.data.tables.date_column import may_be_compact
from likely.data.tables.decide import SOME, decimal_of
from likely.data.tables.plain_numbers import ends_like_thousands, may_be_grouped, sure_numbers
from likely.data.tables.sheet import Sheet
from likely.data.tables.text_cells import CellPiece, TextCells

ROWS = 10_000


def text_pieces(text: TextCells) -> Iterator[Sheet]:
    """The rows as columns of text, some thousand at a time; a table without rows gives one piece of none.

    Raises:
        DataError: as `TextCells.open`.
    """
    layout, pieces = text.open()
    n = 0
    for piece in pieces:
        n += piece.rows
        frame = _frame(layout.names, piece.columns())
        for rows in [frame] if len(frame) <= ROWS else frame.iter_slices(ROWS):
            yield Sheet(text.where, rows, layout.separator, layout.notes)
    if n == 0:
        frame = pl.DataFrame(schema=dict.fromkeys(layout.names, pl.String))
        yield Sheet(text.where, frame, layout.separator, layout.notes)


def read_text(text: TextCells, as_text: Callable[[str], bool], decimal: Mark = "") -> Sheet:
    """All rows; columns of plain numbers become numbers piece by piece, so that their text is never held as a whole.

    A column is taken for one of numbers by its first rows. If a later one is none, it is read once more, as text.

    Args:
        text: the file.
        as_text: which columns are to stay text, by name.
        decimal: what was said to stand before decimals; "" where the text decides.
    Raises:
        DataError: as `TextCells.open`.
    """
    layout, pieces = text.open()
    d, n, mark = len(layout.names), 0, decimal
    some, words = list[CellPiece](), list[CellPiece]()
    plain = ~np.array([as_text(name) for name in layout.names])
    failed, zeros = np.zeros((2, d), dtype=bool)
    numbers = texts = np.arange(0)
    block = _Growing(0, 0)
    for piece in pieces:
        if n < SOME:
            some.append(piece.of_columns(np.arange(min(d, SOME))))
            mark = decimal or (mark if n else _decimal_of(some, text.where))
        values, sure = (found.reshape(-1, d) for found in sure_numbers(piece.cells, piece.suspects, mark))
        failed |= ~sure.all(axis=0)
        if not mark:
            zeros |= ends_like_thousands(piece.cells).to_numpy().reshape(-1, d).any(axis=0)
        if not n:
            plain &= ~(failed | _may_be_compact(values.T))
            numbers, texts = np.flatnonzero(plain), np.flatnonzero(~plain)
            block = _Growing(len(numbers), int(1.05 * piece.rows / (piece.share or 1)))
        block.append(values.T if len(numbers) == d else values[:, numbers].T)
        words.append(piece.of_columns(texts))
        n += piece.rows
    if n == 0:
        return Sheet(text.where, _frame(layout.names, [pl.Series([], dtype=pl.String)] * d), layout.separator)
    if not decimal and _decimal_of(some, text.where) == "," != mark:
        return read_text(text, as_text, ",")
    values = block.values
    failed = failed[numbers] | _may_be_compact(values)
    if not mark:
        found = zip(values, zeros[numbers].tolist(), strict=True)
        failed |= np.array([may_be_grouped(column, zeros=some) for column, some in found], dtype=bool)
    again = numbers[failed]
    columns = dict(zip(texts.tolist(), _joined(words, len(texts)), strict=True))
    del words
    if len(again):
        columns |= zip(again.tolist(), _joined([p.of_columns(again) for p in text.open()[1]], len(again)), strict=True)
    names = layout.names
    kept = [(j, row) for j, row, wrong in zip(numbers.tolist(), values, failed.tolist(), strict=True) if not wrong]
    return Sheet(
        text.where,
        _frame([names[j] for j in sorted(columns)], [columns[j] for j in sorted(columns)]),
        layout.separator,
        layout.notes,
        {names[j]: row for j, row in kept},
        names,
        mark,
    )


def _frame(names: Sequence[str], columns: Sequence[pl.Series]) -> pl.DataFrame:
    frame = pl.DataFrame(columns)
    frame.columns = list(names)
    return frame


def _joined(pieces: Sequence[CellPiece], width: int) -> list[pl.Series]:
    """The columns of all pieces."""
    return CellPiece(pl.concat([piece.cells for piece in pieces]), width).columns() if width else []


def _decimal_of(pieces: Sequence[CellPiece], where: str) -> Mark:
    columns = _joined(pieces, pieces[0].width)
    return decimal_of(Sheet(where, _frame([str(j) for j in range(len(columns))], columns), ","))


def _may_be_compact(values: np.ndarray) -> np.ndarray:
    """Which columns (d, n) may hold dates such as 20230429."""
    found = np.zeros(len(values), dtype=bool)
    first = values[:, 0]
    for j in np.flatnonzero(np.isnan(first) | (first >= 19000101)).tolist():
        found[j] = may_be_compact(values[j])
    return found


class _Growing:
    """Columns of numbers that grow by pieces (d, m); about n rows are expected."""

    def __init__(self, d: int, n: int) -> None:
        # Memory that nothing was written to takes none.
        self._room, self._n = np.empty((d, n)), 0

    def append(self, piece: np.ndarray) -> None:
        m = piece.shape[1]
        if self._n + m > self._room.shape[1]:
            larger = np.empty((len(piece), max(2 * self._n, self._n + m)))
            larger[:, : self._n] = self._room[:, : self._n]
            self._room = larger
        self._room[:, self._n : self._n + m] = piece
        self._n += m

    @property
    def values(self) -> np.ndarray:
        return self._room[:, : self._n]
