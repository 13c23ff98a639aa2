"""Whether a row looks like what was trained on: distance to class-conditional Gaussians on hidden features, and a
second part, which depends on the network.

    d(x) : the squared distance of the hidden features to the nearest class (see `likely.trust.gaussians`)
    e(x) : with a feature map, 1 - its cosine with the nearest prototype of a class (see `likely.trust.prototypes`);
           else the energy -log sum_k exp(score_k)
    u(x) = (log(1 + d(x)) - a) / s + (e(x) - b) / t      a, b and s, t: means and deviations over familiar rows; the
                                                         second part counts as -3 at least, the first as -3, or as 1
                                                         beside a feature map

Neither of the two wins everywhere: the distance sees textures and noise that the last layer takes for a class, the
second part sees clear images of something else, which lie close to a class in most directions. Standardized, both count
the same without knowing what strange rows will look like; the logarithm makes distances nearly symmetric. Beside a
feature map the distance speaks up only where it is unusual: what lies nearer to a Gaussian than most rows is no less
strange for it. A conformal p-value over held-out rows, of which u knows nothing, turns the sum into a rate of false
alarms.
"""

from dataclasses import dataclass, field, replace
from typing import Self, TypeGuard

import numpy as np

from likely.errors import ShapeError
from likely.metrics.checks import finite_rows
from likely.trust.conformal import rows_needed
from likely.trust.gaussians import Gaussians, or_one
from likely.trust.prototypes import Prototypes
from likely.trust.ties import STEP

UNFAMILIAR = 0.01
"""A p-value from which on a row is called unfamiliar: the rate of false alarms on familiar ones."""

ROWS_TO_ALARM = rows_needed(1 - UNFAMILIAR)
"""The fewest held-out rows m with which a p-value can be as small: 1 / (m + 1) <= UNFAMILIAR."""

MOST_FAMILIAR = (-3.0, -3.0)
"""What the distance and the energy count at least, in deviations from their means."""
MOST_FAMILIAR_BESIDE_MAP = (1.0, -3.0)
"""What the distance counts at least beside a feature map, and the distance of that to the prototypes. Chosen on classes
that were left out and on training images upside down, turned and at half size."""


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
    """Means and deviations of log(1 + distance) and of the second part over familiar rows, shape (2,) each."""

    center: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, distances: np.ndarray, seconds: np.ndarray) -> Self:
        """Those of the same m rows, shape (m,) each; the spread of what never varies is 1.

        Raises:
            ShapeError: if there are not as many of the second part as distances, or none.
        Example:
            >>> UsualSize.of(np.array([0.0, 0.0]), np.array([-3.0, 1.0]))
            UsualSize(center=array([ 0., -1.]), spread=array([1., 2.]))
        """
        if not len(distances):
            raise ShapeError("The reference must have at least one row; got 0. Try holding some out.")
        measured = _measured(distances, seconds)
        center, deviation = measured.mean(axis=0), measured.std(axis=0)
        return cls(center, or_one(deviation, center))

    def combined(
        self, distances: np.ndarray, seconds: np.ndarray, least: tuple[float, float] = MOST_FAMILIAR
    ) -> np.ndarray:
        """u(x) from its two parts, shape (n,): larger is stranger.

        Each part counts in its deviations from the usual size, and at least as `least`: far away from everything that
        was trained on, an energy can be as low as it likes, and must not make up for the distance.

        Example:
            >>> UsualSize(np.array([0.0, -1.0]), np.array([1.0, 2.0])).combined(np.array([0.0]), np.array([3.0]))
            array([2.])
        """
        parts = (_measured(distances, seconds) - self.center) / self.spread
        return np.maximum(parts, least).sum(axis=1)


@dataclass(frozen=True, eq=False)
class Familiarity:
    """What familiar rows look like, and the OOD scores of held-out rows, by which new ones are ranked.

    Args:
        gaussians: of the features of rows that the network was trained on.
        usual: the usual size of both parts of the score.
        held_out: OOD scores of held-out rows, sorted, shape (m,).
        prototypes: of the feature map, whose columns come after those of the Gaussians; None without one.
    """

    gaussians: Gaussians
    usual: UsualSize
    held_out: np.ndarray = field(default_factory=lambda: np.empty(0))
    prototypes: Prototypes | None = None

    @classmethod
    def of(
        cls, gaussians: Gaussians, features: np.ndarray, scores: np.ndarray, prototypes: Prototypes | None = None
    ) -> Self:
        """With the usual size of both parts over familiar rows, and none held out yet.

        Features (m, d) and scores (m, k) before the head are of rows trained on, or held out for this alone: rows that
        set the usual size and the p-values as well would make the guarantee of the p-values approximate.
        """
        return cls(gaussians, UsualSize.of(*_parts(gaussians, prototypes, features, scores)), prototypes=prototypes)

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
        parts = _parts(self.gaussians, self.prototypes, features, scores)
        return self.usual.combined(*parts, self.most_familiar)

    @property
    def most_familiar(self) -> tuple[float, float]:
        """What the distance and the second part count at least, in deviations from their means."""
        return MOST_FAMILIAR if self.prototypes is None else MOST_FAMILIAR_BESIDE_MAP

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


def _parts(
    gaussians: Gaussians, prototypes: Prototypes | None, features: np.ndarray, scores: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """d(x) and e(x), shape (n,) each. Files from before feature maps counted have none, whatever the network gives."""
    d = len(gaussians.shift)
    distances = gaussians.distance(features[:, :d])
    return distances, energy(scores) if prototypes is None else prototypes.distance(features[:, d:])


def _measured(distances: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """The two parts on scales where a deviation means something, shape (n, 2)."""
    if np.shape(distances) != np.shape(seconds) or np.ndim(distances) != 1:
        raise ShapeError(
            f"There must be a second part per distance; got shape {np.shape(seconds)} for distances of shape "
            f"{np.shape(distances)}. Try computing both from one forward pass."
        )
    return np.stack([np.log1p(distances), seconds], axis=1)
