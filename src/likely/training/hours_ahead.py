"""Says at the start that a training will take hours: the time of its first steps, times how many there are to be."""

from dataclasses import dataclass, field

from likely.config import RunConfig
from likely.config.durations import duration
from likely.training.loop.descent import Record
from likely.training.watcher import Watcher

_LONG = 3600.0
_MEASURED = 5.0
"""Seconds of training that are believed: the first step prepares what the others use."""


@dataclass
class HoursAhead:
    """A watcher in front of another one, which hears from it once if the training will take an hour or more.

    Where there is a time limit, nothing is said.
    """

    watcher: Watcher
    config: RunConfig
    _told: bool = field(default=False, init=False)

    def say(self, message: str) -> None:
        """A sentence for it."""
        self.watcher.say(message)

    def loading(self, what: str, done: int, total: int | None) -> None:
        """Progress of fetching for it."""
        self.watcher.loading(what, done, total)

    def record(self, record: Record, fold: str = "") -> None:
        """A record for it; before the first that tells enough of the time, the sentence."""
        if not self._told and record.seconds >= _MEASURED:
            self._told = True
            seconds = record.seconds + record.seconds_left
            if seconds >= _LONG and self.config.time_limit is None:
                shorter = "--time-limit 30m" if self.config.preset == "fast" else "--preset fast or --time-limit 30m"
                self.say(
                    f"This training will take about {duration(seconds)} on this machine, an estimate from its first "
                    f"{duration(record.seconds)}; {shorter} makes it shorter"
                )
        self.watcher.record(record, fold)
