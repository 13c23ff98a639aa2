"""The figures of a model for which there are no test rows: of rows that were held out while it was trained.

Out of fold, each row is answered by models that have not seen its fold, as the other folds chose and calibrated them;
what answers new rows comes of all folds, and is usually a little better. Rows that were held out once took no part in
the training or the calibration of the model itself. What rests on such rows alone (sets, error bounds, intervals,
familiarity) is fitted to the others of them, so that no row judges what was fitted to it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from likely.data.dataset import Dataset, Part
from likely.errors import DataError
from likely.metrics.evaluation import Evaluation
from likely.metrics.regression import evaluate_regression
from likely.model import ClassifierPredictor, RegressorPredictor
from likely.model.held_out_arrays import error_scale_inputs, held_out_of, read_familiarity, residuals_of
from likely.model.regressor_predictor import USUAL_COVERAGE
from likely.preprocessing.stored_rows import join_rows, take_rows
from likely.training.evaluate import (
    COVERAGES,
    MAX_ERRORS,
    Evaluated,
    Said,
    classifier_figures,
    coverage_of,
    false_alarms,
)
from likely.training.held_out_scores import HeldOutScores, TrainingOutcome
from likely.training.training_rows import Rows
from likely.trust.abstention import confidence
from likely.trust.bias_corrected import Calibration
from likely.trust.familiarity import familiarity_p_values
from likely.trust.unseen import with_unseen

_PIECES = 5
"""Of rows that were held out once, each of which is judged by what the others say."""


@dataclass(frozen=True, eq=False)
class _Piece:
    """Held-out rows, their places among all of them, (m,), and the outcome as if they had taught and fitted nothing."""

    own: HeldOutScores
    at: np.ndarray
    without: TrainingOutcome


def evaluate_held_out(
    predictor: ClassifierPredictor | RegressorPredictor, outcome: TrainingOutcome, rows: Rows, dataset: Dataset
) -> Evaluated | None:
    """The figures of the rows that were held out in a training; None where there were none.

    Args:
        predictor: the model.
        outcome: of its training.
        rows: all rows.
        dataset: of whose training and val part they are made.
    """
    held_out = outcome.thresholds or outcome.calibration
    if held_out is None:
        return None
    pieces = list(_pieces(outcome, held_out))
    at = np.concatenate([piece.at for piece in pieces])
    order = np.argsort(at)
    index = held_out.index[at[order]]
    part = learned_from(dataset).take(index)
    familiarity = _familiarity(predictor, held_out, rows, pieces)
    familiarity = None if familiarity is None else familiarity[order]
    alarms = familiarity if predictor.can_alarm else None
    if isinstance(predictor, ClassifierPredictor):
        said = _joined([_said(predictor, rows, piece) for piece in pieces], order, alarms)
        evaluation, answers = classifier_figures(predictor, said, part.y), np.exp(said.log_probs)
    else:
        answers = held_out.scores[at[order], 0]
        found = [_intervals(predictor, rows, piece) for piece in pieces]
        whole = [intervals for intervals in found if intervals is not None]
        intervals = np.concatenate(whole)[order] if len(whole) == len(found) else None
        outside = predictor.outside(answers)
        evaluation = replace(
            evaluate_regression(part.y, answers),
            coverage=coverage_of(part.y, intervals, np.zeros(len(part), bool)),
            familiarity=false_alarms(alarms),
            outside_range=None if outside is None else int(outside.sum()),
        )
    method = "held-out" if held_out.folds is None else "out-of-fold"
    return Evaluated(replace(evaluation, rows=method), part, answers, familiarity, index)


def _pieces(outcome: TrainingOutcome, held_out: HeldOutScores) -> Iterator[_Piece]:
    everything = np.arange(len(held_out))
    if held_out.folds is None:
        order = np.random.default_rng(0).permutation(everything)
        pieces = [np.sort(piece) for piece in np.array_split(order, min(_PIECES, len(order)))]
    else:
        pieces = [np.flatnonzero(held_out.folds == number) for number in np.unique(held_out.folds) if number >= 0]
    fits = held_out.folds is not None or outcome.thresholds is None
    for at in pieces:
        others = np.setdiff1d(everything, at)
        rest = held_out.take(others) if len(others) else None
        calibration, thresholds = rest if fits else outcome.calibration, rest if outcome.thresholds else None
        yield _Piece(held_out.take(at), at, replace(outcome, calibration=calibration, thresholds=thresholds))


def _said(predictor: ClassifierPredictor, rows: Rows, piece: _Piece) -> Said:
    """What is said of the rows of a piece with calibration and guarantees from others."""
    own, trained = piece.own, piece.without.trained
    calibrated = None if piece.without.calibration is None else rows.task.calibrate(piece.without, rows.X, rows.Y)
    calibration = None if calibrated is None else calibrated.calibration
    apply = (calibration or Calibration(1.0)).apply
    log_probs = with_unseen(apply(own.log_probs(trained.plan.head)), own.stated)
    sets, answered = dict[float, np.ndarray](), dict[float, np.ndarray]()
    arrays = {} if calibrated is None else calibrated.arrays
    others = held_out_of(arrays, predictor.card.labels, lambda before: with_unseen(apply(before), trained.stated))
    if others is not None:
        for coverage in COVERAGES:
            with suppress(DataError):  # too few rows
                sets[coverage] = others.sets(np.exp(log_probs), coverage, allow_empty=True)
        for max_error in MAX_ERRORS:
            with suppress(DataError):
                predictor.abstention(max_error)
                answered[max_error] = others.error_bound(max_error).answers(confidence(log_probs))
    return Said(log_probs, None, sets, answered, np.zeros(len(own), bool))


def _joined(said: Sequence[Said], order: np.ndarray, familiarity: np.ndarray | None) -> Said:
    """What is said of the rows of all pieces, in this order, as far as it is said of each of them."""

    def joined(parts: Sequence[Mapping[float, np.ndarray]]) -> dict[float, np.ndarray]:
        shared = [level for level in parts[0] if all(level in part for part in parts)]
        return {level: np.concatenate([part[level] for part in parts])[order] for level in shared}

    return Said(
        np.concatenate([each.log_probs for each in said])[order],
        familiarity,
        joined([each.sets for each in said]),
        joined([each.answered for each in said]),
        np.concatenate([each.gaps for each in said])[order],
    )


def _intervals(predictor: RegressorPredictor, rows: Rows, piece: _Piece) -> np.ndarray | None:
    """Intervals of the usual coverage around the answers to a piece, by the errors of others; None by too few."""
    residuals = residuals_of(rows.task.calibrate(piece.without, rows.X, rows.Y).arrays)
    if residuals is None or not residuals.can_cover(USUAL_COVERAGE):
        return None
    inputs = None
    if residuals.rests_on_inputs:
        inputs = error_scale_inputs(predictor.preprocessor, take_rows(rows.X, piece.own.index))
    return residuals.intervals(piece.own.scores[:, 0], residuals.quantile(USUAL_COVERAGE), inputs)


def _familiarity(
    predictor: ClassifierPredictor | RegressorPredictor, held_out: HeldOutScores, rows: Rows, pieces: Sequence[_Piece]
) -> np.ndarray | None:
    """The p-values of the rows of all pieces, each among the rows of the others; None where there are none."""
    known = read_familiarity(predictor.arrays)
    if known is None or len(pieces) < 2:
        return None
    ood_scores = held_out.ood_scores
    if ood_scores is None:
        assert held_out.features is not None
        ood_scores = known.ood_scores(held_out.features, rows.task.class_scores(held_out.scores))
    return np.concatenate(
        [familiarity_p_values(ood_scores[piece.at], np.sort(np.delete(ood_scores, piece.at))) for piece in pieces]
    )


def learned_from(dataset: Dataset) -> Part:
    """The training part, and the val part after it, as `gather_rows` has them."""
    train, val = dataset.train, dataset.val
    if val is None:
        return train
    paths = None if train.paths is None or val.paths is None else [*train.paths, *val.paths]
    return Part(join_rows(train.X, val.X), np.concatenate([train.y, val.y]), paths)


def to_arrays(evaluated: Evaluated) -> dict[str, np.ndarray]:
    """What `from_arrays` needs beside the figures, to be kept in a run folder."""
    found = {"index": evaluated.index, "answers": evaluated.answers, "familiarity": evaluated.familiarity}
    return {name: array for name, array in found.items() if array is not None}


def from_arrays(evaluation: Evaluation, arrays: Mapping[str, np.ndarray], dataset: Dataset) -> Evaluated:
    """The same evaluation again, for the data set that it was made with."""
    part = learned_from(dataset).take(arrays["index"])
    return Evaluated(evaluation, part, arrays["answers"], arrays.get("familiarity"), arrays["index"])
