"""Ctrl-C, SIGTERM and SIGHUP during a training: the first one asks the loop to end, a second one ends at once."""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeAlias

SIGNALS = {
    name: getattr(signal, signal_name)
    for name, signal_name in (("interrupted", "SIGINT"), ("terminated", "SIGTERM"), ("hung up", "SIGHUP"))
    if hasattr(signal, signal_name)  # Windows knows no SIGHUP
}
"""How a training that a signal ended is said to have stopped, and the number of the signal."""

_Handler: TypeAlias = Callable[[int, FrameType | None], Any]


class Interrupted(KeyboardInterrupt):
    """A signal asked for the end.

    Args:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@contextmanager
def signals_raised() -> Generator[None]:
    """Let SIGTERM and SIGHUP raise Interrupted, as Ctrl-C raises KeyboardInterrupt: for a program that is ours.

    A signal that is ignored (by `nohup`) stays ignored, and one that somebody else handles stays theirs.
    """
    numbers = [
        number for number in SIGNALS.values() if _in_main_thread() and signal.getsignal(number) is signal.SIG_DFL
    ]
    for number in numbers:
        signal.signal(number, _terminate)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


class Interrupt:
    """Listens for signals while it is entered, in the main thread: `asked` says whether one came, `how` which.

    In a program of somebody else only Ctrl-C is listened for, unless it is ignored there.
    """

    def __init__(self) -> None:
        self.how = ""
        self._before: dict[int, _Handler] = {}

    @property
    def asked(self) -> bool:
        """Whether a signal has come."""
        return bool(self.how)

    def __enter__(self) -> "Interrupt":
        for number in SIGNALS.values() if _in_main_thread() else ():
            before = signal.getsignal(number)
            if callable(before) and (number == signal.SIGINT or before is _terminate):
                self._before[number] = before
                signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            self._before[number](number, frame)
        self.how = next(name for name, known in SIGNALS.items() if known == number)


def _terminate(number: int, frame: FrameType | None) -> None:
    del frame
    raise Interrupted(number)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
