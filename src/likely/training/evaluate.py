"""What comes of a model on rows that it was not trained on, and whether it keeps its guarantees there."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from likely.arrays import one_hot
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
    """The evaluation of a model on the rows of a part, its answers (probabilities, or numbers), and their familiarity,
    if known. `index` (n,) says which of the rows learned from these are, where they are no others."""

    evaluation: Evaluation
    part: Part
    answers: np.ndarray
    familiarity: np.ndarray | None
    index: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Said:
    """What a classifier says of n rows: log P (n, k), and p-values of familiarity (n,), if they can alarm.

    By each coverage that it guarantees: the sets, booleans (n, k), perhaps empty; by each error: which rows are
    answered, (n,). Nothing is guaranteed of rows with `gaps`, (n,).
    """

    log_probs: np.ndarray
    familiarity: np.ndarray | None
    sets: Mapping[float, np.ndarray]
    answered: Mapping[float, np.ndarray]
    gaps: np.ndarray


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
    probs, sets, answered = np.exp(log_probs), dict[float, np.ndarray](), dict[float, np.ndarray]()
    for coverage in COVERAGES:
        with suppress(DataError):  # too few held-out rows for it, or none
            predictor.coverage_interval(coverage)
            sets[coverage] = predictor.sets(probs, coverage, allow_empty=True)
    for max_error in MAX_ERRORS:
        with suppress(DataError):
            answered[max_error] = predictor.answered(log_probs, max_error)
    alarms = familiarity if predictor.can_alarm else None
    said = Said(log_probs, alarms, sets, answered, predictor.gaps(part.X))
    return Evaluated(classifier_figures(predictor, said, part.y), part, probs, familiarity)


def classifier_figures(predictor: ClassifierPredictor, said: Said, y: np.ndarray) -> Evaluation:
    """The figures of what was said of rows of these classes, (n,)."""
    probs, whole = np.exp(said.log_probs), ~said.gaps
    return replace(
        evaluate_classification(probs, y, predictor.card.labels),
        selective=_selective(said.log_probs, y),
        sets=_sets(predictor, {at: mask[whole] for at, mask in said.sets.items()}, probs[whole], y[whole]),
        abstention=tuple(
            _abstention(predictor, answered[whole], said.log_probs[whole], y[whole], max_error)
            for max_error, answered in said.answered.items()
            if whole.any()
        ),
        familiarity=false_alarms(said.familiarity),
        events={
            name: evaluate_event(event_mass(probs, event.mask), event.mask[y], tuple(map(str, event)))
            for name, event in predictor.events.items()
        },
    )


def _evaluate_regressor(predictor: RegressorPredictor, part: Part) -> Evaluated:
    found = predictor.examine(part.X, USUAL_COVERAGE if predictor.can_cover(USUAL_COVERAGE) else None)
    evaluation = replace(
        evaluate_regression(part.y, found.predictions),
        coverage=coverage_of(part.y, found.intervals, predictor.gaps(part.X)),
        familiarity=false_alarms(found.familiarity if predictor.can_alarm else None),
        outside_range=None if found.outside is None else int(found.outside.sum()),
    )
    return Evaluated(evaluation, part, found.predictions, found.familiarity)


def coverage_of(y: np.ndarray, intervals: np.ndarray | None, gaps: np.ndarray) -> Estimate | None:
    """How often intervals (n, 2) hold the truth of rows without gaps."""
    whole = ~gaps
    if intervals is None or not whole.any():
        return None
    low, high = intervals[whole].T
    return _share((low <= y[whole]) & (y[whole] <= high))


def false_alarms(familiarity: np.ndarray | None) -> FalseAlarms | None:
    """How often rows with these p-values are called unfamiliar; None where none can be."""
    if familiarity is None:
        return None
    familiarity = familiarity[~np.isnan(familiarity)]  # rows with gaps have none
    return FalseAlarms(UNFAMILIAR, _share(familiarity <= UNFAMILIAR)) if len(familiarity) else None


def _sets(
    predictor: ClassifierPredictor, sets: Mapping[float, np.ndarray], probs: np.ndarray, y: np.ndarray
) -> tuple[SetFigures, ...]:
    """How often the sets of each coverage hold the truth, and how large they are."""
    if not sets or not len(y):
        return ()
    rows, best = np.arange(len(y)), one_hot(probs.argmax(axis=1), probs.shape[1], dtype=np.bool_)
    filled = {coverage: mask | (best & ~mask.any(axis=1, keepdims=True)) for coverage, mask in sets.items()}
    sizes = np.stack([mask.sum(axis=1) for mask in filled.values()], axis=1)
    mean_sizes = bootstrap(sizes.astype(np.float64), lambda sums: sums / len(y))
    return tuple(
        SetFigures(
            coverage,
            Range(*predictor.coverage_interval(coverage)),
            _share(filled[coverage][rows, y]),
            mean_size,
            tuple(np.bincount(size, minlength=2).tolist()),
            EmptySets(float((~mask.any(axis=1)).mean()), _share(mask[rows, y])),
        )
        for (coverage, mask), size, mean_size in zip(sets.items(), sizes.T, mean_sizes, strict=True)
    )


def _abstention(
    predictor: ClassifierPredictor, answered: np.ndarray, log_probs: np.ndarray, y: np.ndarray, max_error: float
) -> AbstentionFigures:
    """The error among the answers of `predict_or_abstain`."""
    wrong = log_probs.argmax(axis=1) != y
    # Among the answers: how many there are is not what the interval is about.
    threshold = predictor.abstention(max_error).threshold
    return AbstentionFigures(max_error, threshold, _share(answered), _share(wrong[answered]))


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
