"""Pipes, devices and sockets: no input is read from them."""

import os
from pathlib import Path

from likely.errors import DataError, LikelyError


def refuse_pipes(path: str | os.PathLike[str], error: type[LikelyError] = DataError) -> None:
    """Refuse a device, pipe or socket before it is opened, which might wait for ever; a folder or nothing is let pass.

    Raises:
        LikelyError: of the type `error`.
    """
    found = Path(path)
    try:
        is_pipe = found.exists() and not found.is_file() and not found.is_dir()
    except (OSError, ValueError):  # whoever opens it says why
        return
    if is_pipe:
        raise error(
            f"{path} must be a file; got a device, pipe or socket. Save what comes out of it as a file first, or give "
            "the rows or images to predict as `-`, on standard input."
        )
