"""Which labels are probably wrong: rows whose given label a model that was not trained on them disbelieves."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from likely.errors import ConfigError, ShapeError
from likely.metrics.checks import classified

Which: TypeAlias = Literal["confident", "disagree"]
RankBy: TypeAlias = Literal["normalized_margin", "self_confidence"]

_CLOSE = 1e-6  # probabilities so close to a threshold count as having reached it
_EQUAL = 1e-8  # a label that is as probable as the most probable one is no issue


@dataclass(frozen=True)
class LabelIssues:
    """Rows whose label is in doubt, the most doubtful first: m of them, and how well their labels fit, from 0 to 1.

    `index` are the rows, `given` their classes, `suggested` those that they seem to belong to; shape (m,) each.
    """

    index: np.ndarray
    given: np.ndarray
    suggested: np.ndarray
    score: np.ndarray

    def __len__(self) -> int:
        return len(self.index)


def label_issues(
    labels: np.ndarray, probabilities: np.ndarray, *, which: Which = "confident", rank_by: RankBy = "self_confidence"
) -> LabelIssues:
    """The rows whose given label is probably wrong, by confident learning, ranked.

    The threshold of a class is the mean probability that its own rows give it, t_j = mean of p_ij over rows labeled j,
    so that a model that is shy of a class need not be bold to count. A row counts for the class j if p_ij >= t_j; if
    several classes qualify, for the most probable one; if none does, for none. A class without rows has no threshold,
    and no row counts for it.

        confident:  rows that count for another class than the given one (off the diagonal of the confident joint)
        disagree:   rows whose most probable class is another one than the given one: more rows, less sure; to be read
                    from the top

    In either case a row whose given label is the most probable one is no issue. The rows are ordered by

        self_confidence:    p_i,given
        normalized_margin:  (p_i,given - max over other classes of p_ij + 1) / 2

    lowest first. The margin wants the model to be sure of another label; the self-confidence is as low where it
    hesitates between two others. The probabilities must be out of fold: a model believes what it was taught.

    Args:
        labels, probabilities: the given classes 0..k-1, shape (n,), and out-of-fold P(y | x), shape (n, k).
        which: which rows are listed.
        rank_by: what orders them.
    Raises:
        ProbabilityError, ShapeError, DataError: naming the row that does not fit.
        ConfigError: if there is no such rule.
    Example:
        >>> probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.05, 0.95]])
        >>> found = label_issues(np.array([0, 0, 1, 0]), probabilities)
        >>> found.index, found.suggested, found.score
        (array([3]), array([1]), array([0.05]))

    Reference: Northcutt, Jiang and Chuang (2021), Confident learning: estimating uncertainty in dataset labels.
    """
    probs, given = classified(probabilities, labels)
    if probs.shape[1] < 2:
        raise ShapeError("probabilities must have at least two columns; got 1. With one class there is no other label.")
    if which not in ("confident", "disagree"):
        raise ConfigError(f"which must be 'confident' or 'disagree'; got {which!r}.")
    if rank_by not in ("normalized_margin", "self_confidence"):
        raise ConfigError(f"rank_by must be 'normalized_margin' or 'self_confidence'; got {rank_by!r}.")
    rows = np.arange(len(given))
    own, best = probs[rows, given], probs.argmax(axis=1)
    suggested = best if which == "disagree" else confident_classes(probs, given)
    doubted = np.flatnonzero((suggested >= 0) & (suggested != given) & (own < probs[rows, best] - _EQUAL))
    score = own[doubted].astype(np.float64)
    if rank_by == "normalized_margin":
        # The given class is not the most probable one here, so that the best class is the best of the others.
        score = (score - probs[doubted, best[doubted]] + 1) / 2
    order = np.argsort(score, kind="stable")
    index = doubted[order]
    return LabelIssues(index, given[index], suggested[index], score[order])


def confident_classes(probs: np.ndarray, given: np.ndarray) -> np.ndarray:
    """The class that each row counts for, or -1."""
    n, k = probs.shape
    rows = np.bincount(given, minlength=k)
    own = probs[np.arange(n), given].astype(np.float64)
    thresholds = np.where(rows > 0, np.bincount(given, own, k) / np.maximum(rows, 1), np.inf)
    reached = probs >= thresholds - _CLOSE
    among = np.where(reached, probs, -1.0)
    return np.where(reached.any(axis=1), among.argmax(axis=1), -1)
