"""Out-of-fold answers by what the other folds chose: which network, how long, which temperature.

The best of many out-of-fold losses is a lucky one, and a temperature fits the rows that it was fitted to. Sets that
rest on such rows are too small: with 60 of them, those for 90% held the truth in 89%. So the rows of each fold
get what would have been chosen without them.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from likely.training.held_out_scores import HeldOutScores, TrainingOutcome
from likely.training.task import Task


def cross_fitted(outcomes: Sequence[TrainingOutcome], best: TrainingOutcome, task: Task) -> HeldOutScores | None:
    """The rows that figures and thresholds of the best of several cross-validations rest on, which have the same folds.

    As they were where a network was not cross-validated.
    """
    folds = None if best.thresholds is None else best.thresholds.folds
    if folds is None or not all(outcome.rivals for outcome in outcomes):
        return best.thresholds
    rivals = [(scores, outcome.trained.plan.head) for outcome in outcomes for scores in outcome.rivals]
    assert best.thresholds is not None
    found = np.empty(best.thresholds.Y.shape)
    for fold in np.unique(folds):
        inside, others = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        losses = [task.held_out_loss(scores.take(others), head) for scores, head in rivals]
        scores, head = rivals[int(np.argmin(losses))]
        found[inside] = task.calibrated_by(scores.take(others), scores.take(inside), head)
    return replace(best.thresholds, scores=found, calibrated=True)
