"""What is said of a run on the way, and where it stays."""

from dataclasses import dataclass, field

from likely.training.watcher import Watcher


@dataclass
class Remarks:
    """What is said of a run on the way.

    Args:
        watcher: sees all of it.
        notes: what stays in the model's card.
        warnings: what whoever uses the model should know at once.
    """

    watcher: Watcher
    notes: list[str] = field(default_factory=list[str])
    warnings: list[str] = field(default_factory=list[str])

    def say(self, message: str) -> None:
        """A sentence for whoever watches."""
        self.watcher.say(message)

    def note(self, message: str) -> None:
        """A sentence that stays in the card, too."""
        self.notes.append(message)
        self.say(message)

    def warn(self, message: str, *, note: bool = False, prefix: str = "") -> None:
        """A sentence that is a warning, too, and with `note` stays in the card; `prefix` is only said."""
        if note:
            self.notes.append(message)
        self.warnings.append(message)
        self.say(prefix + message)
