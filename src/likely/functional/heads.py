"""From scores to the simplex: softmax, and division by the L1 norm.

A head is a function g: R^k -> the simplex of probabilities. For training by hand each head also knows its
vector-Jacobian product: from the gradient with respect to its outputs to the one with respect to its scores.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from likely.arrays import Array, namespace
from likely.errors import ConfigError
from likely.networks.activations import sigmoid

L1_PROBABILITY_FLOOR = 1e-12
"""Division by the L1 norm can give exactly 0, whose logarithm no loss survives; its log form is floored here."""


def floats(x: Array) -> Array:
    """The same numbers as floats of their library; floats keep their dtype. Small integers overflow in sums.

    Example:
        >>> floats(np.array([0, 255], np.uint8)) - 1
        array([ -1., 254.])
    """
    if isinstance(x, np.ndarray) and x.dtype.kind == "f":  # at once: this is asked in every step
        return x
    xp = namespace(x)
    x = x if hasattr(x, "dtype") else xp.asarray(x)
    return x if xp.isdtype(x.dtype, "real floating") else xp.astype(x, xp.asarray(0.0).dtype)


def softmax(scores: Array, axis: int = -1) -> Array:
    """Probabilities proportional to the exponentials of the scores.

    softmax(x)_i = exp(x_i) / sum_j exp(x_j), computed with the largest score subtracted, which changes nothing
    (softmax(x + c) = softmax(x)) and cannot overflow.

    Args:
        scores: real numbers of any shape. A score of -inf gives probability 0; a slice with NaN or +inf, or of -inf
            alone, has no probabilities and gives NaN.
        axis: along which the results sum to 1.
    Returns:
        The shape of `scores`; each slice along the axis lies on the simplex.
    Example:
        >>> softmax(np.array([0.0, np.log(3.0)])).round(4)
        array([0.25, 0.75])

    Reference: Bridle, Probabilistic Interpretation of Feedforward Classification Network Outputs (1990).
    """
    xp = namespace(scores)
    exponentials = xp.exp(_below_largest(scores, axis))
    return exponentials / xp.sum(exponentials, axis=axis, keepdims=True)


def log_softmax(scores: Array, axis: int = -1) -> Array:
    """log softmax(scores) in nats, exact also where softmax rounds to 0.

    log softmax(x)_i = x_i - m - log sum_j exp(x_j - m),  m = max x.

    Returns:
        The shape of `scores`, in nats; NaN where softmax is, and never -inf: the most negative number of the dtype
        stands for it.
    Example:
        >>> log_softmax(np.array([0.0, 1000.0]))
        array([-1000.,     0.])
    """
    xp = namespace(scores)
    shifted = _below_largest(scores, axis)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=axis, keepdims=True))


def _below_largest(scores: Array, axis: int) -> Array:
    """x - max x, at least the most negative finite number, since 0 times -inf would be no number."""
    xp, scores = namespace(scores), floats(scores)
    # The difference of two huge numbers overflows, that of their halves does not.
    halves = 0.5 * scores - 0.5 * xp.max(scores, axis=axis, keepdims=True)
    lowest = 0.5 * float(xp.finfo(scores.dtype).min)
    # NaN compares as false and so stays NaN: a run that diverges must show it.
    return 2 * xp.where(halves < lowest, lowest, halves)


def l1_normalize(x: Array, axis: int = -1) -> Array:
    """Sizes divided by their sum: the distance from 0 of each score, as a share.

    g(x)_i = |x_i| / sum_j |x_j|; the zero vector gives the uniform distribution. For scores that are all positive this
    is x / sum x; the absolute values make a distribution of negative ones too.

    Args:
        x: real numbers of any shape. A slice with NaN or an infinite number gives NaN.
        axis: along which the results sum to 1.
    Example:
        >>> l1_normalize(np.array([1.0, -3.0]))
        array([0.25, 0.75])
    """
    xp = namespace(x)
    sizes = xp.abs(floats(x))
    largest = xp.max(sizes, axis=axis, keepdims=True)
    # XLA divides by multiplying with the reciprocal, which for the hugest numbers underflows to 0.
    shrink = xp.where(largest > 1, xp.full_like(largest, 0.125), xp.ones_like(largest))
    sizes, largest = shrink * sizes, shrink * largest
    # Dividing by the largest first keeps the sum of huge numbers finite.
    zero = largest == 0
    scaled = xp.where(zero, xp.ones_like(sizes), sizes / xp.where(zero, xp.ones_like(largest), largest))
    return scaled / xp.sum(scaled, axis=axis, keepdims=True)


def log_l1_normalize(x: Array, axis: int = -1) -> Array:
    """log l1_normalize(x) in nats, floored at log 1e-12."""
    xp = namespace(x)
    probs = l1_normalize(x, axis=axis)
    return xp.log(xp.where(probs < L1_PROBABILITY_FLOOR, L1_PROBABILITY_FLOOR, probs))


def softmax_jacobian(probs: Array) -> Array:
    """The derivative of softmax: d s_i / d x_j = s_i (delta_ij - s_j), that is diag(s) - s s^T.

    For s = softmax(x) of shape (..., k) it has shape (..., k, k), is symmetric, and each row sums to 0.

    Example:
        >>> softmax_jacobian(np.array([0.6, 0.4]))
        array([[ 0.24, -0.24],
               [-0.24,  0.24]])
    """
    xp = namespace(probs)
    eye = xp.eye(probs.shape[-1], dtype=probs.dtype)
    return probs[..., :, None] * (eye - probs[..., None, :])


@dataclass(frozen=True)
class Head:
    """A head as a row of `HEADS`: forward, log form, and the way back by hand.

    `probs` makes outputs of scores, `log_probs` (with an axis) their logarithms in nats, and `backward`, of scores,
    outputs and the gradient with respect to these, the one with respect to scores. Cross-entropy needs outputs on the
    simplex.
    """

    name: str
    probs: Callable[[Array], Array]
    log_probs: Callable[..., Array]
    backward: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
    on_simplex: bool = True


def _l1_backward(scores: np.ndarray, probs: np.ndarray, upstream: np.ndarray) -> np.ndarray:
    """d p_i / d x_j = sign(x_j) (delta_ij - p_i) / sum |x|; 0 at the zero vector."""
    total = np.abs(scores).sum(axis=-1, keepdims=True)
    safe = np.where(total > 0, total, np.ones_like(total))
    return np.sign(scores) * (upstream - (probs * upstream).sum(axis=-1, keepdims=True)) / safe


def _no_log(scores: Array, axis: int = -1) -> Array:
    del axis
    raise ConfigError(
        "A head must map to the simplex for its logarithms to be log probabilities; got 'identity' or 'sigmoid', "
        f"for scores of shape {tuple(scores.shape)}. Try head='softmax'."
    )


# (diag(s) - s s^T) u = s (u - s^T u), without making the matrix
SOFTMAX = Head("softmax", softmax, log_softmax, lambda x, s, u: s * (u - (s * u).sum(axis=-1, keepdims=True)))
L1 = Head("l1", l1_normalize, log_l1_normalize, _l1_backward)
# sigma'(z) = sigma(z) (1 - sigma(z)), for each output on its own
SIGMOID = Head("sigmoid", sigmoid, _no_log, lambda z, s, u: s * (1 - s) * u, on_simplex=False)
IDENTITY = Head("identity", lambda scores: scores, _no_log, lambda x, outputs, u: u, on_simplex=False)
