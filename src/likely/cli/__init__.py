"""The command line: a module for each command, and what several of them need.

Results go to standard output, progress and messages to standard error. Exit code 0: done, 1: a clear error, 2: wrong
usage, 130, 143, 129: ended by Ctrl-C, SIGTERM, SIGHUP. Modules here import what is heavy inside functions, so that
`likely --help` answers at once.
"""

import atexit
import gc
import os
import sys
from pathlib import Path

_OBJECTS_AT_START = 150_000
"""More than an answer by ONNX Runtime takes (some 90,000), and not so many that what garbage they hold would matter."""


def main() -> None:
    """Run the command line in `sys.argv` and exit."""
    _open_closed_streams()
    if not os.environ.get("COLUMNS", "1").strip("0"):
        del os.environ["COLUMNS"]  # a terminal without columns would show nothing
    _start_quickly()
    from likely.cli.app import app

    app(prog_name="likely")


def _open_closed_streams() -> None:
    """Let what was closed by `>&-`, or is none under a service, lead nowhere; else the next file opened would be it."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115


def _start_quickly() -> None:
    """Spend no time on garbage among what is imported, or on what still lives at the end; nor on pydantic's plugins.

    Looking for both takes a fifth of the time of a short command, and a tenth of that of a fit of a small table.
    """
    usual = gc.get_threshold()

    def started(*_: object) -> None:
        gc.callbacks.remove(started)
        gc.freeze()  # most of it lives to the end
        gc.set_threshold(*usual)

    gc.callbacks.append(started)
    gc.set_threshold(_OBJECTS_AT_START)
    atexit.register(gc.freeze)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
