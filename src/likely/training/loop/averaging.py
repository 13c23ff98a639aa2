"""The mean of the states that a run passed: parameters and statistics alike.

Reference: Izmailov et al. (2018), Averaging weights leads to wider optima, arXiv 1803.05407.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np


class AveragedState:
    """The mean of all states that were added."""

    def __init__(self) -> None:
        self._count = 0
        self._sums: dict[str, np.ndarray] = {}
        self._dtypes: dict[str, np.dtype] = {}
        self._ended = False

    def __bool__(self) -> bool:
        return self._count > 0

    def add(self, state: dict[str, np.ndarray]) -> None:
        """Take the next state."""
        self._count += 1
        for name, value in state.items():
            if self._count == 1:
                self._dtypes[name], self._sums[name] = value.dtype, value.astype(np.float64)
            else:
                self._sums[name] += value

    @property
    def state(self) -> dict[str, np.ndarray]:
        """The mean, in the dtypes of the states."""
        return {name: (total / self._count).astype(self._dtypes[name]) for name, total in self._sums.items()}

    def snapshot(self) -> dict[str, Any]:
        """The sums so far, and of how many states."""
        dtypes = {name: dtype.str for name, dtype in self._dtypes.items()}
        return {"count": self._count, "sums": self._sums, "dtypes": dtypes, "ended": self._ended}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take up the sums from `snapshot()`."""
        self._count, self._sums, self._ended = kept["count"], kept["sums"], kept["ended"]
        self._dtypes = {name: np.dtype(dtype) for name, dtype in kept["dtypes"].items()}


class AveragedEpoch(AveragedState):
    """The mean over the latest epoch of a run, or over as much of it as has passed."""

    def add(self, state: dict[str, np.ndarray]) -> None:
        """Take the next state; the first one of an epoch begins a new mean."""
        if self._ended:
            self._count, self._ended = 0, False
        super().add(state)

    def end_epoch(self) -> None:
        """Take note that the epoch has ended."""
        self._ended = True
