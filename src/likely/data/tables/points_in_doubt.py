"""Points before three digits throughout, which may separate thousands where nothing in the file tells what they are."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from likely.data.classes import listed
from likely.data.tables.plain_numbers import may_be_grouped
from likely.data.tables.sheet import Sheet


def points_in_doubt(sheet: Sheet, numbers: Mapping[str, np.ndarray]) -> dict[str, str]:
    """What to say, under the name of the first such column, of those read as decimals that may be thousands.

    Args:
        sheet: of a text in which nothing tells what stands before decimals.
        numbers: the values of columns of texts that are read as plain decimals.
    Example:
        >>> texts = pl.DataFrame({"a": ["4.758", "2.877"], "b": ["1", "2"]})
        >>> points_in_doubt(Sheet("t", texts, ";"), {"a": np.array([4.758, 2.877]), "b": np.array([1.0, 2.0])})
        {'a': "Column 'a': '.' stands before decimals, as in 4.758 (--decimal comma: it separates thousands)."}
    """
    doubtful = {
        name: example
        for name, values in numbers.items()
        if may_be_grouped(values, zeros=True)
        and (example := _may_separate(sheet.frame.get_column(name), values, sheet.separator))
    }
    if not doubtful:
        return {}
    first, names = next(iter(doubtful)), list(doubtful)
    named = f"Column {first!r}" if len(names) == 1 else f"Columns {listed(names, 20)}"
    said = f"'.' stands before decimals, as in {doubtful[first]} (--decimal comma: it separates thousands)."
    return {first: f"{named}: {said}"}


def _may_separate(column: pl.Series, values: np.ndarray, separator: str | None) -> str:
    """A text with a point, where all of these have three digits behind it; "" where no doubt is left.

    Where commas separate cells, three decimals throughout are decimals; some whole numbers beside them are strange.
    """
    pointed = column.filter(column.str.contains(".", literal=True))
    present = int(np.count_nonzero(~np.isnan(values)))
    if pointed.is_empty() or (separator == "," and len(pointed) == present):
        return ""
    return pointed[0] if pointed.str.contains(r"^[^.]*\.\d{3}(?:\D|$)").all() else ""
