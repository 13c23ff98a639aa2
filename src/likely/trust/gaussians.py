"""Class-conditional Gaussians on features, and how far a row lies from the nearest of them.

    d(x) = min_k (h - mu_k)^T S^-1 (h - mu_k)       h: features, S: covariance within the classes

Reference: Lee et al. (2018), A simple unified framework for detecting out-of-distribution samples, arXiv 1807.03888;
Chen et al. (2010), Shrinkage algorithms for MMSE covariance estimation (the formula); Tipping and Bishop (1999),
Probabilistic principal component analysis (what is left beside the directions).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from likely.errors import ShapeError
from likely.metrics.checks import finite_rows

_TINY = float(np.finfo(np.float64).tiny)
_NOTHING = 1e-12
"""A mean variance of standardized features that is none: no class has two rows that differ."""

REFERENCE = 10_000
"""So many rows of the training part suffice for the Gaussians, and fewer of wide features."""
_LEAST_ROWS = 256
_WIDE = 1_024
"""Of more features than this the Gaussians are fitted to at most as many rows: S is then of low rank, beside a multiple
of the identity, and takes the eigenvectors of a matrix of rows by rows."""
_NUMBERS = 2**22
"""Of features that the Gaussians are fitted to, of directions that they keep, and of a piece of rows to measure."""
_MOST_DIRECTIONS = 512


def rows_for_familiarity(d: int) -> int:
    """So many rows of the training part suffice for the Gaussians of d features.

    Example:
        >>> rows_for_familiarity(128), rows_for_familiarity(784), rows_for_familiarity(12_288)
        (10000, 5349, 341)
    """
    return max(_LEAST_ROWS, min(_NUMBERS // d, REFERENCE if d <= _WIDE else _WIDE))


@dataclass(frozen=True, eq=False)
class Gaussians:
    """One Gaussian per class with a common covariance S, of features h that are standardized: (h - shift) / scale.

    Args:
        shift, scale: of the features, shape (d,).
        means: of the classes that have a row, shape (k, d).
        whitening: (d, d): z = ((h - shift) / scale) @ whitening has unit covariance within the classes, and the means
            are those of z. None with fewer rows than features: then S is known by its directions.
        directions, variances, rest: V of shape (d, r), l of shape (r,) and m of shape (1,), as in `fit`; the means are
            those after shift and scale.
    """

    shift: np.ndarray
    scale: np.ndarray
    means: np.ndarray
    whitening: np.ndarray | None = None
    directions: np.ndarray | None = None
    variances: np.ndarray | None = None
    rest: np.ndarray | None = None

    @classmethod
    def fit(cls, features: np.ndarray, Y: np.ndarray) -> Self:
        """Means and one covariance within the classes, in closed form.

            mu_k = sum_i y_ik h_i / sum_i y_ik,    S = sum_ik y_ik (h_i - mu_k)(h_i - mu_k)^T / n

        S is shrunk towards a multiple of the identity by the oracle approximating formula; features are standardized
        before. What never varies in training keeps its unit: a row where it does vary is strange.

        With fewer rows than features, S is known by the r directions V in which the rows vary, so that memory and time
        grow with d and not with its square:

            S = V diag(l) V^T + m (I - V V^T)          m: the mean variance in all other directions, by shrinkage

        At most 512 directions are kept, and 2^22 / d.

        `features` (n, d) are of rows that the network was trained on, Y (n, k) their label distributions.

        Raises:
            ShapeError, DataError: if shapes do not fit or a feature is not finite.
        Example:
            >>> features = np.random.default_rng(0).normal(size=(100, 3))
            >>> gaussians = Gaussians.fit(features, np.ones((100, 1)))
            >>> gaussians.whitening.shape, gaussians.means.shape
            ((3, 3), (1, 3))
            >>> Gaussians.fit(features[:2], np.ones((2, 1))).directions.shape
            (3, 1)
        """
        H, Y = finite_rows(features, "features"), np.asarray(Y, dtype=np.float64)
        if Y.ndim != 2 or len(Y) != len(H) or not len(H):
            raise ShapeError(f"Y must have a row per row of features; got {Y.shape} for features of {H.shape}.")
        n, d = H.shape
        shift, deviation = H.mean(axis=0), H.std(axis=0)
        scale = or_one(deviation, shift)
        H = H - shift
        H /= scale
        counts = Y.sum(axis=0)
        means = (Y.T @ H) / np.maximum(counts, _TINY)[:, None]
        seen = counts > 0  # a class without rows has no place to be near to
        if n < d:
            V, variances, rest = _few_directions(_residuals(H, Y, means), n)
            means = means[seen].astype(np.float32)
            return cls(shift, scale, means, directions=V, variances=variances, rest=rest)
        within = (H.T @ H - (means * counts[:, None]).T @ means) / n
        trace, squares = float(np.trace(within)), float(np.square(within).sum())
        whitening = _whitening(within, _shrinkage(trace, squares, n, d), trace / d)
        return cls(shift, scale, means[seen] @ whitening, whitening)

    def distance(self, features: np.ndarray) -> np.ndarray:
        """The squared Mahalanobis distance of each row to the nearest class, shape (n,).

        Example:
            >>> Gaussians(np.zeros(2), np.ones(2), np.zeros((1, 2)), np.eye(2)).distance(np.array([[3.0, 4.0]]))
            array([25.])
        """
        d = len(self.shift)
        if np.ndim(features) != 2 or np.shape(features)[1] != d:
            raise ShapeError(f"features must have {d} columns like those learned from; got {np.shape(features)}.")
        size = max(1, _NUMBERS // d)
        parts = [
            self._distance((finite_rows(features[at : at + size], "features", at) - self.shift) / self.scale)
            for at in range(0, max(1, len(features)), size)
        ]
        return np.concatenate(parts)

    def _distance(self, H: np.ndarray) -> np.ndarray:
        if self.whitening is not None:
            return np.maximum(_squares(H @ self.whitening, self.means).min(axis=1), 0.0)
        # (h - mu)^T S^-1 (h - mu) = |h - mu|^2 / m + sum_j (v_j^T (h - mu))^2 (1 / l_j - 1 / m)
        assert self.directions is not None
        assert self.variances is not None
        assert self.rest is not None
        V, means = self.directions, self.means.astype(np.float64)
        inside = 1 / self.variances**0.5
        along, all_of_it = _squares((H @ V) * inside, (means @ V) * inside), _squares(H, means)
        beside = np.maximum(all_of_it - _squares(H @ V, means @ V), 0.0)
        return np.maximum((along + beside / float(self.rest[0])).min(axis=1), 0.0)


def _squares(Z: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Squared distances (n, k)."""
    return np.einsum("nd,nd->n", Z, Z)[:, None] - Z @ (2 * means.T) + np.einsum("kd,kd->k", means, means)


