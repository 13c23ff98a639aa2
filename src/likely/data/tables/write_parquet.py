"""Rows that come a few at a time, as one Parquet file."""

import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from likely.atomic import whole_file

_ROWS = 10_000
_TYPES: dict[str, Any] = {
    "text": pl.String,
    "texts": pl.List(pl.String),
    "truth": pl.Boolean,
    "whole number": pl.Int64,
    "number": pl.Float64,
}


class ParquetRows:
    """Takes rows and keeps some thousand at a time in files in a folder.

    Args:
        folder: where.
        columns: name and type of each; types are fixed, whatever comes.
    """

    def __init__(self, folder: Path, columns: Mapping[str, str]) -> None:
        self._folder = folder
        self._schema = {name: _TYPES[kind] for name, kind in columns.items()}
        self._rows: list[list[Any]] = []
        self._files: list[Path] = []

    def append(self, row: Sequence[Any]) -> None:
        """One value per column, None where there is none."""
        self._rows.append([_value(value) for value in row])
        if len(self._rows) == _ROWS:
            self._flush()

    def write(self, file: Any) -> None:
        """All rows, into an open file."""
        self._flush()
        with _as_system_errors():
            pl.scan_parquet(self._files).sink_parquet(file)

    def _flush(self) -> None:
        if self._rows or not self._files:
            self._files.append(self._folder / f"{len(self._files):09}.parquet")
            made = pl.DataFrame(self._rows, schema=self._schema, orient="row")
            with _as_system_errors():
                made.write_parquet(self._files[-1])
            self._rows = []


@contextmanager
def _as_system_errors() -> Generator[None]:
    """What polars makes of a full disk is an OSError again."""
    try:
        yield
    except pl.exceptions.PolarsError as error:
        raise OSError(str(error)) from error


@contextmanager
def parquet_rows(path: str, columns: Mapping[str, str]) -> Generator[ParquetRows]:
    """Rows whose file takes the place of `path` at the end.

    Args:
        path: of the file.
        columns: name of each, and what it holds: "text", "texts", "truth", "whole number" or "number".
    Raises:
        OutputError: if the file cannot be written.
    """
    with whole_file(path) as file, tempfile.TemporaryDirectory() as folder:
        rows = ParquetRows(Path(folder), columns)
        yield rows
        rows.write(file)


def spelled(text: str) -> str:
    """The text in UTF-8, as Parquet's is; the name of a file need not be.

    Example:
        >>> spelled("caf" + chr(0xDCE9))
        'caf\\\\udce9'
    """
    return text.encode(errors="backslashreplace").decode()


def _value(value: Any) -> Any:
    if isinstance(value, list):
        return [_value(element) for element in value]
    return spelled(value) if isinstance(value, str) else value
