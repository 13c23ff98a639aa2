"""From a data set to the rows that are learned from, and those of its val part that are held out."""

import numpy as np

from likely.config import RunConfig
from likely.data.classes import class_weights
from likely.data.dataset import Dataset
from likely.data.groups import shared_with
from likely.preprocessing.stored_rows import join_rows
from likely.training.hold_out import LEAST_VAL
from likely.training.task import TASKS
from likely.training.training_rows import Rows
from likely.training.watcher import Remarks


def gather_rows(
    dataset: Dataset,
    config: RunConfig,
    targets: np.ndarray | None,
    weights: np.ndarray | None,
    remarks: Remarks,
) -> tuple[Rows, np.ndarray | None]:
    """The rows of the training part, then those of a val part; and which to hold out, where a val part suffices.

    Args:
        dataset: its training and val part.
        config: what each class counts.
        targets: label distributions (n, k) of the training rows in place of certain labels.
        weights: one non-negative number per training row.
        remarks: take what is to be said.
    """
    task, train, val = TASKS[dataset.task], dataset.train, dataset.val
    Y = targets if targets is not None else task.encode(train.y, dataset.labels, config.dtype)
    class_weight = class_weights(config.class_weight, dataset.labels, Y, weights) if dataset.labels else None
    if val is None:
        return Rows(train.X, Y, weights, task, class_weight, dataset.columns, train.groups), None
    X, Y = join_rows(train.X, val.X), np.concatenate([Y, task.encode(val.y, dataset.labels, config.dtype)])
    groups = train.groups
    if groups is not None and val.groups is not None:
        groups = np.concatenate([groups, val.groups])
    known = shared_with(val, (train,))
    if known.any():
        remarks.say(
            f"{known.sum():,} rows of the val part are copies of training rows, or related to some: they are "
            "learned from, and calibrate nothing"
        )
    new = np.flatnonzero(~known)
    n_new = len(new) if val.groups is None else len(np.unique(val.groups[new]))
    chosen = len(train) + new
    if n_new < LEAST_VAL:
        chosen = None
        remarks.say(
            f"The val part has {n_new} rows, fewer than the {LEAST_VAL} that a calibration needs: they "
            "are learned from, and rows are held out as without a val part"
        )
    return Rows(X, Y, weights, task, class_weight, dataset.columns, groups), chosen
