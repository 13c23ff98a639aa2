"""What the graph of a classifier answers: label, probabilities, set, abstained, familiarity, events."""

from collections.abc import Callable

import numpy as np

from likely.errors import DataError
from likely.export.graph.builder import Graph
from likely.export.graph.error_bound import abstained, error_thresholds
from likely.export.graph.label_log_probs import as_classes_come, label_log_probs
from likely.export.graph.label_sets import label_sets
from likely.export.graph.row_familiarity import row_familiarity
from likely.export.names import ABSTAINED, COVERAGE, FAMILIARITY, LABEL, MAX_ERROR, PROBABILITIES, SET, event_outputs
from likely.model.classifier_predictor import ClassifierPredictor
from likely.model.held_out_arrays import read_familiarity

USUAL_COVERAGE, USUAL_ERROR = 0.95, 0.01


def label_outputs(g: Graph, predictor: ClassifierPredictor, scores: str, features: str, dtype: str) -> dict[str, str]:
    """All outputs from the scores and features of the network; what the model cannot promise is left out.

    Returns:
        Why an output is left out, by its name.
    """
    card, k, missing = predictor.card, len(predictor.card.labels), dict[str, str]()
    scores = as_classes_come(g, scores, card, dtype)
    log_probs = label_log_probs(g, scores, card, dtype)
    probs = g.add("Exp", log_probs)
    labels = np.array(predictor.labels if card.label_type == "int" else card.labels)
    best = g.add("ArgMax", log_probs, axis=1, keepdims=0)
    g.output(LABEL, g.add("Gather", labels, best), np.int64 if card.label_type == "int" else str, ("n",))
    g.output(PROBABILITIES, g.cast(probs, np.float32), np.float32, ("n", k))

    held_out = predictor.held_out_under_prior
    if held_out is None:
        missing[SET] = str(_refusal(lambda: predictor.check_coverage(USUAL_COVERAGE)))
    else:
        coverage = g.optional_input(COVERAGE, np.array(USUAL_COVERAGE))
        exact = card.temperature is not None or card.prior is not None or bool(card.unseen)
        sets = label_sets(g, probs, held_out, np.dtype(np.float64 if exact else dtype), coverage)
        g.output(SET, sets, np.bool_, ("n", k))

    reason = _refusal(predictor.held_out_for_errors)
    thresholds = None if reason else error_thresholds(predictor.held_out_for_errors())
    if thresholds is None:
        missing[ABSTAINED] = str(reason or _refusal(lambda: predictor.abstention(0.99)))
    else:
        max_error = g.optional_input(MAX_ERROR, np.array(USUAL_ERROR))
        confidence = g.add("ReduceMax", probs, np.array([1]), keepdims=0)
        g.output(ABSTAINED, abstained(g, confidence, thresholds, max_error), np.bool_, ("n",))

    familiar = read_familiarity(predictor.arrays)
    if (reason := predictor.no_familiarity) is not None or familiar is None:
        missing[FAMILIARITY] = str(reason)
    else:
        g.output(FAMILIARITY, row_familiarity(g, features, scores, familiar), np.float64, ("n",))

    for name, event in event_outputs(predictor.card.events).items():
        inside = np.isin(card.labels, card.events[event]).astype(float)
        g.output(name, g.cast(g.add("MatMul", probs, inside), np.float32), np.float32, ("n",))
    return missing


def _refusal(ask: Callable[[], object]) -> str | None:
    """Why the model cannot say what is asked; None if it can."""
    try:
        ask()
    except DataError as error:
        return str(error)
    return None
