"""The model of numbers: what a regressor predicts, with intervals, and when it extrapolates."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from likely.errors import DataError
from likely.model.check_answers import true_numbers
from likely.model.held_out_arrays import error_scale_inputs, residuals_of
from likely.model.inference import in_pieces
from likely.model.predictor import MOST_ROWS, Predictor
from likely.model.question import MOST_EXPLAINED, Question
from likely.model.refusals import no_residuals
from likely.preprocessing.stored_rows import RowArray
from likely.trust.residuals import Residuals
from likely.trust.ties import number_slack

USUAL_COVERAGE = 0.9
"""Of intervals, where nobody asks for another."""


class Estimates(NamedTuple):
    """What one forward pass says of n rows, each None where it is not known or was not asked for.

    Predictions (n,) or (n, m), lower and upper bounds (n, 2), p-values of familiarity (n,), and whether the answer lies
    outside the range of the training targets (n,).
    """

    predictions: np.ndarray
    intervals: np.ndarray | None
    familiarity: np.ndarray | None
    outside: np.ndarray | None


class RegressorPredictor(Predictor):
    """Numbers for new x, with intervals."""

    def predict(self, X: Any) -> np.ndarray:
        """The predicted number of each row, shape (n,), or (n, m) for several targets."""
        return self._predicted(self.rows(X))

    def can_cover(self, coverage: float) -> bool:
        """Whether there were enough held-out rows for intervals of this coverage."""
        return self.residuals is not None and self.residuals.can_cover(coverage)

    @cached_property
    def residuals(self) -> Residuals | None:
        """How badly held-out rows are predicted; None where there are none."""
        return residuals_of(self.arrays)

    def predict_interval(self, X: Any, coverage: float = USUAL_COVERAGE) -> np.ndarray:
        """Lower and upper bounds, shape (n, 2), that hold the truth with at least this probability.

            prediction ± q s(x)

        Split conformal: q is the ceil((m + 1) coverage)-th smallest of |residual| / s(x) over m held-out rows, and s(x)
        says how large errors are for rows like x: see `likely.trust.scale_of_errors`.

        The guarantee is marginal, over the draw of held-out and new rows together, and exact for exchangeable rows,
        whatever s is. It says nothing of one kind of row: there more or fewer may lie inside. Where the residuals come
        from cross-validation (small data), it is approximate. Nothing is guaranteed of a row with a gap (see `rows`):
        its interval is (-inf, inf).

        Raises:
            DataError: if there are too few held-out rows for this coverage; it says how many are needed. Or if the
                model has several targets.
        Reference: Lei et al., Distribution-Free Predictive Inference for Regression, arXiv 1604.04173.
        """
        quantile = self.interval_quantile(coverage)
        rows = self.rows(X)
        return self._intervals(self._predicted(rows), rows, quantile)

    def interval_quantile(self, coverage: float) -> float:
        """q in the intervals prediction ± q s(x) of this coverage; errors as in `predict_interval`."""
        if self.residuals is None:
            raise no_residuals(self.where, self.card)
        return self.residuals.quantile(coverage)

    def examine(self, X: Any, coverage: float | None = None) -> Estimates:
        """All of `Estimates` in one pass; rows with gaps have intervals (-inf, inf) and a familiarity of NaN."""
        quantile = None if coverage is None else self.interval_quantile(coverage)
        rows, familiarity = self._rows(X), None
        if self.knows_familiarity:
            scores, familiarity = in_pieces(
                rows, self._piece, lambda part: self._averaged(part, self._scores_and_familiarity)
            )
            predictions = self._in_unit(scores)
        else:
            predictions = self._predicted(rows)
        intervals = None if quantile is None else self._intervals(predictions, rows, quantile)
        return Estimates(predictions, intervals, familiarity, self.outside(predictions))

    def score(self, X: Any, y: Any) -> float:
        """R^2, the share of the variance of y that the predictions explain; for several targets the mean of theirs.

        Where a target does not vary, it counts as 1 if it is predicted exactly, else as 0, as in scikit-learn.

        Raises:
            ShapeError: if there is not one number per row and target.
            DataError: if y holds no numbers, or one is NaN or infinite.
        """
        predictions = self.predict(X)
        truth = true_numbers(y, predictions.shape)
        left = np.square(truth - predictions).sum(axis=0)
        spread = np.square(truth - truth.mean(axis=0)).sum(axis=0)
        varies = spread > 0
        share = np.where(varies, 1 - left / np.where(varies, spread, 1.0), left == 0)
        return float(share.mean())

    def outside_range(self, X: Any) -> np.ndarray:
        """Whether the answer to each row lies outside the range of the training targets, booleans (n,).

        Of several targets one suffices. What differs from an end of the range by rounding lies inside.

        Raises:
            DataError: if the range is not known: in a model file of version 0.1.0.
        """
        outside = self.outside(self.predict(X))
        if outside is None:
            raise DataError(
                f"The range of the training targets must be known; {self.where} does not store it. It was made by an "
                "older version. Try training again."
            )
        return outside

    def outside(self, predictions: np.ndarray) -> np.ndarray | None:
        """As `outside_range`, of answers; None where the range is not known."""
        card = self.card
        if not card.target_low:
            return None
        values = predictions.reshape(len(predictions), -1)
        slack = number_slack(values, np.array(card.target_mean), np.array(card.target_scale), self.preprocessor.dtype)
        outside = (values < card.target_low - slack) | (values > card.target_high + slack)
        return np.any(outside, axis=1)

    def explain(
        self,
        X: Any,
        target: int = 0,
        *,
        method: str | None = None,
        square: int | None = None,
        together: Iterable[Iterable[Any]] = (),
        seed: int = 0,
        most: int = MOST_EXPLAINED,
    ) -> list[Any]:
        """Which pixels or columns of each row carry the prediction, in its unit: see `ClassifierPredictor.explain`.

        Args:
            X: rows or images, as for `predict`.
            target: the number of the target, where there are several.
            method, square, together, seed, most: as for `ClassifierPredictor.explain`.
        Raises:
            DataError: if there is no such target, or there are too many rows.
            ConfigError, ShapeError: if the method, or the square, does not fit the model.
        """
        if not 0 <= target < self.card.network.outputs:
            raise DataError(
                f"target must be the number of a target, below {self.card.network.outputs}; got {target}. Try 0."
            )
        rows = self.rows(X)
        familiarity = self.familiarity(rows).tolist() if self.knows_familiarity else [None] * len(rows)
        scale, mean = self.card.target_scale[target], self.card.target_mean[target]

        def slopes(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            by_score = np.zeros(scores.shape)
            by_score[:, target] = scale
            return scores[:, target].astype(np.float64) * scale + mean, by_score

        questions = [
            Question(
                "the prediction" if self.card.network.outputs == 1 else f"the prediction of target {target}",
                None,
                lambda some: self._predicted(some).reshape(len(some), -1)[:, target],
                slopes,
                scale=1.0,
                least=0.005 * abs(scale),
                familiarity=p,
            )
            for p in familiarity
        ]
        return self._explained(rows, questions, method, square, together, seed, most)

    # Inside ---------------------------------------------------------------------------------------------------

    def _predicted(self, rows: RowArray) -> np.ndarray:
        return self._in_unit(self._averaged(rows, lambda part: (self._scores(part),))[0])

    def _in_unit(self, scores: np.ndarray) -> np.ndarray:
        values = scores.astype(np.float64) * np.array(self.card.target_scale) + np.array(self.card.target_mean)
        return values[:, 0] if self.card.network.outputs == 1 else values

    def _unanswered(self, scores: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.any(~np.isfinite(self._in_unit(scores).reshape(len(scores), -1)), axis=1)

    def _intervals(self, predictions: np.ndarray, rows: RowArray, quantile: float) -> np.ndarray:
        residuals, filled = self.residuals, self._filled(rows)
        assert residuals is not None

        def some(index: np.ndarray) -> tuple[np.ndarray]:
            inputs = error_scale_inputs(self.preprocessor, filled[index]) if residuals.rests_on_inputs else None
            return (residuals.intervals(predictions[index], quantile, inputs),)

        intervals = in_pieces(np.arange(len(rows)), MOST_ROWS, some)[0]
        intervals[self.gaps(rows)] = -np.inf, np.inf
        return intervals
