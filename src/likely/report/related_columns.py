"""The columns of a table, those together that say about the same in the test rows."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from likely.data.dataset import Part
from likely.explain.related import related
from likely.model import ClassifierPredictor, RegressorPredictor
from likely.model.stand_ins import places_of
from likely.preprocessing.columns import Column

Group: TypeAlias = tuple[tuple[str, ...], tuple[int, ...]]
"""Names of columns of the table, and the numbers of what they are in a row."""

_MOST_ROWS = 300
_SEED = 0


def some_rows(predictor: ClassifierPredictor | RegressorPredictor, test: Part) -> np.ndarray:
    """The numbers of at most 300 test rows without gaps."""
    rows = np.flatnonzero(~predictor.gaps(test.X))
    if len(rows) <= _MOST_ROWS:
        return rows
    return np.sort(np.random.default_rng(_SEED).choice(rows, _MOST_ROWS, replace=False))


def columns_of_rows(predictor: ClassifierPredictor | RegressorPredictor) -> list[Column]:
    """What each number of a row is."""
    return list(predictor.columns or [Column(f"column {j}") for j in range(predictor.preprocessor.shape[0])])


def single_columns(columns: Sequence[Column]) -> list[Group]:
    """Each column of the table."""
    return [((columns[places[0]].table_column,), places) for places in places_of(columns)]


def related_columns(X: np.ndarray, columns: Sequence[Column], groups: Sequence[Group]) -> list[Group]:
    """These columns, those together that say about the same in the rows X (n, d)."""
    first = [places[0] for _, places in groups]
    together = related(X[:, first], [columns[j].categories is not None for j in first])
    return [
        (tuple(groups[i][0][0] for i in group), tuple(j for i in group for j in groups[i][1])) for group in together
    ]
