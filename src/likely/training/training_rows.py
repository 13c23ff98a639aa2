"""The rows that are learned from, gathered from a data set, and those of its val part that are held out."""

from dataclasses import dataclass

import numpy as np

from likely.config import RunConfig
from likely.data.classes import class_weights
from likely.data.dataset import Dataset
from likely.data.groups import one_per_group, shared_with
from likely.data.test_part import SMALL
from likely.preprocessing.backbone import Backbone
from likely.preprocessing.backbone_preprocessor import BackbonePreprocessor
from likely.preprocessing.column_preprocessor import ColumnPreprocessor
from likely.preprocessing.columns import Column, input_width
from likely.preprocessing.preprocessor import Preprocessor
from likely.preprocessing.stored_rows import RowArray, join_rows, take_rows
from likely.training.held_out_scores import LEAST_VAL
from likely.training.task import TASKS, Task
from likely.training.watcher import Remarks


@dataclass(frozen=True)
class Rows:
    """What is learned from.

    Args:
        X: stored rows, such as uint8 images.
        Y: label distributions (n, k), or targets (n, m).
        weights: one non-negative number per row, or None.
        task: what Y is.
        class_weight: how much each class counts in training, shape (k,), or None.
        columns: what the columns of X are, where they are more than plain numbers.
        groups: integers (n,), equal for rows that are related and must not be parted, or None.
        backbone: a frozen network whose features are learned from, or None.
        features: of the backbone, (n, m): what networks meet in place of X.
        flipped: its features of the images flipped left to right, (n, m), which may be learned from, too.
        n_drawn: how many rows of a table, no two of them related, were drawn from these for a test part.
    """

    X: RowArray
    Y: np.ndarray
    weights: np.ndarray | None
    task: Task
    class_weight: np.ndarray | None = None
    columns: tuple[Column, ...] | None = None
    groups: np.ndarray | None = None
    backbone: Backbone | None = None
    features: np.ndarray | None = None
    flipped: np.ndarray | None = None
    n_drawn: int = 0

    def __len__(self) -> int:
        return len(self.Y)

    def take(self, index: np.ndarray) -> tuple[RowArray, np.ndarray, np.ndarray | None]:
        """What networks meet of the rows with these indices, their Y and their weights."""
        return take_rows(self._met, index), self.Y[index], None if self.weights is None else self.weights[index]

    def with_flipped(self, index: np.ndarray) -> tuple[RowArray, np.ndarray, np.ndarray | None]:
        """As `take`, each row once more as it is flipped."""
        assert self.flipped is not None
        X, Y, weights = self.take(index)
        twice = np.concatenate([np.asarray(X), self.flipped[index]])
        return twice, np.concatenate([Y, Y]), None if weights is None else np.concatenate([weights, weights])

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one row as the network meets it: an image's, or the number of inputs of a table's columns."""
        return self._met.shape[1:] if self.columns is None else (input_width(self.columns),)

    @property
    def _met(self) -> RowArray:
        return self.X if self.features is None else self.features

    def from_stored(self, preprocessor: Preprocessor) -> Preprocessor:
        """The way from stored rows to what `preprocessor` makes of the rows that networks meet."""
        if self.backbone is None:
            return preprocessor
        assert isinstance(preprocessor, ColumnPreprocessor)
        backbone = self.backbone
        return BackbonePreprocessor(
            self.X.shape[1:], backbone.name, backbone.sha256, preprocessor, backbone.layout, backbone.tuned
        )

    @property
    def n_groups(self) -> int:
        """How many rows there are of which no two are related."""
        return len(self) if self.groups is None else len(np.unique(self.groups))

    @property
    def are_few(self) -> bool:
        """Whether folds hold every row out: below 5,000, of which a test part may have been drawn."""
        return self.n_groups + self.n_drawn < SMALL

    @property
    def strata(self) -> np.ndarray:
        """What folds hold about as many rows of: see `Task.strata`."""
        return self.task.strata(self.Y)

    def one_per_group(self, index: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """One row of each group among these, drawn from it at random; all of them where no rows are related."""
        return index if self.groups is None else index[one_per_group(self.groups[index], rng)]


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
    n_drawn = len(dataset.test) if dataset.test_drawn and dataset.test is not None and train.X.ndim == 2 else 0
    if val is None:
        return Rows(train.X, Y, weights, task, class_weight, dataset.columns, train.groups, n_drawn=n_drawn), None
    X, Y = join_rows(train.X, val.X), np.concatenate([Y, task.encode(val.y, dataset.labels, config.dtype)])
    groups = train.groups
    if groups is not None and val.groups is not None:
        groups = np.concatenate([groups, val.groups])
    known = shared_with(val, (train,))
    if known.any():
        remarks.say(
            f"{known.sum():,} rows of the val part are copies of training rows, or related to some; they are used for "
            "training, not for calibration"
        )
    new = np.flatnonzero(~known)
    n_new = len(new) if val.groups is None else len(np.unique(val.groups[new]))
    chosen = len(train) + new
    if n_new < LEAST_VAL:
        chosen = None
        remarks.say(
            f"The val part has {n_new} rows, fewer than the {LEAST_VAL} needed for calibration; they are used for "
            "training, and rows are held out as if there were no val part"
        )
    return Rows(X, Y, weights, task, class_weight, dataset.columns, groups, n_drawn=n_drawn), chosen
