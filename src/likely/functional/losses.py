"""What training lowers: one value per example, never reduced here."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from likely.arrays import Array, namespace
from likely.config.registry import HEADS
from likely.errors import ShapeError
from likely.functional.heads import L1_PROBABILITY_FLOOR, floats, log_softmax

CUSTOM = "custom"
"""The name of every loss of the user's in a card."""
_HUGE = 1e6  # a loss from which on it may be that a score of -inf stands for an impossible label


def softmax_cross_entropy(labels: Array, scores: Array) -> Array:
    """Cost in nats of believing softmax(scores) when labels are the truth: H(p, q) = -sum_k p_k log q_k.

    Its gradient with respect to the scores is q sum_k p_k - p, that is softmax(scores) - labels.

    Args:
        labels, scores: true distributions with sum 1, and real numbers before the head, shape (n, k) each.
    Returns:
        One value per example, shape (n,), in nats; infinity where a label has a score of -inf, which makes it
        impossible.
    Raises:
        ShapeError: if the shapes differ.
    Example:
        >>> softmax_cross_entropy(np.array([[1.0, 0.0]]), np.array([[0.0, 0.0]])).round(4)
        array([0.6931])

    Reference: Cover and Thomas, Elements of Information Theory, ch. 2.
    """
    xp, labels, scores = namespace(labels, scores), floats(labels), floats(scores)
    _check_shapes("labels", labels, "scores", scores)
    values = -xp.sum(labels * log_softmax(scores), axis=-1)
    impossible = xp.any((labels > 0) & (scores == -math.inf), axis=-1)
    return xp.where(impossible, xp.full_like(values, math.inf), values)


def squared_error(targets: Array, outputs: Array) -> Array:
    """The squared Euclidean distance between outputs and targets, both (n, k): sum_k (f_k - y_k)^2, shape (n,).

    Its gradient with respect to the outputs is 2 (f - y).

    Raises:
        ShapeError: if the shapes differ.
    Example:
        >>> squared_error(np.array([[1.0, 0.0]]), np.array([[0.6, 0.4]])).round(4)
        array([0.32])
    """
    xp, targets, outputs = namespace(targets, outputs), floats(targets), floats(outputs)
    _check_shapes("targets", targets, "outputs", outputs)
    difference = outputs - targets
    return xp.sum(difference * difference, axis=-1)


@dataclass(frozen=True)
class Loss:
    """A loss as a row of `LOSSES`, applied through a head.

    Args:
        values: (head name, labels (n, k), scores (n, k)) -> one value per example (n,).
        with_gradient: the same -> the values and, by hand, the gradient of each with respect to its scores, (n, k):
            what both need is computed once. None leaves it to torch or JAX.
        of_distributions: whether it can follow only heads whose outputs are distributions.
    """

    name: str
    values: Callable[[str, Array, Array], Array]
    with_gradient: Callable[[str, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]] | None
    of_distributions: bool = True

    @property
    def heads(self) -> tuple[str, ...]:
        """The heads that it can follow."""
        return tuple(name for name, head in HEADS.items() if head.on_simplex or not self.of_distributions)


def _cross_entropy(head: str, labels: Array, scores: Array) -> Array:
    if head == "softmax":
        return softmax_cross_entropy(labels, scores)
    _check_shapes("labels", labels, "scores", scores)
    return -namespace(labels, scores).sum(labels * HEADS[head].log_probs(scores), axis=-1)


def _cross_entropy_with_gradient(head: str, labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    _check_shapes("labels", labels, "scores", scores)
    # Class by class in memory: sums over a few classes within each of many rows take NumPy several times as long.
    p, x = np.ascontiguousarray(labels.T), np.ascontiguousarray(scores.T)
    log_q = HEADS[head].log_probs(x, axis=0)
    values = -(p * log_q).sum(axis=0)
    if head == "softmax":
        if values.max(initial=0.0) > _HUGE:
            values[((p > 0) & (x == -np.inf)).any(axis=0)] = np.inf
        # dH/dx = q sum_k p_k - p: the Jacobian diag(q) - q q^T times -p / q, where everything else cancels.
        return values, (np.exp(log_q) * p.sum(axis=0) - p).T
    # dH/dq_k = -p_k / q_k, and 0 where the log form is floored, since it is flat there.
    probs = HEADS[head].probs(scores)
    floored = probs <= L1_PROBABILITY_FLOOR
    upstream = np.where(floored, 0, -labels / np.where(floored, 1, probs))
    return values, HEADS[head].backward(scores, probs, upstream)


def _squared(head: str, targets: Array, scores: Array) -> Array:
    return squared_error(targets, HEADS[head].probs(scores))


def _squared_with_gradient(head: str, targets: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    outputs = HEADS[head].probs(scores)
    gradient = HEADS[head].backward(scores, outputs, 2 * (outputs - targets))
    return squared_error(targets, outputs), gradient


def custom_loss(function: Callable[[Array, Array], Array]) -> Loss:
    """A function of labels (n, k) and scores (n, k) to one value per row, (n,), as a loss that torch or JAX
    differentiates.

    Raises:
        ShapeError: when it is called, if it does not give one value per row.
    Example:
        >>> custom_loss(lambda labels, scores: (labels - scores) ** 2).values("softmax", np.eye(2), np.eye(2))
        Traceback (most recent call last):
        likely.errors.ShapeError: The loss must give one value per row, shape (2,); got (2, 2). ...
    """

    def values(head: str, labels: Array, scores: Array) -> Array:
        del head
        found = function(labels, scores)
        if tuple(getattr(found, "shape", ())) != (len(labels),):
            raise ShapeError(
                f"The loss must give one value per row, shape ({len(labels)},); got "
                f"{tuple(getattr(found, 'shape', ()))}. The mean over the rows is taken later. Try a sum over axis 1."
            )
        return found

    return Loss(CUSTOM, values, None, of_distributions=False)


CROSS_ENTROPY = Loss("cross_entropy", _cross_entropy, _cross_entropy_with_gradient)
SQUARED_ERROR = Loss("squared_error", _squared, _squared_with_gradient, of_distributions=False)


def _check_shapes(left_name: str, left: Array, right_name: str, right: Array) -> None:
    if left.shape != right.shape:
        raise ShapeError(
            f"{left_name} must have the shape of {right_name}; got {tuple(left.shape)} and {tuple(right.shape)}. "
            "Each example needs one number per output. Try one_hot for class numbers."
        )
