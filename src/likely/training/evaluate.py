"""Whether a model keeps its promises on rows that it has not seen: the figures behind the report and metrics.json.

sets        how often they hold the truth, and how large they are, at several coverages; "empty" says which share
            would have been empty and got its most probable label, and how often the truth was held without that
selective   the error when only the most confident rows are answered
abstention  the error among the answers of `predict_or_abstain`
familiarity how often a familiar row raises a false alarm
events      each named event on its own
"""

from typing import Any

import numpy as np

from likely.errors import DataError
from likely.metrics.events import event_metrics
from likely.metrics.intervals import bootstrap, proportion
from likely.model import ClassifierPredictor
from likely.trust.abstention import aurc, confidence, error_at_coverage, risk_coverage
from likely.trust.familiarity import UNFAMILIAR

COVERAGES = (0.8, 0.9, 0.95, 0.99, 0.999)
MAX_ERRORS = (0.01, 0.02, 0.05)
_ANSWERED = (0.8, 0.9, 0.95)
_MOST_POINTS = 200


def promises_kept(
    predictor: ClassifierPredictor, log_probs: np.ndarray, familiarity: np.ndarray | None, y: np.ndarray
) -> dict[str, Any]:
    """What the model promises, and what came of it on these rows, as JSON values; figures with 95% intervals.

    Args:
        predictor: the model.
        log_probs: its log-probabilities for the rows, shape (n, k).
        familiarity: its p-values for them, shape (n,), or None.
        y: their true classes 0..k-1, shape (n,).
    Returns:
        {"selective": ..., "events": ...} and, as far as the model promises them, "sets", "abstention", "familiarity".
    """
    probs = np.exp(log_probs)
    found: dict[str, Any] = {"selective": _selective(log_probs, y)}
    sets = [entry for coverage in COVERAGES if (entry := _sets(predictor, probs, y, coverage)) is not None]
    if sets:
        found["sets"] = sets
    abstention = [entry for e in MAX_ERRORS if (entry := _abstention(predictor, log_probs, y, e)) is not None]
    if abstention:
        found["abstention"] = abstention
    if familiarity is not None and predictor.can_alarm:
        found["familiarity"] = false_alarms(familiarity)
    if predictor.events:
        found["events"] = {
            name: {"labels": list(map(str, event)), **event_metrics(event_mass(probs, event.mask), event.mask[y])}
            for name, event in predictor.events.items()
        }
    return found


def false_alarms(familiarity: np.ndarray) -> dict[str, Any]:
    """How often rows with these p-values are called unfamiliar, beside the rate that is promised for familiar ones."""
    return {"alarm": UNFAMILIAR, "rate": _share(familiarity <= UNFAMILIAR)}


def _sets(predictor: ClassifierPredictor, probs: np.ndarray, y: np.ndarray, coverage: float) -> dict[str, Any] | None:
    try:
        low, high = predictor.coverage_interval(coverage)
        mask = predictor.sets(probs, coverage, allow_empty=True)
    except DataError:
        return None  # too few held-out rows for this coverage, or none
    empty = ~mask.any(axis=1)
    filled = mask.copy()
    filled[empty, probs[empty].argmax(axis=1)] = True
    sizes, rows = filled.sum(axis=1), np.arange(len(y))
    [size] = bootstrap(sizes[:, None].astype(np.float64), lambda sums: sums / len(y))
    return {
        "coverage": coverage,
        "expected": {"low": low, "high": high},
        "covered": _share(filled[rows, y]),
        "size": size.to_json(),
        "sizes": np.bincount(sizes, minlength=2).tolist(),
        "empty": {"share": float(empty.mean()), "covered": _share(mask[rows, y])},
    }


def _abstention(
    predictor: ClassifierPredictor, log_probs: np.ndarray, y: np.ndarray, max_error: float
) -> dict[str, Any] | None:
    try:
        promise = predictor.abstention(max_error)
    except DataError:
        return None
    answered = promise.answers(confidence(log_probs))
    wrong = log_probs.argmax(axis=1) != y
    return {
        "max_error": max_error,
        "threshold": promise.threshold,
        "answered": _share(answered),
        # Among the answers: how many there are is not what the interval is about.
        "error": _share(wrong[answered]),
    }


def _selective(log_probs: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    sure, wrong = confidence(log_probs), log_probs.argmax(axis=1) != y
    curve = risk_coverage(sure, wrong)
    shown = np.unique(np.linspace(0, len(curve.coverage) - 1, _MOST_POINTS).round().astype(int))
    return {
        "aurc": aurc(sure, wrong),
        "error_at": {str(share): error_at_coverage(sure, wrong, share) for share in _ANSWERED},
        "curve": {"coverage": curve.coverage[shown].tolist(), "error": curve.risk[shown].tolist()},
    }


def event_mass(probs: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """P(E | x) of each row for the event of these columns, shape (n,); rounding does not take it above 1."""
    return np.minimum(probs[:, mask].sum(axis=1), 1.0)


def _share(flags: np.ndarray) -> dict[str, float | None]:
    return proportion(int(flags.sum()), len(flags)).to_json()
