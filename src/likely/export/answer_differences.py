"""How the answers of an exported model differ from its predictor's.

Labels, sets and refusals may differ only where the number that decides lies within rounding of its threshold; these are
counted.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from likely.errors import DataError, EngineError
from likely.export.names import ABSTAINED, FAMILIARITY, HIGH, LABEL, LOW, PREDICTION, PROBABILITIES, SET
from likely.export.session import Session
from likely.model.classifier_predictor import ClassifierPredictor
from likely.model.predictor import Predictor
from likely.model.regressor_predictor import RegressorPredictor

ROUNDING = 1e-5
"""How far apart probabilities may be for equal inputs; an answer that less decides may be another one."""

RESIZED = 0.01
"""How far apart they may be for images that the graph has resized."""

_COVERAGES, _ERRORS = (0.8, 0.95, 0.99), (0.01, 0.05, 0.2)


@dataclass(frozen=True)
class Parity:
    """How alike the answers are.

    Args:
        rows: how many were compared.
        largest: the largest difference between two probabilities, or between two predicted numbers as a share of how
            far targets are spread.
        familiarity: the largest difference between two p-values.
        undecided: answers that differ because the number that decides lies at its threshold.
    """

    rows: int = 0
    largest: float = 0.0
    familiarity: float = 0.0
    undecided: int = 0

    def with_more(self, other: "Parity") -> "Parity":
        """Of both together."""
        return Parity(
            self.rows + other.rows,
            max(self.largest, other.largest),
            max(self.familiarity, other.familiarity),
            self.undecided + other.undecided,
        )


def compare(
    predictor: Predictor,
    session: Session,
    rows: np.ndarray,
    given: Mapping[str, np.ndarray],
    most: float,
) -> Parity:
    """Compare the answers to some rows.

    Args:
        predictor: is given `rows`.
        session: is given `given`.
        most: how far apart probabilities may be.
    Raises:
        EngineError: naming the first answer that differs by more.
    """
    if isinstance(predictor, RegressorPredictor):
        return _compare_numbers(predictor, session, rows, given, most)
    assert isinstance(predictor, ClassifierPredictor)
    examined, gaps = predictor.examine(rows), predictor.gaps(rows)
    probs, answers = np.exp(examined.log_probs), session(given)
    differences = np.abs(answers[PROBABILITIES] - probs)
    _refuse_larger("The probability of a label", probs, answers[PROBABILITIES], differences, most)
    top = np.sort(probs, axis=1)[:, -2:]
    best = np.asarray(predictor.labels if predictor.card.label_type == "int" else predictor.card.labels)
    undecided = _differing(LABEL, best[probs.argmax(axis=1)], answers[LABEL], top[:, -1] - top[:, 0], most)
    for coverage in _COVERAGES if SET in session.outputs else ():
        found = session(given, coverage=coverage)[SET]
        undecided += _compare_sets(predictor, found, probs, gaps, coverage, most)
    for error in _ERRORS if ABSTAINED in session.outputs else ():
        found = session(given, max_error=error)[ABSTAINED]
        undecided += _compare_refusals(predictor, found, probs, gaps, error, most)
    apart = _compare_familiarity(predictor, examined.familiarity, answers, most)
    return Parity(len(rows), float(differences.max(initial=0.0)), apart, undecided)


def _compare_numbers(
    predictor: RegressorPredictor, session: Session, rows: np.ndarray, given: Mapping[str, np.ndarray], most: float
) -> Parity:
    examined, answers = predictor.examine(rows), session(given)
    center, scale = np.array(predictor.card.target_mean), np.array(predictor.card.target_scale)
    expected = examined.predictions.reshape(len(rows), -1)
    unit = scale + np.abs(expected - center)
    differences = np.abs(answers[PREDICTION].reshape(expected.shape) - expected) / unit
    _refuse_larger("The prediction", expected, answers[PREDICTION], differences, most)
    for coverage in _COVERAGES if LOW in session.outputs else ():
        found = session(given, coverage=coverage)
        ends = np.stack([found[LOW], found[HIGH]], axis=1)
        asked = np.tile([-np.inf, np.inf], (len(rows), 1))
        with contextlib.suppress(DataError):
            asked = np.asarray(predictor.examine(rows, coverage).intervals)
        same = asked == ends
        apart = np.abs(np.where(same, 0.0, asked) - np.where(same, 0.0, ends))
        room = np.where(np.isfinite(asked), unit + np.abs(asked - expected), 1.0)
        _refuse_larger(f"An end of the interval of {coverage:.0%}", asked, ends, apart / room, most)
    apart = _compare_familiarity(predictor, examined.familiarity, answers, most)
    return Parity(len(rows), float(differences.max(initial=0.0)), apart)


def _compare_familiarity(
    predictor: Predictor, expected: np.ndarray | None, answers: Mapping[str, np.ndarray], most: float
) -> float:
    if FAMILIARITY not in answers or expected is None:
        return 0.0
    found = answers[FAMILIARITY]
    apart = np.where(np.isnan(expected) & np.isnan(found), 0.0, np.abs(found - expected))
    # Two ranks; p-values are whole multiples of 1 / (m + 1), so that half a rank more is rounding alone.
    room = 2.5 / (predictor.familiar_rows + 1) if most <= ROUNDING else 1.0
    _refuse_larger("The familiarity", expected, found, apart, room)
    return float(apart.max(initial=0.0))


def _compare_sets(
    predictor: ClassifierPredictor,
    answered: np.ndarray,
    probs: np.ndarray,
    gaps: np.ndarray,
    coverage: float,
    most: float,
) -> int:
    expected, held_out = np.ones(probs.shape, np.bool_), predictor.held_out_under_prior
    with contextlib.suppress(DataError):
        expected = predictor.sets(probs, coverage)
    expected[gaps] = True
    assert held_out is not None
    # The label is in the set if its probability is not below that of some held-out row.
    thresholds = held_out.probs[np.arange(len(held_out.labels)), held_out.labels]
    nearest = np.abs(probs[..., None] - thresholds).min(axis=-1)
    return _differing(f"The set of {coverage:.0%}", expected, answered, nearest, most)


def _compare_refusals(
    predictor: ClassifierPredictor,
    answered: np.ndarray,
    probs: np.ndarray,
    gaps: np.ndarray,
    max_error: float,
    most: float,
) -> int:
    threshold, sure = np.inf, probs.max(axis=1)
    with contextlib.suppress(DataError):
        threshold = predictor.abstention(max_error).threshold
    expected = (sure < threshold) | gaps
    return _differing(f"The refusal at {max_error:.0%}", expected, answered, np.abs(sure - threshold), most)


def _differing(what: str, expected: np.ndarray, answered: np.ndarray, room: np.ndarray, most: float) -> int:
    """How many answers differ, where `room`, how far the number that decides lies from its threshold, is none.

    Raises:
        EngineError: naming the first that differs though there is room.
    """
    differs = expected != answered
    _refuse_larger(what, expected, answered, np.where(differs, room, 0.0), most)
    return int(differs.sum())


def _refuse_larger(what: str, expected: np.ndarray, answered: np.ndarray, differences: np.ndarray, most: float) -> None:
    wrong = ~(differences <= most)
    if wrong.any():
        place = np.unravel_index(int(wrong.argmax()), wrong.shape)
        pair = expected.reshape(wrong.shape)[place], answered.reshape(wrong.shape)[place]
        raise EngineError(
            f"The exported model must answer like its predictor; got another answer. {what} of row {place[0]} must be "
            f"{pair[0]}; ONNX Runtime says {pair[1]}. Nothing was written. Please report this with the model's card."
        )
