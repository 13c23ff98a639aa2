"""Whether a row looks like what was trained on: distance to class-conditional Gaussians on hidden features, and parts
that depend on the network.

    d(x) : the squared distance of the hidden features to the nearest class (see `likely.trust.gaussians`)
    e(x) : the energy -log sum_k exp(score_k)
    r(x) : with a feature map, how much of it lies beside the principal space (see `likely.trust.principal_space`)
    H(x) : with a feature map, the entropy of softmax(scores / 2)

    u(x) = Z[log(1 + d)] + Z[e]               without a feature map
    u(x) = Z[sqrt(d)] + Z[r] + 2 Z[H]         with one              Z: in deviations from the mean over familiar rows

No part wins everywhere: the distance sees textures and noise that the last layer takes for a class, and r what is moved
or of an unknown make; energy and entropy see what lies between classes. Standardized, what is far and what is doubtful
count the same without knowing what strange rows will look like. A part counts as -3 at least: no very familiar value of
one makes up for another. The entropy at half the scale of the scores tells a row with two candidates from one with
many. A conformal p-value over held-out rows, of which u knows nothing, turns the sum into a rate of false alarms.
"""

from dataclasses import dataclass, field, replace
from typing import Self, TypeGuard

import numpy as np

from likely.errors import ShapeError
from likely.metrics.checks import finite_rows
from likely.trust.conformal import rows_needed
from likely.trust.gaussians import Gaussians, or_one
from likely.trust.principal_space import PrincipalSpace
from likely.trust.prototypes import Prototypes
from likely.trust.ties import STEP

UNFAMILIAR = 0.01
"""A p-value from which on a row is called unfamiliar: the rate of false alarms on familiar ones."""

ROWS_TO_ALARM = rows_needed(1 - UNFAMILIAR)
"""The fewest held-out rows m with which a p-value can be as small: 1 / (m + 1) <= UNFAMILIAR."""

MOST_FAMILIAR = -3.0
"""What each part counts at least, in deviations from its mean."""
BESIDE_PROTOTYPES = 1.0
"""What the distance counts at least in files of earlier versions with prototypes."""
WEIGHTS = (1.0, 1.0, 2.0)
"""Of the distance, the second part and the entropy: all of them, and the root of the distance, were chosen on classes
that were left out, and on training images that were moved, cut, inverted and made noisy."""
SCALE = 2.0
"""By which scores are divided before the entropy is taken."""


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


def doubt(scores: np.ndarray) -> np.ndarray:
    """The entropy of softmax(scores / 2) in nats, shape (n,): high where several classes have a high score.

    A score of -inf masks a class; a row must have another.

    Example:
        >>> doubt(np.array([[0.0, 0.0], [2.0, 0.0]])).round(4)
        array([0.6931, 0.5822])
    """
    S = finite_rows(scores, "scores", masked=True) / SCALE
    odds = np.exp(S - S.max(axis=1, keepdims=True))
    P = odds / odds.sum(axis=1, keepdims=True)
    return -(P * np.log(P, where=P > 0, out=np.zeros_like(P))).sum(axis=1)


@dataclass(frozen=True, eq=False)
class UsualSize:
    """Means and deviations of log(1 + distance), or of its root with two other parts, and of these over familiar rows,
    shape (p,) each."""

    center: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, distances: np.ndarray, *others: np.ndarray) -> Self:
        """Those of the same m rows, shape (m,) each; the spread of what never varies is 1.

        Raises:
            ShapeError: if there are not as many of each part as distances, or none.
        Example:
            >>> UsualSize.of(np.array([0.0, 0.0]), np.array([-3.0, 1.0]))
            UsualSize(center=array([ 0., -1.]), spread=array([1., 2.]))
        """
        if not len(distances):
            raise ShapeError("The reference must have at least one row; got 0. Try holding some out.")
        measured = _measured(distances, others)
        center, deviation = measured.mean(axis=0), measured.std(axis=0)
        return cls(center, or_one(deviation, center))

    def combined(self, distances: np.ndarray, *others: np.ndarray, least: float = MOST_FAMILIAR) -> np.ndarray:
        """u(x) from its parts, shape (n,): larger is stranger.

        Each part counts in its deviations from the usual size, and at least as -3, the distance as `least`: far away
        from everything that was trained on, an energy can be as low as it likes, and must not make up for the distance.

        Example:
            >>> UsualSize(np.array([0.0, -1.0]), np.array([1.0, 2.0])).combined(np.array([0.0]), np.array([3.0]))
            array([2.])
        """
        parts = (_measured(distances, others) - self.center) / self.spread
        return np.maximum(parts, [least, *[MOST_FAMILIAR] * len(others)]) @ WEIGHTS[: 1 + len(others)]


@dataclass(frozen=True, eq=False)
class Familiarity:
    """What familiar rows look like, and the OOD scores of held-out rows, by which new ones are ranked.

    Args:
        gaussians: of the features of rows that the network was trained on.
        usual: the usual size of the parts of the score.
        held_out: OOD scores of held-out rows, sorted, shape (m,).
        beside: what the feature map lies beside, whose columns come after those of the Gaussians: a principal space,
            prototypes in files of earlier versions, None without a map.
    """

    gaussians: Gaussians
    usual: UsualSize
    held_out: np.ndarray = field(default_factory=lambda: np.empty(0))
    beside: PrincipalSpace | Prototypes | None = None

    @classmethod
    def of(
        cls, gaussians: Gaussians, features: np.ndarray, scores: np.ndarray, space: PrincipalSpace | None = None
    ) -> Self:
        """With the usual size of all parts over familiar rows, and none held out yet.

        Features (m, d) and scores (m, k) before the head are of rows trained on, or held out for this alone: rows that
        set the usual size and the p-values as well would make the guarantee of the p-values approximate.
        """
        return cls(gaussians, UsualSize.of(*_parts(gaussians, space, features, scores)), beside=space)

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
        return self.usual.combined(*self.parts(features, scores), least=self.least_of_distance)

    def parts(self, features: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, ...]:
        """The distance and the other parts of u(x), shape (n,) each."""
        return _parts(self.gaussians, self.beside, features, scores)

    @property
    def least_of_distance(self) -> float:
        """What the distance counts at least, in deviations from its mean."""
        return BESIDE_PROTOTYPES if isinstance(self.beside, Prototypes) else MOST_FAMILIAR

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
    gaussians: Gaussians, beside: PrincipalSpace | Prototypes | None, features: np.ndarray, scores: np.ndarray
) -> tuple[np.ndarray, ...]:
    """d(x) and the other parts, shape (n,) each. Files from before feature maps counted have none, whatever the network
    gives."""
    d = len(gaussians.shift)
    distances, maps = gaussians.distance(features[:, :d]), features[:, d:]
    if isinstance(beside, PrincipalSpace):
        return distances, beside.beside(maps), doubt(scores)
    return distances, energy(scores) if beside is None else beside.distance(maps)


def _measured(distances: np.ndarray, others: tuple[np.ndarray, ...]) -> np.ndarray:
    """The parts on scales where a deviation means something, shape (n, p)."""
    shapes = {np.shape(distances), *map(np.shape, others)}
    if len(shapes) > 1 or np.ndim(distances) != 1:
        raise ShapeError(
            f"There must be one number of each part per distance; got shapes {sorted(shapes)} for distances of shape "
            f"{np.shape(distances)}. Try computing all from one forward pass."
        )
    size = np.log1p if len(others) < 2 else np.sqrt
    return np.stack([size(distances), *others], axis=1)
