"""Two models on the same rows: the difference of each figure, with an interval from the same resamples of both."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from likely.errors import ShapeError
from likely.metrics.calibration import N_BINS, gaps
from likely.metrics.checks import classified, numbers
from likely.metrics.intervals import Estimate, bootstrap
from likely.metrics.regression import regression_figures, regression_sums
from likely.metrics.scores import correct, log_losses, squared_distances

FEWEST = 6
"""If fewer rows tell two models apart, all in favor of one, a fair coin would do the same more than 5% of the time."""

_HIGHER_IS_BETTER = ("accuracy", "r2")


@dataclass(frozen=True)
class Difference:
    """How much a figure of the second model is above that of the first, with the ends of its 95% interval.

    Args:
        figure: its name, such as "accuracy".
        first: the figure of the first model.
        second: the figure of the second model.
        value: second - first.
        low: the lower end of the interval of the difference.
        high: its upper end.
        rows_apart: on how many rows the two models' answers differ in what the figure looks at.
    """

    figure: str
    first: float
    second: float
    value: float
    low: float
    high: float
    rows_apart: int

    @property
    def decided(self) -> bool:
        """Whether the rows suffice to say which model is better: the interval leaves 0 out, and rests on enough."""
        return self.rows_apart >= FEWEST and (self.low > 0 or self.high < 0)

    @property
    def better(self) -> str | None:
        """ "first", "second", or None where the rows do not tell."""
        if not self.decided:
            return None
        return "second" if (self.value > 0) == (self.figure in _HIGHER_IS_BETTER) else "first"

    @property
    def conclusion(self) -> str:
        """One sentence: which model is better by this figure, or that there are too few examples to tell."""
        if self.rows_apart == 0:
            return "The two models answer alike on every row."
        if not self.decided:
            return "Too few examples to tell which model is better."
        return f"The {self.better} model is better."

    def to_json(self) -> dict[str, Any]:
        """Value and ends as plain numbers (None for NaN), which model is better, and the sentence."""
        interval = Estimate(self.value, self.low, self.high).to_json()
        return {**interval, "better": self.better, "conclusion": self.conclusion}


def paired_difference(
    probs_a: np.ndarray, probs_b: np.ndarray, labels: np.ndarray, seed: int = 0
) -> dict[str, Difference]:
    """Accuracy, NLL, Brier score and ECE of two models on the same rows: second minus first.

    The intervals are percentiles (2.5, 97.5) of the difference over 1,000 resamples of the rows, each resample judging
    both models. What makes a row hard for both cancels, so that the interval is often much shorter than the two
    models' own intervals, which may overlap although the difference is clear. Where it holds 0, or fewer than 6 rows
    tell the models apart, there are too few examples to say which one is better. The difference of two ECEs is less
    biased than each of them, but not free of bias. Each interval is 95% by itself, not all of them together, and
    speaks of these two models: another training of the same recipe would differ as well.

    Args:
        probs_a: of the first model, shape (n, k).
        probs_b: of the second model, shape (n, k).
        labels: classes 0..k-1, shape (n,).
        seed: of the resampling.
    Returns:
        A `Difference` under each of "accuracy", "nll" (nats), "brier" and "ece" (15 bins of equal width).
    Raises:
        ProbabilityError, ShapeError, DataError: naming the row that does not fit.

    Example:
        >>> sure, unsure = np.tile([[0.9, 0.1]], (50, 1)), np.tile([[0.6, 0.4]], (50, 1))
        >>> found = paired_difference(unsure, sure, np.zeros(50, int))
        >>> round(found["nll"].value, 4), found["nll"].conclusion
        (-0.4055, 'The second model is better.')
        >>> found["accuracy"].conclusion
        'The two models answer alike on every row.'

    Reference: Efron and Tibshirani (1993), An introduction to the bootstrap, ch. 8.
    """
    probs_a, labels = classified(probs_a, labels)
    probs_b, _ = classified(probs_b, labels)
    if probs_a.shape != probs_b.shape:
        raise ShapeError(
            f"probs_b must have the shape of probs_a, {probs_a.shape}; got {probs_b.shape}. "
            "Both models must answer the same rows with the same classes."
        )
    n = len(labels)
    rows: list[np.ndarray] = []
    for probs in (probs_a, probs_b):
        right = correct(probs, labels)
        means = np.column_stack([right, log_losses(probs, labels), squared_distances(probs, labels)])
        rows.append(np.column_stack([means, gaps(probs.max(axis=1), right, N_BINS, "width")]))

    def figures(sums: np.ndarray) -> np.ndarray:
        return np.column_stack([sums[:, :3], np.abs(sums[:, 3:]).sum(axis=1)]) / n

    apart = np.abs(rows[0] - rows[1]) > 1e-12  # what rounding alone parts is not apart
    counts = [*apart[:, :3].sum(axis=0), apart[:, 3:].any(axis=1).sum()]
    return _differences(("accuracy", "nll", "brier", "ece"), rows, figures, counts, seed)


def paired_regression_difference(
    y: np.ndarray, predictions_a: np.ndarray, predictions_b: np.ndarray, seed: int = 0
) -> dict[str, Difference]:
    """MSE, MAE and R^2 of two models on the same rows: second minus first, with paired intervals.

    As `paired_difference`; figures as in `regression_metrics`.

    Args:
        y: the truth, shape (n,) or (n, m).
        predictions_a: of the first model, in the shape of y.
        predictions_b: of the second model, in the shape of y.
        seed: of the resampling.
    Returns:
        A `Difference` under each of "mse", "mae" and "r2".
    Raises:
        ShapeError, DataError: if the shapes differ or a value is NaN or infinite; the message names the row.

    Example:
        >>> y = np.arange(20.0)
        >>> found = paired_regression_difference(y, y + 2, y + 1)
        >>> found["mse"].value, found["mse"].conclusion
        (-3.0, 'The second model is better.')
    """
    y = numbers(y, "y")
    rows = [regression_sums(y, p) for p in (predictions_a, predictions_b)]
    apart = int((np.asarray(predictions_a) != np.asarray(predictions_b)).reshape(len(y), -1).any(axis=1).sum())
    return _differences(("mse", "mae", "r2"), rows, regression_figures(len(y)), [apart] * 3, seed)


def _differences(
    names: tuple[str, ...], rows: list[np.ndarray], figures: Any, apart: list[int], seed: int
) -> dict[str, Difference]:
    first, second = (figures(part.sum(axis=0, keepdims=True))[0] for part in rows)
    ends = rows[0].shape[1]
    found = bootstrap(
        np.concatenate(rows, axis=1), lambda sums: figures(sums[:, ends:]) - figures(sums[:, :ends]), seed
    )
    return {
        name: Difference(name, float(a), float(b), e.value, e.low, e.high, int(count))
        for name, a, b, e, count in zip(names, first, second, found, apart, strict=True)
    }
