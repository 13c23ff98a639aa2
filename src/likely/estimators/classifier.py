"""The classifier: from labeled images or rows to P(label | x)."""

import warnings
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, Unpack

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from likely.data.dataset import Dataset, Part
from likely.data.groups import checked_groups
from likely.errors import ColumnWarning, DataError, RenamedWarning, ShapeError
from likely.estimators.estimator import Estimator, checked_weights, resumption_in
from likely.estimators.parameters import ClassifierParameters, with_parameters
from likely.estimators.rows import about_labels, label_type, named_distributions
from likely.probability.distribution import Distribution
from likely.probability.space import Event


@with_parameters("classifier", ClassifierParameters)
class Classifier(ClassifierMixin, Estimator):
    """Learns P(label | x) from labeled images or rows of numbers.

    Args:
        {parameters}

    network="linear" with its softmax and cross-entropy is a convex problem. Unless `optimizer`, `learning_rate`,
    `batch_size`, `epochs`, `augment`, `init_from` or `freeze` ask for a descent, L-BFGS finds the minimum of

        1/n sum_i H(y_i, softmax(b + W^T x_i)) + lambda/2 ||W||^2,    lambda = tau v / n

    with x standardized (pixels from 0 to 1) and v the mean variance of an input. Held-out rows choose tau from 1000 to
    0.0001 by the NLL after temperature: those of five folds with fewer than 5,000 rows, else those of the temperature,
    where the weaker of two penalties that they do not tell apart is taken. Large data get as many passes as there is
    time for (15 and more), and rows of more than 2e8 numbers in all are descended on.

    After `fit`: `classes_` (sorted), `predictor_`, `history_`, `n_features_in_`.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> X, y = load_iris(return_X_y=True)
        >>> clf = Classifier(network="linear", random_state=0).fit(X, y)
        >>> clf.distribution(X[:1]).mode()
        [0]

        A custom network, with a custom optimizer:

        >>> from torch import nn, optim
        >>> def small_net(n_classes):
        ...     hidden = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.1))
        ...     return nn.Sequential(hidden, nn.Linear(16, n_classes))
        >>> clf = Classifier(network=small_net, epochs=5, random_state=0,
        ...                  optimizer=lambda params: optim.SGD(params, lr=0.1, momentum=0.9, nesterov=True)).fit(X, y)
        >>> clf.predict_proba(X).shape
        (150, 3)
    """

    _task = "classification"
    events: Mapping[str, Collection[Any]] | None
    hflip: bool
    mirror: Any  # deprecated

    if TYPE_CHECKING:

        def __init__(self, network: Any = "auto", **parameters: Unpack[ClassifierParameters]) -> None: ...

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        groups: Any = None,
        classes: Any = None,
        class_weight: str | Mapping[Any, float] | None = None,
        resume: str | Path | None = None,
        resume_anyway: bool = False,
    ) -> Self:
        """Learn from rows and their labels.

        Args:
            X: numbers (n, d); or images as an array or tensor (n, h, w), (n, h, w, c) or (n, c, h, w) with 1 or 3
                channels, uint8 or floating-point; or a list of such arrays, of paths, or of Pillow's images.
            y: labels (n,); or, with `classes` naming the columns, label distributions (n, k) or counts of votes; or a
                data frame of these, whose columns name the labels.
            sample_weight: one non-negative number per row, not all zero: how often such a row comes, compared with
                others. The guarantees are then for new rows that come in proportion to their weight: a held-out row
                counts with probability weight / largest weight (rejection sampling), so that uneven weights leave few,
                and what they can't promise is refused. A weight of 3 is not three independent rows; where it should
                be, repeat the row and give each its own group.
            groups: one value per row, equal for rows that are related, such as several images of one person. A group
                is held out whole or not at all, and one row of it counts for sets, error bounds and familiarity. Their
                guarantees are then for a random row of a random new group: where groups differ in size, a row of a
                large one counts less. None takes exact copies for related, of images and of rows with measured
                numbers that independent rows would not share; where columns have so few values that equal rows are to
                be expected, each counts for itself; where that can't be told, a GuaranteeWarning says so. Given groups
                are taken as they are: `groups=range(len(X))` relates nothing.
            classes: the k labels, where y holds distributions or counts.
            class_weight: how much rows of each label count in training: "balanced", or a positive number per label, 1
                for labels not given. Unlike in scikit-learn, this changes what training emphasizes, not what the model
                predicts: probabilities are corrected for it and stay true to the data.
            resume: a folder for checkpoints, written about every 30 s. Where it holds those of a `fit` that was killed,
                this one goes on with it, and ends with the same bytes as if it had never been. They are removed at
                the end. One `fit` at a time uses a folder; another one is refused.
            resume_anyway: go on even if the machine, the versions or the threads were others.
        Raises:
            DataError: if there is one class only, no row has a weight, labels are text and numbers, or a value of
                groups is missing.
            ShapeError, ProbabilityError: if images or label distributions are not what they should be.
            ConfigError, EngineError: if a setting does not exist or does not fit; before any training.
            ValueError: scikit-learn's, for NaN, no rows, or rows and answers that do not match.
            DivergenceError: if the loss became NaN before there was anything to keep.
            OutputError: if the folder of `resume` is in use, or cannot be written.
        """
        if classes is None and len(getattr(y, "columns", ())) > 1:
            classes = list(y.columns)
        rows, y = self._rows_and_y(X, y)
        weights = checked_weights(sample_weight, rows)
        targets = None
        if classes is not None:
            targets, self.classes_ = named_distributions(y, classes, len(rows))
            index = targets.argmax(axis=1)
        elif y.ndim == 2 and y.shape[1] > 1:
            raise ShapeError(
                f"y must be labels of shape (n,); got shape {y.shape}. Rows of label probabilities need names for "
                "their columns. Try fit(X, y, classes=[...])."
            )
        else:
            y = column_or_1d(y, warn=True)
            check_classification_targets(y)
            self.classes_, index = np.unique(y, return_inverse=True)
            for note in about_labels(self.classes_, index):
                warnings.warn(note, ColumnWarning, stacklevel=2)
        counted = index if weights is None else index[weights > 0]
        if targets is None and len(np.unique(counted)) < 2:
            raise DataError(
                f"y must hold at least 2 classes; got 1 class, {self.classes_[counted[0]]!r}, among the rows that "
                "count. Try data with more labels."
            )
        dataset = Dataset(
            name="array",
            task="classification",
            train=Part(rows, index.astype(np.int64), groups=checked_groups(groups, len(rows))),
            labels=tuple(str(label) for label in self.classes_.tolist()),
            label_type=label_type(self.classes_),
            features=self._features(rows),
            columns=self._columns,
            conversion=self._conversion,
            hflip=self._hflip(),
            found_at="memory",
        )
        events = {str(name): tuple(map(str, labels)) for name, labels in (self.events or {}).items()}
        if isinstance(class_weight, Mapping):
            class_weight = {str(label): weight for label, weight in class_weight.items()}
        with resumption_in(resume, resume_anyway) as resumption:
            self._learn(dataset, targets, weights, resumption, events=events, class_weight=class_weight)
        if len(self.predictor_.card.labels) != len(self.classes_):
            self.classes_ = np.asarray(self._answering().labels)  # those of the model that training began with
        return self

    def calibrate(self, X_cal: Any, y_cal: Any, groups: Any = None) -> Self:
        """Calibrate on new rows, and base every guarantee on them; see `ClassifierPredictor.calibrate`."""
        self.predictor_ = self._answering().calibrate(self._rows(X_cal), y_cal, groups)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """P(label | x), shape (n, k); columns follow `classes_`."""
        return self._answering().predict_proba(self._rows(X))

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """log P(label | x) in nats, shape (n, k)."""
        return self._answering().predict_log_proba(self._rows(X))

    def disagreement(self, X: Any) -> np.ndarray:
        """How much the networks that answer together disagree, in nats, (n,): see `likely.trust.disagreement`."""
        return self._answering().disagreement(self._rows(X))

    def distribution(self, X: Any) -> Distribution:
        """The probabilities with their names: a batch of distributions, one per row."""
        return self._answering().distribution(self._rows(X))

    def predict(self, X: Any) -> np.ndarray:
        """The most probable label of each row."""
        best = self.predict_log_proba(X).argmax(axis=1)
        return self.classes_[best]

    def predict_set(self, X: Any, coverage: float = 0.95, **how: Any) -> list[Event]:
        """The set of labels of each row that holds the truth with at least this probability, as Events.

        That is an average over all rows drawn like those learned from, approximate with fewer than 5,000 of them.
        Further arguments, what is promised and errors: see `ClassifierPredictor.predict_set`.

        Example:
            >>> from sklearn.datasets import load_iris
            >>> X, y = load_iris(return_X_y=True)
            >>> clf = Classifier(network="linear", random_state=0).fit(X, y)
            >>> clf.predict_set(X[[0, 83]], coverage=0.99)
            [Event({0}), Event({1, 2})]
        """
        return self._answering().predict_set(self._rows(X), coverage, **how)

    def predict_or_abstain(self, X: Any, max_error: float = 0.01, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """The most probable labels, and booleans: which rows are answered; see `ClassifierPredictor`."""
        labels, answered = self._answering().predict_or_abstain(self._rows(X), max_error, level)
        place = {str(label): i for i, label in enumerate(self.classes_.tolist())}
        return self.classes_[[place[str(label)] for label in labels.tolist()]], answered

    def explain(self, X: Any, event: Any = None, **how: Any) -> list[Any]:
        """Which pixels or columns of each row carry P(event); further arguments: see `ClassifierPredictor.explain`.

        Example:
            >>> from sklearn.datasets import load_iris
            >>> X, y = load_iris(return_X_y=True, as_frame=True)
            >>> clf = Classifier(network="linear", random_state=0).fit(X, y)
            >>> [found] = clf.explain(X[:1])
            >>> found.name, len(found.by_column)
            ('P(0)', 4)
        """
        return self._answering().explain(self._rows(X), event, **how)

    def _hflip(self) -> bool:
        if self.mirror == "deprecated":
            return self.hflip
        warnings.warn("The argument mirror is deprecated; use hflip.", RenamedWarning, stacklevel=3)
        return bool(self.mirror)  # deprecated
