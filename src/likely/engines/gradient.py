"""The gradient of any loss, by hand, by JAX or by torch."""

from collections.abc import Callable, Iterable

from likely.arrays import Array, to_numpy
from likely.config.registry import Registry
from likely.errors import EngineError, ShapeError
from likely.functional.objective import Objective
from likely.networks.network import Network, TorchNetwork


def gradient(objective: Callable[..., Array], engine: str = "numpy") -> Callable[..., Array]:
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
    differentiate = _BY.named(engine)
    if isinstance(objective, Objective):
        refuse_heaviside(objective.network)
    elif engine == "numpy":
        raise EngineError(
            "The gradient by hand must be of an Objective, whose chain rule is written out; got another function. "
            "Try engine='jax' or engine='torch', which differentiate any function of their arrays."
        )

    def checked(theta: Array, *data: Array) -> Array:
        for name, value in named_arrays(theta):
            dtype = to_numpy(value).dtype
            if dtype.kind != "f":
                raise ShapeError(
                    f"{name} must be floating-point numbers; got {dtype}. Integers cannot take small steps. "
                    "Try theta.astype(float)."
                )
        return differentiate(objective, theta, *data)

    return checked


def refuse_heaviside(network: Network | TorchNetwork) -> None:
    """Raise an EngineError, before the first step, if the activation of a network is the Heaviside step."""
    if getattr(network, "activation", None) == "heaviside":
        raise EngineError(
            "The activation must have a useful derivative; got 'heaviside', whose derivative is 0 everywhere and does "
            "not exist at 0, so no gradient passes through it. Try activation='sigmoid', a smooth version of it."
        )


def named_arrays(theta: Array) -> Iterable[tuple[str, Array]]:
    """Parameters by name; an array alone is called theta."""
    return theta.items() if isinstance(theta, dict) else [("theta", theta)]


_BY: Registry[Callable[..., Array]] = Registry(
    "engine",
    {
        "numpy": "likely.engines.by_hand:gradient_of",
        "jax": "likely.engines.by_jax:gradient_of",
        "torch": "likely.engines.by_torch.autograd:gradient_of",
    },
    EngineError,
)
