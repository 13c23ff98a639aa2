"""Where likely keeps what it would otherwise fetch or decode again."""

import os
import tempfile
from pathlib import Path


def cache_folder() -> Path:
    """LIKELY_CACHE, or XDG_CACHE_HOME/likely, or else where the platform puts caches."""
    from platformdirs import user_cache_path

    if chosen := os.environ.get("LIKELY_CACHE"):
        return Path(chosen)
    try:
        return user_cache_path("likely", appauthor=False)
    except RuntimeError:
        # A container may run under a user whom the system does not know, and who has no home.
        return Path(tempfile.gettempdir()) / ".cache" / "likely"
