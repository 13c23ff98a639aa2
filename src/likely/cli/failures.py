"""From exceptions to one line on standard error and an exit code."""

import os
import signal
import sys
import traceback
import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from typing import TextIO

import typer

from likely.cli.terminal import complain
from likely.errors import LikelyError, LikelyWarning
from likely.training.loop.interrupt import SIGNALS, Interrupted, signals_raised

TRACEBACK = "LIKELY_TRACEBACK"
_NO_MEMORY = ("failed to map segment", "not enough memory: you tried to allocate", "can't start new thread")
"""What the system's loader, torch and Python say where memory or address space is short."""


@contextmanager
def failures_explained() -> Generator[None]:
    """Run a command; whatever goes wrong becomes a line for people and an exit code, never a traceback.

    With LIKELY_TRACEBACK=1 in the environment the traceback is shown too.
    """
    _print_everything()
    signals: Sequence[int] = ()
    try:
        with signals_raised() as signals, _warnings_explained():
            try:
                yield
            finally:
                # Here a reader that has gone away is still an exception; at exit it would be a message.
                sys.stdout.flush()
    except BrokenPipeError:
        raise typer.Exit(1) from None
    except KeyboardInterrupt as stop:
        raise _ended_by(stop.number if isinstance(stop, Interrupted) else signal.SIGINT) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        if signals:
            raise _ended_by(signals[0]) from None
        # Wrong usage carries its own exit code, and typer knows how to show it.
        if hasattr(error, "exit_code"):
            raise
        if os.environ.get(TRACEBACK):
            traceback.print_exc()
        _say(f"error: {_sentence(error)}")
        raise typer.Exit(1) from None
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                _stop_writing(stream)


@contextmanager
def reader_may_leave() -> Generator[None]:
    """Print what is not the point of a command: that its reader has gone away is no failure."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _stop_writing(sys.stdout)


def _ended_by(number: int) -> typer.Exit:
    _say(next(how for how, known in SIGNALS.items() if known == number))
    return typer.Exit(128 + number)


def _print_everything() -> None:
    """A name that the terminal's encoding lacks is printed as an escape; it must not end the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _sentence(error: Exception) -> str:
    if isinstance(error, LikelyError):
        return str(error)
    if isinstance(error, MemoryError) or any(words in str(error) for words in _NO_MEMORY):
        return "Out of memory. Try fewer or smaller rows."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    lines = str(error).strip().splitlines() or ["no message"]
    return (
        f"Something unexpected happened: {type(error).__name__}: {lines[0]} This is a bug in likely. Set {TRACEBACK}=1 "
        "to see where it happened."
    )


def _say(message: str) -> None:
    with suppress(OSError):
        complain(message)


@contextmanager
def _warnings_explained() -> Generator[None]:
    def show(message: Warning | str, category: type[Warning], *_: object) -> None:
        del category
        _say(f"warning: {message}")

    with warnings.catch_warnings():
        warnings.showwarning = show
        warnings.filterwarnings("default", category=LikelyWarning)
        yield


def _stop_writing(stream: TextIO) -> None:
    """The reader has gone away, or the disk is full: let the last flush at exit go nowhere, too."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
