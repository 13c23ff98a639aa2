"""CSV and TSV in pieces: each column of a piece as numbers if all of its cells are, else as text."""

import csv
import io
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import nullcontext
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
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")


def csv_pieces(
    source: Path | IO[bytes], name: str, delimiters: str, text: Collection[str] | None = (), rows: int = ROWS
) -> Iterator[Piece]:
    """The columns of some rows at a time; a table without rows gives one piece of none.

    Args:
        source: a file, or an open binary stream.
        name: what to call it in messages.
        delimiters: the one of these that the heading holds most often separates cells; the first where none does. With
            semicolons a comma may separate decimals.
        text: columns that stay text; None keeps all of them.
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
            shared: list[dict[str, str]] = [{} for _ in header]
            cells = _rows(reader, len(header), name)
            n = 0
            while piece := list(islice(cells, rows)):
                line, n = reader.line_num, n + len(piece)
                columns = zip(*piece, strict=True)
                yield (
                    {
                        column: _values(values, text is None or column in text, known, decimals=delimiter == ";")
                        for column, values, known in zip(header, columns, shared, strict=True)
                    },
                    {},
                )
            if n == 0:
                yield {column: np.empty(0, dtype=object) for column in header}, {}
        except UnicodeDecodeError as error:
            raise DataError(
                f"{name} must be UTF-8 text; got the byte 0x{error.object[error.start]:02x} after line {line}, which "
                "is not. Try to save it as CSV UTF-8."
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


def _values(cells: Sequence[str], as_text: bool, known: dict[str, str], *, decimals: bool) -> np.ndarray:
    """A column as numbers, with NaN for missing ones, or as texts that share their memory, with None."""
    stripped = [cell.strip() for cell in cells]
    if decimals:
        stripped = [cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell for cell in stripped]
    if not as_text:
        try:
            return np.array([np.nan if cell in NOTHING else number(cell) for cell in stripped], dtype=np.float64)
        except ValueError:
            pass
    texts = [None if cell in NOTHING else known.setdefault(cell, cell) for cell in stripped]
    return np.array(texts, dtype=object)


def number(text: str) -> float:
    """The number in a cell; raises ValueError if there is none, also for Python's 1_000."""
    if "_" in text:
        raise ValueError(text)
    return float(text)
