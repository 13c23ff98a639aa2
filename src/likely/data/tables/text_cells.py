"""The cells of a text with separators, row by row: by polars as long as the text is plain, then by Python's `csv`."""

import csv
import io
import mmap
import sys
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
import polars as pl

from likely.data.tables.plain_numbers import suspects_in
from likely.data.tables.plain_text import PlainPiece, plain_pieces
from likely.data.tables.text_layout import SEPARATORS, Layout, layout_of
from likely.errors import DataError
from likely.metrics.numerals import counted

_BEGINNING = 2**20
_CELLS = 2**18  # that `csv` reads at a time
_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class CellPiece:
    """Whole rows of a text.

    Args:
        cells: one row after the other, without blanks around them; "" where nothing is.
        width: how many cells a row has.
        suspects: the numbers of all cells that could be read as a number though they are a code, or have more digits
            than float64 tells apart, and of some that are nothing like it; None for all cells.
        share: of the bytes of the file that they are; 0 where that is not known.
    """

    cells: pl.Series
    width: int
    suspects: np.ndarray | None = None
    share: float = 0.0

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.cells) // self.width

    def of_columns(self, columns: np.ndarray) -> "CellPiece":
        """The cells of some columns, by their numbers."""
        if len(columns) == self.width:
            return self
        index = np.arange(self.rows)[:, None] * self.width + columns
        return CellPiece(self.cells.gather(index.ravel()), len(columns))

    def columns(self) -> list[pl.Series]:
        """The columns, each in one piece."""
        if self.width > 1:
            by_column = np.arange(len(self.cells)).reshape(self.rows, self.width).T
            turned = self.cells.gather(by_column.ravel())
        else:
            turned = self.cells
        return [turned.slice(j * self.rows, self.rows) for j in range(self.width)]


