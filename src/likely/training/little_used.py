"""Columns that trees have little use for, and that networks may do better without."""

import numpy as np

from likely.learners.boosting import BoostedTrees
from likely.preprocessing.column_preprocessor import ColumnPreprocessor
from likely.training.fold_learner import FoldLearner

_LEAST_COLUMNS, _LEAST_ROWS = 30, 100
"""Of fewer columns useless ones cost a network little; by fewer held-out rows what is better is seldom told: on a table
of 250 rows it was not."""
_TIMES_MEDIAN = 3.0
"""Trees ask about every column by chance: where most columns say nothing, the median is what chance gains. Of 100
columns of which 10 matter, up to 4 more pass; at twice the median 7 to 20 more, and the network loses 0.1 nats."""


def little_used(trees: FoldLearner) -> tuple[int, ...]:
    """The columns whose splits lowered the loss least, in trees that have not seen the first fold; few rows have none.

    Networks spread their weights over all columns, and learn by heart what useless ones happen to say; trees choose.
    """
    trained = trees.trained[0]
    engine, preprocessor = trained.engine, trained.inference.preprocessor
    if not isinstance(engine, BoostedTrees) or not isinstance(preprocessor, ColumnPreprocessor):
        return ()
    numbers, categories = engine.gains()
    inputs = preprocessor.inputs
    of_each = np.array([*inputs.column_of_number.tolist(), *(column for column, *_ in inputs.categories)])
    columns, at = np.unique(of_each, return_inverse=True)  # a column may be encoded by several numbers
    gains = np.bincount(at, np.concatenate([numbers, categories]))
    if len(gains) < _LEAST_COLUMNS or len(trees.rows) < _LEAST_ROWS:
        return ()
    off = gains <= _TIMES_MEDIAN * np.median(gains)
    return () if off.all() else tuple(columns[off].tolist())
