"""Accuracy, log loss and Brier score: means of one number per row."""

import math

import numpy as np

from likely.errors import ShapeError
from likely.metrics.checks import classes, classified, distributions

FLOOR = float(np.finfo(np.float64).tiny)
"""A smaller probability counts as this one in figures that must stay finite: 708.4 nats."""

LOWEST_LOG_PROB = math.log(FLOOR)


def at_labels(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The mean of each row of values under its label: values[i, y_i], or sum_k y_ik values_ik.

    Labels are classes 0..k-1 of shape (n,), or true distributions of shape (n, k).

    Example:
        >>> at_labels(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1, 0]))
        array([2., 3.])
        >>> at_labels(np.array([[1.0, 2.0]]), np.array([[0.5, 0.5]]))
        array([1.5])
    """
    labels = np.asarray(labels)
    if labels.ndim == 2:
        labels = distributions(labels, "labels")
        if labels.shape != values.shape:
            raise ShapeError(f"labels must have shape {values.shape}; got {labels.shape}.")
        return np.einsum("nk,nk->n", labels, values)
    labels = classes(labels, *values.shape)
    return values[np.arange(len(values)), labels]


def accuracy(probs: np.ndarray, labels: np.ndarray) -> float:
    """The share of rows whose most probable class is the label; ties go to the first class.

    Example:
        >>> accuracy(np.array([[0.7, 0.3], [0.6, 0.4]]), np.array([0, 1]))
        0.5
    """
    return float(correct(*classified(probs, labels)).mean())


def log_loss(probs: np.ndarray, labels: np.ndarray) -> float:
    """The mean negative log-likelihood in nats: -1/n sum_i sum_k y_ik log p_ik.

    Infinite where a label that came had probability 0, whatever the dtype, as `likely.cross_entropy` is: such a model
    was certain, and wrong. Figures with intervals, as of `classification_metrics`, `event_metrics` and
    `paired_difference`, and those in JSON must stay finite: there such a row costs 708.4 nats.

    Args:
        probs: shape (n, k).
        labels: classes of shape (n,), or true distributions of shape (n, k).
    Raises:
        ProbabilityError, ShapeError, DataError: naming the row that does not fit.
    Example:
        >>> round(log_loss(np.array([[0.6, 0.4]]), np.array([0])), 4)
        0.5108
        >>> log_loss(np.array([[1.0, 0.0]]), np.array([1]))
        inf
    """
    probs = distributions(probs, "probs")
    zero = probs == 0
    if at_labels(zero.astype(np.float64), labels).any():
        return math.inf
    return float(0.0 - at_labels(np.log(np.where(zero, 1, probs), dtype=np.float64), labels).mean())


def brier_score(probs: np.ndarray, labels: np.ndarray) -> float:
    """The mean squared distance to the label: 1/n sum_i sum_k (p_ik - y_ik)^2, between 0 and 2.

    This is Brier's own form, summed over the classes; for two classes it is twice the one-column form. Arguments and
    errors are those of `log_loss`.

    Example:
        >>> round(brier_score(np.array([[0.6, 0.4]]), np.array([0])), 4)
        0.32

    Reference: Brier (1950), Verification of forecasts expressed in terms of probability.
    """
    return float(squared_distances(distributions(probs, "probs"), labels).mean())


def correct(probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """1.0 where the most probable class is the label, else 0.0; shape (n,)."""
    return (probs.argmax(axis=1) == labels).astype(np.float64)


def log_losses(probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """What `log_loss` is the mean of, shape (n,), but for impossible labels: in figures with intervals, and in JSON,
    which knows no infinity, they cost what the smallest normal number of float64 costs, 708.4 nats, in every dtype."""
    logs = np.log(np.maximum(probs, FLOOR, dtype=np.float64))
    return 0.0 - at_labels(logs, labels)  # 0 - x makes no -0.0


def squared_distances(probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """What `brier_score` is the mean of, shape (n,)."""
    squares = np.einsum("nk,nk->n", probs, probs, dtype=np.float64)
    truth = np.asarray(labels, dtype=np.float64) if np.ndim(labels) == 2 else np.ones((len(probs), 1))
    # |p - y|^2 = |p|^2 - 2 p.y + |y|^2 needs no (n, k) array of labels; rounding can leave it below 0.
    return np.maximum(
        squares - 2.0 * at_labels(probs, labels).astype(np.float64) + np.einsum("nk,nk->n", truth, truth), 0.0
    )
