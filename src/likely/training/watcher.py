"""Who watches a run, and what they are told: sentences, records, how far it is."""

from dataclasses import dataclass, field, replace
from typing import Protocol

from likely.training.loop.descent import Record


class Watcher(Protocol):
    """Who watches a run."""

    def say(self, message: str) -> None:
        """Take a sentence for people."""
        ...

    def record(self, record: Record, fold: str = "") -> None:
        """Take a record of the loop: of the fold that is named, or of the run itself."""
        ...

    def loading(self, what: str, done: int, total: int | None) -> None:
        """Take the progress of fetching `what`, in bytes."""
        ...


class Silent:
    """A watcher that looks away."""

    def say(self, message: str) -> None:
        """Do nothing."""

    def record(self, record: Record, fold: str = "") -> None:
        """Do nothing."""

    def loading(self, what: str, done: int, total: int | None) -> None:
        """Do nothing."""


@dataclass
class Remarks:
    """What is said of a run on the way.

    Args:
        watcher: sees all of it.
        notes: what stays in the model's card.
        warnings: what users of the model should know at once.
    """

    watcher: Watcher
    notes: list[str] = field(default_factory=list[str])
    warnings: list[str] = field(default_factory=list[str])

    def say(self, message: str) -> None:
        """A sentence for the watcher."""
        self.watcher.say(message)

    def note(self, message: str) -> None:
        """A sentence that is kept in the card, too."""
        self.notes.append(message)
        self.say(message)

    def warn(self, message: str, *, note: bool = False, prefix: str = "") -> None:
        """A sentence that is a warning, too, and with `note` is kept in the card; `prefix` is only said."""
        if note:
            self.notes.append(message)
        self.warnings.append(message)
        self.say(prefix + message)


def of_all_runs(record: Record, number: int, runs: int) -> Record:
    """A record of the run with this number, counted from 1, as one of all runs, each of which takes as long."""
    rest = (runs - number) * (record.seconds + record.seconds_left)
    progress = (number - 1 + record.progress) / runs
    return replace(record, progress=progress, seconds_left=record.seconds_left + rest)


class MonotonicProgress:
    """How far a run with several trainings is, for a display: never back, and nothing of an earlier training.

    Example:
        >>> progress_so_far = MonotonicProgress()
        >>> half = Record(10, 1.5, 0.5, 0.25, 1e-3, 30.0, 100.0, 30.0, {"nll": 0.3})
        >>> progress_so_far(of_all_runs(half, 5, 6), "Fold 5 of 5")
        (0.75, {'nll': 0.3})
        >>> progress_so_far(replace(half, held_out=None), "")
        (0.875, None)
    """

    def __init__(self) -> None:
        self._before, self._fold = 0.0, ""
        self._held_out: dict[str, float] | None = None

    def __call__(self, record: Record, fold: str) -> tuple[float, dict[str, float] | None]:
        """The share of all trainings, from 0 to 1, and the latest held-out figures of this one."""
        if fold != self._fold:
            self._fold, self._held_out = fold, None
        self._held_out = record.held_out or self._held_out
        if fold:
            self._before = share = record.progress
        else:
            # A training that is to end early ends before its planned length.
            share = 1.0 if record.seconds_left == 0 else self._before + (1 - self._before) * record.progress
        return share, self._held_out
