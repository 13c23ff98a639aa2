"""What comes of a model on rows that it was not trained on, and whether it keeps its guarantees there."""

from dataclasses import dataclass, replace

import numpy as np

from likely.data.dataset import Part
from likely.errors import DataError
from likely.metrics.classification import evaluate_classification
from likely.metrics.evaluation import (
    AbstentionFigures,
    EmptySets,
    Evaluation,
    FalseAlarms,
    Range,
    RiskCurve,
    Seen,
    Selective,
    SetFigures,
)
from likely.metrics.events import evaluate_event
from likely.metrics.intervals import Estimate, bootstrap, proportion
from likely.metrics.regression import evaluate_regression
from likely.model import ClassifierPredictor, RegressorPredictor
from likely.model.regressor_predictor import USUAL_COVERAGE
from likely.trust.abstention import aurc, confidence, error_at_coverage, risk_coverage
from likely.trust.familiarity import UNFAMILIAR

COVERAGES = (0.8, 0.9, 0.95, 0.99, 0.999)
MAX_ERRORS = (0.01, 0.02, 0.05)
SHARE_ANSWERED = 0.9
"""The share of rows, the most confident ones, that a report speaks of."""
_ANSWERED = (0.8, SHARE_ANSWERED, 0.95)
_MOST_POINTS = 200


@dataclass(frozen=True, eq=False)
class Evaluated:
    """The evaluation of a model on rows, its answers (probabilities, or numbers), and their familiarity, if known."""

    evaluation: Evaluation
    answers: np.ndarray
    familiarity: np.ndarray | None


def evaluate(
    predictor: ClassifierPredictor | RegressorPredictor, part: Part, seen: np.ndarray | None = None
) -> Evaluated:
    """What comes of a model on rows that it was not trained on.

    Args:
        predictor: the model.
        part: the rows; what is guaranteed is evaluated on those without gaps (see `Predictor.rows`).
        seen: which of them it was trained on all the same, or on copies of them: booleans (n,). Then the evaluation
            says how many, and what the headline figures are without them.
    """
    if isinstance(predictor, ClassifierPredictor):
        found = _evaluate_classifier(predictor, part)
    else:
        found = _evaluate_regressor(predictor, part)
    if seen is None or not seen.any():
        return found
    others = np.flatnonzero(~seen)
    without = _headline(predictor, found.answers[others], part.y[others]) if len(others) else None
    return replace(found, evaluation=replace(found.evaluation, seen=Seen(int(seen.sum()), without)))


def _headline(predictor: ClassifierPredictor | RegressorPredictor, answers: np.ndarray, y: np.ndarray) -> Evaluation:
    """The figures that a report begins with."""
    if isinstance(predictor, ClassifierPredictor):
        found = evaluate_classification(answers, y, predictor.card.labels)
    else:
        found = evaluate_regression(y, answers)
    return Evaluation(n=found.n, accuracy=found.accuracy, nll=found.nll, mse=found.mse, mae=found.mae, r2=found.r2)


def _evaluate_classifier(predictor: ClassifierPredictor, part: Part) -> Evaluated:
    log_probs, familiarity = predictor.examine(part.X)
    probs, y, whole = np.exp(log_probs), part.y, ~predictor.gaps(part.X)
    sets = (_sets(predictor, probs[whole], y[whole], coverage) for coverage in COVERAGES)
    abstention = (_abstention(predictor, log_probs[whole], y[whole], max_error) for max_error in MAX_ERRORS)
    evaluation = replace(
        evaluate_classification(probs, y, predictor.card.labels),
        selective=_selective(log_probs, y),
        sets=tuple(entry for entry in sets if entry is not None),
        abstention=tuple(entry for entry in abstention if entry is not None),
        familiarity=_false_alarms(predictor, familiarity),
        events={
            name: evaluate_event(event_mass(probs, event.mask), event.mask[y], tuple(map(str, event)))
            for name, event in predictor.events.items()
        },
    )
    return Evaluated(evaluation, probs, familiarity)


