"""Prototypes of the classes on a network's last feature map, and how far a row is from the nearest of them.

    near(x) = 1 - max_j cos(h(x), c_j)       h: the last feature map, flattened; c_j: a mean of normalized maps

The map says where in the image the network sees what: clothes upside down show familiar shapes in unfamiliar places.
The cosine leaves out how strongly they are seen. Means by k-means, within each class, stand for its rows: fewer numbers
than the rows themselves, and none of them.

Reference: Sun et al. (2022), Out-of-distribution detection with deep nearest neighbors, arXiv 2204.06507 (normalized
features, neighbors in place of one mean); Arthur and Vassilvitskii (2007), k-means++.
"""

import warnings
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from likely.metrics.checks import finite_rows

_PER_CLASS = 24
"""Prototypes of a class at most: on classes that were left out, and on training images upside down, turned and at half
size, they told strange rows better than 8, and as well as all rows did."""
_MOST = 1_024
_ROWS = 10
"""Rows per prototype at least."""
TINY = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True, eq=False)
class Prototypes:
    """Unit vectors (p, d), float32, that stand for the normalized feature maps of familiar rows."""

    units: np.ndarray

    @classmethod
    def fit(cls, maps: np.ndarray, classes: np.ndarray, seed: int = 0) -> Self:
        """At most 24 means of each class, by k-means, and no more than a tenth of its rows, or than different ones.

        Of maps (n, d) of training rows with their classes (n,).

        Example:
            >>> maps = np.array([[1.0, 0.0]] * 20 + [[0.0, 2.0]] * 20)
            >>> Prototypes.fit(maps, np.repeat([0, 1], 20)).units.shape
            (2, 2)
        """
        H, found = normalized(maps), np.unique(classes)
        most = max(1, min(_PER_CLASS, _MOST // len(found)))
        units: list[np.ndarray] = []
        for k in found:
            rows = H[classes == k]
            count = max(1, min(most, len(rows) // _ROWS, len(np.unique(rows, axis=0))))
            units.append(_means(rows, count, seed))
        return cls(normalized(np.concatenate(units)))

    def distance(self, maps: np.ndarray) -> np.ndarray:
        """near(x), shape (n,), of maps (n, d).

        Example:
            >>> Prototypes(np.eye(2, dtype=np.float32)).distance(np.array([[3.0, 0.0], [1.0, 1.0]])).round(4)
            array([0.    , 0.2929])
        """
        return 1.0 - (normalized(finite_rows(maps, "features")) @ self.units.T).max(axis=1).astype(np.float64)


def _means(rows: np.ndarray, count: int, seed: int) -> np.ndarray:
    """So many means of rows, by k-means."""
    if count == 1:
        return rows.mean(axis=0, keepdims=True)
    from scipy.cluster.vq import kmeans2  # as late as here: it takes a moment to load

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a mean that loses its rows stays where it was
        means: Any = kmeans2  # whose parameter `rng` is younger than the oldest SciPy that will do
        return means(rows, count, iter=10, minit="++", seed=seed)[0]


def normalized(maps: np.ndarray) -> np.ndarray:
    """Rows of length 1, float32; a row of zeros stays.

    Example:
        >>> normalized(np.array([[3.0, 4.0], [0.0, 0.0]]))
        array([[0.6, 0.8],
               [0. , 0. ]], dtype=float32)
    """
    H = np.asarray(maps, dtype=np.float32)
    return H / np.maximum(np.linalg.norm(H, axis=1, keepdims=True), TINY)
