"""Parquet, Arrow, JSON lines and Excel: formats that say of every column what it holds, through polars."""

from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from likely.data.tables.sheet import Sheet
from likely.data.tables.suffixes import TYPED
from likely.errors import DataError, MissingExtraError

ROWS = 10_000


def _excel(path: Path) -> pl.LazyFrame:
    try:
        import fastexcel  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError:
        raise MissingExtraError("tables", "Reading Excel") from None
    return pl.read_excel(path, engine="calamine", infer_schema_length=None).lazy()


def _json_lines(path: Path) -> pl.LazyFrame:
    return pl.scan_ndjson(path, infer_schema_length=None)


_OPENERS: dict[str, Callable[[Path], pl.LazyFrame]] = {
    "Parquet": pl.scan_parquet,
    "Arrow": pl.scan_ipc,
    "JSON lines": _json_lines,
    "Excel": _excel,
}


def typed_pieces(path: Path, where: str, suffix: str) -> Iterator[Sheet]:
    """The rows, some thousand at a time; a table without rows gives one piece of none.

    Raises:
        DataError: if it is damaged or something else.
        MissingExtraError: if it is Excel and fastexcel is not installed.
    """
    kind = TYPED[suffix]
    try:
        rows, n = _OPENERS[kind](path), 0
        while True:
            piece = rows.slice(n, ROWS).collect()
            if piece.height or not n:
                yield Sheet(where, piece, None)
            n += piece.height
            if piece.height < ROWS:
                return
    except pl.exceptions.DuplicateError as error:
        raise DataError(f"The columns of {where} must have different names; got: {error}. Rename one.") from None
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise DataError(
            f"{where} must be a whole {kind} file; got a damaged, truncated or foreign one: {reason}. Copy or write "
            "it again."
        ) from None
