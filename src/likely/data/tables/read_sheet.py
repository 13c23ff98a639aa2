"""From a table of any format to a sheet: the cells as the source holds them, whole or some thousand rows at a time."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from likely.data.tables.column_options import USUAL, ColumnOptions
from likely.data.tables.source_file import source_file
from likely.data.tables.suffixes import TYPED, suffix_of_table
from likely.data.tables.text_layout import SEPARATORS
from likely.errors import DataError

if TYPE_CHECKING:
    from likely.data.tables.sheet import Sheet
    from likely.data.tables.text_cells import TextCells


def read_sheet(
    path: str | Path, options: ColumnOptions = USUAL, as_text: Callable[[str], bool] = lambda _: True
) -> "Sheet":
    """The whole table as its source holds it.

    Args:
        path: a file that `is_table`, or "-" for the standard input: Parquet, or text.
        options: its encoding and heading.
        as_text: which columns of text stay text, even if they hold nothing but plain numbers.
    Raises:
        DataError: if the file can't be read, is not UTF-8, has no rows, rows of different lengths, or a column name
            twice; the message says where.
        MissingExtraError: if it is Excel and fastexcel is not installed.
    """
    import polars as pl

    pieces = list(_sheets(path, options, as_text))
    if not sum(map(len, pieces)):
        raise DataError(f"{path} must have rows; got none below its heading. Check that the table was written out.")
    if len(pieces) == 1:
        return pieces[0]
    try:
        return pieces[0].with_frame(pl.concat([piece.frame for piece in pieces]))
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path} must have columns of one type throughout; got: {error}.") from None


def _sheets(path: str | Path, options: ColumnOptions, as_text: Callable[[str], bool]) -> "Iterator[Sheet]":
    """The table as its source holds it, some thousand rows at a time, or all rows of a text."""
    from likely.data.tables.text_cells import TextCells
    from likely.data.tables.text_file import read_text

    with opened_table(path, options) as source:
        yield from iter([read_text(source, as_text, options.mark)]) if isinstance(source, TextCells) else source()


@contextmanager
def opened_table(path: str | Path, options: ColumnOptions) -> "Generator[TextCells | Callable[[], Iterator[Sheet]]]":
    """A text, or what gives the rows of other formats as often as it is called."""
    from likely.data.tables.text_cells import TextCells
    from likely.data.tables.typed_file import typed_pieces

    where, suffix = ("The standard input", "") if str(path) == "-" else (str(path), suffix_of_table(path))
    with source_file(path, options.encoding) as file:
        if not suffix:
            with file.open("rb") as stream:
                suffix = ".parquet" if stream.read(4) == b"PAR1" else suffix
        if suffix in TYPED:
            yield partial(typed_pieces, file, where, suffix, header=options.header)
        else:
            yield TextCells(file, where, "\t;|," if suffix == ".tsv" else SEPARATORS, options.header)
