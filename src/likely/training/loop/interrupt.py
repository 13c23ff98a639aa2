"""Ctrl-C, SIGTERM and SIGHUP during a training: the first one asks the loop to end, a second one ends at once."""

import signal
import threading
from collections.abc import Callable, Generator, Sequence
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


_raised: list[int] = []


@contextmanager
def signals_raised() -> Generator[Sequence[int]]:
    """Let Ctrl-C, SIGTERM and SIGHUP raise Interrupted: for a program that is ours.

    A signal that is ignored (by `nohup`) stays ignored, and one that somebody else handles stays theirs. What comes
    back holds those that came: where one comes while a module is loaded, C code makes an ImportError of it.
    """
    before = {number: signal.getsignal(number) for number in SIGNALS.values() if _in_main_thread()}
    before = {n: handler for n, handler in before.items() if handler in (signal.SIG_DFL, signal.default_int_handler)}
    _raised.clear()
    for number in before:
        signal.signal(number, _raise)
    try:
        yield _raised
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
            if callable(before) and (number == signal.SIGINT or before is _raise):
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


def _raise(number: int, frame: FrameType | None) -> None:
    del frame
    _raised.append(number)
    raise Interrupted(number)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
