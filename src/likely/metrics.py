"""How good predictions are, as numbers with 95% intervals, from plain NumPy arrays.

Shapes: n examples, k classes. `probs` are rows of probabilities (n, k); `labels` are the truth, either classes 0..k-1
of shape (n,) or, where it says so, true distributions of shape (n, k). Logarithms are natural (nats).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from likely.errors import ConfigError, DataError, ShapeError
from likely.probability.simplex import check_probabilities

RESAMPLES = 1000
_BLOCK = 250_000  # drawn rows held at once: bounds the memory of the bootstrap


@dataclass(frozen=True)
class Estimate:
    """A number measured on a sample, with the ends of its 95% interval."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float | None]:
        """Plain numbers; NaN and infinity become None, which JSON can say.

        Example:
            >>> Estimate(0.9, 0.85, float("nan")).to_json()
            {'value': 0.9, 'low': 0.85, 'high': None}
        """
        return {name: _finite(getattr(self, name)) for name in ("value", "low", "high")}


@dataclass(frozen=True)
class Reliability:
    """Bins of equal width over the confidence (the largest probability of a row): what a reliability diagram shows.

    Args:
        edges: shape (n_bins + 1,), from 0 to 1; bin b holds confidences in (edges[b], edges[b + 1]], the first also 0.
        count: rows in each bin, shape (n_bins,).
        confidence: their mean confidence; NaN where a bin is empty.
        accuracy: the share of them whose most probable class is true; NaN where a bin is empty.
    """

    edges: np.ndarray
    count: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray

    def to_json(self) -> list[dict[str, Any]]:
        """One dict per bin: low, high, count, confidence, accuracy (None where the bin is empty)."""
        return [
            {
                "low": float(self.edges[b]),
                "high": float(self.edges[b + 1]),
                "count": int(self.count[b]),
                "confidence": _finite(self.confidence[b]),
                "accuracy": _finite(self.accuracy[b]),
            }
            for b in range(len(self.count))
        ]


@dataclass(frozen=True)
class PerClass:
    """Precision, recall, F1 and support of each class, shape (k,) each; NaN where 0 is divided by 0."""

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    support: np.ndarray


def at_labels(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The mean of each row of values under its label: values[i, y_i], or sum_k y_ik values_ik.

    Args:
        values: one number per class, shape (n, k).
        labels: classes 0..k-1 of shape (n,), or true distributions of shape (n, k).
    Returns:
        One value per example, shape (n,).
    Raises:
        ShapeError: if the shapes do not fit or labels of shape (n,) are not integers.
        DataError: if a class is outside 0..k-1; the message names the row.
        ProbabilityError: if a row of labels is not a distribution; the message names the row.

    Example:
        >>> at_labels(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1, 0]))
        array([2., 3.])
        >>> at_labels(np.array([[1.0, 2.0]]), np.array([[0.5, 0.5]]))
        array([1.5])
    """
    labels = np.asarray(labels)
    if labels.ndim == 2:
        labels = _distributions(labels, "labels")
        if labels.shape != values.shape:
            raise ShapeError(f"labels must have shape {values.shape}; got {labels.shape}.")
        return np.einsum("nk,nk->n", labels, values)
    labels = _classes(labels, *values.shape)
    return values[np.arange(len(values)), labels]


def accuracy(probs: np.ndarray, labels: np.ndarray) -> float:
    """The share of rows whose most probable class is the label; ties go to the first class.

    Example:
        >>> accuracy(np.array([[0.7, 0.3], [0.6, 0.4]]), np.array([0, 1]))
        0.5
    """
    return float(_correct(*_checked(probs, labels)).mean())


def log_loss(probs: np.ndarray, labels: np.ndarray) -> float:
    """The mean negative log-likelihood in nats: -1/n sum_i sum_k y_ik log p_ik.

    A probability below the smallest normal number of its dtype counts as that number, so that one impossible label
    costs 708.4 nats in float64 (87.3 in float32) and not infinity. Everything above the floor is exact.

    Args:
        probs: shape (n, k).
        labels: classes of shape (n,), or true distributions of shape (n, k).

    Raises:
        ProbabilityError, ShapeError, DataError: naming the row that does not fit.

    Example:
        >>> round(log_loss(np.array([[0.6, 0.4]]), np.array([0])), 4)
        0.5108
    """
    return float(_log_losses(_distributions(probs, "probs"), labels).mean())


def brier_score(probs: np.ndarray, labels: np.ndarray) -> float:
    """The mean squared distance to the label: 1/n sum_i sum_k (p_ik - y_ik)^2, between 0 and 2.

    This is Brier's own form, summed over the classes; for two classes it is twice the one-column form.

    Args:
        probs: shape (n, k).
        labels: classes of shape (n,), or true distributions of shape (n, k).

    Raises:
        ProbabilityError, ShapeError, DataError: naming the row that does not fit.

    Example:
        >>> round(brier_score(np.array([[0.6, 0.4]]), np.array([0])), 4)
        0.32

    Reference: Brier (1950), Verification of forecasts expressed in terms of probability.
    """
    return float(_brier(_distributions(probs, "probs"), labels).mean())


def calibration_error(probs: np.ndarray, labels: np.ndarray, n_bins: int = 15) -> float:
    """The expected calibration error of the most probable class over bins of equal width.

    ECE = sum_b (n_b / n) |accuracy_b - confidence_b|, bins as in `reliability_bins`.

    It is biased upward: chance alone parts accuracy from confidence in each bin, so that even perfect probabilities
    show some tenths of a percent at n = 10,000, and more on fewer rows.

    Example:
        >>> calibration_error(np.array([[0.75, 0.25], [0.75, 0.25]]), np.array([0, 1]))
        0.25

    Reference: Guo et al. (2017), On calibration of modern neural networks.
    """
    probs, labels = _checked(probs, labels)
    return float(np.abs(_gaps(probs, labels, n_bins).sum(axis=0)).sum() / len(probs))


def reliability_bins(probs: np.ndarray, labels: np.ndarray, n_bins: int = 15) -> Reliability:
    """Count, mean confidence and accuracy in each of `n_bins` bins of equal width.

    Example:
        >>> bins = reliability_bins(np.array([[1.0, 0.0], [0.55, 0.45]]), np.array([0, 1]), n_bins=2)
        >>> bins.count, bins.accuracy
        (array([0, 2]), array([nan, 0.5]))
    """
    probs, labels = _checked(probs, labels)
    bins, edges = _bins(probs, n_bins)
    count = np.bincount(bins, minlength=n_bins)
    with np.errstate(invalid="ignore"):
        confidence = np.bincount(bins, probs.max(axis=1), n_bins) / count
        right = np.bincount(bins, _correct(probs, labels), n_bins) / count
    return Reliability(edges, count, confidence, right)


def confusion_matrix(probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How many rows of each true class (down) got each most probable class (across), integers of shape (k, k).

    Example:
        >>> confusion_matrix(np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]]), np.array([0, 1, 1]))
        array([[1, 0],
               [1, 1]])
    """
    probs, labels = _checked(probs, labels)
    k = probs.shape[1]
    return np.bincount(labels * k + probs.argmax(axis=1), minlength=k * k).reshape(k, k)


