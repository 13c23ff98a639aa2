"""The gradient of any loss, by hand, by JAX or by torch."""

from collections.abc import Callable
from typing import Any

import numpy as np

from likely.arrays import to_numpy
from likely.errors import EngineError, ShapeError, unknown_name
from likely.functional.objective import Objective
from likely.networks.layers import check_fit


def gradient(objective: Callable[..., Any], engine: str = "numpy") -> Callable[..., Any]:
    """The function that computes the gradient of an objective with respect to its first argument.

    J(theta, X, Y) = dL/dtheta (theta, X, Y), with the structure of theta: an array, or a dict of arrays.

    Args:
        objective: an `Objective`; for jax and torch any function (theta, X, Y) -> scalar of that library's arrays.
        engine: "numpy" (by hand), "jax" (`jax.grad`) or "torch" (backpropagation).
    Returns:
        A function of the objective's arguments that returns NumPy arrays in the dtype of theta.
    Raises:
        EngineError: if the engine does not exist or cannot differentiate this objective; it says which can.
    Example:
        >>> from likely.networks.linear import Linear
        >>> J = gradient(Objective(Linear(1, 1), head="identity", loss="squared_error"))
        >>> J({"layer0": np.zeros((2, 1))}, np.array([[2.0]]), np.array([[1.0]]))["layer0"].ravel()
        array([-2., -4.])
    """
    if engine not in _BY:
        raise EngineError(unknown_name("engine", engine, _BY))
    if isinstance(objective, Objective):
        refuse_heaviside(objective.network)
    elif engine == "numpy":
        raise EngineError(
            "The gradient by hand must be of an Objective, whose chain rule is written out; got another function. "
            "Try engine='jax' or engine='torch', which differentiate any function of their arrays."
        )
    differentiate = _BY[engine]

    def checked(theta: Any, *data: Any) -> Any:
        for name, value in theta.items() if isinstance(theta, dict) else [("theta", theta)]:
            dtype = to_numpy(value).dtype
            if dtype.kind != "f":
                raise ShapeError(
                    f"{name} must be floating-point numbers; got {dtype}. Integers cannot take small steps. "
                    "Try theta.astype(float)."
                )
        return differentiate(objective, theta, *data)

    return checked


def refuse_heaviside(network: Any) -> None:
    """Refuse to train a network of hard steps, before the first step.

    Raises:
        EngineError: if its activation is the Heaviside step.
    """
    if getattr(network, "activation", None) == "heaviside":
        raise EngineError(
            "The activation must have a useful derivative; got 'heaviside', whose derivative is 0 everywhere and does "
            "not exist at 0, so no gradient passes through it. Try activation='sigmoid', a smooth version of it."
        )


def _by_hand(objective: Any, theta: Any, X: Any, Y: Any, weights: Any = None) -> dict[str, np.ndarray]:
    from likely.engines.by_hand import loss_and_gradient_by_hand

    objective.check_rows(X, Y)
    check_fit(theta, X, objective.network.shapes)
    return loss_and_gradient_by_hand(objective.network, objective.head, objective.loss, theta, X, Y, weights)[1]


def _by_jax(objective: Any, theta: Any, *data: Any) -> Any:
    from likely.engines.by_jax import gradient_of

    return gradient_of(objective, theta, *data)


def _by_torch(objective: Any, theta: Any, *data: Any) -> Any:
    from likely.engines.by_torch.autograd import gradient_of

    return gradient_of(objective, theta, *data)


_BY: dict[str, Callable[..., Any]] = {"numpy": _by_hand, "jax": _by_jax, "torch": _by_torch}
