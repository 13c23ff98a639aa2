"""How much each of several answers counts in their mean: non-negative weights with sum 1 that lower a loss."""

import numpy as np

from likely.arrays import Weights

_STEPS = 200
_TINY = 1e-300


def mixture_weights(log_probs: np.ndarray, Y: np.ndarray, weights: Weights = None) -> np.ndarray:
    """The weights of a mixture of distributions with the least cross-entropy, shape (m,).

        min_a  -sum_i w_i sum_k y_ik log sum_m a_m p_mik,     a >= 0, sum a = 1

    The problem is convex; each step of expectation maximization lowers it.

    `log_probs` (m, n, k) are of each row by each of m models, Y (n, k) label distributions, and `weights` (n,) how much
    each row counts; None counts all alike.

    Example:
        >>> sure, vague = np.log([[0.9, 0.1], [0.9, 0.1]]), np.log([[0.5, 0.5], [0.5, 0.5]])
        >>> mixture_weights(np.stack([sure, vague]), np.array([[1.0, 0.0], [1.0, 0.0]])).round(3)
        array([1., 0.])

    Reference: Dempster, Laird and Rubin (1977), Maximum likelihood from incomplete data via the EM algorithm.
    """
    row, label = np.nonzero(Y)
    counted = Y[row, label] * (1.0 if weights is None else weights[row])
    probs = np.exp(log_probs[:, row, label].astype(np.float64))
    a = np.full(len(probs), 1 / len(probs))
    for _ in range(_STEPS):
        a = a * ((probs / np.maximum(a @ probs, _TINY)) @ counted)
        a = a / a.sum()
    return a


def mean_weights(predictions: np.ndarray, Y: np.ndarray, weights: Weights = None) -> np.ndarray:
    """The weights of a mean of predictions with the least squared error, shape (m,).

        min_a  sum_i w_i |sum_m a_m f_mi - y_i|^2,     a >= 0, sum a = 1

    `predictions` (m, n, t) are of each row by each of m models, Y (n, t) the truth; weights as in `mixture_weights`.

    Example:
        >>> mean_weights(np.array([[[0.0], [2.0]], [[4.0], [6.0]]]), np.array([[1.0], [3.0]])).round(3)
        array([0.75, 0.25])
    """
    from scipy.optimize import nnls  # as late as here: it takes a moment to load

    root = np.ones((len(Y), 1)) if weights is None else np.sqrt(weights)[:, None]
    errors = ((predictions - Y) * root).reshape(len(predictions), -1).T
    scale = max(float(np.abs(errors).max()), _TINY)
    # min |E a| with sum a = 1 has the direction of min |E a|^2 + |sum a - 1|^2.
    A = np.concatenate([errors / scale, np.ones((1, errors.shape[1]))])
    a, _ = nnls(A, np.append(np.zeros(len(errors)), 1.0))
    return a / a.sum()


def mixed_log_probs(log_probs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """log sum_m a_m p_m of distributions (m, n, k), shape (n, k).

    Example:
        >>> np.exp(mixed_log_probs(np.log([[[0.5, 0.5]], [[0.9, 0.1]]]), np.array([0.5, 0.5]))).round(3)
        array([[0.7, 0.3]])
    """
    with np.errstate(divide="ignore"):
        return np.logaddexp.reduce(log_probs + np.log(weights)[:, None, None], axis=0)
