"""What the graph of a classifier answers: label, probabilities, set, abstained, familiarity, events."""

from collections.abc import Callable

import numpy as np

from likely.errors import DataError
from likely.export.error_table import error_thresholds
from likely.export.graph.builder import Graph
from likely.export.graph.error_bound import abstained
from likely.export.graph.label_log_probs import as_classes_come, label_log_probs, under_prior
from likely.export.graph.label_sets import label_sets
from likely.export.graph.network_answers import Answers
from likely.export.graph.row_familiarity import row_familiarity
from likely.export.names import (
    ABSTAINED,
    ABSTAINED_BY_DEFAULT,
    COVERAGE,
    FAMILIARITY,
    LABEL,
    MAX_ERROR,
    PROBABILITIES,
    SET,
    USUAL_COVERAGE,
    USUAL_ERROR,
)
from likely.model.classifier_predictor import ClassifierPredictor
from likely.model.held_out_arrays import read_familiarity


def label_outputs(g: Graph, predictor: ClassifierPredictor, found: Answers, events: dict[str, str]) -> dict[str, str]:
    """All outputs from what the network says; what the model cannot promise is left out.

    Args:
        g: the graph.
        predictor: the model.
        found: scores and features.
        events: the named event by the name of its output.
    Returns:
        Why an output is left out, by its name.
    """
    card, k, gaps, missing = predictor.card, len(predictor.card.labels), found.gaps, dict[str, str]()
    scores = as_classes_come(g, found.scores, card, found.dtype)
    log_probs = label_log_probs(g, scores, card, found.dtype)
    if gaps is not None:
        log_probs = gaps.averaged(g, log_probs, logarithms=True)
    log_probs = under_prior(g, log_probs, card)
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
        sets = label_sets(g, probs, held_out, np.dtype(np.float64 if exact else found.dtype), coverage)
        g.output(SET, sets if gaps is None else gaps.yes(g, sets, 2), np.bool_, ("n", k))

    reason = _refusal(predictor.held_out_for_errors)
    thresholds = None if reason else error_thresholds(predictor.held_out_for_errors())
    if thresholds is None:
        missing[ABSTAINED] = str(reason or _refusal(lambda: predictor.check_error(0.99)))
    else:
        if (reason := _refusal(lambda: predictor.check_error(USUAL_ERROR))) is not None:
            missing[ABSTAINED_BY_DEFAULT] = reason
        max_error = g.optional_input(MAX_ERROR, np.array(USUAL_ERROR))
        confidence = g.add("ReduceMax", probs, np.array([1]), keepdims=0)
        refused = abstained(g, confidence, thresholds, max_error)
        g.output(ABSTAINED, refused if gaps is None else gaps.yes(g, refused, 1), np.bool_, ("n",))

    familiar = read_familiarity(predictor.arrays)
    if (unknown := predictor.no_familiarity) is not None or familiar is None:
        missing[FAMILIARITY] = str(unknown)
    else:
        features, known = found.features, scores
        if gaps is not None:
            features, known = gaps.first(g, features), gaps.first(g, known)
        p = row_familiarity(g, features, known, familiar)
        g.output(FAMILIARITY, p if gaps is None else gaps.instead(g, p, np.nan), np.float64, ("n",))

    for name, event in events.items():
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
