"""Parquet in pieces, through pyarrow: numbers, text, true and false, and images as bytes."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from likely.data.tables.csv_reader import NOTHING, ROWS, Piece
from likely.errors import DataError, MissingExtraError


def parquet_pieces(source: Path | IO[bytes], name: str, rows: int = ROWS) -> Iterator[Piece]:
    """The columns of some rows at a time; a table without rows gives one piece of none.

    A structure of `bytes` and `path`, as Hugging Face writes images, gives the bytes, or without them the path.

    Args:
        source: a file, or an open binary stream that can seek.
        name: what to call it in messages.
        rows: how many at a time.
    Raises:
        DataError: if the file is damaged, or has a column name twice.
        MissingExtraError: if pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError("tables", "Reading Parquet") from None

    try:
        with pq.ParquetFile(source) as file:
            schema = file.schema_arrow
            twice = next((column for i, column in enumerate(schema.names) if column in schema.names[:i]), None)
            if twice is not None:
                raise DataError(f"The columns of {name} must have different names; got {twice!r} twice. Rename one.")
            kinds = {field.name: _kind(field.type, pa.types) for field in schema}
            usable = [column for column, kind in kinds.items() if kind is not None]
            others = {field.name: str(field.type) for field in schema if kinds[field.name] is None}
            n = 0
            for batch in file.iter_batches(batch_size=rows, columns=usable):
                n += batch.num_rows
                yield {column: _values(batch.column(column), kinds[column], pa) for column in usable}, others
            if n == 0:
                yield {column: np.empty(0, dtype=object) for column in usable}, others
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise DataError(
            f"{name} must be a whole Parquet file; got a damaged, truncated or foreign one: {reason}. Copy or write it "
            "again."
        ) from None


def _kind(type_: Any, types: Any) -> str | None:
    if types.is_dictionary(type_):
        return _kind(type_.value_type, types)
    if types.is_boolean(type_) or types.is_null(type_):
        return "bool" if types.is_boolean(type_) else "null"
    if types.is_integer(type_) or types.is_floating(type_) or types.is_decimal(type_):
        return "number"
    if types.is_string(type_) or types.is_large_string(type_) or types.is_string_view(type_):
        return "text"
    if types.is_binary(type_) or types.is_large_binary(type_) or types.is_fixed_size_binary(type_):
        return "bytes"
    if types.is_struct(type_):
        inside = {type_.field(i).name: _kind(type_.field(i).type, types) for i in range(type_.num_fields)}
        if inside.get("bytes") == "bytes" and inside.get("path", "text") in ("text", "null"):
            return "image"
    return None


def _values(column: Any, kind: str | None, pa: Any) -> np.ndarray:
    if kind == "null":
        return np.full(len(column), np.nan)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if kind == "number":
        return np.array(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)
    values: list[Any] = column.to_pylist()
    if kind == "image":
        values = [None if v is None else v["bytes"] if v["bytes"] is not None else v.get("path") for v in values]
    elif kind == "bool":
        values = [None if v is None else str(v) for v in values]
    elif kind == "text":
        known: dict[str, str] = {}
        stripped = (None if v is None else v.strip() for v in values)
        values = [None if v is None or v in NOTHING else known.setdefault(v, v) for v in stripped]
    # Bytes of one length would become an array of characters.
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found
