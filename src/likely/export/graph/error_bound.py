"""Which rows are not answered, for any bound on the error: `likely.export.error_table` in a graph."""

import numpy as np

from likely.export.error_table import REACHED
from likely.export.graph.builder import Graph


def abstained(g: Graph, confidence: str, thresholds: np.ndarray, max_error: str) -> str:
    """Which rows are not answered, booleans (n,), by their confidence, float64 (n,), and a scalar float64."""
    reached = g.add("LessOrEqual", REACHED, max_error)
    place = g.add("ReduceSum", g.cast(reached, np.int64), keepdims=0)
    valid = g.add("Less", max_error, 1.0)
    threshold = g.add("Where", valid, g.add("Gather", np.append(np.inf, thresholds), place), np.array(np.inf))
    return g.add("Less", confidence, threshold)
