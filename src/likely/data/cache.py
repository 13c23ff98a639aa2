"""Where likely keeps what it would otherwise fetch or decode again."""

import os
import sys
import tempfile
from pathlib import Path


def cache_folder() -> Path:
    """LIKELY_CACHE, or XDG_CACHE_HOME/likely, or else where the platform puts caches."""
    if chosen := os.environ.get("LIKELY_CACHE", ""):
        return Path(chosen)
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    # The standard says that a relative path is to be ignored.
    if chosen and Path(chosen).is_absolute():
        return Path(chosen) / "likely"
    if sys.platform == "win32" and os.environ.get("LOCALAPPDATA"):
        return Path(os.environ["LOCALAPPDATA"]) / "likely" / "Cache"
    try:
        home = Path.home()
    except RuntimeError:
        # A container may run under a user whom the system does not know.
        home = Path(tempfile.gettempdir())
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "likely"
