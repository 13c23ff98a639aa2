"""The model of numbers: what a regressor predicts, with intervals."""

from typing import Any

import numpy as np

from likely.errors import DataError
from likely.predictor.arrays import RESIDUALS
from likely.predictor.predictor import Predictor
from likely.predictor.truth import true_numbers
from likely.trust.conformal import conformal_quantile, residual_interval


class RegressorPredictor(Predictor):
    """Numbers for new x, with intervals of known coverage."""

    def predict(self, X: Any) -> np.ndarray:
        """The predicted number of each row, shape (n,), or (n, m) for several targets."""
        values = self.scores(X).astype(np.float64) * np.array(self.card.target_scale) + np.array(self.card.target_mean)
        return values[:, 0] if self.card.network.outputs == 1 else values

    @property
    def has_intervals(self) -> bool:
        """Whether there were held-out rows to measure errors on."""
        return RESIDUALS in self.arrays

    def predict_interval(self, X: Any, coverage: float = 0.9) -> np.ndarray:
        """Lower and upper bounds, shape (n, 2), that hold the truth with at least this probability.

        Split conformal: prediction ± the ceil((m + 1) coverage)-th smallest of m absolute held-out residuals. The
        promise is marginal and holds for rows drawn like the held-out ones. Where the residuals come from
        cross-validation (small data), it is approximate.

        Raises:
            DataError: if there are too few held-out rows for this coverage; it says how many are needed.
        Reference: Lei et al., Distribution-Free Predictive Inference for Regression, arXiv 1604.04173.
        """
        if not self.has_intervals:
            raise DataError(
                f"predict_interval must have held-out rows to measure errors on; {self.where} has none "
                f"(trained on {self.card.splits.train} rows, {self.card.network.outputs} targets). "
                "Try one target and at least 20 rows."
            )
        return residual_interval(self.predict(X), conformal_quantile(self.arrays[RESIDUALS], coverage))

    def score(self, X: Any, y: Any) -> float:
        """R^2, the share of the variance of y that the predictions explain; for several targets the mean of theirs.

        Where a target does not vary, it counts as 1 if it is predicted exactly, else as 0, as in scikit-learn.

        Args:
            X: rows or pictures.
            y: the true numbers, shape (n,), (n, 1), or (n, m) for m targets; or a frame of them.
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
