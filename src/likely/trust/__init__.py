"""Guarantees from plain NumPy arrays, of any model: calibrated probabilities, sets, thresholds, familiarity, priors.

Shapes: n rows, k classes. `probs` and `log_probs` are (n, k), logarithms natural (nats); `labels` are classes 0..k-1 of
shape (n,). Each function states its guarantee with the assumption under which it holds.
"""

from likely.trust.abstention import (
    aurc,
    choose_threshold,
    confidence,
    error_at_coverage,
    risk_coverage,
    rows_needed_for_error,
)
from likely.trust.bias_corrected import fit_bias_corrected, fit_calibration
from likely.trust.conformal import conformal_quantile, residual_interval, rows_needed, weighted_quantiles
from likely.trust.confusion_prior import solve_confusion
from likely.trust.decision import choose_event_threshold
from likely.trust.error_scale import error_scale, fit_error_scale
from likely.trust.familiarity import Familiarity, familiarity_p_values
from likely.trust.gaussians import Gaussians
from likely.trust.label_issues import LabelIssues, label_issues
from likely.trust.prediction_sets import aps_scores, coverage_interval, lac_scores, prediction_sets, set_quantiles
from likely.trust.prior import PriorEstimate, estimate_prior, label_shift_weights, shift_prior
from likely.trust.temperature import apply_temperature, fit_temperature

__all__ = [
    "Familiarity",
    "Gaussians",
    "LabelIssues",
    "PriorEstimate",
    "apply_temperature",
    "aps_scores",
    "aurc",
    "choose_event_threshold",
    "choose_threshold",
    "confidence",
    "conformal_quantile",
    "coverage_interval",
    "error_at_coverage",
    "error_scale",
    "estimate_prior",
    "familiarity_p_values",
    "fit_bias_corrected",
    "fit_calibration",
    "fit_error_scale",
    "fit_temperature",
    "label_issues",
    "label_shift_weights",
    "lac_scores",
    "prediction_sets",
    "residual_interval",
    "risk_coverage",
    "rows_needed",
    "rows_needed_for_error",
    "set_quantiles",
    "shift_prior",
    "solve_confusion",
    "weighted_quantiles",
]
