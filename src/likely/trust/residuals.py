"""How badly a regressor predicts rows that it was not trained on: what its intervals rest on.

    score of a held-out row = |residual| / s(x)        interval of a new row = prediction ± q s(x)

with q a quantile of the scores (split conformal prediction) and s(x) the scale of errors: see
`likely.trust.scale_of_errors`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from likely.trust.conformal import conformal_quantile, rows_needed
from likely.trust.scale_of_errors import error_scale
from likely.trust.ties import STEP


@dataclass(frozen=True)
class Residuals:
    """The scores of held-out rows, sorted, shape (m,), and the arrays of the scale of errors; none: it is constant."""

    scores: np.ndarray
    scale: Mapping[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def measured(
        cls, residuals: np.ndarray, slack: np.ndarray, s: np.ndarray, scale: Mapping[str, np.ndarray]
    ) -> "Residuals":
        """The scores (|residual| + slack) / s of held-out rows.

        Args:
            residuals, slack: y - prediction, and more than rounding moves a prediction, shape (m,).
            s: how large errors are for each row, fitted without it, shape (m,).
            scale: the arrays of s for new rows.
        Example:
            >>> residuals = Residuals.measured(np.arange(-9.0, 10.0), np.zeros(19), np.ones(19), {})
            >>> residuals.intervals(np.array([100.0]), residuals.quantile(0.9)).round(3)
            array([[ 91., 109.]])
        """
        # Rounding moves the scale of a new row, too.
        return cls(np.sort((1 + STEP) * (np.abs(residuals) + slack) / s), scale)

    def can_cover(self, coverage: float) -> bool:
        """Whether there are enough rows for intervals of this coverage."""
        return len(self.scores) >= rows_needed(coverage)

    @property
    def rests_on_inputs(self) -> bool:
        """Whether the scale of errors depends on more than the prediction."""
        return len(self.scale.get("knots", ())) > 1

    def quantile(self, coverage: float) -> float:
        """q in the intervals prediction ± q s(x) of this coverage; errors as in `conformal_quantile`."""
        return conformal_quantile(self.scores, coverage)

    def intervals(self, predictions: np.ndarray, quantile: float, inputs: np.ndarray | None = None) -> np.ndarray:
        """Lower and upper bounds (n, 2); `inputs` (n, p) are what the network is given, where the scale rests on it."""
        half = quantile * error_scale(self.scale, predictions, inputs)
        return np.stack([predictions - half, predictions + half], axis=1)
