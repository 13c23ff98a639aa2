"""Activation functions, each with its derivative by hand."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from likely.arrays import Array, namespace

_GELU_A = math.sqrt(2 / math.pi)
_GELU_B = 0.044715


def sigmoid(z: Array) -> Array:
    """A soft step from 0 to 1: sigma(z) = 1 / (1 + exp(-z)) = (1 + tanh(z / 2)) / 2, which cannot overflow.

    Example:
        >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
        array([0. , 0.5, 1. ])
    """
    return 0.5 * namespace(z).tanh(0.5 * z) + 0.5


def heaviside(z: Array) -> Array:
    """The hard step: 1 where z > 0, else 0.

    Its derivative is 0 everywhere but at 0, where there is none: gradient descent learns nothing through it. That is
    why networks use the sigmoid in its place.

    Example:
        >>> heaviside(np.array([-2.0, 0.0, 3.0]))
        array([0., 0., 1.])
    """
    xp = namespace(z)
    return xp.astype(z > 0, z.dtype)


def relu(z: Array) -> Array:
    """max(z, 0).

    Example:
        >>> relu(np.array([-2.0, 3.0]))
        array([0., 3.])
    """
    if isinstance(z, np.ndarray):
        return np.maximum(z, 0)  # a fraction of the time of a choice; NaN stays NaN: a run that diverges must show it
    xp = namespace(z)
    # The derivative at 0 is 0, as by hand; that of a maximum would be 1/2.
    return xp.where(z <= 0, xp.zeros_like(z), z)


def tanh(z: Array) -> Array:
    """The hyperbolic tangent, a soft step from -1 to 1.

    Example:
        >>> tanh(np.array([0.0, 1000.0]))
        array([0., 1.])
    """
    return namespace(z).tanh(z)


def gelu(z: Array) -> Array:
    """The Gaussian error linear unit in its tanh form: z / 2 (1 + tanh(sqrt(2 / pi) (z + 0.044715 z^3))).

    Example:
        >>> gelu(np.array([0.0, 1.0])).round(4)
        array([0.    , 0.8412])

    Reference: Hendrycks and Gimpel, Gaussian Error Linear Units, arXiv 1606.08415.
    """
    return 0.5 * z * (1 + namespace(z).tanh(_GELU_A * (z + _GELU_B * (z * z * z))))


@dataclass(frozen=True)
class Activation:
    """An activation as a row of `ACTIVATIONS`: z -> a, and (z, a) -> da/dz by hand; None where useless for learning."""

    name: str
    value: Callable[[Array], Array]
    derivative: Callable[[np.ndarray, np.ndarray], np.ndarray] | None


def _gelu_derivative(z: np.ndarray, a: np.ndarray) -> np.ndarray:
    """p + 2 a (1 - p) sqrt(2 / pi) (1 + 3 * 0.044715 z^2),  p = (1 + the tanh in the formula) / 2 = a / z."""
    p = np.divide(a, z, out=np.full_like(z, 0.5), where=z != 0)
    return p + 2 * _GELU_A * a * (1 - p) * (1 + 3 * _GELU_B * (z * z))


SIGMOID = Activation("sigmoid", sigmoid, lambda z, a: a * (1 - a))
RELU = Activation("relu", relu, lambda z, a: (z > 0).astype(z.dtype))
TANH = Activation("tanh", tanh, lambda z, a: 1 - a * a)
GELU = Activation("gelu", gelu, _gelu_derivative)
HEAVISIDE = Activation("heaviside", heaviside, None)
