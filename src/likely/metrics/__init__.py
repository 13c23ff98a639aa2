"""How good predictions are, as numbers with 95% intervals, from plain NumPy arrays.

Shapes: n examples, k classes. `probs` are rows of probabilities (n, k); `labels` are the truth, either classes 0..k-1
of shape (n,) or, where it says so, true distributions of shape (n, k). Logarithms are natural (nats). What does not fit
is a ProbabilityError, ShapeError or DataError, which names the row; a binning that does not exist is a ConfigError.
"""

from likely.metrics.brier_split import BrierSplit, brier_decomposition
from likely.metrics.calibration import Reliability, calibration_error, reliability_bins
from likely.metrics.classification import FEW_ROWS, classification_metrics
from likely.metrics.classwise import classwise_calibration_error, classwise_calibration_estimate
from likely.metrics.comparison import Difference, paired_difference, paired_regression_difference
from likely.metrics.confusion import PerClass, confusion_matrix, per_class
from likely.metrics.events import event_calibration_error, event_calibration_floor, event_metrics, event_reliability
from likely.metrics.floor import calibration_floor, calibration_p_value
from likely.metrics.intervals import RESAMPLES, Estimate, bootstrap, proportion
from likely.metrics.mean_interval import mean_interval
from likely.metrics.miscalibration import calibration_estimate, event_calibration_estimate
from likely.metrics.regression import interval_coverage, regression_metrics
from likely.metrics.scores import accuracy, at_labels, brier_score, log_loss

__all__ = [
    "FEW_ROWS",
    "RESAMPLES",
    "BrierSplit",
    "Difference",
    "Estimate",
    "PerClass",
    "Reliability",
    "accuracy",
    "at_labels",
    "bootstrap",
    "brier_decomposition",
    "brier_score",
    "calibration_error",
    "calibration_estimate",
    "calibration_floor",
    "calibration_p_value",
    "classification_metrics",
    "classwise_calibration_error",
    "classwise_calibration_estimate",
    "confusion_matrix",
    "event_calibration_error",
    "event_calibration_estimate",
    "event_calibration_floor",
    "event_metrics",
    "event_reliability",
    "interval_coverage",
    "log_loss",
    "mean_interval",
    "paired_difference",
    "paired_regression_difference",
    "per_class",
    "proportion",
    "regression_metrics",
    "reliability_bins",
]
