"""How a run goes, on standard error: a live bar on a terminal, plain lines elsewhere."""

import os
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TextIO

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Column
from rich.text import Text

from likely.cli.terminal import console, printable
from likely.training.loop.descent import Record
from likely.training.watcher import MonotonicProgress

_LINE_EVERY = 5.0
_DRAW_EVERY = 0.1
_LINES_BY_EPOCH = 25


@contextmanager
def watch() -> Generator["LiveWatcher | PlainWatcher"]:
    """A watcher for a run: live on a terminal that can redraw a line, plain elsewhere."""
    is_terminal = sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")
    watcher = LiveWatcher() if is_terminal else PlainWatcher(sys.stderr)
    try:
        yield watcher
    finally:
        watcher.close()


def record_texts(record: Record) -> list[str]:
    """What a record says, most important first."""
    loss = f"{record.loss:.4f}" if abs(record.loss) < 1000 else f"{record.loss:.4g}"
    figures = record.held_out or {}
    held_out = [f"held-out {name} {value:.4g}" for name, value in figures.items()]
    if "accuracy" in figures:
        held_out = [f"held-out accuracy {figures['accuracy']:.2%}"]
    # The mean of several networks has no rate of its own.
    rate = [f"{record.examples_per_second:,.0f}/s"] if record.examples_per_second >= 1 else []
    return [f"epoch {record.epoch:.1f}", f"loss {loss}", *held_out, f"{clock(record.seconds_left)} left", *rate]


def clock(seconds: float) -> str:
    """Minutes and seconds as on a clock.

    Example:
        >>> clock(97.2), clock(3725)
        ('1:37', '1:02:05')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class PlainWatcher:
    """Lines for a log: one per epoch, or every few seconds of a long epoch; never many in a short time.

    If the stream was closed, the run continues in silence.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream: TextIO | None = stream
        self._latest: Record | None = None
        self._step = self._epoch = 0
        self._line_at = time.monotonic()
        self._began = self._line_at
        self._loading: str | None = None

    def say(self, message: str) -> None:
        """A line."""
        self._line_at = time.monotonic()
        if self._stream is not None:
            try:
                print(printable(message), file=self._stream, flush=True)
            except OSError:
                self._stream = None

    def record(self, record: Record, fold: str = "") -> None:
        """A line, if it is time for one; of a fold only where it takes long."""
        now = time.monotonic()
        if fold:
            if now - self._line_at >= _LINE_EVERY:
                self.say("  ".join([fold, *record_texts(record)]))
            return
        if record.step < self._step:
            self._epoch = 0
        self._step = record.step
        # A run of hundreds of epochs says so in about as many lines as one of twenty.
        every = max(1, round(record.epoch / max(record.progress, 1e-9) / _LINES_BY_EPOCH))
        epoch = int(record.epoch + 1e-6)
        pause = max(_LINE_EVERY, (now - self._began) / 50)
        self._latest = record
        if record.progress >= 1 or epoch >= self._epoch + every or now - self._line_at >= pause:
            self._epoch = epoch
            self.close()

    def loading(self, what: str, done: int, total: int | None) -> None:
        """A line now and then, and at the end of what took long enough for one."""
        ended = done == total
        if time.monotonic() - self._line_at >= _LINE_EVERY or (ended and self._loading == what):
            self._loading = None if ended else what
            self.say(f"{what}: {_amount(done, total)}")

    def close(self) -> None:
        """The last record, if it has not been told: a run may end between two lines."""
        if self._latest is not None:
            self.say("  ".join(record_texts(self._latest)))
            self._latest = None


class LiveWatcher:
    """A bar that is redrawn in place; sentences stay above it."""

    def __init__(self) -> None:
        self._screen = console(error=True)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=max(8, min(30, self._screen.width - 72))),
            TaskProgressColumn(),
            TextColumn("{task.fields[detail]}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=self._screen,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
        )
        self._task = self._progress.add_task("", total=1.0, detail="", visible=False)
        self._drawn_at = 0.0
        self._monotonic = MonotonicProgress()
        self._progress.start()

    def say(self, message: str) -> None:
        """A sentence above the bar."""
        self._progress.print(Text(printable(message)), soft_wrap=True)

    def record(self, record: Record, fold: str = "") -> None:
        """Redraw the bar, at most ten times a second."""
        share, held_out = self._monotonic(record, fold)
        shown = replace(record, held_out=held_out)
        self._draw(fold or "Training", share, " · ".join(record_texts(shown)), last=share >= 1)

    def loading(self, what: str, done: int, total: int | None) -> None:
        """Redraw the bar, at most ten times a second."""
        self._draw(printable(what), done / total if total else 0.0, _amount(done, total), last=done == total)

    def close(self) -> None:
        """Take the bar away."""
        with suppress(OSError):
            self._progress.stop()

    def _draw(self, what: str, share: float, detail: str, *, last: bool) -> None:
        now = time.monotonic()
        if last or now - self._drawn_at >= _DRAW_EVERY:
            self._drawn_at = now
            self._progress.update(self._task, description=what, completed=share, detail=detail, visible=True)
            with suppress(OSError):
                self._progress.refresh()


def _amount(done: int, total: int | None) -> str:
    return f"{done:,}" if total is None else f"{done:,} of {total:,}"
