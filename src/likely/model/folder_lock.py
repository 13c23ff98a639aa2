"""One writer per folder: a lock that the system releases however its holder ends."""

import os
import weakref
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from likely.errors import OutputError


def lock(owner: object, folder: Path, writer: str, *, fix: str) -> Callable[[], object]:
    """Lock a folder until what comes back is called, its owner is no more, or the process has ended, however it does.

    Args:
        owner: whose end releases it.
        folder: to lock; it exists.
        writer: what writes there, in words.
        fix: what to try where it is locked, besides waiting.
    Raises:
        OutputError: if another one holds the lock, or has just removed the folder.
    """
    try:
        import fcntl

        descriptor = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):  # Windows
        return lambda: None
    unlock = weakref.finalize(owner, os.close, descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        alone = os.path.samestat(os.fstat(descriptor), folder.stat())
    except (BlockingIOError, FileNotFoundError):
        alone = False
    except OSError:  # some network drives know no locks
        unlock()
        alone = True
    if not alone:
        unlock()
        raise OutputError(
            f"A folder must have one {writer} at a time; another {writer} is writing to {folder}. Try {fix}, or wait "
            "for its end."
        )
    return unlock


@contextmanager
def one_writer(folder: Path, writer: str, *, fix: str) -> Generator[None]:
    """Make a folder and lock it for as long as this is entered; it goes again where nothing was written.

    Raises:
        OutputError: if the folder cannot be made or written, or another one holds its lock.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False
    if not writable:
        raise OutputError(f"The folder of a {writer} must be one that can be written; {folder} is not. Try {fix}.")

    with ExitStack() as stack:
        stack.callback(lock(stack, folder, writer, fix=fix))
        try:
            yield
        finally:
            with suppress(OSError):
                folder.rmdir()
