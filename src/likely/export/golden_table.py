"""Rows of a table that an exported model is tried on before it is written: usual and far ones, with missing values."""

import numpy as np

from likely.data.tables.encode import encode
from likely.data.tables.table import Table
from likely.model.predictor import Predictor
from likely.preprocessing.column_preprocessor import ColumnPreprocessor
from likely.preprocessing.columns import Column

_MISSING = 0.15  # of the values of a column that may miss some
_USUAL_YEARS = (1990, 40)


def golden_table(predictor: Predictor, n: int, seed: int = 0) -> np.ndarray:
    """n rows as the predictor, a model of a table, takes them."""
    preprocessor, rng = predictor.preprocessor, np.random.default_rng(seed)
    assert isinstance(preprocessor, ColumnPreprocessor)
    spread = np.where(rng.random((n, 1)) < 0.8, 1.0, 4.0)
    numbers = np.array(preprocessor.mean) + np.array(preprocessor.scale) * spread * rng.normal(
        size=(n, len(preprocessor.mean))
    )
    if predictor.columns is None:
        return numbers
    # Those that encode categories come last.
    usual = dict(zip(preprocessor.inputs.numbers.tolist(), numbers.T, strict=False))
    values = dict[str, np.ndarray]()
    for j, column in enumerate(predictor.columns):
        if column.table_column not in values:
            found = _values(rng, column, usual.get(j), n)
            missing = rng.random(n) < (_MISSING if column.missing or predictor.fills_gaps else 0.0)
            values[column.table_column] = _without(found, missing)
    return encode(Table("The golden rows", values), predictor.columns, gaps=predictor.fills_gaps).X


def _values(rng: np.random.Generator, column: Column, numbers: np.ndarray | None, n: int) -> np.ndarray:
    if column.part == "hours" or (column.part and column.how_read.dates == "H:M"):
        return (rng.random(n) * 86_400e6).astype("timedelta64[us]")
    if column.part:
        if column.part == "days" and numbers is not None:
            return (numbers * 86_400e6).astype("datetime64[us]")
        first, many = _USUAL_YEARS
        return np.datetime64(f"{first}-01-01", "us") + (rng.random(n) * many * 365 * 86_400e6).astype("timedelta64[us]")
    if column.categories is not None:
        return np.array([*column.categories, "of no kind known"], object)[
            rng.integers(0, len(column.categories) + 1, n)
        ]
    assert numbers is not None
    return numbers


def _without(values: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """The values, some of them missing."""
    nothing = {"f": np.nan, "O": None, "M": np.datetime64("NaT"), "m": np.timedelta64("NaT")}[values.dtype.kind]
    found = values.copy()
    found[missing] = nothing
    return found
