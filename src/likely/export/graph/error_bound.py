"""Which rows are not answered, for any bound on the error: the threshold of confidence from a table.

A bound between two of the table takes the smaller, which is stricter; one that cannot be guaranteed takes a threshold
that nothing reaches.
"""

import numpy as np

from likely.export.graph.builder import Graph
from likely.trust.held_out import HeldOut

ERRORS = np.unique([float(f"{digits}e-{power}") for power in (6, 5, 4, 3, 2) for digits in range(10, 100)])
"""The bounds of the table: every number of two digits from 0.00001 to 0.99."""

_ROUNDING = 1e-12


def error_thresholds(held_out: HeldOut) -> np.ndarray | None:
    """The confidence from which rows are answered for each of `ERRORS`; None where none of them can be guaranteed."""
    thresholds = held_out.error_thresholds(ERRORS)
    return thresholds if np.isfinite(thresholds).any() else None


def abstained(g: Graph, confidence: str, thresholds: np.ndarray, max_error: str) -> str:
    """Which rows are not answered, booleans (n,), by their confidence, float64 (n,), and a scalar float64."""
    reached = g.add("LessOrEqual", ERRORS * (1 - _ROUNDING), max_error)
    place = g.add("ReduceSum", g.cast(reached, np.int64), keepdims=0)
    valid = g.add("Less", max_error, 1.0)
    threshold = g.add("Where", valid, g.add("Gather", np.append(np.inf, thresholds), place), np.array(np.inf))
    return g.add("Less", confidence, threshold)
