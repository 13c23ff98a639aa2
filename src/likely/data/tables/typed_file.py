"""Parquet, Arrow, JSON lines and Excel: formats that say of every column what it holds, through polars."""

from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from likely.data.tables.class_names import class_names, with_class_names
from likely.data.tables.excel_file import read_excel
from likely.data.tables.json_lines import check_keys, wrong_line
from likely.data.tables.sheet import Sheet
from likely.data.tables.suffixes import TYPED
from likely.data.unpack_budget import most_unpacked
from likely.errors import DataError

ROWS = 10_000
_LONG = 1_000  # bytes of a text


def _json_lines(path: Path) -> pl.LazyFrame:
    return pl.scan_ndjson(path, infer_schema_length=None)


_OPENERS: dict[str, Callable[[Path], pl.LazyFrame]] = {
    "Parquet": pl.scan_parquet,
    "Arrow": pl.scan_ipc,
    "JSON lines": _json_lines,
}


def _long_texts(piece: pl.DataFrame) -> int:
    """Bytes of all long texts; a file may hold one once for many rows."""
    texts = (values.cast(pl.String) for values in piece if values.dtype == pl.String or values.dtype == pl.Categorical)
    return sum(int(n.filter(n > _LONG).sum()) for n in (values.str.len_bytes() for values in texts))


def typed_pieces(path: Path, where: str, suffix: str, *, header: bool = True) -> Iterator[Sheet]:
    """The rows, some thousand at a time; a table without rows gives one piece of none.

    Args:
        path: the file.
        where: what to call it in messages.
        suffix: which of `TYPED` it is.
        header: for Excel, whether the first row holds the names of the columns.

    Raises:
        DataError: if it is damaged or something else.
        MissingExtraError: if it is Excel and fastexcel is not installed.
    """
    kind = TYPED[suffix]
    try:
        whole = read_excel(path, where, header=header) if kind == "Excel" else Sheet(where, pl.DataFrame(), None)
        if kind == "JSON lines":
            check_keys(path, where)
        rows, n = whole.frame.lazy() if kind == "Excel" else _OPENERS[kind](path), 0
        long, most = 0, most_unpacked(path.stat().st_size)
        names = class_names(path) if kind == "Parquet" else {}
        while True:
            piece = with_class_names(rows.slice(n, ROWS).collect(), names)
            if (long := long + _long_texts(piece)) > most:
                raise DataError(
                    f"{where} must unpack to at most {most:,} bytes, for its size; got more in texts of over "
                    f"{_LONG:,} bytes. Shorten or remove them."
                )
            if piece.height or not n:
                yield whole.with_frame(piece)
            n += piece.height
            if piece.height < ROWS:
                return
    except pl.exceptions.DuplicateError as error:
        raise DataError(f"The columns of {where} must have different names; got: {error}. Rename one.") from None
    # Fed with damaged bytes, polars may panic, which is not even an Exception.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        if isinstance(error, DataError) or (isinstance(error, OSError) and error.errno is not None):
            raise
        if kind == "JSON lines" and (wrong := wrong_line(path, where)) is not None:
            raise wrong from None
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise DataError(
            f"{where} must be a whole {kind} file; got a damaged, truncated or foreign one: {reason}. Copy or write "
            "it again."
        ) from None
