"""Answers for machines, as they come: JSON or CSV on standard output, or the rows of a Parquet file.

A writer holds one answer at a time, so that a folder of a million images needs no more memory than one image.
"""

import csv
import io
import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from likely.cli.answer_columns import Cell, Columns
from likely.cli.answers import Outcome, Writer
from likely.cli.terminal import printable
from likely.data.tables.spreadsheet import never_a_formula

if TYPE_CHECKING:  # it loads polars
    from likely.data.tables.write_parquet import ParquetRows


class JsonWriter(Writer):
    """One JSON list, an element per line; ASCII, so that every terminal, pipe and file name is safe."""

    def __init__(self) -> None:
        self._before = "["

    def write(self, outcome: Outcome) -> None:
        """One element."""
        sys.stdout.write(f"{self._before}\n{json.dumps(outcome.to_json(), allow_nan=False)}")
        self._before = ","

    def close(self) -> None:
        """The end of the list."""
        sys.stdout.write("[]\n" if self._before == "[" else "\n]\n")


class CsvWriter(Writer):
    """One row per answer; a set is one cell, its labels separated by semicolons.

    Text is written as it is, but for what a spreadsheet would take for a formula; on a terminal, which control
    characters could move or color, they are written as escapes.
    """

    def __init__(self, columns: Columns) -> None:
        stream = sys.stdout
        self._columns = columns
        self._shown = printable if stream.isatty() else str
        if isinstance(stream, io.TextIOWrapper) and not stream.isatty():
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
        self._line(columns.headings(self._text))

    def write(self, outcome: Outcome) -> None:
        """One row."""
        self._line(map(self._cell, self._columns.cells(outcome)))

    def _line(self, cells: Iterable[str]) -> None:
        line = io.StringIO()
        csv.writer(line, lineterminator="\r\n").writerow(cells)  # so that a cell with one of these is quoted
        sys.stdout.write(line.getvalue()[:-2] + "\n")

    def _cell(self, value: Cell) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, list):
            return "; ".join(_listed(self._text(label)) for label in value)
        return self._text(value) if isinstance(value, str) else repr(value)

    def _text(self, text: str) -> str:
        return self._shown(never_a_formula(text))


def _listed(text: str) -> str:
    """A label in a list that semicolons part: as in CSV, in double quotes where it holds what would end it."""
    return '"{}"'.format(text.replace('"', '""')) if any(c in text for c in '";\r\n') else text


class ParquetWriter(Writer):
    """One row per answer; a set is a list."""

    def __init__(self, rows: "ParquetRows", columns: Columns) -> None:
        self._rows, self._columns = rows, columns

    def write(self, outcome: Outcome) -> None:
        """One row."""
        self._rows.append(self._columns.cells(outcome))