def _evaluate_regressor(predictor: RegressorPredictor, part: Part) -> Evaluated:
    found = predictor.examine(part.X, USUAL_COVERAGE if predictor.can_cover(USUAL_COVERAGE) else None)
    evaluation = replace(
        evaluate_regression(part.y, found.predictions),
        coverage=_coverage(predictor, part, found.intervals),
        familiarity=_false_alarms(predictor, found.familiarity),
        outside_range=None if found.outside is None else int(found.outside.sum()),
    )
    return Evaluated(evaluation, found.predictions, found.familiarity)


def _coverage(predictor: RegressorPredictor, part: Part, intervals: np.ndarray | None) -> Estimate | None:
    """How often intervals hold the truth of rows without gaps."""
    whole = ~predictor.gaps(part.X)
    if intervals is None or not whole.any():
        return None
    low, high = intervals[whole].T
    return _share((low <= part.y[whole]) & (part.y[whole] <= high))


def _false_alarms(
    predictor: ClassifierPredictor | RegressorPredictor, familiarity: np.ndarray | None
) -> FalseAlarms | None:
    """How often rows with these p-values are called unfamiliar; None where none can be."""
    if familiarity is None or not predictor.can_alarm:
        return None
    familiarity = familiarity[~np.isnan(familiarity)]  # rows with gaps have none
    return FalseAlarms(UNFAMILIAR, _share(familiarity <= UNFAMILIAR)) if len(familiarity) else None


def _sets(predictor: ClassifierPredictor, probs: np.ndarray, y: np.ndarray, coverage: float) -> SetFigures | None:
    """How often sets hold the truth, and how large they are; None where this coverage is not guaranteed."""
    if not len(y):
        return None
    try:
        expected = Range(*predictor.coverage_interval(coverage))
        mask = predictor.sets(probs, coverage, allow_empty=True)
    except DataError:
        return None  # too few held-out rows for this coverage, or none
    empty = ~mask.any(axis=1)
    filled = mask.copy()
    filled[empty, probs[empty].argmax(axis=1)] = True
    sizes, rows = filled.sum(axis=1), np.arange(len(y))
    [size] = bootstrap(sizes[:, None].astype(np.float64), lambda sums: sums / len(y))
    return SetFigures(
        coverage,
        expected,
        _share(filled[rows, y]),
        size,
        tuple(np.bincount(sizes, minlength=2).tolist()),
        EmptySets(float(empty.mean()), _share(mask[rows, y])),
    )


def _abstention(
    predictor: ClassifierPredictor, log_probs: np.ndarray, y: np.ndarray, max_error: float
) -> AbstentionFigures | None:
    """The error among the answers of `predict_or_abstain`; None where this bound is not guaranteed."""
    if not len(y):
        return None
    try:
        guarantee = predictor.abstention(max_error)
    except DataError:
        return None
    answered = guarantee.answers(confidence(log_probs))
    wrong = log_probs.argmax(axis=1) != y
    # Among the answers: how many there are is not what the interval is about.
    return AbstentionFigures(max_error, guarantee.threshold, _share(answered), _share(wrong[answered]))


def _selective(log_probs: np.ndarray, y: np.ndarray) -> Selective:
    """The error when only the most confident rows are answered."""
    sure, wrong = confidence(log_probs), log_probs.argmax(axis=1) != y
    curve = risk_coverage(sure, wrong)
    shown = np.unique(np.linspace(0, len(curve.coverage) - 1, _MOST_POINTS).round().astype(int))
    return Selective(
        aurc(sure, wrong),
        {share: error_at_coverage(sure, wrong, share) for share in _ANSWERED},
        RiskCurve(tuple(curve.coverage[shown].tolist()), tuple(curve.risk[shown].tolist())),
    )


def event_mass(probs: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """P(E | x) of each row for the event of these columns, shape (n,); rounding does not take it above 1."""
    return np.minimum(probs[:, mask].sum(axis=1), 1.0)


def _share(flags: np.ndarray) -> Estimate:
    return proportion(int(flags.sum()), len(flags))
