"""Convex problems, solved: L-BFGS on the mean loss over all rows, with an L2 penalty that is lowered step by step.

    L(theta) = 1/n sum_i loss(y_i, head(theta^T x-bar_i)) + lambda/2 ||W||^2,    theta = (bias; W)

The penalty spares the bias. Where rows can be separated there is no minimum without it. Each minimum is the start of
the next, weaker penalty, so that the whole path costs little more than its end.

L-BFGS learns curvature from the gradients that it has seen. What is known of it beforehand spares most steps: for
scores of frequencies f_k and inputs with covariance V diag(s) V^T it is about f_k (1 - f_k) s_j + lambda along the
direction j for the class k. So the search runs in coordinates B with W = P B in which all of these are 1.

Reference: Liu and Nocedal (1989), On the limited memory BFGS method for large scale optimization.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

LossAndGradient = Callable[[np.ndarray], tuple[float, np.ndarray]]
"""theta (d + 1, k) -> the mean loss over all rows, and its gradient, shape (d + 1, k)."""

_MOST_DIRECTIONS = 256  # of the 784 of Fashion-MNIST: as many passes over the rows as with all of them, each cheaper
_MOST_COLUMNS = 1_000
_MOST_ROWS = 5_000
_PAIRS = 10
_LEAST_CURVATURE = 1e-4


@dataclass(frozen=True)
class Spectrum:
    """Where inputs lie: their mean (d,), and the directions (d, r) in which they vary most, with variances (r,).

    `rest` is the mean variance in all other directions, `variance` that of an input on average.
    """

    mean: np.ndarray
    directions: np.ndarray
    variances: np.ndarray
    rest: float
    variance: float

    @classmethod
    def of(cls, X: np.ndarray) -> "Spectrum":
        """That of the inputs X, shape (n, d), from at most 5,000 of their rows: those of the 256 largest variances.

        Example:
            >>> X = np.array([[1.0, 5.0], [-1.0, 5.0]])
            >>> found = Spectrum.of(X)
            >>> found.mean, found.variances.max(), found.variance
            (array([0., 5.]), np.float64(1.0), 0.5)
        """
        from scipy.linalg import eigh  # as late as SciPy's L-BFGS

        d = X.shape[1]
        most = _MOST_ROWS if d <= _MOST_COLUMNS else _MOST_COLUMNS
        some = X[np.linspace(0, len(X) - 1, min(most, len(X))).astype(np.int64)]
        mean = some.mean(axis=0, dtype=np.float64)
        Z = (some - mean).astype(some.dtype)
        # Z = U S V^T: where it has few rows, Z Z^T = U S^2 U^T is smaller than Z^T Z, and V = Z^T U / S.
        products = (Z.T @ Z if len(Z) >= d else Z @ Z.T) / len(Z)
        total = float(np.trace(products))
        largest = (max(0, len(products) - _MOST_DIRECTIONS), len(products) - 1)
        if len(Z) >= d:
            variances, directions = eigh(products, subset_by_index=largest)
        else:
            squares, left = eigh(products, subset_by_index=largest)
            kept = squares > 1e-6 * max(squares[-1], np.finfo(Z.dtype).tiny)
            variances = squares[kept]
            directions = Z.T @ (left[:, kept] / np.sqrt(len(Z) * variances))
        variances = np.maximum(variances, 0.0).astype(np.float64)
        others = d - len(variances)
        rest = max(0.0, total - float(variances.sum())) / others if others else 0.0
        return cls(mean, directions, variances, rest, total / d)


@dataclass(frozen=True)
class _Coordinates:
    """theta = (bias; W) from coordinates in which the loss is about equally curved in all directions."""

    spectrum: Spectrum
    bias: np.ndarray  # (k,)
    sizes: np.ndarray  # (r, k)
    rest: np.ndarray  # (k,)

    @classmethod
    def at(cls, spectrum: Spectrum, frequencies: np.ndarray, penalty: float) -> "_Coordinates":
        curvature = np.maximum(frequencies * (1 - frequencies), _LEAST_CURVATURE)
        floor = max(penalty, 1e-7 * spectrum.variance, np.finfo(np.float64).tiny)
        sizes = 1 / np.sqrt(spectrum.variances[:, None] * curvature + floor)
        return cls(spectrum, 1 / np.sqrt(curvature), sizes, 1 / np.sqrt(spectrum.rest * curvature + floor))

    def theta(self, B: np.ndarray) -> np.ndarray:
        W = self._scaled(B[1:], self.sizes, self.rest)
        return np.concatenate([(self.bias * B[0] - self.spectrum.mean @ W)[None], W])

    def inverse(self, theta: np.ndarray) -> np.ndarray:
        B = self._scaled(theta[1:], 1 / self.sizes, 1 / self.rest)
        return np.concatenate([((theta[0] + self.spectrum.mean @ theta[1:]) / self.bias)[None], B])

    def gradient(self, J: np.ndarray) -> np.ndarray:
        """dL/dB from dL/dtheta."""
        through_bias = J[1:] - self.spectrum.mean[:, None] * J[0]
        return np.concatenate([(self.bias * J[0])[None], self._scaled(through_bias, self.sizes, self.rest)])

    def _scaled(self, B: np.ndarray, sizes: np.ndarray, rest: np.ndarray) -> np.ndarray:
        V = self.spectrum.directions
        inside = (V.T @ B.astype(V.dtype)).astype(np.float64)
        if len(V) == V.shape[1]:
            return V @ (sizes * inside).astype(V.dtype)
        return rest * B + V @ ((sizes - rest) * inside).astype(V.dtype)


def solve(
    loss_and_gradient: LossAndGradient,
    theta: np.ndarray,
    *,
    penalty: float,
    spectrum: Spectrum,
    frequencies: np.ndarray,
    passes: int = 1_000,
    tolerance: float = 1e-7,
    on_step: Callable[[np.ndarray, float, int], bool] = lambda theta, loss, passes: False,
) -> tuple[np.ndarray, float, int]:
    """The theta with the least mean loss + penalty/2 ||W||^2, W being theta without its first row, the bias.

    Args:
        loss_and_gradient: of the mean loss without the penalty.
        theta: where to start, shape (d + 1, k).
        penalty: lambda, not negative. With 0 there need not be a minimum.
        spectrum: of the inputs.
        frequencies: of the classes, shape (k,).
        passes: over the rows at most.
        tolerance: ends where a step lowers the loss by less, relative to the loss or 1, whichever is larger.
        on_step: takes theta, its mean loss without the penalty, and the passes so far; True ends the search.
    Returns:
        theta in float64, its mean loss without the penalty, and the passes over the rows that it took.
    Example:
        A biased coin has no inputs that matter; its bias is the log odds.

        >>> from likely.functional.heads import softmax
        >>> X, Y = np.zeros((4, 1)), np.eye(2)[[0, 0, 0, 1]]
        >>> def of_coin(theta):
        ...     p = softmax(theta[:1])
        ...     return float(-(Y @ np.log(p[0])).mean()), np.concatenate([p - Y.mean(axis=0), np.zeros((1, 2))])
        >>> theta, loss, _ = solve(
        ...     of_coin, np.zeros((2, 2)), penalty=0.1, spectrum=Spectrum.of(X), frequencies=Y.mean(axis=0)
        ... )
        >>> softmax(theta[0]).round(3)
        array([0.75, 0.25])
    """
    from scipy.optimize import minimize  # takes a moment to load, which other networks need not wait for

    coordinates, shape = _Coordinates.at(spectrum, frequencies, penalty), theta.shape
    tried: list[tuple[np.ndarray, float]] = []  # what was evaluated last, and
    reached: list[tuple[np.ndarray, float]] = []  # where the search stands: a step ends where it was evaluated last
    taken = 0

    def penalized(flat: np.ndarray) -> tuple[float, np.ndarray]:
        nonlocal taken
        at = coordinates.theta(flat.reshape(shape))
        loss, J = loss_and_gradient(at)
        taken += 1
        tried[:] = [(at, loss)]
        if not reached:
            reached[:] = tried
        W = at[1:]
        slope = coordinates.gradient(np.concatenate([J[:1], J[1:] + penalty * W]))
        return loss + penalty / 2 * float(np.square(W).sum()), slope.ravel()

    def stepped(flat: np.ndarray) -> None:
        del flat
        reached[:] = tried
        if on_step(*reached[0], taken):
            raise StopIteration

    minimize(
        penalized,
        coordinates.inverse(theta).ravel(),
        jac=True,
        method="L-BFGS-B",
        callback=stepped,
        options={"maxiter": passes, "maxfun": passes, "maxcor": _PAIRS, "ftol": tolerance, "gtol": 1e-9},
    )
    return *reached[0], taken
