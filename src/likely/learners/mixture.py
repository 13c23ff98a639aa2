"""Several models whose mean answers, as one learner: their parameters side by side, each with its number."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from likely.engines.learner import Learner
from likely.model.card import MIXTURE
from likely.model.mixture_inference import Member


class Mixture:
    """Learners that have learned, as one; their answers are mixed by `likely.model.mixture_inference`.

    Args:
        members: what is said of each in a model file.
        learners: what holds their parameters, in the same order.
        why: these and no others, in words.
        limits: between which numbers are kept, shape (2, k), or None.
    """

    name = MIXTURE

    def __init__(
        self, members: Sequence[Member], learners: Sequence[Learner], why: str, limits: np.ndarray | None = None
    ) -> None:
        self._members, self._learners, self._why, self._limits = members, learners, why, limits

    @property
    def settings(self) -> dict[str, Any]:
        """What rebuilds it, but for the arrays, and why it is what it is."""
        limits = {} if self._limits is None else {"limits": self._limits.tolist()}
        return {"members": [member.to_json() for member in self._members], "why": self._why, **limits}

    @property
    def device(self) -> str:
        """That of the first member."""
        return self._learners[0].device

    @property
    def threads(self) -> int:
        """That of the first member."""
        return self._learners[0].threads

    @property
    def precision(self) -> str:
        """That of the first member."""
        return self._learners[0].precision

    @property
    def n_parameters(self) -> int:
        """How many numbers all members have learned."""
        return sum(learner.n_parameters for learner in self._learners)

    def state(self) -> dict[str, np.ndarray]:
        """A copy of what was learned, by the member's number and the name."""
        return {
            f"{number}.{name}": array
            for number, learner in enumerate(self._learners)
            for name, array in learner.state().items()
        }

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take it back from `state()`."""
        for number, learner in enumerate(self._learners):
            start = f"{number}."
            learner.load_state({n.removeprefix(start): array for n, array in state.items() if n.startswith(start)})
