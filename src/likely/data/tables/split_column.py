"""Which rows of a table are for training and which to evaluate on, where a column says so."""

from typing import NamedTuple

import numpy as np

from likely.data.dataset import PARTS
from likely.data.tables.table import Table
from likely.errors import DataError

NAME = "split"


class Split(NamedTuple):
    """The rows of each part, "train" and perhaps "val" and "test"; the column that says so, if one does."""

    rows: dict[str, np.ndarray]
    column: str | None = None
    notes: tuple[str, ...] = ()


def read_split(table: Table, *, to_learn: bool = True) -> Split:
    """The parts of a table whose column `split` holds nothing but train, val and test; else all rows for training.

    Args:
        table: the whole table.
        to_learn: whether rows for training are needed; without them, the test rows stand in their place.
    Raises:
        DataError: if rows for training are needed and there are none.
    """
    everything = np.arange(len(table))
    name = next((name for name, values in table.columns.items() if name.lower() == NAME and _is_split(values)), None)
    if name is None:
        return Split({"train": everything})
    texts = np.array([text.lower() for text in table.columns[name].tolist()])
    rows = {part: np.flatnonzero(np.isin(texts, spellings)) for part, spellings in PARTS.items()}
    rows = {part: index for part, index in rows.items() if len(index)}
    counts = ", ".join(f"{len(index):,} {part}" for part, index in rows.items())
    if "train" in rows:
        return Split(rows, name, (f"Column {name!r} assigns the rows to parts: {counts}.",))
    if to_learn:
        raise DataError(
            f"Column {name!r} of {table.path} must name rows to train on; got {counts} only. Try setting some to "
            "'train'."
        )
    return Split({"train": rows.get("test", everything)}, name)


def _is_split(values: np.ndarray) -> bool:
    known = {text for spellings in PARTS.values() for text in spellings}
    return values.dtype == object and all(isinstance(v, str) and v.lower() in known for v in values.tolist())
