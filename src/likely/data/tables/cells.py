"""Values of tables in arrays: which are missing, and as texts.

Numbers are float64 with NaN for missing ones, texts objects with None, moments datetime64 with NaT.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl

# Those of pandas.read_csv without #N/A N/A, and the question mark of the UCI repository.
WORDS = frozenset({"NA", "N/A", "n/a", "<NA>", "#N/A", "#NA", "NULL", "null", "NaN", "nan", "-NaN", "-nan", "None"})
"""Those that are words, which a column of words may mean."""

NOTHING = WORDS | {"", "?", "-1.#IND", "-1.#QNAN", "1.#IND", "1.#QNAN"}
"""All of them, in every kind of table."""


_MAY_BE_READ = re.compile(r"\d|inf", re.IGNORECASE)
_SHORT = 2_000  # rows


def kinds_in(column: "pl.Series") -> set[str | None]:
    """The different texts of a column, None among them for null; in Python where it is short, which takes less time."""
    return set((column if len(column) <= _SHORT else column.unique()).to_list())


def are_words(kinds: Iterable[str | None]) -> bool:
    """Whether texts are no numbers, dates or times however these are written.

    Example:
        >>> are_words(["red", "", None]), are_words(["red", "5 mm"]), are_words(["Infinity"])
        (True, False, False)
    """
    return not _MAY_BE_READ.search("\n".join(text for text in kinds if text is not None))


def missing(values: np.ndarray) -> np.ndarray:
    """Which values are missing: booleans (n,)."""
    if values.dtype == object:
        return np.array([value is None for value in values.tolist()], dtype=bool)
    return np.isnan(values)


def as_texts(values: np.ndarray) -> np.ndarray:
    """The values as text or None; whole numbers without a decimal point, moments as ISO 8601 writes them.

    Example:
        >>> as_texts(np.array([1.0, 2.5, np.nan])).tolist()
        ['1', '2.5', None]
    """
    if values.dtype == object:
        return values
    if values.dtype.kind == "m":
        return as_objects(None if v is None else str(v) for v in values.astype("timedelta64[us]").tolist())
    if values.dtype.kind == "M":
        return as_objects(None if v is None else v.isoformat(sep=" ") for v in values.astype("datetime64[us]").tolist())
    return as_objects(None if v != v else str(int(v)) if v.is_integer() else repr(v) for v in values.tolist())


def as_objects(values: Iterable[object]) -> np.ndarray:
    """The values in an array of objects."""
    listed = list(values)
    # Bytes of one length would become an array of characters.
    found = np.empty(len(listed), dtype=object)
    found[:] = listed
    return found
