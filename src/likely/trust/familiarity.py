"""Whether a row looks like what was trained on: distance to class-conditional Gaussians on hidden features, and energy.

    d(x) : the squared distance of the hidden features to the nearest class (see `likely.trust.gaussians`)
    e(x) = -log sum_k exp(score_k)
    u(x) = (log(1 + d(x)) - a) / s + (e(x) - b) / t      a, b and s, t: means and deviations over familiar rows; each
                                                         of the two parts counts as -3 at least

Neither of the two wins everywhere: the distance sees textures and noise that the last layer takes for a class, the
energy sees clear images of something else, which lie close to a class in most directions. Standardized, both count
the same without knowing what strange rows will look like; the logarithm makes distances nearly symmetric. A conformal
p-value over held-out rows, of which u knows nothing, turns the sum into a rate of false alarms.
"""

from dataclasses import dataclass, field, replace
from typing import Self, TypeGuard

import numpy as np

from likely.errors import ShapeError
from likely.metrics.checks import finite_rows
from likely.trust.conformal import rows_needed
from likely.trust.gaussians import Gaussians, or_one
from likely.trust.ties import STEP

UNFAMILIAR = 0.01
"""A p-value from which on a row is called unfamiliar: the rate of false alarms on familiar ones."""

ROWS_TO_ALARM = rows_needed(1 - UNFAMILIAR)
"""The fewest held-out rows m with which a p-value can be as small: 1 / (m + 1) <= UNFAMILIAR."""

MOST_FAMILIAR = -3.0


def is_unfamiliar(p_value: float | None) -> TypeGuard[float]:
    """Whether a row of this p-value is called unfamiliar: never where it is not known, None or NaN."""
    return p_value is not None and p_value <= UNFAMILIAR


def energy(scores: np.ndarray) -> np.ndarray:
    """-log sum_k exp(score_k), shape (n,): high where no class has a high score.

    A score of -inf masks a class, which then adds nothing; a row must have another.

    Example:
        >>> energy(np.array([[0.0, 0.0]])).round(4)
        array([-0.6931])

    Reference: Liu et al. (2020), Energy-based out-of-distribution detection, arXiv 2010.03759.
    """
    S = finite_rows(scores, "scores", masked=True)
    top = S.max(axis=1)
    return -(top + np.log(np.exp(S - top[:, None]).sum(axis=1)))


@dataclass(frozen=True, eq=False)
class UsualSize:
    """Means and deviations of log(1 + distance) and of the energy over familiar rows, shape (2,) each."""

    center: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, distances: np.ndarray, energies: np.ndarray) -> Self:
        """Those of the same m rows, shape (m,) each; the spread of what never varies is 1.

        Raises:
            ShapeError: if there are not as many energies as distances, or none.
        Example:
            >>> UsualSize.of(np.array([0.0, 0.0]), np.array([-3.0, 1.0]))
            UsualSize(center=array([ 0., -1.]), spread=array([1., 2.]))
        """
        if not len(distances):
            raise ShapeError("The reference must have at least one row; got 0. Try holding some out.")
        measured = _measured(distances, energies)
        center, deviation = measured.mean(axis=0), measured.std(axis=0)
        return cls(center, or_one(deviation, center))

    def combined(self, distances: np.ndarray, energies: np.ndarray) -> np.ndarray:
        """u(x) from its two parts, shape (n,): larger is stranger.

        Each part counts in its deviations from the usual size, and at least as -3: far away from everything that was
        trained on, an energy can be as low as it likes, and must not make up for the distance.

        Example:
            >>> UsualSize(np.array([0.0, -1.0]), np.array([1.0, 2.0])).combined(np.array([0.0]), np.array([3.0]))
            array([2.])
        """
        parts = (_measured(distances, energies) - self.center) / self.spread
        return np.maximum(parts, MOST_FAMILIAR).sum(axis=1)


@dataclass(frozen=True, eq=False)
class Familiarity:
    """What familiar rows look like, and the OOD scores of held-out rows, by which new ones are ranked.

    Args:
        gaussians: of the features of rows that the network was trained on.
        usual: the usual size of both parts of the score.
        held_out: OOD scores of held-out rows, sorted, shape (m,).
    """

    gaussians: Gaussians
    usual: UsualSize
    held_out: np.ndarray = field(default_factory=lambda: np.empty(0))

    @classmethod
    def of(cls, gaussians: Gaussians, features: np.ndarray, scores: np.ndarray) -> Self:
        """With the usual size of distances and energies over familiar rows, and none held out yet.

        Features (m, d) and scores (m, k) before the head are of rows trained on, or held out for this alone: rows that
        set the usual size and the p-values as well would make the guarantee of the p-values approximate.
        """
        return cls(gaussians, UsualSize.of(gaussians.distance(features), energy(scores)))

    def with_held_out(self, *ood_scores: np.ndarray) -> Self:
        """The same, with these held-out rows to rank new ones among."""
        return replace(self, held_out=np.sort(np.concatenate(ood_scores)))

    def ood_scores(self, features: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """u(x), shape (n,), of features (n, d) and scores before the head (n, k): larger is stranger.

        Raises:
            ShapeError, DataError: if shapes do not fit or a number is not finite.
        Example:
            >>> rng = np.random.default_rng(0)
            >>> gaussians = Gaussians.fit(rng.normal(size=(100, 3)), np.ones((100, 1)))
            >>> familiarity = Familiarity.of(gaussians, rng.normal(size=(20, 3)), rng.normal(size=(20, 2)))
            >>> near, far = familiarity.ood_scores(np.array([[0.0, 0.0, 0.0], [9.0, 9.0, 9.0]]), np.zeros((2, 2)))
            >>> bool(near < far)
            True
        """
        return self.usual.combined(self.gaussians.distance(features), energy(scores))

    def p_values(self, ood_scores: np.ndarray) -> np.ndarray:
        """The conformal p-value of each row among the held-out ones, shape (n,): see `familiarity_p_values`."""
        return familiarity_p_values(ood_scores, self.held_out)

    @property
    def can_alarm(self) -> bool:
        """Whether enough rows were held out for a p-value of 0.01, from which on a row is called unfamiliar."""
        return len(self.held_out) >= ROWS_TO_ALARM


def familiarity_p_values(ood_scores: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """The conformal p-value (1 + how many of m held-out rows, sorted, are at least as strange) / (m + 1), shape (n,).

    For a row that is exchangeable with the held-out ones P(p <= a) <= a, for every a and m, over the draw of all of
    them; not for every kind of familiar row, nor for every draw of held-out rows. What differs by rounding alone (1e-5
    of its size) counts as equal.

    Example:
        >>> familiarity_p_values(np.array([0.0, 2.5, 9.0]), np.array([1.0, 2.0, 3.0]))
        array([1.  , 0.5 , 0.25])

    Reference: Vovk, Gammerman and Shafer (2005), Algorithmic learning in a random world, ch. 2.
    """
    m, least = len(held_out), ood_scores - STEP * (1.0 + np.abs(ood_scores))
    return (1.0 + m - np.searchsorted(held_out, least, side="left")) / (m + 1.0)


def _measured(distances: np.ndarray, energies: np.ndarray) -> np.ndarray:
    """The two parts on scales where a deviation means something, shape (n, 2)."""
    if np.shape(distances) != np.shape(energies) or np.ndim(distances) != 1:
        raise ShapeError(
            f"There must be an energy per distance; got energies of shape {np.shape(energies)} for distances of shape "
            f"{np.shape(distances)}. Try computing both from one forward pass."
        )
    return np.stack([np.log1p(distances), energies], axis=1)
