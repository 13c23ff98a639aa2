"""What the clock decides in a training, kept so that another run can do the same without asking it."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from likely.errors import ConfigError

Lengths: TypeAlias = Mapping[str, Sequence[Sequence[Any]]]
"""For each training, by its key, what the clock decided: pairs of a step and what holds from there on."""


class ByClock:
    """What the clock decides at the steps of a training: kept where it changes, or told again.

    Args:
        changes: pairs of a step and what holds from there on.
        told: whether these are to be told, in place of asking the clock.

    Example:
        >>> seconds, clock = iter([0.1, 0.4, 0.9]), ByClock()
        >>> [clock(step, lambda: next(seconds) > 0.5) for step in (1, 2, 3)], clock.changes
        ([False, False, True], [[1, False], [3, True]])
        >>> [ByClock(clock.changes, told=True)(step, lambda: None) for step in (1, 2, 3)]
        [False, False, True]
    """

    def __init__(self, changes: Sequence[Sequence[Any]] = (), *, told: bool = False) -> None:
        self.changes, self.told = [list(change) for change in changes], told

    def __call__(self, step: int, ask: Callable[[], Any]) -> Any:
        """What holds at this step, which is none before the latest one that was asked about."""
        if self.told:
            known = bisect_right(self.changes, step, key=lambda change: change[0])
            if not known:
                raise ConfigError(
                    "What is repeated must be a run of the same data and settings; got a training that it does not "
                    "know. Try the settings and the data of that run."
                )
            return self.changes[known - 1][1]
        value = ask()
        if not self.changes or self.changes[-1][1] != value:
            self.changes.append([step, value])
        return value

    def take_up(self, changes: Sequence[Sequence[Any]]) -> None:
        """Go on from what an earlier process had decided."""
        if not self.told:
            self.changes = [list(change) for change in changes]
