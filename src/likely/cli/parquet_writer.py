"""Answers in a Parquet file, which appears when it is whole."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from likely.atomic import whole_file
from likely.cli.answers import Outcome
from likely.cli.writers import Cell, Columns
from likely.errors import MissingExtraError

_ROWS = 10_000
_TYPES = {
    "label": "string",
    "set": "list",
    "abstained": "bool",
    "outside_range": "bool",
    "error": "string",
    "image": "string",
    "row": "int64",
}


class ParquetWriter:
    """Takes answers one by one and writes some thousand at a time; types are fixed, whatever the answers are.

    Args:
        file: an open pyarrow.parquet.ParquetWriter.
        columns: of the table.
    """

    def __init__(self, file: Any, columns: Columns) -> None:
        self._file, self._columns = file, columns
        self._rows: list[list[Cell]] = []

    def write(self, outcome: Outcome) -> None:
        """Keep it until there are enough."""
        cells = self._columns.cells(outcome)
        # A file's name need not be UTF-8, which Parquet's text is.
        self._rows.append([c.encode(errors="backslashreplace").decode() if isinstance(c, str) else c for c in cells])
        if len(self._rows) == _ROWS:
            self.close()

    def close(self) -> None:
        """Write what is left."""
        import pyarrow as pa

        schema = self._file.schema
        values = zip(*self._rows, strict=True) if self._rows else [[] for _ in schema]
        self._file.write_batch(
            pa.record_batch([pa.array(list(v), f.type) for v, f in zip(values, schema, strict=True)], schema=schema)
        )
        self._rows = []


@contextmanager
def parquet_writer(path: str, columns: Columns) -> Generator[ParquetWriter]:
    """A writer whose file takes the place of `path` at the end.

    Raises:
        MissingExtraError: if pyarrow is not installed.
        OutputError: if the file cannot be written.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError("tables", "Writing Parquet") from None

    types = {"string": pa.string(), "list": pa.list_(pa.string()), "bool": pa.bool_(), "int64": pa.int64()}
    n_fixed = len(columns.names) - len(columns.numbers)
    fields = [(name, types.get(_TYPES.get(name, ""), pa.float64())) for name in columns.names[:n_fixed]]
    # A label may be called like one of these columns; two of one name could not be read again.
    taken = {name for name, _ in fields}
    fields += [(f"P({name})" if name in taken else name, pa.float64()) for name in columns.numbers]
    with whole_file(path) as file, pq.ParquetWriter(file, pa.schema(fields)) as written:
        yield ParquetWriter(written, columns)
