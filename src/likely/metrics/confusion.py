"""Which class is taken for which, and what that means class by class."""

from typing import NamedTuple

import numpy as np

from likely.metrics.checks import classified


class PerClass(NamedTuple):
    """Precision, recall, F1 and support of each class, shape (k,) each; NaN where 0 is divided by 0."""

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    support: np.ndarray


def confusion_matrix(probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How many rows of each true class (down) got each most probable class (across), integers of shape (k, k).

    Example:
        >>> confusion_matrix(np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]]), np.array([0, 1, 1]))
        array([[1, 0],
               [1, 1]])
    """
    probs, labels = classified(probs, labels)
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
