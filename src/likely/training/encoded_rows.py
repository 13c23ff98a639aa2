"""Which columns of categories target encoding is tried for, and training rows with the numbers that encode theirs."""

import numpy as np

from likely.data.splits import folds
from likely.preprocessing.stored_rows import RowArray
from likely.preprocessing.target_encoding import TargetEncoding
from likely.training.plan import Plan
from likely.training.task import Targets
from likely.training.training_rows import Rows

_MANY = 50
"""Categories of a column for which it is tried: of fewer, trees that ask for sets of them are better."""
_MOST_LABELS = 10
"""There is a number for each, but one for two."""
_FOLDS = 5


def many_categories(rows: Rows) -> tuple[int, ...]:
    """The columns whose categories are many."""
    if rows.columns is None or (rows.task.name == "classification" and rows.Y.shape[1] > _MOST_LABELS):
        return ()
    return tuple(j for j, column in enumerate(rows.columns) if len(column.categories or ()) >= _MANY)


def encoded(
    plan: Plan, rows: Rows, index: np.ndarray, X: RowArray, targets: Targets, seed: int
) -> tuple[TargetEncoding, np.ndarray]:
    """What encodes columns of new rows; and training rows X beside numbers that come of other rows alone."""
    given, groups = np.asarray(X), None if rows.groups is None else rows.groups[index]
    units = len(given) if groups is None else len(np.unique(groups))
    rng = np.random.default_rng([seed, *b"encoding"])
    parts = folds(np.zeros(len(given), np.int64), max(2, min(_FOLDS, units)), rng, groups)
    assert rows.columns is not None
    of = given, rows.columns, plan.encoded, targets.Y, targets.weights
    classifies = rows.task.name == "classification"
    own = TargetEncoding.out_of_fold(*of, folds=parts, classifies=classifies)
    return TargetEncoding.fit(*of, classifies=classifies), np.hstack([given, own])
