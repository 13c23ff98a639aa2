"""Whether an exported model answers like its predictor: asked the same rows, compared number by number.

Labels, sets and refusals may differ only where the number that decides lies within rounding of its threshold; these are
counted.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from likely.errors import DataError, EngineError
from likely.export.golden_images import BATCHES, golden_images, golden_sizes
from likely.export.names import ABSTAINED, FAMILIARITY, IMAGES, LABEL, PROBABILITIES, SET
from likely.export.session import Session
from likely.model.classifier_predictor import ClassifierPredictor
from likely.model.predictor import Predictor
from likely.preprocessing.conversion import resized
from likely.preprocessing.image_preprocessor import ImagePreprocessor

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
        probabilities: the largest difference between two probabilities, or between two predicted numbers in units of
            their scale.
        familiarity: the largest difference between two p-values.
        undecided: answers that differ because the number that decides lies at its threshold.
    """

    rows: int = 0
    probabilities: float = 0.0
    familiarity: float = 0.0
    undecided: int = 0

    def with_more(self, other: "Parity") -> "Parity":
        """Of both together."""
        return Parity(
            self.rows + other.rows,
            max(self.probabilities, other.probabilities),
            max(self.familiarity, other.familiarity),
            self.undecided + other.undecided,
        )


def check_parity(predictor: Predictor, session: Session) -> Parity:
    """Compare the answers to random and extreme rows, one by one and in batches.

    Raises:
        EngineError: naming the first answer that differs by more than rounding.
    """
    found = Parity()
    assert isinstance(predictor, ClassifierPredictor)
    for batch in _batches(predictor):
        found = found.with_more(compare(predictor, session, *batch))
    return found


def _batches(predictor: Predictor) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
    """What the predictor is given, what the session is given, and how far apart their answers may be."""
    preprocessor = predictor.preprocessor
    assert isinstance(preprocessor, ImagePreprocessor)
    images, first = golden_images(preprocessor), 0
    for size in BATCHES:
        some = images[first : first + size] if size < len(images) else images
        yield some, some, ROUNDING
        first += size
    if preprocessor.pixels is None:
        for pair in golden_sizes(preprocessor.shape):
            yield np.stack([resized(Image.fromarray(x), preprocessor.shape) for x in pair]), pair, RESIZED


def compare(
    predictor: ClassifierPredictor, session: Session, rows: np.ndarray, given: np.ndarray, most: float
) -> Parity:
    """Compare the answers to some rows.

    Args:
        predictor: is given `rows`.
        session: is given `given`.
        most: how far apart probabilities may be.
    Raises:
        EngineError: naming the first answer that differs by more.
    """
    examined = predictor.examine(rows)
    probs = np.exp(examined.log_probs)
    inputs = {IMAGES: given}
    answers = session(inputs)
    differences = np.abs(answers[PROBABILITIES] - probs)
    if not (differences <= most).all():
        row, column = np.unravel_index(int((~(differences <= most)).argmax()), differences.shape)
        raise _differs(
            f"P({predictor.card.labels[column]}) of row {row}", probs[row, column], answers[PROBABILITIES][row, column]
        )
    undecided = 0
    top = np.sort(probs, axis=1)[:, -2:]
    best = np.asarray(predictor.labels)[probs.argmax(axis=1)]
    undecided += _equal(LABEL, best, answers[LABEL], top[:, -1] - top[:, 0] if top.shape[1] > 1 else top[:, 0], most)
    if SET in session.outputs:
        for coverage in _COVERAGES:
            undecided += _compare_sets(predictor, session(inputs, coverage=coverage)[SET], probs, coverage, most)
    if ABSTAINED in session.outputs:
        for error in _ERRORS:
            undecided += _compare_refusals(predictor, session(inputs, max_error=error)[ABSTAINED], probs, error, most)
    apart = 0.0
    if FAMILIARITY in session.outputs:
        assert examined.familiarity is not None
        gaps = np.abs(answers[FAMILIARITY] - examined.familiarity)
        apart = float(gaps.max(initial=0.0))
        room = 2 / (predictor.familiar_rows + 1) if most <= ROUNDING else 1.0
        if not (gaps <= room).all():
            row = int((~(gaps <= room)).argmax())
            raise _differs(f"The familiarity of row {row}", examined.familiarity[row], answers[FAMILIARITY][row])
    return Parity(len(rows), float(differences.max(initial=0.0)), apart, undecided)


def _compare_sets(
    predictor: ClassifierPredictor, answered: np.ndarray, probs: np.ndarray, coverage: float, most: float
) -> int:
    try:
        expected = predictor.sets(probs, coverage)
    except DataError:
        expected = np.ones(probs.shape, np.bool_)
    held_out = predictor.held_out_under_prior
    assert held_out is not None
    thresholds = 1 - np.sort(held_out.probs[np.arange(len(held_out.labels)), held_out.labels])
    nearest = np.abs(1 - probs[..., None] - thresholds).min(axis=-1)
    return _equal(f"The set of {coverage:.0%}", expected, answered, nearest, most)


def _compare_refusals(
    predictor: ClassifierPredictor, answered: np.ndarray, probs: np.ndarray, max_error: float, most: float
) -> int:
    threshold = np.inf
    with contextlib.suppress(DataError):
        threshold = predictor.abstention(max_error).threshold
    sure = probs.max(axis=1)
    return _equal(f"Abstention at {max_error:.0%}", sure < threshold, answered, np.abs(sure - threshold), most)


def _equal(what: str, expected: np.ndarray, answered: np.ndarray, room: np.ndarray, most: float) -> int:
    """How many answers differ, where `room`, how far the number that decides lies from its threshold, is none.

    Raises:
        EngineError: naming the first that differs though there is room.
    """
    differs = expected != answered
    if (wrong := differs & (room > most)).any():
        place = np.unravel_index(int(wrong.argmax()), wrong.shape)
        raise _differs(f"{what} of row {place[0]}", expected[place], answered[place])
    return int(differs.sum())


def _differs(what: str, expected: object, answered: object) -> EngineError:
    return EngineError(
        f"The exported model must answer like its predictor; got another answer. {what} must be {expected}; ONNX "
        f"Runtime says {answered}. Nothing was written. Please report this with the model's card."
    )
