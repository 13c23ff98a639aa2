"""The progress of `fit`: a bar in a notebook, a line in a terminal, nothing elsewhere."""

import os
import shutil
import sys
import time
import warnings
from contextlib import suppress
from typing import Any, Literal, TextIO, TypeAlias

from likely.config.durations import duration
from likely.training.loop.descent import Record
from likely.training.watcher import MonotonicProgress, Silent, Watcher

Verbose: TypeAlias = bool | Literal["auto"]
"""Whether `fit` shows how far it is; "auto" does so in notebooks only."""

_DRAW_EVERY = 0.2
_WIDTH, _SHORTEST = 30, 5


def watcher(verbose: Verbose) -> Watcher:
    """The display of progress for this setting and this place.

    Example:
        >>> type(watcher(False)).__name__
        'Silent'
    """
    if verbose is False:
        return Silent()
    ipython = sys.modules.get("IPython")
    if ipython is not None and hasattr(ipython.get_ipython(), "kernel"):
        return NotebookBar()
    return LineBar(sys.stderr) if verbose is True else Silent()


class NotebookBar:
    """A bar under the cell, redrawn in place: tqdm's, of widgets where ipywidgets are installed."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._said = ""
        self._monotonic = MonotonicProgress()

    def say(self, message: str) -> None:
        """Show the latest sentence next to the bar."""
        self._said = message

    def record(self, record: Record, fold: str = "") -> None:
        """Redraw the bar, a few times a second."""
        share, held_out = self._monotonic(record, fold)
        ended = record.seconds_left == 0 and not fold
        self._draw(share, f"{fold or 'Training'}  {described(record, held_out)}", ended=ended)

    def loading(self, what: str, done: int, total: int | None) -> None:
        """Redraw the bar for what is read."""
        self._draw(done / total if total else 0.0, f"{what}  {done:,}", ended=done == total)

    def _draw(self, share: float, text: str, *, ended: bool) -> None:
        if self._bar is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # without widgets, it is a line of text
                from tqdm.auto import tqdm

                layout = "{percentage:3.0f}% {bar} {desc}{postfix}"
                self._bar = tqdm(total=1.0, bar_format=layout, mininterval=_DRAW_EVERY, miniters=0)
        self._bar.set_description_str(text, refresh=False)
        self._bar.set_postfix_str(self._said, refresh=False)
        self._bar.update(share - self._bar.n)
        if ended:
            self._bar.close()
            self._bar = None


class LineBar:
    """One line that is written over in a terminal; in a file a line per epoch."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._live = stream, stream.isatty()
        self._drawn_at, self._length = 0.0, 0
        self._epoch = -1
        self._monotonic = MonotonicProgress()

    def say(self, message: str) -> None:
        """A line of its own."""
        self._write(message, end="\n")

    def record(self, record: Record, fold: str = "") -> None:
        """Write over the line, a few times a second, or add one at the end of an epoch."""
        ended, now = record.seconds_left == 0 and not fold, time.monotonic()
        share, _ = self._monotonic(record, fold)
        if self._live:
            if ended or now - self._drawn_at >= _DRAW_EVERY:
                self._drawn_at = now
                text = f"{fold or 'Training'}  {described(record)}"
                self._write(_with_bar(share, text, _columns(self._stream) - 1), end="\n" if ended else "")
        elif ended or (not fold and int(record.epoch) > self._epoch):
            self._epoch = -1 if ended else int(record.epoch)
            self._write(f"{fold or 'Training'}  {described(record)}", end="\n")

    def loading(self, what: str, done: int, total: int | None) -> None:
        """Write over the line."""
        if self._live:
            self._write(f"{what}  {done:,}", end="\n" if done == total else "")

    def _write(self, text: str, end: str) -> None:
        blank = " " * max(0, self._length - len(text))
        self._length = 0 if end else len(text)
        print(f"{chr(13) if self._live else ''}{text}{blank}", end=end, file=self._stream, flush=True)


def _columns(stream: TextIO) -> int:
    """How wide the terminal is that the line goes to, which need not be that of the standard output."""
    if "COLUMNS" not in os.environ:
        with suppress(OSError, ValueError):
            return os.get_terminal_size(stream.fileno()).columns
    return shutil.get_terminal_size().columns


def _with_bar(share: float, text: str, columns: int) -> str:
    """The words, with as long a bar before them as the line has room for."""
    width = min(_WIDTH, columns - len(text) - 3)
    if width < _SHORTEST:
        return text[:columns]
    full = round(width * share)
    return f"[{'#' * full}{'.' * (width - full)}] {text}"


def described(record: Record, held_out: dict[str, float] | None = None) -> str:
    """The state of a run, in a few words.

    Example:
        >>> record = Record(10, 1.5, 0.5, 0.25, 1e-3, 30.0, 100.0, 30.0, {"accuracy": 0.9, "nll": 0.3})
        >>> described(record)
        'epoch 1.5  loss 0.2500  held-out accuracy 90.00%  nll 0.3000  30.0 s left'
    """
    figures = record.held_out or held_out or {}
    named = [f"{name} {value:.2%}" if name == "accuracy" else f"{name} {value:.4f}" for name, value in figures.items()]
    left = f"{duration(record.seconds_left)} left" if record.seconds_left else f"done in {duration(record.seconds)}"
    parts = [f"epoch {record.epoch:.1f}", f"loss {record.loss:.4f}"]
    return "  ".join([*parts, *([f"held-out {'  '.join(named)}"] if named else []), left])
