"""What an engine is: the owner of parameters, buffers and optimizer, which can take steps of gradient descent.

The training loop, the data order, the schedule and early stopping live above and do not know which engine runs.
First values, batch order and augmentation draws come from NumPy, so that engines can be compared step by step.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np

from likely.arrays import Array, Weights
from likely.engines.learner import Learner
from likely.functional.losses import Loss
from likely.networks.network import Network, TorchNetwork
from likely.preprocessing.stored_rows import RowArray

Prepare: TypeAlias = Callable[[Array], Array]
"""From stored rows (such as uint8 images) to the network's floating-point input, in the rows' array library."""

Augment: TypeAlias = Callable[[Array, Array], Array]
"""(prepared batch (b, ...), random integers (b, m)) -> changed batch, in the batch's array library."""

Precision: TypeAlias = Literal["auto", "float32", "bfloat16"]

MakeOptimizer: TypeAlias = Callable[[Any], Any]
"""(parameters, or groups of them) -> a `torch.optim.Optimizer`: a custom update rule."""


@dataclass(frozen=True)
class Optimizer:
    """The update rule and its numbers; the learning rate comes with every step.

    sgd:      theta <- theta - a J                       (with momentum b: v <- b v + J, theta <- theta - a v)
    adam:     m <- b1 m + (1 - b1) J,  v <- b2 v + (1 - b2) J^2,  both divided by 1 - b^t,
              theta <- theta - a (m / (sqrt(v) + eps) + weight_decay theta)      (decoupled decay, AdamW)
    For sgd, `weight_decay` is decoupled too: theta <- theta - a (... + weight_decay theta).
    """

    name: Literal["sgd", "adam"] = "adam"
    momentum: float = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0


@dataclass(frozen=True)
class Batch:
    """Which placed rows take part in a step, of shape (b,), and their augmentation draws, of shape (b, m)."""

    rows: np.ndarray
    draws: np.ndarray | None = None


@dataclass(frozen=True)
class EngineSettings:
    """What an engine is made of.

    Args:
        network: a pure network for any engine, or a torch network for torch, with `n_outputs` scores.
        head, loss: by name, or the loss as a row of `LOSSES`.
        optimizer: the update rule; for torch also a function that makes a torch optimizer of what learns.
        sample: some prepared inputs, of which a torch network may take data-dependent first values.
        seed: of the first values.
        dtype: "float32" or "float64".
        device: "auto", "cpu" or "cuda"; engines other than torch compute on the CPU.
        precision: of products while a torch module is trained.
        freeze: patterns of the names of parameters that do not learn; torch only.
    """

    network: Network | TorchNetwork
    n_outputs: int
    head: str
    loss: str | Loss
    optimizer: Optimizer | MakeOptimizer
    sample: np.ndarray
    seed: int
    dtype: str = "float32"
    device: str = "auto"
    precision: Precision = "float32"
    freeze: Sequence[str] = ()


class Engine(Learner, Protocol):
    """Steps of gradient descent, and answers; made of `EngineSettings`."""

    @property
    def at_once(self) -> int:
        """How many steps to hand over in one call, where that is faster than one by one; else 1."""
        ...

    @property
    def last_layer(self) -> tuple[str, ...]:
        """The names in `state()` of what makes the scores: what a network for other labels cannot take over."""
        ...

    @property
    def learning_rate(self) -> float | None:
        """The one that a custom optimizer asks for, else None."""
        ...

    def place(
        self, X: RowArray, Y: np.ndarray, weights: Weights = None, *, prepare: Prepare, augment: Augment | None = None
    ) -> None:
        """Put the training rows where the engine computes. Y: distributions (n, k) or targets (n, m)."""
        ...

    def step(self, batch: Batch, learning_rate: float) -> float:
        """One step on the mean loss (weighted, if weights were placed) of the batch; returns that loss."""
        ...

    def steps(self, batches: Sequence[Batch], learning_rates: Sequence[float]) -> list[float]:
        """At most `at_once` steps, one after the other, on batches of one size; returns the mean loss of each."""
        ...

    def loss_and_gradient(self, theta: Mapping[str, np.ndarray]) -> tuple[float, dict[str, np.ndarray]]:
        """The mean loss over all placed rows (weighted, if weights were placed) at theta, and its gradient in float64.

        Of pure networks only, and without augmentation; the engine's own parameters are what they were.
        """
        ...

    def snapshot(self) -> dict[str, Any]:
        """All that the next step depends on, in numbers, texts, arrays, lists and mappings: parameters, buffers, the
        memory of the update rule and counts of steps. The arrays may be the engine's own.

        An EngineError says that a custom optimizer remembers what cannot be kept.
        """
        ...

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take up what an engine of the same settings told by `snapshot()`."""
        ...

    def forward(self, X: Array) -> tuple[np.ndarray, np.ndarray]:
        """Scores (n, k) and features (n, m) of prepared inputs, in evaluation mode."""
        ...

    def scores(self, X: Array) -> np.ndarray:
        """The scores that `forward` gives, alone."""
        ...

    def input_gradient(self, X: Array, slopes: np.ndarray) -> np.ndarray:
        """The derivative with respect to prepared inputs, in their shape, of a number made of their scores.

        `slopes` are its derivatives with respect to the scores, shape (n, k).
        """
        ...
