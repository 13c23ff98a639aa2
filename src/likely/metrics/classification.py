"""The figures of a classifier with their intervals."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from likely.errors import ShapeError
from likely.metrics.calibration import N_BINS
from likely.metrics.checks import classified
from likely.metrics.classwise import classwise_calibration_estimate
from likely.metrics.confusion import confusion_matrix, per_class
from likely.metrics.evaluation import ClassFigures, Evaluation
from likely.metrics.intervals import bootstrap, proportion
from likely.metrics.miscalibration import calibration_figures, estimated
from likely.metrics.scores import correct, log_losses, squared_distances

FEW_ROWS = 30
"""Of fewer rows of a class, too little can be said of it: a share of 29 has a standard error of up to 9 points."""


def classification_metrics(
    probs: np.ndarray, labels: np.ndarray, names: Sequence[str], seed: int = 0
) -> dict[str, Any]:
    """Every figure as JSON values, with 95% intervals.

    The interval of the accuracy is that of Clopper and Pearson; those of NLL and Brier score are percentiles (2.5,
    97.5) over 1,000 resamples of the rows, the same resamples for both. "ece" is the debiased estimate of
    `calibration_estimate` with its interval (15 bins of equal width), "ece_mass" the same with 15 bins of equal mass,
    "ece_classwise" that of `classwise_calibration_estimate`. "ece_plugin" is the usual figure, `calibration_error`: too
    large on average. "ece_floor" is no interval of a measurement but what the plug-in figure would be if the
    predictions were perfectly calibrated: its mean and its 95% range; "calibration_p" is the p-value of that
    hypothesis. A label of probability 0 costs 708.4 nats here, since JSON knows no infinity. Precision, recall and F1
    of 0/0 are None; a class of fewer than 30 rows has "too_few": true.

    Args:
        probs, labels: shape (n, k), and classes 0..k-1, shape (n,).
        names: the k names of the classes.
        seed: of the resampling.
    Returns:
        {"n", "accuracy", "nll" (nats), "brier", "ece", "ece_plugin", "ece_floor", "calibration_p", "ece_mass",
        "ece_classwise", "per_class", "confusion"}; "ece_plugin" and "calibration_p" are numbers, other figures
        {"value", "low", "high"}.

    Example:
        >>> found = classification_metrics(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1]), ["tails", "heads"])
        >>> {name: round(value, 3) for name, value in found["accuracy"].items()}
        {'value': 1.0, 'low': 0.158, 'high': 1.0}
    """
    return evaluate_classification(probs, labels, names, seed).to_json()


def evaluate_classification(probs: np.ndarray, labels: np.ndarray, names: Sequence[str], seed: int = 0) -> Evaluation:
    """The same as a value: see `classification_metrics`."""
    probs, labels = classified(probs, labels)
    n, k = probs.shape
    if len(names) != k:
        raise ShapeError(f"names must have one name per class; got {len(names)} names for {k} classes.")
    confidence, right = probs.max(axis=1).astype(np.float64), correct(probs, labels)
    rows = np.column_stack([log_losses(probs, labels), squared_distances(probs, labels)])
    nll, brier = bootstrap(rows, lambda sums: sums / n, seed)
    confusion = confusion_matrix(probs, labels)
    return Evaluation(
        n=n,
        accuracy=proportion(int(right.sum()), n),
        nll=nll,
        brier=brier,
        **calibration_figures(confidence, right, seed),
        ece_mass=estimated(confidence, right, N_BINS, "mass", seed),
        ece_classwise=classwise_calibration_estimate(probs, labels, seed=seed),
        per_class=tuple(
            ClassFigures(name, *figures, too_few=figures[-1] < FEW_ROWS)
            for name, *figures in zip(names, *(figure.tolist() for figure in per_class(confusion)), strict=True)
        ),
        confusion=tuple(map(tuple, confusion.tolist())),
    )
