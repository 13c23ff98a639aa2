"""How good predictions are, as numbers with 95% intervals, from plain NumPy arrays.

Shapes: n examples, k classes. `probs` are rows of probabilities (n, k); `labels` are the truth, either classes 0..k-1
of shape (n,) or, where it says so, true distributions of shape (n, k). Logarithms are natural (nats). What does not fit
is a ProbabilityError, ShapeError or DataError, which names the row; a binning that does not exist is a ConfigError.

Every name is loaded when it is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from likely.metrics.brier_split import BrierSplit as BrierSplit
    from likely.metrics.brier_split import brier_decomposition as brier_decomposition
    from likely.metrics.calibration import Reliability as Reliability
    from likely.metrics.calibration import calibration_error as calibration_error
    from likely.metrics.calibration import reliability_bins as reliability_bins
    from likely.metrics.calibration_error_floor import calibration_floor as calibration_floor
    from likely.metrics.calibration_error_floor import calibration_p_value as calibration_p_value
    from likely.metrics.classification import FEW_ROWS as FEW_ROWS
    from likely.metrics.classification import classification_metrics as classification_metrics
    from likely.metrics.classwise import classwise_calibration_error as classwise_calibration_error
    from likely.metrics.classwise import classwise_calibration_estimate as classwise_calibration_estimate
    from likely.metrics.comparison import Difference as Difference
    from likely.metrics.comparison import paired_difference as paired_difference
    from likely.metrics.comparison import paired_regression_difference as paired_regression_difference
    from likely.metrics.confusion import PerClass as PerClass
    from likely.metrics.confusion import confusion_matrix as confusion_matrix
    from likely.metrics.confusion import per_class as per_class
    from likely.metrics.events import event_calibration_error as event_calibration_error
    from likely.metrics.events import event_calibration_floor as event_calibration_floor
    from likely.metrics.events import event_metrics as event_metrics
    from likely.metrics.events import event_reliability as event_reliability
    from likely.metrics.interval_of_mean import mean_interval as mean_interval
    from likely.metrics.intervals import RESAMPLES as RESAMPLES
    from likely.metrics.intervals import Estimate as Estimate
    from likely.metrics.intervals import bootstrap as bootstrap
    from likely.metrics.intervals import proportion as proportion
    from likely.metrics.miscalibration import calibration_estimate as calibration_estimate
    from likely.metrics.miscalibration import event_calibration_estimate as event_calibration_estimate
    from likely.metrics.regression import interval_coverage as interval_coverage
    from likely.metrics.regression import regression_metrics as regression_metrics
    from likely.metrics.scores import accuracy as accuracy
    from likely.metrics.scores import at_labels as at_labels
    from likely.metrics.scores import brier_score as brier_score
    from likely.metrics.scores import log_loss as log_loss

_HOMES = {
    "BrierSplit": "brier_split",
    "Difference": "comparison",
    "Estimate": "intervals",
    "FEW_ROWS": "classification",
    "PerClass": "confusion",
    "RESAMPLES": "intervals",
    "Reliability": "calibration",
    "accuracy": "scores",
    "at_labels": "scores",
    "bootstrap": "intervals",
    "brier_decomposition": "brier_split",
    "brier_score": "scores",
    "calibration_error": "calibration",
    "calibration_estimate": "miscalibration",
    "calibration_floor": "calibration_error_floor",
    "calibration_p_value": "calibration_error_floor",
    "classification_metrics": "classification",
    "classwise_calibration_error": "classwise",
    "classwise_calibration_estimate": "classwise",
    "confusion_matrix": "confusion",
    "event_calibration_error": "events",
    "event_calibration_estimate": "miscalibration",
    "event_calibration_floor": "events",
    "event_metrics": "events",
    "event_reliability": "events",
    "interval_coverage": "regression",
    "log_loss": "scores",
    "mean_interval": "interval_of_mean",
    "paired_difference": "comparison",
    "paired_regression_difference": "comparison",
    "per_class": "confusion",
    "proportion": "intervals",
    "regression_metrics": "regression",
    "reliability_bins": "calibration",
}
"""Every public name, with the module of this package that holds it."""

__all__ = sorted(_HOMES)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return __all__
