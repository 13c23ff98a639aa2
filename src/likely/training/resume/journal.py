"""What a run has done so far, on disk: its finished trainings, and where the present one stands.

A whole run follows from its data and settings alone, so that a killed one goes on by beginning again: trainings that
are kept are taken from here, and the one that was cut short goes on from its latest checkpoint. Each is found by a hash
of all that it depends on. Files are model files: no pickles, with a checksum, written whole or not at all.
"""

import contextlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from likely.atomic import TEMPORARY
from likely.errors import LikelyError, OutputError
from likely.model import file as model_file
from likely.training.loop.by_clock import ByClock, Lengths
from likely.training.resume.packed import pack, unpack

USUAL = 30.0
"""Seconds between two writings, where nobody says otherwise;"""
_LEAST_TIMES = 100
"""and so many times as long as a writing takes, at least, so that they cost one percent."""
_KEPT = 2
_SUFFIX = ".likely"

Basis = Mapping[str, Mapping[str, str]]
"""What a run rests on (its data, settings and environment), by kind and name."""


class Journal:
    """The finished trainings and checkpoints of a run in a folder; without a folder it keeps nothing.

    Nothing is written before the first so many seconds have passed: what takes less is as soon done again.

    Args:
        folder: where to keep them; it is made when there is something to keep.
        every: seconds between two writings.
        basis: what the run rests on; asked once, when it is needed.
        resume: whether what is there is taken up.
        warn: told why a writing failed; the run goes on without it.
        lengths: what the clock decided in another run, to be told again in place of asking it.
    """

    def __init__(
        self,
        folder: Path | None = None,
        every: float | None = None,
        basis: Callable[[], Basis] = dict,
        *,
        resume: bool = False,
        warn: Callable[[str], None] = lambda message: None,
        lengths: Lengths | None = None,
    ) -> None:
        self._warn, self._repeated = warn, lengths
        self._by_clock: dict[str, ByClock] = {}
        self._folder, self._every, self._ask_basis = folder, every, basis
        self._basis: Basis | None = None
        self._next = time.perf_counter() + (every or USUAL)
        self._pending: dict[str, Any] = {}
        self._finished: dict[str, Path] = {}
        self._checkpoints: dict[str, list[Path]] = {}
        self._taken_up = resume
        if resume and folder is not None:
            for path, document in _readable(folder):
                if document["of"] == "training":
                    self._finished[str(document["key"])] = path
                else:
                    self._checkpoints.setdefault(str(document["key"]), []).append(path)
        self._serial = 1 + max((_serial(path) for paths in self._checkpoints.values() for path in paths), default=0)

    def __str__(self) -> str:
        begun = len(self._checkpoints.keys() - self._finished.keys())
        return f"{len(self._finished)} results and {begun} unfinished trainings are kept"

    @property
    def keeps(self) -> bool:
        """Whether it keeps anything."""
        return self._folder is not None

    @property
    def due(self) -> bool:
        """Whether it is time to write."""
        return self._folder is not None and time.perf_counter() >= self._next

    def finished(self, key: str) -> Any:
        """What came of the training with this key, or None."""
        if key in self._pending:
            return self._pending[key]
        return _value(self._finished[key]) if key in self._finished else None

    def checkpoint(self, key: str) -> Any:
        """Where the training with this key stood at its latest checkpoint, or None."""
        return _value(self._checkpoints[key][-1]) if self._checkpoints.get(key) else None

    def finish(self, key: str, value: Any) -> None:
        """Keep what came of a training: on disk when it is time."""
        if self._folder is None or key in self._finished:
            return
        self._pending[key] = value
        if self.due:
            self._write_all()

    def keep(self, key: str, value: Any) -> None:
        """Write where a training stands; of its earlier checkpoints one stays."""
        self._write_all((key, value))

    def decide(self, key: str, value: Callable[[], Any]) -> Any:
        """What was decided in the first place, where time had its part in it: what packs and unpacks as it is."""
        by_clock = self._by_clock.get(key) or self.by_clock(key)
        known = by_clock.changes[-1][1] if by_clock.changes else self.finished(key)
        decided = by_clock(0, value if known is None else lambda: known)
        self.finish(key, decided)
        return decided

    def by_clock(self, key: str) -> ByClock:
        """What keeps what the clock decides in the training with this key, which begins, or tells it again."""
        told = None if self._repeated is None else self._repeated.get(key, ())
        self._by_clock[key] = ByClock(told or (), told=told is not None)
        return self._by_clock[key]

    @property
    def lengths(self) -> Lengths:
        """What the clock has decided so far."""
        return {key: clock.changes for key, clock in self._by_clock.items() if clock.changes}

    def close(self, *, now: bool = False) -> None:
        """Write what is pending, if something was written before, it is time, or it must be `now`."""
        if self._folder is not None and self._pending and (now or self.due or self._folder.is_dir()):
            self._write_all()

    def _write_all(self, checkpoint: tuple[str, Any] | None = None) -> None:
        began = time.perf_counter()
        try:
            self._write_files(checkpoint)
        except (OutputError, OSError) as error:
            # What was learned so far is worth more than a checkpoint of it.
            self._warn(f"Warning: the checkpoint could not be written, and training goes on without it: {error}")
        ended = time.perf_counter()
        self._next = ended + (self._every or max(USUAL, _LEAST_TIMES * (ended - began)))

    def _write_files(self, checkpoint: tuple[str, Any] | None) -> None:
        assert self._folder is not None
        if not self._taken_up:
            remove(self._folder)  # of a run that was not resumed: until now it could have been
            self._taken_up = True
        self._folder.mkdir(parents=True, exist_ok=True)
        self._basis = self._basis or self._ask_basis()
        for key, value in self._pending.items():
            self._finished[key] = self._write(f"training-{key}", "training", key, value)
            for path in self._checkpoints.pop(key, []):
                path.unlink(missing_ok=True)
        self._pending.clear()
        if checkpoint is not None:
            key, value = checkpoint
            earlier = self._checkpoints.setdefault(key, [])
            earlier.append(self._write(f"checkpoint-{self._serial:06}-{key}", "checkpoint", key, value))
            self._serial += 1
            for path in earlier[:-_KEPT]:
                path.unlink(missing_ok=True)
            del earlier[:-_KEPT]

    def _write(self, name: str, of: str, key: str, value: Any) -> Path:
        assert self._folder is not None
        arrays, document = pack(value)
        path = self._folder / f"{name}{_SUFFIX}"
        model_file.write(path, arrays, {"of": of, "key": key, "basis": self._basis, "value": document})
        return path


