"""The linear network: f(x, theta) = theta^T x-bar."""

import numpy as np

from likely.arrays import Array, Params
from likely.errors import ShapeError
from likely.networks.layers import affine, check_fit, first_values


class Linear:
    """Scores as weighted sums of the inputs and a bias.

    f(x, theta) = theta^T x-bar, x-bar = (1, x), for d inputs and k outputs per row. Its theta["layer0"] equals what
    `least_squares` returns.

    Example:
        >>> net = Linear(2, 1)
        >>> net.apply({"layer0": np.array([[1.0], [2.0], [3.0]])}, np.array([[10.0, 100.0]]))
        array([[321.]])
    """

    name = "linear"

    def __init__(self, n_inputs: int, n_outputs: int) -> None:
        if n_inputs < 1 or n_outputs < 1:
            raise ShapeError(f"A linear network must have inputs and outputs; got {n_inputs} and {n_outputs}.")
        self.n_inputs, self.n_outputs = n_inputs, n_outputs

    @property
    def settings(self) -> dict[str, object]:
        """What the constructor took."""
        return {"n_inputs": self.n_inputs, "n_outputs": self.n_outputs}

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of theta."""
        return {"layer0": (self.n_inputs + 1, self.n_outputs)}

    @property
    def n_parameters(self) -> int:
        """How many numbers theta holds."""
        return (self.n_inputs + 1) * self.n_outputs

    def init(self, seed: int) -> dict[str, np.ndarray]:
        """First values: Glorot's uniform weights, bias 0."""
        return first_values(self.shapes, seed, {})

    def apply(self, theta: Params, x: Array) -> Array:
        """Scores (n, k) for inputs (n, d)."""
        check_fit(theta, x, self.shapes)
        return affine(theta["layer0"], x)

    def apply_with_features(self, theta: Params, x: Array) -> tuple[Array, Array]:
        """Scores (n, k), and the inputs themselves as features (n, d)."""
        return self.apply(theta, x), x

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.settings == self.settings

    def __hash__(self) -> int:
        return hash((self.n_inputs, self.n_outputs))

    def __repr__(self) -> str:
        return f"Linear({self.n_inputs}, {self.n_outputs})"
