"""How far predicted numbers are from the truth: MSE, MAE, R^2 and the coverage of intervals."""

from collections.abc import Callable
from typing import Any

import numpy as np

from likely.errors import ConfigError, DataError, ShapeError
from likely.metrics.checks import numbers
from likely.metrics.evaluation import Evaluation
from likely.metrics.interval_of_mean import mean_interval
from likely.metrics.intervals import Estimate, bootstrap, proportion


def interval_coverage(y: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    """The share of answers y that lie in their interval [low, high], ends included; all of one shape.

    Example:
        >>> interval_coverage(np.array([1.0, 5.0]), np.array([0.0, 0.0]), np.array([2.0, 2.0]))
        0.5
    """
    y = numbers(y, "y")
    return float(_covered(y, low, high).mean())


def regression_metrics(
    y: np.ndarray, predictions: np.ndarray, low: np.ndarray | None = None, high: np.ndarray | None = None, seed: int = 0
) -> dict[str, Any]:
    """MSE, MAE and R^2 (and the coverage of intervals) as JSON values, with 95% intervals.

    R^2 = 1 - sum (y - f)^2 / sum (y - mean y)^2; None where all y are equal. Resamples as in
    `classification_metrics`. The coverage of one target is a share, with the interval of Clopper and Pearson; that of
    several is the mean over rows of a number from 0 to 1, with the interval of Gaffke (`mean_interval`).

    Args:
        y, predictions: the truth and what is predicted, shape (n,), or (n, m) for several targets, whose mean is taken.
        low, high: ends of one interval per number, in the shape of y; infinite ends are allowed. Give both or none.
        seed: of the resampling.
    Returns:
        {"n", "mse", "mae", "r2"} and, with intervals, "coverage"; figures as {"value", "low", "high"}.
    Raises:
        ShapeError, DataError: naming the row that does not fit.

    Example:
        >>> regression_metrics(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0]))["r2"]["value"]
        0.5
    """
    return evaluate_regression(y, predictions, low, high, seed).to_json()


def evaluate_regression(
    y: np.ndarray, predictions: np.ndarray, low: np.ndarray | None = None, high: np.ndarray | None = None, seed: int = 0
) -> Evaluation:
    """The same as a value: see `regression_metrics`."""
    y = numbers(y, "y")
    if (low is None) != (high is None):
        raise ConfigError("low and high must be given together; got one of them. Try to pass both or none.")
    n = len(y)
    mse, mae, r2 = bootstrap(regression_sums(y, predictions), regression_figures(n), seed)
    coverage = None
    if low is not None and high is not None:
        rows = _covered(y, low, high).reshape(n, -1).mean(axis=1)
        is_share = y.ndim == 1 or y.shape[1] == 1
        mean = Estimate(float(rows.mean()), *mean_interval(rows, 0, 1))
        coverage = proportion(int(rows.sum()), n) if is_share else mean
    return Evaluation(n=n, mse=mse, mae=mae, r2=r2, coverage=coverage)


def regression_sums(y: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """The numbers per row from whose sums `regression_figures` computes, shape (n, 1 + 3 m) for m targets."""
    predictions = numbers(predictions, "predictions")
    if y.shape != predictions.shape:
        raise ShapeError(f"predictions must have the shape of y, {y.shape}; got {predictions.shape}.")
    truth = y.reshape(len(y), -1)
    error, centered = truth - predictions.reshape(len(y), -1), truth - truth.mean(axis=0)
    return np.concatenate([np.abs(error).mean(axis=1, keepdims=True), error**2, centered, centered**2], axis=1)


def regression_figures(n: int) -> Callable[[np.ndarray], np.ndarray]:
    """From sums over n rows, shape (r, 1 + 3 m), to MSE, MAE and R^2, shape (r, 3)."""

    def figures(sums: np.ndarray) -> np.ndarray:
        squared, first, second = np.split(sums[:, 1:], 3, axis=1)
        around_mean = second - first**2 / n
        # A resample of equal answers leaves only rounding here, and R^2 means nothing.
        around_mean[around_mean <= 1e-12 * second] = np.nan
        r2 = (1 - squared / around_mean).mean(axis=1)
        return np.column_stack([squared.mean(axis=1) / n, sums[:, 0] / n, r2])

    return figures


def _covered(y: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    low, high = np.asarray(low), np.asarray(high)
    for name, end in (("low", low), ("high", high)):
        if end.shape != y.shape:
            raise ShapeError(f"{name} must have the shape of y, {y.shape}; got {end.shape}.")
        if np.isnan(end).any():
            raise DataError(f"{name} must not hold NaN; got NaN in row {int(np.argwhere(np.isnan(end))[0, 0])}.")
    return ((low <= y) & (y <= high)).astype(np.float64)
