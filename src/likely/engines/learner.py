"""One protocol: what has learned to turn rows into scores, however it has learned to."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np


class Learner(Protocol):
    """What has learned: a network and its parameters, which an engine holds, trees, or several of these."""

    name: str

    @property
    def device(self) -> str:
        """Where it computes: "cpu" or "cuda"."""
        ...

    @property
    def threads(self) -> int:
        """How many CPU threads it computes with."""
        ...

    @property
    def precision(self) -> str:
        """What the products of a training step are computed in."""
        ...

    @property
    def n_parameters(self) -> int:
        """How many numbers it has learned."""
        ...

    def state(self) -> dict[str, np.ndarray]:
        """A copy of what was learned, by name: what a model file holds."""
        ...

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take it back from `state()`."""
        ...
