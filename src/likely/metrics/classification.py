"""The headline figures of a classifier with their intervals, as the JSON that `metrics.json` holds."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from likely.errors import ShapeError
from likely.metrics.calibration import N_BINS, gaps
from likely.metrics.checks import classified
from likely.metrics.confusion import confusion_matrix, per_class
from likely.metrics.floor import DRAWS, floor
from likely.metrics.intervals import bootstrap, finite
from likely.metrics.scores import correct, log_losses, squared_distances

FEW_ROWS = 30
"""Of fewer rows of a class, too little can be said of it: a share of 29 has a standard error of up to 9 points."""


def classification_metrics(
    probs: np.ndarray, labels: np.ndarray, names: Sequence[str], seed: int = 0
) -> dict[str, Any]:
    """Every headline figure as JSON values, with bootstrap 95% intervals.

    The intervals are percentiles (2.5, 97.5) over 1,000 resamples of the rows, the same resamples for all figures.
    ECE is biased upward, on resamples more than on the sample itself; its interval is widened where it would
    otherwise not hold the value. "ece_mass" has 15 bins of equal mass, as the whole sample forms them. "ece_floor"
    is no interval of a measurement but what the ECE would be if the predictions were perfectly calibrated: its mean
    and its 95% range. A label of probability 0 costs 708.4 nats here, since JSON knows no infinity. Precision,
    recall and F1 of 0/0 are None; a class of fewer than 30 rows has "too_few": true.

    Args:
        probs: shape (n, k).
        labels: classes 0..k-1, shape (n,).
        names: the k names of the classes.
        seed: of the resampling.
    Returns:
        {"n", "accuracy", "nll" (nats), "brier", "ece", "ece_floor", "ece_mass", "per_class", "confusion"}; figures as
        {"value", "low", "high"}.
    Raises:
        ProbabilityError, ShapeError, DataError: naming the row that does not fit.

    Example:
        >>> found = classification_metrics(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1]), ["tails", "heads"])
        >>> found["accuracy"]
        {'value': 1.0, 'low': 1.0, 'high': 1.0}
    """
    probs, labels = classified(probs, labels)
    n, k = probs.shape
    if len(names) != k:
        raise ShapeError(f"names must have one name per class; got {len(names)} names for {k} classes.")
    confidence, right = probs.max(axis=1), correct(probs, labels)
    by_width = gaps(confidence, right, N_BINS, "width")
    by_mass = gaps(confidence, right, N_BINS, "mass")
    rows = np.column_stack([right, log_losses(probs, labels), squared_distances(probs, labels), by_width, by_mass])

    def figures(sums: np.ndarray) -> np.ndarray:
        width, mass = np.abs(sums[:, 3 : 3 + N_BINS]).sum(axis=1), np.abs(sums[:, 3 + N_BINS :]).sum(axis=1)
        return np.column_stack([sums[:, :3], width, mass]) / n

    accuracy, nll, brier, ece, ece_mass = (estimate.to_json() for estimate in bootstrap(rows, figures, seed))
    confusion = confusion_matrix(probs, labels)
    classes = per_class(confusion)
    return {
        "n": n,
        "accuracy": accuracy,
        "nll": nll,
        "brier": brier,
        "ece": ece,
        "ece_floor": floor(confidence, N_BINS, "width", seed, DRAWS).to_json(),
        "ece_mass": ece_mass,
        "per_class": [
            {
                "label": name,
                "precision": finite(classes.precision[i]),
                "recall": finite(classes.recall[i]),
                "f1": finite(classes.f1[i]),
                "support": int(classes.support[i]),
                "too_few": bool(classes.support[i] < FEW_ROWS),
            }
            for i, name in enumerate(names)
        ],
        "confusion": confusion.tolist(),
    }
