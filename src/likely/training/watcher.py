"""Whoever wants to see how a run goes."""

from typing import Protocol

from likely.training.descent import Record


class Watcher(Protocol):
    """Whoever wants to see how a run goes."""

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
