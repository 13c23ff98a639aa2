"""The test rows of which the report says why they were answered as they were, and what it says."""

import time
import warnings
from collections.abc import Iterator, Sequence

import numpy as np

from likely.data.dataset import Part
from likely.errors import GuaranteeWarning
from likely.model import ClassifierPredictor, RegressorPredictor
from likely.report.examples import least_certain, most_confidently_wrong
from likely.report.explanation_cards import ExplanationCard, explanation_card
from likely.report.importance_section import MOST_COLUMNS
from likely.report.related_columns import columns_of_rows, related_columns, single_columns, some_rows
from likely.report.statements import entropies
from likely.training.evaluate import Evaluated

_OF_EACH, _WITH_EXPLAIN = 3, 24
"""Rows that are confidently wrong, and as many that are least certain."""
_PATIENCE = 20.0
"""Seconds that explanations may take where nobody asked for them; one is always made."""


def why_cards(
    predictor: ClassifierPredictor | RegressorPredictor,
    evaluated: Evaluated,
    names: Sequence[str] | None,
    *,
    asked: bool,
) -> list[ExplanationCard]:
    """Explanations of some test rows: of at most six, or of all that the report shows if they are `asked` for.

    Args:
        predictor: the model.
        evaluated: the rows, and what is answered to them: probabilities (n, k), or numbers.
        names: what the rows are called; None for their numbers.
        asked: whether all are explained.
    """
    most, cards, start = _WITH_EXPLAIN if asked else _OF_EACH, list[ExplanationCard](), time.monotonic()
    test = evaluated.part
    together = _together(predictor, test)
    out_of_fold = "out of fold " if evaluated.evaluation.rows == "out-of-fold" else ""
    for row, about in _chosen(predictor, test.y, evaluated.answers, most, out_of_fold):
        name = f"no. {row}" if names is None else "/".join(names[row].replace("\\", "/").split("/")[-2:])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GuaranteeWarning)  # of gaps, which the evaluation has told
            [found] = predictor.explain(np.asarray(test.X[row : row + 1]), together=together)
        cards.append(explanation_card(f"{name}: {about}", found))
        if not asked and (time.monotonic() - start) * (len(cards) + 1) / len(cards) > _PATIENCE:
            break
    return cards


def _together(predictor: ClassifierPredictor | RegressorPredictor, test: Part) -> list[tuple[str, ...]]:
    """Columns that say about the same, by name."""
    if predictor.image_shape is not None or len(columns := columns_of_rows(predictor)) > MOST_COLUMNS:
        return []
    X = np.asarray(test.X[some_rows(predictor, test)])
    return [names for names, _ in related_columns(X, columns, single_columns(columns)) if len(names) > 1]


def _chosen(
    predictor: ClassifierPredictor | RegressorPredictor, y: np.ndarray, answers: np.ndarray, most: int, how: str
) -> Iterator[tuple[int, str]]:
    """Numbers of rows, and what is known of each; `how` is said before an answer that is not the model's own."""
    if isinstance(predictor, RegressorPredictor):
        for row in np.argsort(-np.abs(answers.reshape(len(y)) - y), kind="stable")[: 2 * most].tolist():
            yield row, f"in truth {float(y[row]):.4g}"
        return
    labels = predictor.card.labels
    rows = [*most_confidently_wrong(y, answers, most), *least_certain(entropies(answers), most)]
    for row in dict.fromkeys(map(int, rows)):
        truth, answer = labels[int(y[row])], labels[int(answers[row].argmax())]
        yield row, f"{truth}, and {how}named so" if truth == answer else f"{truth}, {how}named {answer}"
