"""The deep network: layers of weighted sums with an activation between them."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from likely.arrays import Array, Params
from likely.config.registry import ACTIVATIONS
from likely.errors import ConfigError, ShapeError
from likely.networks.activations import Activation
from likely.networks.layers import affine, check_fit, first_values


class MLP:
    """A multilayer perceptron of any depth and widths.

    z_0 = x,  z_l = sigma(theta_l^T z-bar_(l-1)) for the hidden layers,  f(x, theta) = theta_L^T z-bar_(L-1).

    Args:
        sizes: inputs, widths of the hidden layers, outputs; at least (d, h, k).
        activation: "sigmoid", "relu", "tanh", "gelu", or "heaviside" (forward only).
    Raises:
        ConfigError: if the activation does not exist.
        ShapeError: if the sizes are not three or more positive numbers.
    Example:
        >>> net = MLP([784, 256, 10], activation="sigmoid")
        >>> net.n_parameters
        203530
        >>> net.apply(net.init(seed=0), np.zeros((5, 784))).shape
        (5, 10)
    """

    name = "mlp"

    def __init__(self, sizes: Sequence[int], activation: str = "sigmoid") -> None:
        if len(sizes) < 3 or min(sizes) < 1:
            raise ShapeError(
                f"sizes must be inputs, at least one hidden width, and outputs, all positive; got {list(sizes)}. "
                "Try [784, 256, 10], or Linear(d, k) for no hidden layer."
            )
        if not isinstance(activation, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # as a file may have it
            raise ConfigError(f"activation must be the name of one; got {activation!r:.40}. Try 'relu'.")
        ACTIVATIONS.named(activation)
        self.sizes = tuple(int(size) for size in sizes)
        self.activation = activation

    @property
    def settings(self) -> dict[str, object]:
        """What the constructor took."""
        return {"sizes": list(self.sizes), "activation": self.activation}

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each layer's theta."""
        pairs = zip(self.sizes[:-1], self.sizes[1:], strict=True)
        return {f"layer{i}": (d_in + 1, d_out) for i, (d_in, d_out) in enumerate(pairs)}

    @property
    def n_parameters(self) -> int:
        """How many numbers theta holds."""
        return sum(rows * columns for rows, columns in self.shapes.values())

    @property
    def sigma(self) -> Activation:
        """The activation between the layers."""
        return ACTIVATIONS[self.activation]

    def init(self, seed: int) -> dict[str, np.ndarray]:
        """First values: uniform weights, twice the variance before ReLU and GELU, biases 0."""
        names = list(self.shapes)
        gain = 2.0 if self.activation in ("relu", "gelu") else 1.0
        return first_values(self.shapes, seed, dict.fromkeys(names[:-1], gain))

    def apply(self, theta: Params, x: Array) -> Array:
        """Scores (n, k) for inputs (n, d)."""
        return self.apply_with_features(theta, x)[0]

    def apply_with_features(self, theta: Params, x: Array) -> tuple[Array, Array]:
        """Scores (n, k), and the last hidden layer as features (n, h)."""
        check_fit(theta, x, self.shapes)
        *hidden, last = self.shapes
        for name in hidden:
            x = self.sigma.value(affine(theta[name], x))
        return affine(theta[last], x), x

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.settings == self.settings

    def __hash__(self) -> int:
        return hash((self.sizes, self.activation))

    def __repr__(self) -> str:
        return f"MLP({list(self.sizes)}, activation={self.activation!r})"
