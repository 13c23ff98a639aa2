"""CSV, TSV and other text with separators, as columns: of text, or of numbers where they hold nothing else."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

import numpy as np
import polars as pl

from likely.data.tables.column_options import Mark
from likely.data.tables.date_column import may_be_compact
from likely.data.tables.decide import SOME, decimal_of
from likely.data.tables.plain_numbers import ends_like_thousands, may_be_grouped, sure_numbers
from likely.data.tables.sheet import Sheet
from likely.data.tables.text_cells import CellPiece, TextCells

ROWS = 10_000
_CELLS = 2**23  # of a wide table that are held at a time


class Plain(NamedTuple):
    """The numbers of the columns that hold plain numbers throughout, and what stands before decimals in the text."""

    columns: np.ndarray
    decimal: Mark


def plain_columns(text: TextCells, as_text: Callable[[str], bool], decimal: Mark = "") -> Plain:
    """What a text holds, but for the columns that are to stay text, by name; in one pass, or two with decimal commas.

    Raises:
        DataError: as `TextCells.open`.
    """
    layout, pieces = text.open()
    plain, some, n = ~np.array([as_text(name) for name in layout.names]), list[CellPiece](), 0
    for piece in pieces:
        if n < SOME:
            some.append(piece.of_columns(np.arange(min(piece.width, SOME))))
        n += piece.rows
        plain &= sure_numbers(piece.cells, piece.suspects, decimal)[1].reshape(-1, piece.width).all(axis=0)
    mark: Mark = _decimal_of(some, text.where) if some else ""
    return plain_columns(text, as_text, ",") if mark == "," != decimal else Plain(np.flatnonzero(plain), mark)


def text_pieces(text: TextCells, plain: Plain) -> Iterator[Sheet]:
    """The rows, some thousand at a time, fewer of wide tables; a table without rows gives one piece of none.

    Raises:
        DataError: as `TextCells.open`.
    """
    layout, pieces = text.open()
    words = np.setdiff1d(np.arange(len(layout.names)), plain.columns)
    names, of_words = [layout.names[j] for j in plain.columns], [layout.names[j] for j in words]
    whole = Sheet(text.where, pl.DataFrame(), layout.separator, layout.notes, {}, layout.names, plain.decimal)
    at_once = max(1, min(ROWS, _CELLS // len(layout.names)))
    numbers, texts, n, none = list[np.ndarray](), list[pl.DataFrame](), 0, True
    for piece in chain(pieces, [None]):
        if piece is not None:
            cells = piece.of_columns(plain.columns).cells if len(names) else piece.cells.head(0)
            numbers.append(cells.cast(pl.Float64, strict=False).to_numpy().reshape(piece.rows, len(names)))
            texts.append(_frame(of_words, piece.of_columns(words).columns() if of_words else []))
            n += piece.rows
        if n >= (at_once if piece is not None else 1):
            block, frame = np.concatenate(numbers).T.copy(), pl.concat(texts)
            for start in range(0, n, ROWS):
                rows = slice(start, start + ROWS)
                known = {name: row[rows] for name, row in zip(names, block, strict=True)}
                yield replace(whole, frame=frame[rows], numbers=known)
            numbers, texts, n, none = [], [], 0, False
    if none:
        yield replace(whole, frame=_frame(layout.names, [pl.Series([], dtype=pl.String)] * len(layout.names)))


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
