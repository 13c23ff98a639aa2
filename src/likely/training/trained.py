"""A network that was trained, what it takes to ask it, and how its training went."""

from dataclasses import dataclass

import numpy as np

from likely.engines.learner import Learner
from likely.model.inference import Inference
from likely.model.mixture_inference import MixtureInference
from likely.preprocessing.stored_rows import RowArray
from likely.training.loop.descent import Record
from likely.training.plan import Plan

UNFINISHED = "unfinished"
"""How a training ended that was given up."""
WHOLE = ("finished", "early stopping")
"""How one ended that went its way."""


@dataclass(frozen=True)
class Trained:
    """A network that was trained, what it takes to ask it, and how its training went.

    A regression network answers in standardized targets: target = target_mean + target_scale * score. For
    classification the scale is 1 and the mean -log w, with the weights w that classes had in training (0 without).
    `stated` (k,) is the probability of each label that its rows lack, 0 for the others.
    `penalty` is that of a convex problem that was solved. `epochs` says after how many passes over the rows the network
    was kept, where that is not the end of its training.
    """

    plan: Plan
    engine: Learner
    inference: Inference | MixtureInference
    target_mean: np.ndarray
    target_scale: np.ndarray
    history: list[Record]
    stopped: str
    stated: np.ndarray
    penalty: float | None = None
    epochs: float | None = None

    @property
    def passes(self) -> float:
        """Passes over the training rows until the network was as it is; 0 for one in closed form."""
        return self.epochs or (self.history[-1].epoch if self.history else 0.0)

    @property
    def map_begins(self) -> int | None:
        """The column of the features from which on they are the last feature map; None without one."""
        return getattr(self.engine, "map_begins", None)

    def scores_and_features(self, X: RowArray) -> tuple[np.ndarray, np.ndarray]:
        """Scores (n, k), for regression in the targets' own unit, and hidden features (n, d)."""
        scores, features = self.inference(X)
        return scores * self.target_scale + self.target_mean, features

    def scores(self, X: RowArray) -> np.ndarray:
        """Scores (n, k); for regression in the targets' own unit."""
        return self.inference.scores(X) * self.target_scale + self.target_mean
