"""Ctrl-C during a training: the first one is a question that the loop asks, a second one interrupts as usual."""

import signal
import threading
from types import FrameType


class Interrupt:
    """Listens for Ctrl-C while it is entered, in the main thread; `asked` says whether it came."""

    def __init__(self) -> None:
        self.asked = False
        self._in_main_thread = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> "Interrupt":
        if self._in_main_thread:
            self._previous = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        if self._in_main_thread:
            signal.signal(signal.SIGINT, self._previous)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
