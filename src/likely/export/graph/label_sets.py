"""Sets of labels for any coverage: which held-out score is the quantile, found in the graph.

    label k is in the set if 1 - p_k <= the smallest held-out score s with  sum of w_i, s_i <= s  >=  c (sum of w + w_k)

w are 1 where classes come as often as among held-out rows: see `likely.trust.conformal`. Where held-out rows are too
few for the coverage, the set holds all labels: that one alone has it.
"""

import numpy as np

from likely.export.graph.builder import Graph
from likely.trust.conformal import effective_rows
from likely.trust.conformal_sets import lac_scores
from likely.trust.held_out import HeldOut
from likely.trust.ties import slack

_ROUNDING = 1e-12  # of sums of weights, as a share


def label_sets(g: Graph, probs: str, held_out: HeldOut, dtype: np.dtype, coverage: str) -> str:
    """The sets, booleans (n, k): LAC with the likeliest label always in.

    Args:
        g: the graph.
        probs: float64 (n, k).
        held_out: under the prior of the model.
        dtype: that the predictor's probabilities have, of which ties depend.
        coverage: a scalar float64.
    """
    thresholds, through, per_class = _table(held_out, dtype)
    effective = effective_rows(per_class[held_out.labels])
    wanted = g.add("Mul", coverage, (through[-1] + per_class) * (1 - _ROUNDING))
    below = g.add("Less", through, g.add("Unsqueeze", wanted, np.array([1])))
    rank = g.add("ReduceSum", g.cast(below, np.int64), np.array([1]), keepdims=0)
    odds = g.add("Div", coverage, g.add("Sub", 1.0, coverage))
    # Not a product with 1 - 1e-12: ONNX Runtime takes a factor so close to 1 for 1, and leaves it out.
    needed = g.add("Ceil", g.add("Sub", odds, g.add("Mul", odds, _ROUNDING)))
    enough = g.add("And", g.add("Less", coverage, 1.0), g.add("LessOrEqual", needed, effective * (1 + _ROUNDING)))
    threshold = g.add("Where", enough, g.add("Gather", np.append(thresholds, np.inf), rank), np.array(np.inf))
    inside = g.add("LessOrEqual", g.add("Sub", 1.0, probs), threshold)
    best = g.add("ArgMax", probs, axis=1, keepdims=1)
    likeliest = g.add("Equal", best, np.arange(len(per_class)))
    empty = g.add("Not", g.cast(g.add("ReduceMax", g.cast(inside, np.int32), np.array([1]), keepdims=1), np.bool_))
    return g.add("Or", inside, g.add("And", empty, likeliest))


def _table(held_out: HeldOut, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The scores (m,) that a label may have, with what rounding takes; the weight through each; that of each class."""
    m = np.arange(len(held_out.labels))
    scores = np.where(held_out.unseen, np.inf, lac_scores(held_out.probs)[m, held_out.labels])
    k = held_out.log_probs.shape[1]
    weights = np.ones(k) if held_out.class_weights is None else held_out.class_weights
    order = np.argsort(scores, kind="stable")
    finite = np.where(np.isfinite(scores[order]), scores[order], 0.0)
    thresholds = np.where(np.isfinite(scores[order]), finite + slack(1.0 - finite, dtype), np.inf)
    return thresholds, np.cumsum(weights[held_out.labels][order], dtype=np.float64), weights
