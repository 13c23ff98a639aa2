"""The regressor: from rows or images to numbers, with intervals."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, Unpack

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import Tags

from likely.data.dataset import Dataset, Part
from likely.data.groups import checked_groups
from likely.data.tables.missing_codes import missing_codes
from likely.errors import ColumnWarning
from likely.estimators.estimator import Estimator, checked_weights, resumption_in
from likely.estimators.parameters import RegressorParameters, with_parameters
from likely.model.check_answers import true_numbers


@with_parameters("regressor", RegressorParameters)
class Regressor(RegressorMixin, Estimator):
    """Learns to predict numbers, with intervals.

    network="linear" with engine="auto" is solved in closed form (least squares); every other choice descends on the
    squared error. Inputs and targets are standardized.

    Args:
        {parameters}

    Example:
        >>> from sklearn.datasets import load_diabetes
        >>> X, y = load_diabetes(return_X_y=True)
        >>> reg = Regressor(network="linear").fit(X, y)
        >>> round(reg.score(X, y), 3)
        0.518
        >>> reg.predict_interval(X[:1], coverage=0.9).shape
        (1, 2)
    """

    _task = "regression"

    if TYPE_CHECKING:

        def __init__(self, network: Any = "auto", **parameters: Unpack[RegressorParameters]) -> None: ...

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        groups: Any = None,
        resume: str | Path | None = None,
        resume_anyway: bool = False,
    ) -> Self:
        """Learn from rows and their numbers.

        Args:
            X: numbers (n, d), or images, as `Classifier.fit` takes them.
            y: numbers (n,) or (n, m).
            sample_weight: one non-negative number per row, not all zero. As in `Classifier.fit`: the coverage of
                intervals is for new rows that come in proportion to their weight.
            groups: one value per row, equal for rows that are related; None takes exact copies for related. As in
                `Classifier.fit`: the coverage of intervals is for a random row of a random new group.
            resume: a folder for checkpoints, from which a `fit` that was killed goes on, as in `Classifier.fit`.
            resume_anyway: even if the machine, the versions or the threads were others.
        Raises:
            The errors of `Classifier.fit`, where they apply.
        """
        rows, y = self._rows_and_y(X, y)
        taken, doubtful = missing_codes(y.astype(np.float64)) if y.ndim == 1 else ([], [])
        for code in (*taken, *doubtful):
            warnings.warn(
                f"y: {code:.15g} recurs far from all other values; it is learned from as a number. If it stands for a "
                "missing one, drop these rows.",
                ColumnWarning,
                stacklevel=2,
            )
        dataset = Dataset(
            name="array",
            task="regression",
            train=Part(rows, y.astype(np.float64), groups=checked_groups(groups, len(rows))),
            features=self._features(rows),
            columns=self._columns,
            conversion=self._conversion,
            found_at="memory",
        )
        with resumption_in(resume, resume_anyway) as resumption:
            self._learn(dataset, None, checked_weights(sample_weight, rows), resumption)
        return self

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def predict(self, X: Any) -> np.ndarray:
        """The predicted numbers, shape (n,), or (n, m)."""
        return self._answering().predict(self._rows(X))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The coefficient of determination R^2 of the predictions; the mean over several targets.

        Raises:
            ShapeError, DataError: if y is not one finite number per row and target, such as texts.
        """
        predicted = self.predict(X)
        return float(r2_score(true_numbers(y, predicted.shape), predicted, sample_weight=sample_weight))

    def predict_interval(self, X: Any, coverage: float = 0.9) -> np.ndarray:
        """Lower and upper bounds (n, 2) that hold the truth with at least this probability, on average over new rows.

        New rows must be drawn like those learned from; with fewer than 5,000 of these it is approximate. Bounds are
        wider where errors tend to be larger; what is promised, and errors: see `RegressorPredictor.predict_interval`.
        """
        return self._answering().predict_interval(self._rows(X), coverage)

    def outside_range(self, X: Any) -> np.ndarray:
        """Whether each answer lies outside the range of the training targets, booleans (n,).

        Example:
            >>> reg = Regressor(network="linear").fit([[float(i), i % 3] for i in range(30)], range(30))
            >>> reg.outside_range([[12.5, 0.0], [40.0, 0.0]])
            array([False,  True])
        """
        return self._answering().outside_range(self._rows(X))

    def explain(self, X: Any, target: int = 0, **how: Any) -> list[Any]:
        """Which pixels or columns of each row carry the prediction; see `RegressorPredictor.explain`."""
        return self._answering().explain(self._rows(X), target, **how)
