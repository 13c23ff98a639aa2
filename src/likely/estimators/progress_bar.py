"""How far `fit` is: a bar in a notebook, a line in a terminal, nothing where nobody looks."""

import html
import os
import shutil
import sys
import time
from contextlib import suppress
from typing import Any, Literal, TextIO, TypeAlias

from likely.metrics.durations import duration
from likely.training.descent import Record
from likely.training.fit import Silent, Watcher
from likely.training.run_progress import MonotonicProgress

Verbose: TypeAlias = bool | Literal["auto"]
"""Whether `fit` shows how far it is; "auto" does so in notebooks only."""

_DRAW_EVERY = 0.2
_WIDTH, _SHORTEST = 30, 5


def watcher(verbose: Verbose) -> Watcher:
    """Whoever shows how far a run is, for this setting and this place.

    Example:
        >>> type(watcher(False)).__name__
        'Silent'
    """
    if verbose is False:
        return Silent()
    if in_notebook():
        return NotebookBar()
    return LineBar(sys.stderr) if verbose is True else Silent()


def in_notebook() -> bool:
    """Whether a notebook's kernel runs this code."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and hasattr(shell, "kernel")


class NotebookBar:
    """A bar under the cell, redrawn in place."""

    def __init__(self) -> None:
        # Only a notebook gets here, so it is installed.
        from IPython.display import display  # pyright: ignore[reportMissingImports]

        self._display: Any = display
        self._handle: Any = None
        self._drawn_at = 0.0
        self._said = ""
        self._monotonic = MonotonicProgress()

    def say(self, message: str) -> None:
        """Keep the latest sentence under the bar."""
        self._said = message

    def record(self, record: Record, fold: str = "") -> None:
        """Redraw the bar, a few times a second."""
        share, held_out = self._monotonic(record, fold)
        self._draw(share, f"{fold or 'Training'}  {described(record, held_out)}", last=record.seconds_left == 0)

    def loading(self, what: str, done: int, total: int | None) -> None:
        """Redraw the bar for what is read."""
        self._draw(done / total if total else 0.0, f"{what}  {done:,}", last=done == total)

    def _draw(self, share: float, text: str, *, last: bool) -> None:
        now = time.monotonic()
        if not last and now - self._drawn_at < _DRAW_EVERY:
            return
        self._drawn_at = now
        shown = _Html(bar_html(share, text, self._said))
        if self._handle is None:
            self._handle = self._display(shown, display_id=True)
        else:
            self._handle.update(shown)


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
    """Where a run stands, in a few words.

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


def bar_html(share: float, text: str, said: str = "") -> str:
    """A bar with words beside it, readable on light and dark pages; no script, no file."""
    width = f"{100 * min(max(share, 0.0), 1.0):.1f}%"
    note = f'<div style="opacity:.7">{html.escape(said)}</div>' if said else ""
    return (
        '<div style="font-variant-numeric:tabular-nums">'
        '<div style="display:flex;align-items:center;gap:.8em;flex-wrap:wrap">'
        f'<div role="progressbar" aria-valuenow="{round(100 * share)}" style="flex:0 0 14em;height:.7em;'
        'background:rgba(128,128,128,.3);border-radius:.35em">'
        f'<div style="width:{width};height:100%;background:steelblue;border-radius:.35em"></div></div>'
        f"<span>{html.escape(text)}</span></div>{note}</div>"
    )


class _Html:
    def __init__(self, text: str) -> None:
        self._text = text

    def _repr_html_(self) -> str:
        return self._text
