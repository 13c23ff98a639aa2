"""The directions in which a network's last feature map varies on familiar rows, and how much of a row lies beside them.

    beside(x) = 1 - |V^T h|^2 / |h|^2       h: the last feature map, flattened; V: orthonormal directions (d, r)

The map says where in the image the network sees what: clothes upside down show familiar shapes in unfamiliar places.
The ratio, the squared sine of the angle between h and the space of V, leaves out how strongly they are seen.

Reference: Wang et al. (2022), ViM: out-of-distribution with virtual-logit matching, arXiv 2203.10807 (the residual).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from likely.metrics.checks import seen_finite

_MOST = 256
"""Directions at most: on classes that were left out, and on training images upside down, turned and at half size, they
told strange rows better than 64 or 128, and 384 did no better."""
_SHARE = 4
"""Numbers of a map, and rows, per direction at least."""
_AT_ONCE = 1_000  # rows, whose float64 takes 9 MB where a map has 1,152 numbers
_NOTHING = 1e-5
"""An eigenvalue, relative to the largest, from which on a direction is rounding alone."""
TINY = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True, eq=False)
class PrincipalSpace:
    """Orthonormal directions V (d, r), float32, that span what normalized feature maps of familiar rows have in common.

    Example:
        >>> plane = PrincipalSpace(np.eye(3, 2, dtype=np.float32))
        >>> plane.beside(np.array([[3.0, 4.0, 0.0], [2.0, 0.0, 2.0], [0.0, 0.0, 0.0]])).round(4)
        array([0. , 0.5, 1. ])
    """

    directions: np.ndarray

    @classmethod
    def fit(cls, maps: np.ndarray) -> Self:
        """The first eigenvectors of sum_i h_i h_i^T / |h_i|^2, of maps (n, d) of training rows.

        At most 256, a quarter of d, and a quarter of n.

        Example:
            >>> maps = np.repeat(np.eye(8)[:2], [20, 30], axis=0)
            >>> np.abs(PrincipalSpace.fit(maps).directions[:3]).round(4)
            array([[0., 1.],
                   [1., 0.],
                   [0., 0.]], dtype=float32)
        """
        from scipy.linalg import eigh  # as late as here: it takes a moment to load

        H = normalized(seen_finite(maps, "features"))
        n, d = H.shape
        least = max(0, min(n, d) - max(1, min(_MOST, d // _SHARE, n // _SHARE)))
        wide = d > n  # then V = H^T U up to scale, of the eigenvectors U of the smaller matrix
        values, vectors = eigh(H @ H.T if wide else H.T @ H, subset_by_index=[least, min(n, d) - 1])
        kept = values >= _NOTHING * values[-1]
        V = vectors[:, kept][:, ::-1]
        return cls(np.ascontiguousarray(np.linalg.qr(H.T @ V)[0] if wide else V, dtype=np.float32))

    def beside(self, maps: np.ndarray) -> np.ndarray:
        """beside(x), shape (n,), of maps (n, d): from 0, inside the space, to 1.

        In float64: a familiar row lies inside but for a hundredth, of which float32 would lose four digits.
        """
        maps, V = seen_finite(maps, "features"), self.directions.astype(np.float64)
        found = np.empty(len(maps))
        for start in range(0, len(maps), _AT_ONCE):
            H = maps[start : start + _AT_ONCE].astype(np.float64)
            inside, length = np.square(H @ V).sum(axis=1), np.square(H).sum(axis=1)
            found[start : start + _AT_ONCE] = 1.0 - inside / np.maximum(length, TINY)
        return found


def normalized(maps: np.ndarray) -> np.ndarray:
    """Rows of length 1, float32; a row of zeros stays.

    Example:
        >>> normalized(np.array([[3.0, 4.0], [0.0, 0.0]]))
        array([[0.6, 0.8],
               [0. , 0. ]], dtype=float32)
    """
    H = np.asarray(maps, dtype=np.float32)
    return H / np.maximum(np.linalg.norm(H, axis=1, keepdims=True), TINY)