@dataclass(frozen=True)
class TextCells:
    """A file of UTF-8 text with separators.

    Args:
        path: the file.
        where: what to call it in messages.
        separators: which characters may separate cells.
        header: whether the first row holds the names of the columns.
    """

    path: Path
    where: str
    separators: str = SEPARATORS
    header: bool = True

    def open(self) -> tuple[Layout, Iterator[CellPiece]]:
        """How the text is laid out, and its rows, some thousand at a time.

        Raises:
            DataError: here or later, if it is not UTF-8, has no heading or a name twice, or a row with more or fewer
                cells; the message names the line.
        """
        mapped, data = None, np.empty(0, np.uint8)
        if self.path.stat().st_size:
            with self.path.open("rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            data = np.frombuffer(mapped, np.uint8)
        begin = len(_MARK) if data[:3].tobytes() == _MARK else 0
        text = _beginning(data, begin, self.where)
        layout = layout_of(text, self.where, separators=self.separators, header=self.header)
        return layout, _one_ahead(self._pieces(data, begin, layout, mapped))

    def _pieces(self, data: np.ndarray, begin: int, layout: Layout, mapped: mmap.mmap | None) -> Iterator[CellPiece]:
        start, row, heading = _after_lines(data, begin, layout.skipped), 0, _heading(layout)
        for piece in plain_pieces(data, start, layout.separator, layout.width):
            if piece is None:
                for rows in _by_csv(data[start:], layout, self.where, row, _lines(data[:start])):
                    cells = pl.Series(list(chain.from_iterable(rows)), dtype=pl.String).str.strip_chars()
                    yield _without_last(CellPiece(cells, layout.width), layout, self.where, row)
                    row += len(rows)
                return
            found = _of_plain(data, piece, layout.width, self.where)
            if heading is not None:
                again = found.cells.gather_every(layout.width) == heading[0]
                for i in again.arg_true().to_list() if again.any() else ():
                    if found.cells[i * layout.width : (i + 1) * layout.width].to_list() == heading:
                        raise _repeated(self.where, row + i, _lines(data[: piece.start]) + i + 1)
            yield _without_last(found, layout, self.where, row)
            start, row = piece.end, row + piece.rows
            if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
                mapped.madvise(mmap.MADV_DONTNEED)  # what was read counts as memory in use until then


def _one_ahead(pieces: Iterator[CellPiece]) -> Iterator[CellPiece]:
    """The same pieces: while one is worked on, the next is read."""
    with ThreadPoolExecutor(1) as reader:
        following = reader.submit(next, pieces, None)
        while (piece := following.result()) is not None:
            following = reader.submit(next, pieces, None)
            yield piece


def _of_plain(data: np.ndarray, piece: PlainPiece, width: int, where: str) -> CellPiece:
    """The cells of plain text, as polars reads one column of lines."""
    found = data[piece.start : piece.end].copy()
    text = found.tobytes()
    _check_utf8(text, where, data, piece.start)
    blanks = not text.isascii() or any(blank in text for blank in (b" ", b"\t", b"\x0b", b"\x0c"))
    suspects = suspects_in(found, piece.ends.ravel())
    found[piece.ends[:, :-1]] = ord("\n")
    lines = found.tobytes()
    cells = pl.read_csv(
        lines if text.endswith(b"\n") else lines + b"\n",
        has_header=False,
        schema={"": pl.String},
        separator="\0",
        empty_string_is_null=False,
        missing_columns="raise",
        extra_columns="raise",
    ).to_series()
    assert len(cells) == piece.ends.size, f"{where}: {len(cells)} in place of {piece.ends.shape}"
    share = len(text) / len(data)
    return CellPiece(cells.str.strip_chars() if blanks else cells, width, suspects, share)


def _without_last(piece: CellPiece, layout: Layout, where: str, before: int) -> CellPiece:
    """The cells without those behind the separator that ends every row."""
    if not layout.trailing:
        return piece
    last = piece.cells.gather_every(layout.width, layout.width - 1)
    if (last != "").any():
        row = int((last != "").arg_max() or 0)
        raise DataError(
            f"{where} must have a name for every column; got {last[row]!r} in row {before + row} behind the last "
            f"one, where the rows at the beginning have nothing. Add a name, or omit the cell."
        )
    return piece.of_columns(np.arange(layout.width - 1))


def _heading(layout: Layout) -> list[str] | None:
    """The cells of a row that repeats the heading; None where a row can't be told from it."""
    return [*layout.names, *[""] * layout.trailing] if len(layout.names) > 1 else None


def _repeated(where: str, row: int, line: int) -> DataError:
    return DataError(
        f"{where} must have one heading; got it again in row {row} (line {line}), as where files are joined. Remove "
        "the line."
    )


def _by_csv(data: np.ndarray, layout: Layout, where: str, row: int, line: int) -> Iterator[list[list[str]]]:
    """The rows of a text of which `row` rows and `line` lines were read before."""
    text = io.TextIOWrapper(io.BufferedReader(_Bytes(data)), encoding="utf-8", newline="")
    reader = csv.reader(text, delimiter=layout.separator, skipinitialspace=True, strict=True)
    begun, heading = line, _heading(layout)
    rows = list[list[str]]()
    with _cells_of_any_length():
        try:
            for cells in reader:
                if cells:
                    if len(cells) != layout.width:
                        raise DataError(
                            f"Row {row + len(rows)} (counted from 0; line {begun + 1}) of {where} has "
                            f"{counted(len(cells), 'cell')}, but its header has {layout.width}: "
                            f"{layout.separator.join(cells)[:60]!r}. Put cells that contain {layout.separator!r} in "
                            "quotes, or remove the line if it is a comment, a title or a total."
                        )
                    if cells == heading:
                        raise _repeated(where, row + len(rows), begun + 1)
                    rows.append(cells)
                begun = line + reader.line_num
                if len(rows) * layout.width >= _CELLS:
                    yield rows
                    row, rows = row + len(rows), []
        except UnicodeDecodeError:
            _check_utf8(data.tobytes(), where, data, 0, line)
            raise
        except csv.Error as error:
            raise DataError(
                f"{where} must be text whose quotes enclose whole cells; got: {error}, in the row that begins in line "
                f"{begun + 1}. Check the quotes there: a quote inside a quoted cell is written twice."
            ) from None
    if rows:
        yield rows


class _Bytes(io.RawIOBase):
    """An array of bytes as a file."""

    def __init__(self, data: np.ndarray) -> None:
        self._data, self._at = data, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview", /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        piece = self._data[self._at : self._at + len(buffer)].tobytes()
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


@contextmanager
def _cells_of_any_length() -> Generator[None]:
    limit = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def _beginning(data: np.ndarray, begin: int, where: str) -> str:
    """The first lines, whole ones as far as there is a whole one."""
    some = data[begin : begin + _BEGINNING].tobytes()
    if len(data) > begin + _BEGINNING:
        some = some[: max(some.rfind(b"\n"), some.rfind(b"\r")) + 1 or len(some)]
    _check_utf8(some, where, data, begin)
    return some.decode("utf-8")


def _after_lines(data: np.ndarray, begin: int, lines: int) -> int:
    """Where the line begins before which there are so many."""
    text = io.TextIOWrapper(io.BufferedReader(_Bytes(data[begin:])), encoding="utf-8", newline="")
    return begin + sum(len(line.encode()) for line in islice(text, lines))


def _lines(data: np.ndarray) -> int:
    feeds, returns = data == ord("\n"), data == ord("\r")
    return int(np.count_nonzero(feeds) + np.count_nonzero(returns[:-1] & ~feeds[1:]))


def _check_utf8(text: bytes, where: str, data: np.ndarray, start: int, lines: int = 0) -> None:
    """Refuse text that is not UTF-8, naming the line; `start` is where it stands in the data."""
    if text[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        raise DataError(
            f"{where} must be UTF-8 text; got UTF-32. Try --encoding utf-32 (encoding= in Python), or save it as "
            "CSV UTF-8."
        )
    marks = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    if (codec := marks.get(text[:2])) or b"\0" in text[:1000]:
        raise DataError(
            f"{where} must be UTF-8 text; got {'UTF-16' if codec else 'zero bytes, as in UTF-16 or a binary file'}. "
            "Try --encoding utf-16 (encoding= in Python), or save it as CSV UTF-8."
        )
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        line = lines + _lines(data[: start + error.start]) + 1
        raise DataError(
            f"{where} must be UTF-8 text; got the byte 0x{text[error.start]:02x} in line {line}. Try --encoding "
            "latin-1 or cp1252 (encoding= in Python), or save it as CSV UTF-8."
        ) from None
