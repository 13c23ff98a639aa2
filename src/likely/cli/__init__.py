"""The command line: a module for each command, and what several of them need.

Results go to standard output, progress and messages to standard error. Exit code 0: done, 1: a clear error, 2: wrong
usage, 130, 143, 129: ended by Ctrl-C, SIGTERM, SIGHUP. Modules here import what is heavy inside functions, so that
`likely --help` answers at once.
"""

import os
import sys
from pathlib import Path


def main() -> None:
    """Run the command line in `sys.argv` and exit."""
    _open_closed_streams()
    if not os.environ.get("COLUMNS", "1").strip("0"):
        del os.environ["COLUMNS"]  # a terminal without columns would show nothing
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
