"""One protocol: what turns prepared rows into scores, however it has learned to."""

from typing import Any, Protocol

import numpy as np

from likely.arrays import Array


class Learner(Protocol):
    """What has learned: a network and its parameters, which an engine holds, or trees."""

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
        """What its training computes in."""
        ...

    @property
    def n_parameters(self) -> int:
        """How many numbers it has learned."""
        ...

    def forward(self, X: Array) -> tuple[np.ndarray, np.ndarray]:
        """Scores (n, k) and features (n, m) of prepared inputs."""
        ...

    def scores(self, X: Array) -> np.ndarray:
        """The scores that `forward` gives, alone."""
        ...

    def state(self) -> dict[str, np.ndarray]:
        """A copy of what was learned, by name: what a model file holds."""
        ...

    def load_state(self, state: dict[str, Any]) -> None:
        """Take it back from `state()`."""
        ...
