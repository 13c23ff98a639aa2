"""One training as the journal knows it: found again when it was finished, gone on with when it was cut short."""

import hashlib
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from likely.errors import ModelFileError
from likely.learners.boosting import BoostedTrees
from likely.networks.custom import name_of
from likely.training.loop.checkpoints import Checkpoint, Checkpoints
from likely.training.loop.descent import Record
from likely.training.loop.interrupt import SIGNALS
from likely.training.loop.pace import Stopwatch
from likely.training.resume.journal import Journal
from likely.training.trained import Trained


@dataclass
class Call:
    """A training with what it depends on.

    Args:
        journal: where it is kept.
        key: a hash of all that its result depends on.
        watch: what counts the seconds of the run.
        on_record: takes each record.
    """

    journal: Journal
    key: str
    watch: Callable[[], float]
    on_record: Callable[[Record], None] | None
    seen: list[Checkpoint] = field(default_factory=list[Checkpoint], init=False)
    _keep: Callable[[Checkpoint], None] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.by_clock = self.journal.by_clock(self.key)

    def seeing(self, checkpoints: Checkpoints | None) -> Checkpoints | None:
        """The checkpoints, what is kept of which is remembered."""
        if checkpoints is None or checkpoints.keep is None or not self.journal.keeps:
            return checkpoints
        self._keep = checkpoints.keep
        return replace(checkpoints, keep=self._see)

    def finished(self, trained: Trained) -> Trained | None:
        """The training as it ended, with the parameters that it ended with, if it is known."""
        kept = self.journal.finished(self.key)
        if kept is None:
            return None
        engine = trained.engine
        with _understood():
            if isinstance(engine, BoostedTrees):
                engine.restore(kept["state"])
                trained = replace(trained, plan=replace(trained.plan, network=engine.network))
            else:
                engine.load_state(kept["state"])
            told, history = self._told(kept)
            trained = replace(trained, **{name: kept[name] for name in ("stopped", "penalty", "epochs")})
        self._tell(told, history, trained)
        return trained

    def finish(self, trained: Trained) -> Trained:
        """Keep the training, unless a signal ended it: then it goes on from its latest checkpoint."""
        if self.journal.keeps and trained.stopped not in SIGNALS:
            engine = trained.engine
            state = engine.snapshot() if isinstance(engine, BoostedTrees) else engine.state()
            ended = {name: getattr(trained, name) for name in ("stopped", "penalty", "epochs")}
            self.end(trained, {"state": state, **ended})
        return trained

    def end(self, trained: Trained, state: Mapping[str, Any]) -> None:
        """Keep what came of the training."""
        self.journal.finish(self.key, {**state, **self._passed(trained)})

    def go_on(self, trained: Trained, restore: Callable[[Mapping[str, Any]], None]) -> None:
        """Restore what was kept at the end, or at the latest checkpoint, if any was, and tell its records again."""
        kept = self.journal.finished(self.key) or self.journal.checkpoint(self.key)
        if kept is not None:
            with _understood():
                restore(kept)
                told, history = self._told(kept)
            self._tell(told, history, trained)

    def keep(self, trained: Trained, state: Callable[[], Mapping[str, Any]], *, now: bool) -> None:
        """Write a checkpoint, if it is time or must be `now`."""
        if self.journal.due or (now and self.journal.keeps):
            self.journal.keep(self.key, {**state(), **self._passed(trained)})

    def _passed(self, trained: Trained) -> dict[str, Any]:
        """What others have been told so far, and the reading of the watch."""
        seen = [[at.progress, at.scores, dict(at.state)] for at in self.seen]
        history = [list(record.to_json().values()) for record in trained.history]
        watch = self.watch() if isinstance(self.watch, Stopwatch) else 0.0
        return {"seen": seen, "history": history, "watch": watch, "by clock": self.by_clock.changes}

    def _told(self, kept: Mapping[str, Any]) -> tuple[list[Checkpoint], list[Record]]:
        """What others were told; the watch is set to its reading then, and what it decided is decided."""
        if isinstance(self.watch, Stopwatch):
            self.watch.advance_to(float(kept["watch"]))
        self.by_clock.take_up(kept["by clock"])
        return [Checkpoint(*values) for values in kept["seen"]], [Record(*values) for values in kept["history"]]

    def _tell(self, seen: list[Checkpoint], history: list[Record], trained: Trained) -> None:
        for checkpoint in seen:
            self._see(checkpoint)
        for record in history:
            trained.history.append(record)
            if self.on_record is not None:
                self.on_record(record)

    def _see(self, checkpoint: Checkpoint) -> None:
        self.seen.append(checkpoint)
        if self._keep is not None:
            self._keep(checkpoint)


@contextmanager
def _understood() -> Generator[None]:
    """A ModelFileError where a whole file holds something else than what is kept of such a training."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise ModelFileError(
            f"A checkpoint must hold what its training remembers; got something else ({type(error).__name__}: {error})."
            " Another version of likely wrote it, or another program. Try without --resume."
        ) from error


def key_of(*parts: Any) -> str:
    """A hash of values: of arrays by their bytes, of objects by what they hold, of functions by their names.

    Example:
        >>> key_of(1, (2.0, None)) == key_of(1, (2.0, None)), key_of(np.arange(3)) == key_of(np.arange(4))
        (True, False)
    """
    found = hashlib.sha256()
    _add(found, parts)
    return found.hexdigest()[:24]


def _add(found: Any, value: Any) -> None:
    found.update(type(value).__name__.encode() + b":")
    if isinstance(value, np.ndarray):
        found.update(f"{value.dtype.str}{value.shape}".encode() + np.ascontiguousarray(value).tobytes())
    elif value is None or isinstance(value, bool | int | float | str | np.generic | Path):
        found.update(repr(value).encode() + b";")
    elif isinstance(value, Mapping):
        _add(found, list(value.items()))
    elif isinstance(value, Sequence):
        found.update(f"{len(value)}[".encode())
        for inner in value:
            _add(found, inner)
    elif hasattr(value, "to_json"):
        _add(found, value.to_json())
    elif hasattr(value, "settings") and hasattr(value, "name"):  # a network
        _add(found, [value.name, value.settings])
    elif is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            _add(found, getattr(value, each.name))
    else:
        found.update(name_of(value).encode() + b";")
