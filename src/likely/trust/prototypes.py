"""Prototypes of the classes on a network's last feature map, as earlier model files hold them: never fitted.

    near(x) = 1 - max_j cos(h(x), c_j)       h: the last feature map, flattened; c_j: a mean of normalized maps

Reference: Sun et al. (2022), Out-of-distribution detection with deep nearest neighbors, arXiv 2204.06507.
"""

from dataclasses import dataclass

import numpy as np

from likely.metrics.checks import finite_rows
from likely.trust.principal_space import normalized


@dataclass(frozen=True, eq=False)
class Prototypes:
    """Unit vectors (p, d), float32, that stand for the normalized feature maps of familiar rows."""

    units: np.ndarray

    def distance(self, maps: np.ndarray) -> np.ndarray:
        """near(x), shape (n,), of maps (n, d).

        Example:
            >>> Prototypes(np.eye(2, dtype=np.float32)).distance(np.array([[3.0, 0.0], [1.0, 1.0]])).round(4)
            array([0.    , 0.2929])
        """
        return 1.0 - (normalized(finite_rows(maps, "features")) @ self.units.T).max(axis=1).astype(np.float64)
