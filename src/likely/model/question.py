"""What is asked of a model where its answer to one row is to be explained."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from likely.probability.space import Event

MOST_EXPLAINED = 100
"""Rows at a time, unless more are asked for: each takes some hundred answers."""


@dataclass(frozen=True, eq=False)
class Question:
    """The number of one row that is to be explained.

    Args:
        name: for people, such as "P(Shirt)".
        event: whose probability it is; None for a prediction.
        answer: from stored rows (n, ...) to the number, float64 (n,).
        slopes: from scores of the network to the number, and its derivatives with respect to the scores.
        scale: of contributions: 100 makes points of probabilities.
        least: the smallest change of the number to speak of.
        familiarity: of the row, if it is known.
    """

    name: str
    event: Event | None
    answer: Callable[[np.ndarray], np.ndarray]
    slopes: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
    scale: float
    least: float
    familiarity: float | None
