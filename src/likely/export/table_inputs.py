"""From the columns of a table, once it is read, to the inputs of an exported model: reading text stays in Python."""

from collections.abc import Mapping, Sequence

import numpy as np

from likely.data.tables.cells import as_texts
from likely.data.tables.spelled_otherwise import spelled_otherwise
from likely.preprocessing.columns import Column


def table_inputs(
    values: Mapping[str, np.ndarray], columns: Sequence[Column], names: Mapping[str, str]
) -> dict[str, np.ndarray]:
    """The inputs by name, each of shape (n, 1): texts, float64 numbers, float64 seconds since 1970.

    Args:
        values: the columns of the table by name, as `Table` holds them.
        columns: what the model learned from.
        names: the column by the name of its input.
    Example:
        >>> color = np.array(["red", None], object)
        >>> table_inputs({"color": color}, [Column("color", ("red",))], {"color": "color"})["color"].tolist()
        [['red'], ['']]
    """
    by_column = {column.table_column: column for column in columns}
    return {name: _input(values[column], by_column[column])[:, None] for name, column in names.items()}


def _input(values: np.ndarray, column: Column) -> np.ndarray:
    if column.part:
        micros = values.astype(f"{'timedelta64' if values.dtype.kind == 'm' else 'datetime64'}[us]").astype(np.int64)
        return np.where(np.isnat(values), np.nan, micros / 1e6)
    if column.categories is None:
        return np.asarray(values, np.float64)
    texts = as_texts(values).tolist()
    strange = {text for text in texts if text is not None and text not in column.categories}
    known = spelled_otherwise(strange, column.categories)
    return np.array(["" if text is None else known.get(text, text) for text in texts], object)