def per_class(confusion: np.ndarray) -> PerClass:
    """Precision TP/(TP+FP), recall TP/(TP+FN) and F1 = 2TP/(2TP+FP+FN) from a confusion matrix (k, k).

    Example:
        >>> per_class(np.array([[1, 0], [1, 1]])).recall
        array([1. , 0.5])
    """
    hits, told, true = np.diag(confusion), confusion.sum(axis=0), confusion.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return PerClass(hits / told, hits / true, 2 * hits / (told + true), true)


def interval_coverage(y: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    """The share of answers y that lie in their interval [low, high], ends included; all of one shape.

    Example:
        >>> interval_coverage(np.array([1.0, 5.0]), np.array([0.0, 0.0]), np.array([2.0, 2.0]))
        0.5
    """
    y = _numbers(y, "y")
    return float(_covered(y, low, high).mean())


def classification_metrics(
    probs: np.ndarray, labels: np.ndarray, names: Sequence[str], seed: int = 0
) -> dict[str, Any]:
    """Every headline figure as JSON values, with bootstrap 95% intervals.

    The intervals are percentiles (2.5, 97.5) over 1,000 resamples of the rows, the same resamples for all figures.
    ECE is biased upward, on resamples more than on the sample itself; its interval is widened where it would
    otherwise not hold the value. Precision, recall and F1 of 0/0 are None.

    Args:
        probs: shape (n, k).
        labels: classes 0..k-1, shape (n,).
        names: the k names of the classes.
        seed: of the resampling.
    Returns:
        {"n", "accuracy", "nll" (nats), "brier", "ece", "per_class", "confusion"}; figures as {"value", "low", "high"}.
    Raises:
        ProbabilityError, ShapeError, DataError: naming the row that does not fit.

    Example:
        >>> found = classification_metrics(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1]), ["tails", "heads"])
        >>> found["accuracy"]
        {'value': 1.0, 'low': 1.0, 'high': 1.0}
    """
    probs, labels = _checked(probs, labels)
    n, k = probs.shape
    if len(names) != k:
        raise ShapeError(f"names must have one name per class; got {len(names)} names for {k} classes.")
    gaps = _gaps(probs, labels, 15)
    rows = np.column_stack([_correct(probs, labels), _log_losses(probs, labels), _brier(probs, labels), gaps])

    def figures(sums: np.ndarray) -> np.ndarray:
        return np.column_stack([sums[:, :3], np.abs(sums[:, 3:]).sum(axis=1)]) / n

    estimates = bootstrap(rows, figures, seed)
    confusion = confusion_matrix(probs, labels)
    classes = per_class(confusion)
    return {
        "n": n,
        **{name: e.to_json() for name, e in zip(("accuracy", "nll", "brier", "ece"), estimates, strict=True)},
        "per_class": [
            {
                "label": name,
                "precision": _finite(classes.precision[i]),
                "recall": _finite(classes.recall[i]),
                "f1": _finite(classes.f1[i]),
                "support": int(classes.support[i]),
            }
            for i, name in enumerate(names)
        ],
        "confusion": confusion.tolist(),
    }


def regression_metrics(
    y: np.ndarray,
    predictions: np.ndarray,
    low: np.ndarray | None = None,
    high: np.ndarray | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """MSE, MAE and R^2 (and the coverage of intervals) as JSON values, with bootstrap 95% intervals.

    R^2 = 1 - sum (y - f)^2 / sum (y - mean y)^2; None where all y are equal. Resamples as in
    `classification_metrics`.

    Args:
        y: the truth, shape (n,), or (n, m) for several targets: then each figure is the mean over the targets.
        predictions: in the shape of y.
        low, high: ends of one interval per number, in the shape of y; infinite ends are allowed. Give both or none.
        seed: of the resampling.
    Returns:
        {"n", "mse", "mae", "r2"} and, with intervals, "coverage"; figures as {"value", "low", "high"}.
    Raises:
        ShapeError, DataError: if the shapes differ or a value is NaN or infinite; the message names the row.

    Example:
        >>> regression_metrics(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0]))["r2"]["value"]
        0.5
    """
    y, predictions = _numbers(y, "y"), _numbers(predictions, "predictions")
    if y.shape != predictions.shape:
        raise ShapeError(f"predictions must have the shape of y, {y.shape}; got {predictions.shape}.")
    n, names = len(y), ["mse", "mae", "r2"]
    truth = y.reshape(n, -1)
    error, centered = truth - predictions.reshape(n, -1), truth - truth.mean(axis=0)
    columns = [np.abs(error).mean(axis=1, keepdims=True), error**2, centered, centered**2]
    if low is not None and high is not None:
        columns.append(_covered(y, low, high).reshape(n, -1).mean(axis=1, keepdims=True))
        names.append("coverage")
    elif low is not None or high is not None:
        raise ConfigError("low and high must be given together; got one of them. Try to pass both or none.")
    ends = np.cumsum([block.shape[1] for block in columns])[:-1]

    def figures(sums: np.ndarray) -> np.ndarray:
        absolute, squared, first, second, *covered = np.split(sums, ends, axis=1)
        around_mean = second - first**2 / n
        # A resample of equal answers leaves only rounding here, and R^2 means nothing.
        around_mean[around_mean <= 1e-12 * second] = np.nan
        r2 = (1 - squared / around_mean).mean(axis=1)
        return np.column_stack([squared.mean(axis=1) / n, absolute / n, r2, *(c / n for c in covered)])

    estimates = bootstrap(np.concatenate(columns, axis=1), figures, seed)
    return {"n": n, **{name: e.to_json() for name, e in zip(names, estimates, strict=True)}}


def bootstrap(rows: np.ndarray, figures: Callable[[np.ndarray], np.ndarray], seed: int = 0) -> list[Estimate]:
    """Percentile 95% intervals of figures that depend on the rows only through their sums.

    Each of 1,000 resamples draws n of the n rows with replacement. How often each row was drawn is a vector of
    counts, so that the sums over all resamples are one matrix product. An interval that would not hold its value is
    widened to do so. Resamples where a figure is NaN are left out of its interval.

    Args:
        rows: m numbers per example, shape (n, m).
        figures: from sums of shape (r, m), one row per resample, to figures of shape (r, f).
        seed: of the draws.
    Returns:
        One `Estimate` per figure.

    Example:
        >>> [mean] = bootstrap(np.arange(100.0)[:, None], lambda sums: sums / 100)
        >>> mean.value, 43 < mean.low < 45, 54 < mean.high < 56
        (49.5, True, True)

    Reference: Efron and Tibshirani (1993), An introduction to the bootstrap, ch. 13.
    """
    n = len(rows)
    rng = np.random.default_rng(seed)
    block = max(1, min(RESAMPLES, _BLOCK // n))
    sums: list[np.ndarray] = []
    for start in range(0, RESAMPLES, block):
        size = min(block, RESAMPLES - start)
        drawn = rng.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
        sums.append(counts.astype(np.float64) @ rows)
    values = figures(rows.sum(axis=0, keepdims=True))[0]
    resampled = figures(np.concatenate(sums))
    return [_estimate(float(v), resampled[:, i]) for i, v in enumerate(values)]


def _estimate(value: float, resampled: np.ndarray) -> Estimate:
    known = resampled[~np.isnan(resampled)]
    if math.isnan(value) or not len(known):
        return Estimate(value, math.nan, math.nan)
    low, high = np.quantile(known, [0.025, 0.975])
    return Estimate(value, min(float(low), value), max(float(high), value))


def _correct(probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return (probs.argmax(axis=1) == labels).astype(np.float64)


def _log_losses(probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    floor = np.finfo(probs.dtype).tiny
    return 0.0 - at_labels(np.log(np.maximum(probs, floor), dtype=np.float64), labels)  # 0 - x makes no -0.0


def _brier(probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    squares = np.einsum("nk,nk->n", probs, probs, dtype=np.float64)
    truth = np.asarray(labels, dtype=np.float64) if np.ndim(labels) == 2 else np.ones((len(probs), 1))
    # |p - y|^2 = |p|^2 - 2 p.y + |y|^2 needs no (n, k) array of labels; rounding can leave it below 0.
    return np.maximum(
        squares - 2.0 * at_labels(probs, labels).astype(np.float64) + np.einsum("nk,nk->n", truth, truth), 0.0
    )


def _gaps(probs: np.ndarray, labels: np.ndarray, n_bins: int) -> np.ndarray:
    """Correct (0 or 1) minus confidence of each row, in the column of its bin: shape (n, n_bins)."""
    bins, _ = _bins(probs, n_bins)
    gaps = np.zeros((len(probs), n_bins))
    gaps[np.arange(len(probs)), bins] = _correct(probs, labels) - probs.max(axis=1)
    return gaps


def _bins(probs: np.ndarray, n_bins: int) -> tuple[np.ndarray, np.ndarray]:
    """The bin of each row's confidence, and the n_bins + 1 edges."""
    if n_bins < 1:
        raise ConfigError(f"n_bins must be at least 1; got {n_bins}. Try 15.")
    edges = np.linspace(0.0, 1.0, n_bins + 1)
    bins = np.searchsorted(edges, probs.max(axis=1), side="left") - 1
    return np.clip(bins, 0, n_bins - 1), edges


def _covered(y: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    low, high = np.asarray(low), np.asarray(high)
    for name, end in (("low", low), ("high", high)):
        if end.shape != y.shape:
            raise ShapeError(f"{name} must have the shape of y, {y.shape}; got {end.shape}.")
        if np.isnan(end).any():
            raise DataError(f"{name} must not hold NaN; got NaN in row {int(np.argwhere(np.isnan(end))[0, 0])}.")
    return ((low <= y) & (y <= high)).astype(np.float64)


def _checked(probs: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    probs = _distributions(probs, "probs")
    return probs, _classes(labels, *probs.shape)


def _distributions(probs: np.ndarray, name: str) -> np.ndarray:
    """The same rows as floats, once each is seen to be a distribution."""
    checked = check_probabilities(probs, what=name)
    if checked.ndim != 2 or not len(checked):
        raise ShapeError(f"{name} must have shape (n, k) with at least one row; got shape {checked.shape}.")
    return checked


def _classes(labels: np.ndarray, n: int, k: int) -> np.ndarray:
    """The same labels as int64, once each is seen to be a class."""
    labels = np.asarray(labels)
    if labels.shape != (n,) or labels.dtype.kind not in "iu":
        raise ShapeError(f"labels must be {n} integers, one per row; got {labels.dtype} of shape {labels.shape}.")
    outside = (labels < 0) | (labels >= k)
    if outside.any():
        row = int(outside.argmax())
        raise DataError(f"labels must be classes 0..{k - 1}; got {labels[row]} in row {row}.")
    return labels.astype(np.int64)


def _numbers(values: np.ndarray, name: str) -> np.ndarray:
    """The same values as float64, once each is seen to be finite."""
    values = np.asarray(values)
    if values.ndim not in (1, 2) or values.dtype.kind not in "fiub" or not values.size:
        raise ShapeError(
            f"{name} must be numbers of shape (n,) or (n, m), at least one; got {values.dtype} of shape {values.shape}."
        )
    finite = np.isfinite(values.reshape(len(values), -1)).all(axis=1)
    if not finite.all():
        row = int((~finite).argmax())
        raise DataError(f"{name} must be finite; got NaN or infinity in row {row}.")
    return values.astype(np.float64)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
