"""The mean of several models' answers: of the networks and trees of all folds, each of which has not seen one fold.

    P(label | x) = sum_m a_m P_m(label | x),     f(x) = sum_m a_m f_m(x) for numbers

As scores it answers log P, so that a head, a temperature and everything that follows are those of any other model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from likely.functional.heads import log_softmax
from likely.model.inference import Inference
from likely.networks.network import Network
from likely.networks.trees import Trees
from likely.preprocessing.preprocessor import Preprocessor, preprocessor_from_json
from likely.preprocessing.stored_rows import RowArray
from likely.trust.unseen import with_unseen


@dataclass(frozen=True, eq=False)
class Member:
    """One of the models, with its weight a_m, and the temperature that its scores are divided by (1 for numbers).

    `stated` has the probability of each label that its rows lacked, 0 for the others, shape (k,). What is mixed is
    mean + scale * score, shape (k,).
    """

    network: Network | Trees
    inference: Inference
    weight: float
    temperature: float
    stated: np.ndarray
    mean: np.ndarray
    scale: np.ndarray

    def answers(self, rows: RowArray, *, classifies: bool) -> np.ndarray:
        """log P_m (n, k), or the numbers (n, m), in float64."""
        values = self.inference.scores(rows).astype(np.float64) * self.scale + self.mean
        return with_unseen(log_softmax(values / self.temperature), self.stated) if classifies else values

    def to_json(self) -> dict[str, Any]:
        """Plain values that `from_json` makes an equal one of, but for the arrays of the network."""
        return {
            "network": self.network.name,
            "settings": self.network.settings,
            "normalization": self.inference.preprocessor.to_json(),
            "weight": self.weight,
            "temperature": self.temperature,
            "stated": self.stated.tolist(),
            "mean": self.mean.tolist(),
            "scale": self.scale.tolist(),
        }

    def check(self, n_outputs: int, reads: Preprocessor) -> None:
        """Refuse, with a ValueError, a member that does not make so many outputs of the rows that all of them read."""
        shapes = {a.shape for a in (self.stated, self.mean, self.scale)}
        finite = all(np.isfinite(a).all() for a in (self.stated, self.mean, self.scale))
        own = self.inference.preprocessor
        if shapes != {(n_outputs,)} or not finite or own.shape != reads.shape or own.columns != reads.columns:
            raise ValueError("a member of a mixture that does not fit it")
        if (self.stated < 0).any() or self.stated.sum() >= 1 or (self.scale <= 0).any():
            raise ValueError("stated probabilities or scales of a member of a mixture")

    @classmethod
    def from_json(
        cls, values: Mapping[str, Any], network: Network | Trees, theta: Mapping[str, np.ndarray]
    ) -> "Member":
        """The one that `to_json` gave the values of; raises KeyError, ValueError or TypeError for others."""
        forward, scores = partial(network.apply_with_features, theta), partial(network.apply, theta)
        inference = Inference(preprocessor_from_json(values["normalization"]), forward, scores)
        arrays = {name: np.array(values[name], dtype=np.float64) for name in ("stated", "mean", "scale")}
        made = cls(network, inference, float(values["weight"]), float(values["temperature"]), **arrays)
        if not (0 < made.weight <= 1 and 1e-6 <= made.temperature <= 1e6):
            raise ValueError(f"weight {made.weight} and temperature {made.temperature} of a member")
        return made


@dataclass(frozen=True, eq=False)
class MixtureInference:
    """The way from stored rows to the scores of a mixture, as `Inference` is that of one network.

    Its features are what the preprocessor of all training rows makes of rows. Distributions are mixed if it classifies;
    scores are (mixed - mean) / scale, shape (k,); mixed numbers are kept between the `limits`, shape (2, k), if any.
    """

    preprocessor: Preprocessor
    members: Sequence[Member]
    classifies: bool
    mean: np.ndarray
    scale: np.ndarray
    limits: np.ndarray | None = None

    def __call__(self, rows: RowArray) -> tuple[np.ndarray, np.ndarray]:
        """Scores before the head (n, k), and the standardized columns as features."""
        return self.scores(rows), self.features(rows)

    def features(self, rows: RowArray) -> np.ndarray:
        """The standardized columns, and which of them are missing."""
        return np.asarray(self.preprocessor(np.asarray(rows)))

    def scores(self, rows: RowArray) -> np.ndarray:
        """Scores before the head (n, k), in float64."""
        mixed: Any = None
        for member in self.members:
            answers = member.answers(rows, classifies=self.classifies)
            if self.classifies:
                answers = answers + np.log(member.weight)
                mixed = answers if mixed is None else np.logaddexp(mixed, answers)
            else:
                mixed = member.weight * answers + (0.0 if mixed is None else mixed)
        if self.limits is not None:
            mixed = np.clip(mixed, *self.limits)
        return (mixed - self.mean) / self.scale

    def of_members(self, rows: RowArray) -> tuple[np.ndarray, np.ndarray]:
        """Log-probabilities of each member (M, n, k), or numbers, and weights (M,)."""
        each = [member.answers(rows, classifies=self.classifies) for member in self.members]
        return np.stack(each), np.array([member.weight for member in self.members])


def limits_of(settings: Mapping[str, Any], n_outputs: int) -> np.ndarray | None:
    """The limits that the settings of a mixture hold, shape (2, k), or None; raises ValueError for others."""
    if settings.get("limits") is None:
        return None
    limits = np.array(settings["limits"], dtype=np.float64)
    if limits.shape != (2, n_outputs) or not (limits[0] <= limits[1]).all():
        raise ValueError(f"limits {settings['limits']} of a mixture")
    return limits
