"""From scores to log P(label | x): head, calibration, labels that were never shown, another prior.

The body of `likely.model.label_probabilities`, in float64 from the temperature on.
"""

import numpy as np

from likely.errors import EngineError
from likely.export.graph.builder import Graph
from likely.functional.heads import L1_PROBABILITY_FLOOR
from likely.model.card import Card


def head_log_probs(g: Graph, scores: str, head: str, dtype: str) -> str:
    """Log-probabilities (n, k) of scores, in their own dtype.

    Raises:
        EngineError: for a head that is not one of likely's own.
    """
    number = np.dtype(dtype).type
    if head == "softmax":
        return g.add("LogSoftmax", scores, axis=1)
    if head != "l1":
        raise EngineError(f"The head must be 'softmax' or 'l1' to be exported; got {head!r}. Try head='softmax'.")
    sizes = g.add("Abs", scores)
    largest = g.add("ReduceMax", sizes, np.array([1]), keepdims=1)
    zero = g.add("Equal", largest, number(0))
    shares = g.add("Where", zero, number(1), g.add("Div", sizes, g.add("Where", zero, number(1), largest)))
    probs = g.add("Div", shares, g.add("ReduceSum", shares, np.array([1]), keepdims=1))
    return g.add("Log", g.add("Max", probs, number(L1_PROBABILITY_FLOOR)))


def label_log_probs(g: Graph, scores: str, card: Card, dtype: str) -> str:
    """log P(label | x) before another prior, float64 (n, k), of scores that know how often classes come."""
    log_probs = g.cast(head_log_probs(g, scores, card.head, dtype), np.float64)
    if card.temperature is not None:
        log_probs = g.add("Div", log_probs, card.temperature)
        if card.biases is not None:
            log_probs = g.add("Add", log_probs, np.array(card.biases))
        log_probs = g.add("LogSoftmax", log_probs, axis=1)
    return with_stated(g, log_probs, np.array([card.unseen.get(label, 0.0) for label in card.labels]))


def under_prior(g: Graph, log_probs: str, card: Card) -> str:
    """The same where classes come as often as the model's prior says."""
    if card.prior is None:
        return log_probs
    with np.errstate(divide="ignore"):
        shift = np.log(np.array(card.prior)) - np.log(np.array(card.class_frequencies))
    return g.add("LogSoftmax", g.add("Add", log_probs, shift), axis=1)


def with_stated(g: Graph, log_probs: str, stated: np.ndarray) -> str:
    """Log-probabilities float64 (n, k) in which unseen labels have what is stated: see `likely.trust.unseen`."""
    if not stated.any():
        return log_probs
    unseen = stated > 0
    seen = g.add("LogSoftmax", g.add("Where", unseen, np.array(-np.inf), log_probs), axis=1)
    with np.errstate(divide="ignore"):
        return g.add("Where", unseen, np.log(stated), g.add("Add", seen, float(np.log1p(-stated.sum()))))


def as_classes_come(g: Graph, scores: str, card: Card, dtype: str) -> str:
    """Scores in which the class weights of training are taken back."""
    if card.class_weight is None:
        return scores
    return g.add("Sub", scores, np.log(np.array(card.class_weight)).astype(dtype))
