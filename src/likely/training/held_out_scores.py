"""Scores of rows that their network was not trained on: what calibration and every guarantee rest on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from likely.config.registry import HEADS
from likely.model.card import SplitsEntry
from likely.training.trained import Trained
from likely.trust.familiarity import UsualSize
from likely.trust.unseen import mask_unseen
from likely.trust.weights import accept_by_weight

LEAST_VAL = 100
"""Rows of a val part from which it can carry temperature and thresholds."""


@dataclass(frozen=True)
class HeldOutScores:
    """Scores (m, k) of held-out rows beside their true distributions or targets (m, k).

    `index` (m,) says which of all rows these are. `features` (m, d) are hidden ones of the network. Where the scores
    come from several networks there are none, but `ood_scores` (m,), each from the network that had not seen the row,
    and `usual`, the size of their parts by which they were combined, where it is not that of rows trained on.
    `stated`, (k,) or (m, k), is the probability of each label that its training rows lacked, 0 for the others.
    `folds` (m,) says in which fold each row was, see `fold_numbers`; None where one network has seen none of them.
    `calibrated` says that these are log-probabilities already, each calibrated by other rows.
    """

    scores: np.ndarray
    Y: np.ndarray
    weights: np.ndarray | None
    index: np.ndarray
    stated: np.ndarray
    features: np.ndarray | None = None
    ood_scores: np.ndarray | None = None
    usual: UsualSize | None = None
    folds: np.ndarray | None = None
    calibrated: bool = False

    def __len__(self) -> int:
        return len(self.Y)

    @property
    def unseen(self) -> np.ndarray:
        """Which labels the network of each row was never shown, booleans (m, k).

        They are masked where a calibration is fitted, which then rests on the rows of the other labels: those of an
        unseen label say nothing of how sure to be of the rest.
        """
        return np.broadcast_to(self.stated > 0, self.Y.shape)

    @property
    def of_unseen(self) -> np.ndarray:
        """Which rows have a label that their network was never shown, booleans (m,)."""
        return np.any(self.unseen & (self.Y > 0), axis=1)

    def log_probs(self, head: str) -> np.ndarray:
        """Log-probabilities before calibration, shape (m, k); labels that the network was never shown are masked."""
        found = self.scores if self.calibrated else np.asarray(HEADS[head].log_probs(self.scores), dtype=np.float64)
        return mask_unseen(found, self.stated)

    def take(self, index: np.ndarray) -> "HeldOutScores":
        """Some of these rows."""

        def some(array: np.ndarray | None) -> np.ndarray | None:
            return None if array is None else array[index]

        return HeldOutScores(
            self.scores[index],
            self.Y[index],
            some(self.weights),
            self.index[index],
            self.stated if self.stated.ndim == 1 else self.stated[index],
            some(self.features),
            some(self.ood_scores),
            self.usual,
            some(self.folds),
            self.calibrated,
        )

    def counted_by_weight(self, weights: np.ndarray | None, seed: int) -> "HeldOutScores | None":
        """The rows that guarantees may count alike: see `accept_by_weight`; None where none is left.

        Args:
            weights: of all rows, whose largest one is the measure; None counts all alike.
            seed: of the draw.
        """
        if self.weights is None or weights is None:
            return self
        rng = np.random.default_rng([seed, *b"weights"])
        kept = np.flatnonzero(accept_by_weight(self.weights, float(weights.max()), rng))
        return self.take(kept) if len(kept) else None


def fold_numbers(folds: Sequence[np.ndarray], *, first_decides: bool) -> np.ndarray:
    """The fold that each of n rows is in, (n,); -1 in the first if it decides what is trained on the others.

    Such rows took part in choosing what answers them, and do not judge it.

    Example:
        >>> fold_numbers([np.array([1, 3]), np.array([0, 2])], first_decides=True).tolist()
        [1, -1, 1, -1]
    """
    found = np.empty(sum(map(len, folds)), np.int64)
    for number, fold in enumerate(folds):
        found[fold] = -1 if number == 0 and first_decides else number
    return found


@dataclass(frozen=True)
class TrainingOutcome:
    """A trained network, the rows it was trained on, how the others were used, and their scores, if there are any.

    `notes` are what users of the model should know of its training. `rivals`, after cross-validation, are the scores of
    the held-out rows at every checkpoint: for whoever chooses further.
    """

    trained: Trained
    index: np.ndarray
    splits: SplitsEntry
    calibration: HeldOutScores | None
    thresholds: HeldOutScores | None
    notes: tuple[str, ...] = ()
    rivals: tuple[HeldOutScores, ...] = ()
