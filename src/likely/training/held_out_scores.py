"""Scores of rows that their network was not trained on: what calibration and every guarantee rest on."""

from dataclasses import dataclass

import numpy as np

from likely.data.groups import one_per_group
from likely.model.card import SplitsEntry
from likely.preprocessing.stored_rows import take_rows
from likely.registry import HEADS
from likely.training.train import Rows, Trained
from likely.trust.unseen import mask_unseen
from likely.trust.weights import accept_by_weight

LEAST = 20
"""Rows from which some can be held out: with fewer, what is left says little of the whole."""


@dataclass(frozen=True)
class HeldOutScores:
    """Scores (m, k) of held-out rows beside their true distributions or targets (m, k).

    `features` (m, d) are hidden ones of the network. Where the scores come from several networks there are none, but
    `ood_scores` (m,) says how strange each row was to the network that had not seen it. `index` (m,) says which of
    all rows these are. `stated`, (k,) or (m, k), is the probability of each label that its training rows lacked, 0 for
    the others.
    """

    scores: np.ndarray
    Y: np.ndarray
    weights: np.ndarray | None
    features: np.ndarray | None = None
    ood_scores: np.ndarray | None = None
    index: np.ndarray | None = None
    stated: np.ndarray | None = None

    @property
    def unseen(self) -> np.ndarray:
        """Which labels the network of each row was never shown, booleans (m, k).

        They are masked where a calibration is fitted, which then rests on the rows of the other labels: those of an
        unseen label say nothing of how sure to be of the rest.
        """
        return np.broadcast_to(np.zeros(1, bool) if self.stated is None else self.stated > 0, self.Y.shape)

    def log_probs(self, head: str) -> np.ndarray:
        """Log-probabilities before calibration, shape (m, k); labels that the network was never shown are masked."""
        found = np.asarray(HEADS[head].log_probs(self.scores), dtype=np.float64)
        return found if self.stated is None else mask_unseen(found, self.stated)

    def take(self, index: np.ndarray) -> "HeldOutScores":
        """Some of these rows."""

        def some(array: np.ndarray | None) -> np.ndarray | None:
            return None if array is None else array[index]

        return HeldOutScores(
            self.scores[index],
            self.Y[index],
            some(self.weights),
            some(self.features),
            some(self.ood_scores),
            some(self.index),
            some(self.stated) if self.stated is not None and self.stated.ndim == 2 else self.stated,
        )


@dataclass(frozen=True)
class Outcome:
    """A trained network, the rows it was trained on, how the others were used, and their scores, if there are any.

    `notes` are what whoever uses the model should know of its training.
    """

    trained: Trained
    index: np.ndarray
    splits: SplitsEntry
    calibration: HeldOutScores | None
    thresholds: HeldOutScores | None
    notes: tuple[str, ...] = ()


def counted_by_weight(held_out: HeldOutScores | None, weights: np.ndarray | None, seed: int) -> HeldOutScores | None:
    """The held-out rows that guarantees may count alike: see `accept_by_weight`; None where none is left.

    Args:
        held_out: the rows.
        weights: of all rows, whose largest one is the measure.
        seed: of the draw.
    """
    if held_out is None or held_out.weights is None or weights is None:
        return held_out
    rng = np.random.default_rng([seed, *b"weights"])
    kept = np.flatnonzero(accept_by_weight(held_out.weights, float(weights.max()), rng))
    return held_out.take(kept) if len(kept) else None


def scores_held_out(trained: Trained, rows: Rows, index: np.ndarray) -> HeldOutScores:
    """The scores of the rows with these indices, which the network was not trained on."""
    weights = None if rows.weights is None else rows.weights[index]
    scores, features = trained.scores_and_features(take_rows(rows.X, index))
    return HeldOutScores(scores, rows.Y[index], weights, features, index=index, stated=trained.stated)


def counted_once(rows: Rows, index: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One row of each group among these, drawn from it at random; all of them where no rows are related."""
    return index if rows.groups is None else index[one_per_group(rows.groups[index], rng)]