def or_one(deviation: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """The deviation, or 1 where it is none but for rounding."""
    return np.where(deviation > 1e-7 * np.maximum(1.0, np.abs(mean)), deviation, 1.0)


def _residuals(H: np.ndarray, Y: np.ndarray, means: np.ndarray) -> np.ndarray:
    """R with R^T R = sum_ik y_ik (h_i - mu_k)(h_i - mu_k)^T = H^T A H,  A = I - Y diag(1 / counts) Y^T."""
    if np.isin(Y, (0.0, 1.0)).all():
        return H - Y @ means
    A = np.diag(Y.sum(axis=1)) - (Y / np.maximum(Y.sum(axis=0), _TINY)) @ Y.T
    values, vectors = np.linalg.eigh(A)
    return (vectors * np.sqrt(np.maximum(values, 0.0))).T @ H


def _few_directions(R: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """V, l and m of S = R^T R / n after shrinkage, from the eigenvectors U of R R^T / n: V = R^T U / sqrt(n l)."""
    d = R.shape[1]
    values, left = np.linalg.eigh(R @ R.T / n)
    values, left = np.maximum(values[::-1], 0.0), left[:, ::-1]
    trace = float(values.sum())
    count = min(_MOST_DIRECTIONS, max(1, _NUMBERS // d), int((values > 1e-10 * values[0]).sum()))
    kept = values[:count]
    V = R.T @ (left[:, :count] / np.sqrt(n * kept))
    rate = _shrinkage(trace, float(np.square(values).sum()), n, d)
    rest = max(0.0, trace - float(kept.sum())) / (d - count)
    shrunk = _shrunk(np.append(kept, rest), rate, trace / d)
    return V.astype(np.float32), shrunk[:-1], shrunk[-1:]


def _whitening(within: np.ndarray, rate: float, mean: float) -> np.ndarray:
    """W with W W^T = S^-1 for the shrunk S: L^-T of S = L L^T, or from its eigenvalues where rounding hides them."""
    from scipy.linalg import LinAlgError, cholesky, solve_triangular  # as late as here: it takes a moment to load

    identity = np.eye(len(within))
    if mean <= _NOTHING:
        return identity
    try:
        L = cholesky((1 - rate) * within + rate * mean * identity, lower=True)
    except LinAlgError:
        values, directions = np.linalg.eigh(within)
        return directions / np.sqrt(_shrunk(values, rate, mean))
    return solve_triangular(L, identity, lower=True).T


def _shrunk(values: np.ndarray, rate: float, mean: float) -> np.ndarray:
    """The eigenvalues of (1 - r) S + r mean I; all 1 where nothing varies."""
    if mean <= _NOTHING:
        return np.ones_like(values)
    return np.maximum((1 - rate) * values + rate * mean, _TINY)


def _shrinkage(trace: float, squares: float, n: int, d: int) -> float:
    """The oracle approximating r of (1 - r) S + r (tr S / d) I, from tr S and the sum of the squares of S."""
    gap = (n + 1 - 2 / d) * (squares - trace**2 / d)
    return 1.0 if gap <= 0 else min(1.0, ((1 - 2 / d) * squares + trace**2) / gap)
