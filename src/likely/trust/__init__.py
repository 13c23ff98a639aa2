"""Guarantees from plain NumPy arrays, of any model: calibrated probabilities, sets, thresholds, familiarity, priors.

Shapes: n rows, k classes. `probs` and `log_probs` are (n, k), logarithms natural (nats); `labels` are classes 0..k-1 of
shape (n,). Each function states its guarantee with the assumption under which it holds.

Every name is loaded when it is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from likely.trust.abstention import aurc as aurc
    from likely.trust.abstention import choose_threshold as choose_threshold
    from likely.trust.abstention import confidence as confidence
    from likely.trust.abstention import error_at_coverage as error_at_coverage
    from likely.trust.abstention import risk_coverage as risk_coverage
    from likely.trust.abstention import rows_needed_for_error as rows_needed_for_error
    from likely.trust.bias_corrected import fit_bias_corrected as fit_bias_corrected
    from likely.trust.bias_corrected import fit_calibration as fit_calibration
    from likely.trust.conformal import conformal_quantile as conformal_quantile
    from likely.trust.conformal import residual_interval as residual_interval
    from likely.trust.conformal import rows_needed as rows_needed
    from likely.trust.conformal import weighted_quantiles as weighted_quantiles
    from likely.trust.conformal_sets import aps_scores as aps_scores
    from likely.trust.conformal_sets import coverage_interval as coverage_interval
    from likely.trust.conformal_sets import lac_scores as lac_scores
    from likely.trust.conformal_sets import prediction_sets as prediction_sets
    from likely.trust.conformal_sets import set_quantiles as set_quantiles
    from likely.trust.confusion_prior import solve_confusion as solve_confusion
    from likely.trust.decision import choose_event_threshold as choose_event_threshold
    from likely.trust.familiarity import Familiarity as Familiarity
    from likely.trust.familiarity import familiarity_p_values as familiarity_p_values
    from likely.trust.gaussians import Gaussians as Gaussians
    from likely.trust.mutual_information import disagreement as disagreement
    from likely.trust.prior import PriorEstimate as PriorEstimate
    from likely.trust.prior import estimate_prior as estimate_prior
    from likely.trust.prior import label_shift_weights as label_shift_weights
    from likely.trust.prior import shift_prior as shift_prior
    from likely.trust.scale_of_errors import error_scale as error_scale
    from likely.trust.scale_of_errors import fit_error_scale as fit_error_scale
    from likely.trust.temperature import apply_temperature as apply_temperature
    from likely.trust.temperature import fit_temperature as fit_temperature
    from likely.trust.wrong_labels import LabelIssues as LabelIssues
    from likely.trust.wrong_labels import label_issues as label_issues

_HOMES = {
    "Familiarity": "familiarity",
    "Gaussians": "gaussians",
    "LabelIssues": "wrong_labels",
    "PriorEstimate": "prior",
    "apply_temperature": "temperature",
    "aps_scores": "conformal_sets",
    "aurc": "abstention",
    "choose_event_threshold": "decision",
    "choose_threshold": "abstention",
    "confidence": "abstention",
    "conformal_quantile": "conformal",
    "coverage_interval": "conformal_sets",
    "disagreement": "mutual_information",
    "error_at_coverage": "abstention",
    "error_scale": "scale_of_errors",
    "estimate_prior": "prior",
    "familiarity_p_values": "familiarity",
    "fit_bias_corrected": "bias_corrected",
    "fit_calibration": "bias_corrected",
    "fit_error_scale": "scale_of_errors",
    "fit_temperature": "temperature",
    "label_issues": "wrong_labels",
    "label_shift_weights": "prior",
    "lac_scores": "conformal_sets",
    "prediction_sets": "conformal_sets",
    "residual_interval": "conformal",
    "risk_coverage": "abstention",
    "rows_needed": "conformal",
    "rows_needed_for_error": "abstention",
    "set_quantiles": "conformal_sets",
    "shift_prior": "prior",
    "solve_confusion": "confusion_prior",
    "weighted_quantiles": "conformal",
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
