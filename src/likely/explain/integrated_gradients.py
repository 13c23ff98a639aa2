"""Integrated gradients: the derivative, added up on the straight way from a neutral input to the one explained.

    c_i = (x_i - x'_i) * integral from 0 to 1 of df/dx_i (x' + a (x - x')) da,     sum_i c_i = f(x) - f(x')

The sum is exact for the integral (completeness); the steps are doubled until it holds for what is computed.

Reference: Sundararajan, Taly and Yan (2017), arXiv 1703.01365.
"""

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

Slopes = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From inputs (n, ...) to the number that is explained (n,) and its derivative with respect to each of them."""

_FEWEST, _MOST = 16, 1024
_AT_ONCE = 128


def integrated_gradients(x: np.ndarray, neutral: np.ndarray, slopes: Slopes, tolerance: float) -> np.ndarray:
    """What each input contributes to f(x) - f(neutral), in the shape of x, float64.

    Args:
        x: one input.
        neutral: another one in its shape, from which the way starts.
        slopes: the number f at inputs, and its derivatives.
        tolerance: by how much the sum may miss f(x) - f(neutral), if 1,024 steps suffice for it.
    Example:
        >>> def square(x):
        ...     return (x**2).sum(axis=1), 2 * x
        >>> integrated_gradients(np.array([1.0, 3.0]), np.zeros(2), square, 1e-6)
        array([1., 9.])
    """
    way = x.astype(np.float64) - neutral
    start, end = slopes(np.stack([neutral, x]))[0]
    steps = _FEWEST
    while True:
        contributions = way * _mean_slope(neutral, way, slopes, steps, x.dtype)
        if abs(contributions.sum() - (end - start)) <= tolerance or steps >= _MOST:
            return contributions
        steps *= 2


def in_squares(contributions: np.ndarray, side: int) -> np.ndarray:
    """The sum of the contributions in the square of this side around each pixel: single pixels say nothing to people.

    Example:
        >>> in_squares(np.array([[0.0, 0.0, 3.0], [0.0, 0.0, 0.0]]), 3)
        array([[0., 3., 3.],
               [0., 3., 3.]])
    """
    padded = np.pad(contributions, (side // 2, (side - 1) // 2))
    return sliding_window_view(padded, (side, side)).sum(axis=(2, 3))


def _mean_slope(neutral: np.ndarray, way: np.ndarray, slopes: Slopes, steps: int, dtype: np.dtype) -> np.ndarray:
    """The mean of the derivatives on the way, by Gauss and Legendre's rule on stretches of 16 points."""
    nodes, weights = np.polynomial.legendre.leggauss(_FEWEST)
    stretches = steps // _FEWEST
    at = ((np.arange(stretches)[:, None] + (nodes + 1) / 2) / stretches).ravel()
    shares = np.tile(weights / 2 / stretches, stretches)
    total = np.zeros_like(way)
    for begin in range(0, steps, _AT_ONCE):
        some = slice(begin, begin + _AT_ONCE)
        points = neutral + at[some].reshape(-1, *[1] * way.ndim) * way
        total += np.tensordot(shares[some], slopes(points.astype(dtype))[1].astype(np.float64), axes=1)
    return total