def read_basis(folder: Path) -> Basis | None:
    """What the run rests on whose files are here; None if there are none that can be read."""
    found = _readable(folder)
    basis: Any = found[-1][1]["basis"] if found else None
    return basis


def remove(folder: Path) -> None:
    """Remove the files of a journal, and its folder where nothing else is in it."""
    for path in _files(folder):
        path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


def _files(folder: Path) -> list[Path]:
    """From the oldest to the newest."""
    kept = [
        *folder.glob(f"training-*{_SUFFIX}"),
        *folder.glob(f"checkpoint-*{_SUFFIX}"),
        *folder.glob(f"{TEMPORARY}*.tmp"),
    ]
    return sorted(kept, key=lambda path: (path.stat().st_mtime_ns, path.name))


def _readable(folder: Path) -> list[tuple[Path, dict[str, object]]]:
    """The files that are whole, with their documents; a damaged one is as good as none."""
    found: list[tuple[Path, dict[str, object]]] = []
    for path in _files(folder):
        with contextlib.suppress(LikelyError):
            document = model_file.read_document(path)
            if {"of", "key", "basis", "value"} <= document.keys() and _is_basis(document["basis"]):
                found.append((path, document))
    return sorted(found, key=lambda each: _serial(each[0]))


def _is_basis(value: Any) -> bool:
    """Whether it is what `Basis` says."""
    return isinstance(value, dict) and all(
        isinstance(value.get(kind), dict) and all(isinstance(each, str) for each in value[kind].values())
        for kind in ("data", "settings", "environment")
    )


def _serial(path: Path) -> int:
    number = path.name.split("-")[1] if path.name.startswith("checkpoint-") else ""
    return int(number) if number.isdecimal() else 0


def _value(path: Path) -> Any:
    arrays, document = model_file.read(path)
    found: dict[str, np.ndarray] = arrays
    return unpack(found, document["value"])
