"""Excel through its calamine engine: the first sheet, whose heading may stand below titles."""

from collections import Counter
from pathlib import Path

import polars as pl

from likely.data.tables.excel_extent import refuse_far_cells
from likely.data.tables.sheet import Sheet
from likely.data.tables.text_layout import titles_above
from likely.errors import DataError, MissingExtraError

_UNNAMED = "__UNNAMED__"
_BEGINNING = 6  # rows that tell where the heading stands


def read_excel(path: Path, where: str, *, header: bool = True) -> Sheet:
    """The first sheet of a workbook.

    Args:
        path: the file.
        where: what to call it in messages.
        header: whether the first row, below titles, holds the names of the columns.
    Raises:
        DataError: if two columns have one name, or it takes too much memory.
        MissingExtraError: if fastexcel is not installed.
    """
    try:
        import fastexcel
    except ImportError:
        raise MissingExtraError("tables", "Reading Excel") from None
    refuse_far_cells(path, where)
    try:
        book = fastexcel.read_excel(str(path))
        sheet = book.load_sheet(0, header_row=None, skip_rows=0, n_rows=_BEGINNING, dtypes="string")
        begin = [[cell or "" for cell in row] for row in sheet.to_polars().rows()]
    except fastexcel.FastExcelError as error:
        raise ValueError(str(error)) from None
    notes = list[str]()
    if len(book.sheet_names) > 1:
        others = len(book.sheet_names) - 1
        notes.append(f"Sheet {book.sheet_names[0]!r} is read, and {others} more not: the first one counts.")
    filled = [i for i, cells in enumerate(begin) if any(map(str.strip, cells))]
    titles = titles_above([_to_the_last(begin[i]) for i in filled], len(begin[0])) if filled and header else 0
    notes += [f"Row {i + 1} is a title, and skipped: {' '.join(begin[i]).strip()[:60]!r}." for i in filled[:titles]]
    at = filled[titles] if filled else 0
    frame = pl.read_excel(
        path,
        engine="calamine",
        infer_schema_length=None,
        has_header=header,
        read_options={"header_row": at} if header else None,
    )
    if not header:
        frame.columns = [f"column {i}" for i in range(1, frame.width + 1)]
        return Sheet(where, frame, None, tuple(notes))
    heading = Counter(name.strip() for name in (begin[at] if begin else ()) if name.strip())
    if twice := [name for name, count in heading.items() if count > 1]:
        raise DataError(
            f"The columns of {where} must have different names; got {twice[0]!r} twice. Which one is meant can't be "
            "told. Rename one."
        )
    for i, name in enumerate(frame.columns, start=1):
        if name.startswith(_UNNAMED):
            frame = frame.rename({name: f"column {i}"})
            notes.append(f"Column {i} has no name in the heading, and is called 'column {i}'.")
    return Sheet(where, frame, None, tuple(notes))


def _to_the_last(cells: list[str]) -> list[str]:
    """The cells without empty ones at the end."""
    n = max((i for i, cell in enumerate(cells, start=1) if cell.strip()), default=0)
    return cells[:n]
