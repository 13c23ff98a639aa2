"""What the text of a cell says: nothing, or a number."""

# Those of pandas.read_csv without #N/A N/A, and the question mark of the UCI repository.
_WORDS = {"NA", "N/A", "n/a", "<NA>", "#N/A", "#NA", "NULL", "null", "NaN", "nan", "-NaN", "-nan", "None"}
NOTHING = frozenset(_WORDS | {"", "?", "-1.#IND", "-1.#QNAN", "1.#IND", "1.#QNAN"})
"""The texts that mean a missing value, in every kind of table."""


def number(text: str) -> float:
    """The number in a cell; raises ValueError if there is none, also for Python's 1_000."""
    if "_" in text:
        raise ValueError(text)
    return float(text)
