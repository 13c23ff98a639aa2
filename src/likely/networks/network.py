"""What a network is: a function f(x, theta) from an input to scores, one per class (or per output).

There are two kinds. A `Network` is pure: its body is written in the array API standard, its parameters are a flat
dict of arrays, and any engine can train it. A `TorchNetwork` builds a `torch.nn.Module`; only the torch engine can.
"""

from typing import Any, Protocol, runtime_checkable

import numpy as np

from likely.arrays import Array, Params


@runtime_checkable
class Network(Protocol):
    """A pure network. `name` and `settings` rebuild it: `NETWORKS[name](**settings)`."""

    name: str

    @property
    def settings(self) -> dict[str, object]:
        """What the constructor took, as plain JSON values."""
        ...

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every parameter, without making any."""
        ...

    def init(self, seed: int) -> dict[str, np.ndarray]:
        """First values, drawn in NumPy as float64, so that every engine starts at the same theta."""
        ...

    def apply(self, theta: Params, x: Array) -> Array:
        """Scores of shape (n, k) for inputs of shape (n, d)."""
        ...

    def apply_with_features(self, theta: Params, x: Array) -> tuple[Array, Array]:
        """Scores (n, k) and the input of the last linear layer (n, m)."""
        ...


@runtime_checkable
class TorchNetwork(Protocol):
    """A recipe for a `torch.nn.Module` that maps a batch to scores."""

    name: str

    @property
    def settings(self) -> dict[str, object]:
        """What the constructor took, as plain JSON values."""
        ...

    def build(self, n_classes: int, sample: np.ndarray) -> Any:
        """A module for inputs like `sample` of shape (n, c, h, w) or (n, d), which may set data-dependent first values.

        The module maps a batch to scores (n, k). If it has `scores_and_features(x)`, that gives scores and the hidden
        features (n, m) by which familiar rows are known, else they are the input of its last linear layer. If it has
        `parameter_groups()`, that gives what learns, as dicts with "params" and a multiple "rate" of the learning rate.
        """
        ...
