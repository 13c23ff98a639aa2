"""The confidence from which rows are answered, for a table of bounds on the error: the graph reads it, and so do we.

A bound between two of the table takes the smaller, which is stricter; one that cannot be guaranteed takes a threshold
that nothing reaches.
"""

import numpy as np

from likely.trust.held_out import HeldOut

ERRORS = np.array(sorted({float(f"{digits}e-{power}") for power in (6, 5, 4, 3, 2) for digits in range(10, 100)}))
"""The bounds of the table: every number of two digits from 0.00001 to 0.99."""

LEVEL = 0.95
"""The probability, over the draw of the held-out rows, with which each of them holds."""

REACHED = ERRORS * (1 - 1e-12)
"""The same, a hair smaller: from where on a bound counts as this one."""


def error_thresholds(held_out: HeldOut) -> np.ndarray | None:
    """The confidence from which rows are answered for each of `ERRORS`; None where none of them can be guaranteed."""
    thresholds = held_out.error_thresholds(ERRORS, LEVEL)
    return thresholds if np.isfinite(thresholds).any() else None


def threshold_of(thresholds: np.ndarray, max_error: float) -> float:
    """The confidence from which rows are answered for this bound.

    Example:
        >>> threshold_of(np.where(ERRORS < 0.02, np.inf, 0.9), 0.025), threshold_of(np.zeros(len(ERRORS)), 1.0)
        (0.9, inf)
    """
    place = np.count_nonzero(max_error >= REACHED)
    return float(thresholds[place - 1]) if place and max_error < 1 else np.inf
