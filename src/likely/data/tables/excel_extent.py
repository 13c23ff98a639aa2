"""How much memory a workbook takes: 32 bytes for each cell between the first and the last that hold something."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from likely.data.unpack_budget import most_unpacked
from likely.errors import DataError

_CELL = re.compile(
    rb"""<(?:\w+:)?c\s[^<>]*?\br\s*=\s*["']([A-Za-z]{1,3})(\d{1,7})["'][^<>]*(?<!/)>(?!\s*</)""",
)
"""The column and the row of a cell that is not empty."""
_BYTES = 32
_PIECE, _LONGEST_CELL = 1 << 20, 1 << 12


def refuse_far_cells(path: Path, where: str) -> None:
    """Refuse a workbook that unpacks to much more than its size, or with a cell far away from all others.

    Raises:
        DataError: naming how much there is of it.
    """
    if not zipfile.is_zipfile(path):
        return  # which its reader says better
    most = most_unpacked(path.stat().st_size)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if (unpacked := sum(member.file_size for member in members)) > most:
                raise DataError(
                    f"{where} must unpack to at most {most:,} bytes, for its size; got {unpacked:,}. Save it as CSV."
                )
            for member in members:
                if re.search(r"worksheets/[^/]*\.xml$", member.filename, re.IGNORECASE):
                    with archive.open(member) as file:
                        rows, columns = _extent(file)
                    if rows * columns * _BYTES > most:
                        raise DataError(
                            f"{where} must have its cells together; got some that are {rows:,} rows and {columns:,} "
                            f"columns apart, in {Path(member.filename).name}. Delete those far from the table, or save "
                            "it as CSV."
                        )
    except DataError:
        raise
    # Fed with damaged bytes, zipfile raises whatever it comes across: zlib.error, LZMAError, NotImplementedError...
    except Exception as error:
        raise ValueError(str(error)) from None


def _extent(file: IO[bytes]) -> tuple[int, int]:
    """How many rows and columns there are from the first cell that holds something to the last."""
    left, right, top, bottom = 2**31, 0, 2**31, 0
    for column, row in _cells(file):
        left, right, top, bottom = min(left, column), max(right, column), min(top, row), max(bottom, row)
    return (bottom - top + 1, right - left + 1) if right else (0, 0)


def _cells(file: IO[bytes]) -> Iterator[tuple[int, int]]:
    """Column and row of each."""
    kept = b""
    while piece := file.read(_PIECE):
        text = kept + piece
        end = 0
        for found in _CELL.finditer(text):
            end = found.end()
            column = 0
            for letter in found[1].upper():
                column = 26 * column + letter - 64
            yield column, int(found[2])
        kept = text[max(end, len(text) - _LONGEST_CELL) :]
