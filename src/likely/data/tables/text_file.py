"""CSV, TSV and other text with separators, in pieces, as columns of text."""

import csv
import io
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl

from likely.data.tables.plain_text import plain_pieces
from likely.data.tables.sheet import Sheet
from likely.data.tables.text_layout import SEPARATORS, Layout, layout_of
from likely.errors import DataError
from likely.metrics.numerals import counted

ROWS = 10_000
_BEGINNING = 2**20
_MARK = b"\xef\xbb\xbf"


def text_pieces(path: Path, where: str, *, separators: str = SEPARATORS, header: bool = True) -> Iterator[Sheet]:
    """The rows of a file of UTF-8 text, some thousand at a time; a table without rows gives one piece of none.

    Args:
        path: the file.
        where: what to call it in messages.
        separators: which characters may separate cells.
        header: whether the first row holds the names of the columns.
    Raises:
        DataError: if it is not UTF-8, has no heading or a name twice, or a row with more or fewer cells; the message
            names the line.
    """
    data = np.memmap(path, np.uint8, "r") if path.stat().st_size else np.empty(0, np.uint8)
    begin = len(_MARK) if data[:3].tobytes() == _MARK else 0
    layout = layout_of(_beginning(data, begin, where), where, separators=separators, header=header)
    n = 0
    for frame in _frames(data, begin, layout, where):
        n += frame.height
        yield Sheet(where, frame, layout.separator, layout.notes)
    if n == 0:
        yield Sheet(
            where, _named(pl.DataFrame(schema=_schema(layout)), layout, where, 0), layout.separator, layout.notes
        )


def _frames(data: np.ndarray, begin: int, layout: Layout, where: str) -> Iterator[pl.DataFrame]:
    """By polars as long as the text is plain; by Python's `csv` from where it is not."""
    start, row = _after_lines(data, begin, layout.skipped), 0
    for piece in plain_pieces(data, start, layout.separator, layout.width):
        if piece is None:
            yield from _by_csv(data[start:], layout, where, row, _lines(data[:start]))
            return
        text = data[piece.start : piece.end].tobytes()
        _check_utf8(text, where, data, piece.start)
        frame = pl.read_csv(
            text,
            has_header=False,
            schema=_schema(layout),
            separator=layout.separator,
            empty_string_is_null=False,
            missing_columns="raise",
            extra_columns="raise",
        )
        assert frame.shape == (piece.rows, layout.width), f"{where}: {frame.shape} in place of {piece}"
        blanks = not text.isascii() or any(blank in text for blank in (b" ", b"\t", b"\x0b", b"\x0c"))
        frame = _named(frame, layout, where, row, blanks=blanks)
        if len(layout.names) > 1 and (again := (frame.to_series(0) == layout.names[0])).any():
            for i in again.arg_true().to_list():
                if frame.row(i) == layout.names:
                    raise _repeated(where, row + i, _lines(data[: piece.start]) + i + 1)
        yield from [frame] if piece.rows <= ROWS else frame.iter_slices(ROWS)
        start, row = piece.end, row + piece.rows


def _heading(layout: Layout) -> list[str] | None:
    """The cells of a row that repeats the heading; None where a row can't be told from it."""
    return [*layout.names, *[""] * layout.trailing] if len(layout.names) > 1 else None


def _repeated(where: str, row: int, line: int) -> DataError:
    return DataError(
        f"{where} must have one heading; got it again in row {row} (line {line}), as where files are joined. Remove "
        "the line."
    )


def _by_csv(data: np.ndarray, layout: Layout, where: str, row: int, line: int) -> Iterator[pl.DataFrame]:
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
                if len(rows) == ROWS:
                    yield _of_rows(rows, layout, where, row)
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
        yield _of_rows(rows, layout, where, row)


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


def _of_rows(rows: list[list[str]], layout: Layout, where: str, before: int) -> pl.DataFrame:
    columns = dict(zip(_schema(layout), map(list, zip(*rows, strict=True)), strict=True))
    return _named(pl.DataFrame(columns, schema=_schema(layout)), layout, where, before)


def _schema(layout: Layout) -> dict[str, type[pl.String]]:
    return dict.fromkeys(map(str, range(layout.width)), pl.String)


def _named(frame: pl.DataFrame, layout: Layout, where: str, before: int, *, blanks: bool = True) -> pl.DataFrame:
    """The columns under their names, cells without spaces around them; without `blanks` there are none."""
    if blanks:
        frame = frame.select(pl.all().str.strip_chars())
    if layout.trailing:
        last = frame.to_series(layout.width - 1)
        if (last != "").any():
            row = before + int((last != "").arg_max() or 0)
            raise DataError(
                f"{where} must have a name for every column; got {last[row - before]!r} in row {row} behind the last "
                f"one, where the rows at the beginning have nothing. Add a name, or omit the cell."
            )
        frame = frame[:, : len(layout.names)]
    frame.columns = list(layout.names)
    return frame


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
