"""Entropy, cross-entropy and KL divergence of distributions, in nats, in any array library.

KL(p || q) = H(p, q) - H(p): the cross-entropy of labels p and answers q is their divergence plus the entropy of the
labels, which no answer can change. Division by ln 2 gives bits, by ln 10 base-10 units.
"""

from typing import Any

import numpy as np

from likely.arrays import Array, namespace
from likely.errors import ShapeError
from likely.probability.simplex import check_probabilities
from likely.probability.space import SampleSpace, check_same_space


def entropy(p: Array) -> Array:
    """How uncertain a distribution is, in nats: 0 if one outcome is certain, log k if all k are equally likely.

    H(p) = -sum_k p_k log p_k, with 0 log 0 = 0.

    Args:
        p: distributions on the last axis, shape (..., k), or a Distribution.
    Raises:
        ShapeError: if p has no axis.
        ProbabilityError: if NumPy values or lists are not probabilities. Arrays of other libraries may be traced or
            far away, so that only their shapes are checked.
    Example:
        >>> entropy(np.array([[0.5, 0.5], [1.0, 0.0]])).round(4)
        array([0.6931, 0.    ])

    Reference: Cover and Thomas, Elements of Information Theory, ch. 2.
    """
    xp, (p,) = _distributions(p)
    return 0.0 - xp.sum(_times_log(xp, p, p), axis=-1)


def cross_entropy(p: Array, q: Array) -> Array:
    """The cost in nats of believing q when p is the truth.

    H(p, q) = -sum_k p_k log q_k = H(p) + KL(p || q), with 0 log 0 = 0; infinite where q = 0 < p.

    Args:
        p, q: the true and the believed distributions, such as labels and answers, on the last axis, shape (..., k), or
            Distributions; shapes that broadcast.
    Raises:
        ShapeError: if the numbers of outcomes differ or the shapes do not broadcast.
        SpaceMismatchError: if both are Distributions, over different spaces.
        ProbabilityError: as `entropy`.
    Example:
        >>> in_nats = cross_entropy([1, 0], [0.6, 0.4])
        >>> print(in_nats.round(4), (in_nats / np.log(10)).round(4))
        0.5108 0.2218

    Reference: Cover and Thomas, Elements of Information Theory, ch. 2.
    """
    xp, (p, q) = _distributions(p, q)
    return 0.0 - xp.sum(_times_log(xp, p, q), axis=-1)


def kl_divergence(p: Array, q: Array) -> Array:
    """How far belief q is from truth p, in nats: 0 if and only if they are equal; not symmetric.

    KL(p || q) = sum_k p_k (log p_k - log q_k) = H(p, q) - H(p), with 0 log 0 = 0; infinite where q = 0 < p.

    Arguments, shapes and errors are those of `cross_entropy`; the values, shape (...,), are never negative.

    Example:
        >>> kl_divergence(np.array([[0.5, 0.5], [0.5, 0.5]]), np.array([[0.5, 0.5], [1.0, 0.0]]))
        array([ 0., inf])

    Reference: Kullback and Leibler, On Information and Sufficiency, 1951.
    """
    xp, (p, q) = _distributions(p, q)
    total = xp.sum(_times_log(xp, p, p) - _times_log(xp, p, q), axis=-1)
    # Rounding can leave -1e-17. `where` keeps the whole gradient at exactly 0, which `maximum` would halve.
    return xp.where(total < 0, xp.zeros_like(total), total)


def _times_log(xp: Any, p: Array, q: Array) -> Array:
    """p log q with 0 log 0 = 0, and -inf where q = 0 < p, without a warning and with finite gradients."""
    zero = q == 0
    product = p * xp.log(xp.where(zero, xp.ones_like(q), q))
    return xp.where(zero & (p > 0), xp.full_like(product, -float("inf")), product)


def _distributions(*inputs: Any) -> tuple[Any, list[Array]]:
    spaces = [x.space if isinstance(getattr(x, "space", None), SampleSpace) else None for x in inputs]
    named = [space for space in spaces if space is not None]
    if len(named) == 2:
        check_same_space(*named)
    # Lists and Distributions follow the library of the arrays beside them.
    xp = namespace(*(x for x, space in zip(inputs, spaces, strict=True) if space is None))
    arrays = [_array(xp, x) for x in inputs]
    _check_shapes([tuple(x.shape) for x in arrays])
    for i, (x, space) in enumerate(zip(arrays, spaces, strict=True)):
        if space is not None:  # a Distribution was checked when it was made
            continue
        if isinstance(x, np.ndarray):
            rows = x.reshape(-1, x.shape[-1]) if x.ndim > 2 else x
            arrays[i] = check_probabilities(rows, what="pq"[i]).reshape(x.shape)
        else:  # one-hot labels may be integers, which have no logarithm in every library
            arrays[i] = x * 1.0
    return xp, arrays


def _array(xp: Any, x: Any) -> Array:
    if isinstance(getattr(x, "space", None), SampleSpace):
        # torch warns of read-only arrays, which it could not keep read-only.
        return x.probs if xp is namespace() else xp.asarray(x.probs.copy())
    if hasattr(x, "__array_namespace__") or hasattr(x, "detach"):
        return x
    try:
        return xp.asarray(x)
    except ValueError as error:
        raise ShapeError("p and q must be rectangular arrays; got rows of unequal length.") from error


def _check_shapes(shapes: list[tuple[int, ...]]) -> None:
    for name, shape in zip("pq", shapes, strict=False):
        if not shape or shape[-1] == 0:
            raise ShapeError(f"{name} must have its k >= 1 outcomes on the last axis; got shape {shape}.")
    counts = {shape[-1] for shape in shapes}
    if len(counts) > 1:
        raise ShapeError(
            f"p and q must have the same outcomes on the last axis; got shapes {shapes[0]} and {shapes[1]}."
        )
    try:
        np.broadcast_shapes(*shapes)
    except ValueError as error:
        raise ShapeError(
            f"p and q must have equal shapes or shapes that broadcast; got {shapes[0]} and {shapes[1]}. "
            "The batch axis comes first."
        ) from error
