"""What training rows say of the columns of a table: where numbers lie, and which inputs are never anything but 0."""

from collections.abc import Sequence

import numpy as np

from likely.preprocessing.columns import Column
from likely.preprocessing.standardize import mean_and_scale


def fit_numbers(rows: np.ndarray, columns: Sequence[Column]) -> tuple[list[float], list[float], list[np.ndarray]]:
    """Mean, scale and standardized values of each column of numbers, over the values that are not missing."""
    mean, scale, standard = list[float](), list[float](), list[np.ndarray]()
    for j, column in enumerate(columns):
        if column.categories is None:
            values = rows[~np.isnan(rows[:, j]), j]
            center, spread = mean_and_scale(values[:, None]) if len(values) else (np.zeros(1), np.ones(1))
            mean.append(float(center[0]))
            scale.append(float(spread[0]))
            standard.append((values - center) / spread)
    return mean, scale, standard


def never_seen(rows: np.ndarray, columns: Sequence[Column], numbers: int, encoded: Sequence[int] = ()) -> list[int]:
    """The inputs that are 0 in every row, without the `numbers`, which come first; `encoded` columns have no others."""
    seen = [np.ones(numbers, np.bool_)]
    missing = np.asarray(np.isnan(rows).any(axis=0))
    seen += [missing[[j]] for j, column in enumerate(columns) if column.categories is None and column.missing]
    for j, column in enumerate(columns):
        if column.categories is not None and j not in encoded:
            seen.append(np.isin(np.arange(len(column.categories)), rows[:, j]))
            seen += [missing[[j]]] if column.missing else []
    return np.flatnonzero(~np.concatenate(seen)).tolist()
