"""CSV and TSV in pieces: each column of a piece as numbers if all of its cells are, else as text."""

import csv
import io
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import nullcontext, suppress
from itertools import chain, islice
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np

from likely.errors import DataError

Piece: TypeAlias = tuple[dict[str, np.ndarray], dict[str, str]]
"""Columns by name, and the types of those that can't be used."""

# Those of pandas.read_csv without #N/A N/A, and the question mark of the UCI repository.
_WORDS = {"NA", "N/A", "n/a", "<NA>", "#N/A", "#NA", "NULL", "null", "NaN", "nan", "-NaN", "-nan", "None"}
NOTHING = frozenset(_WORDS | {"", "?", "-1.#IND", "-1.#QNAN", "1.#IND", "1.#QNAN"})
"""The texts that mean a missing value, in every kind of table."""

ROWS = 10_000
_MOST_TEXTS = 100_000
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")


def csv_pieces(
    source: Path | IO[bytes], name: str, delimiters: str, text: Collection[str] = (), rows: int = ROWS
) -> Iterator[Piece]:
    """The columns of some rows at a time; a table without rows gives one piece of none.

    Args:
        source: a file, or an open binary stream.
        name: what to call it in messages.
        delimiters: the one of these that the heading holds most often separates cells; the first where none does. With
            semicolons a comma may separate decimals.
        text: columns that stay text, even if they hold only numbers.
        rows: how many at a time.
    Raises:
        DataError: if it is not UTF-8 text, has no heading or a name twice, or a row with more or fewer cells.
    """
    with _opened(source, name) as raw:
        stream = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
        line = 0
        try:
            first = stream.readline()
            delimiter = max(delimiters, key=first.count)
            reader = csv.reader(chain([first], stream), delimiter=delimiter, strict=True)
            header = _header(next(reader, []), name)
            texts = [_Texts(decimal_commas=delimiter == ";") for _ in header]
            cells = _rows(reader, len(header), name)
            n = 0
            while piece := list(islice(cells, rows)):
                line, n = reader.line_num, n + len(piece)
                columns = zip(*piece, strict=True)
                yield (
                    {
                        column: _values(values, column in text, known)
                        for column, values, known in zip(header, columns, texts, strict=True)
                    },
                    {},
                )
            if n == 0:
                yield {column: np.empty(0, dtype=object) for column in header}, {}
        except UnicodeDecodeError as error:
            where = f" in line {_undecodable_line(source)}" if isinstance(source, Path) else ""
            raise DataError(
                f"{name} must be UTF-8 text; got the byte 0x{error.object[error.start]:02x}{where}. Try to save it as "
                "CSV UTF-8."
            ) from None
        except csv.Error as error:
            raise DataError(f"{name} must be CSV; got: {error}, after line {line}. Check the quotes.") from None
        finally:
            # A stream that was handed in is its owner's to close.
            stream.detach()


def _opened(source: Path | IO[bytes], name: str) -> "IO[bytes] | nullcontext[IO[bytes]]":
    if not isinstance(source, Path):
        return nullcontext(source)
    if source.is_dir():
        raise DataError(f"{name} must be a file; got a folder. Try a table in it, or another name for the folder.")
    return source.open("rb")


def _undecodable_line(path: Path) -> int:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return 1


def _header(cells: Sequence[str], name: str) -> list[str]:
    header = [cell.strip() for cell in cells]
    if not any(header):
        raise DataError(f"{name} must begin with the names of its columns; got an empty first line. Add a heading.")
    twice = next((column for i, column in enumerate(header) if column in header[:i]), None)
    if twice is not None:
        raise DataError(
            f"The columns of {name} must have different names; got {twice!r} twice. Which one is meant can't be told. "
            "Rename one."
        )
    return header


def _rows(reader: "Iterator[list[str]]", width: int, name: str) -> Iterator[list[str]]:
    """The rows that are not empty lines."""
    row = 0
    for cells in reader:
        if not cells:
            continue
        if len(cells) != width:
            raise DataError(
                f"Every row of {name} must have {width} cells like its heading; got {len(cells)} in row {row} (line "
                f"{reader.line_num}). Text that holds the separator must stand in quotes."  # pyright: ignore[reportAttributeAccessIssue]
            )
        yield cells
        row += 1


def _values(cells: Sequence[str], as_text: bool, texts: "_Texts") -> np.ndarray:
    """A column as numbers, with NaN for missing ones, or as texts, with None."""
    if not as_text:
        with suppress(ValueError):
            return np.array(_floats(cells, texts), dtype=np.float64)
    return np.array([texts[cell] for cell in cells], dtype=object)


def _floats(cells: Sequence[str], texts: "_Texts") -> list[float]:
    try:
        # Python's 1_000 is no number; where some are missing, each cell has to be looked at.
        if "_" not in "".join(cells):
            return list(map(float, cells))
    except ValueError:
        pass
    stripped = (texts.cleaned(cell) for cell in cells)
    return [np.nan if cell in NOTHING else number(cell) for cell in stripped]


class _Texts(dict[str, str | None]):
    """What each cell of a column says, kept once for the cells that are the same, as long as they are not too many.

    Args:
        decimal_commas: whether 1,5 stands for 1.5.
    """

    def __init__(self, *, decimal_commas: bool) -> None:
        self._decimal_commas = decimal_commas

    def __missing__(self, cell: str) -> str | None:
        if len(self) == _MOST_TEXTS:
            self.clear()
        text = self.cleaned(cell)
        self[cell] = None if text in NOTHING else text
        return self[cell]

    def cleaned(self, cell: str) -> str:
        """The cell without spaces around it."""
        text = cell.strip()
        return text.replace(",", ".") if self._decimal_commas and _DECIMAL_COMMA.fullmatch(text) else text


def number(text: str) -> float:
    """The number in a cell; raises ValueError if there is none, also for Python's 1_000."""
    if "_" in text:
        raise ValueError(text)
    return float(text)
