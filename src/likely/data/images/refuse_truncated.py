"""Truncated images are refused, whatever other libraries have set in Pillow."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

from PIL import ImageFile

_lock = threading.Lock()
_inside = 0
_was_allowed = False


@contextmanager
def truncated_refused() -> Generator[None]:
    """Pillow's `LOAD_TRUNCATED_IMAGES` is off inside, for all threads; the last one that leaves puts it back.

    The setting belongs to the whole process: with it on, what is missing of an image becomes gray in silence.
    """
    global _inside, _was_allowed
    with _lock:
        if not _inside:
            _was_allowed = ImageFile.LOAD_TRUNCATED_IMAGES
            if _was_allowed:
                ImageFile.LOAD_TRUNCATED_IMAGES = False
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside and _was_allowed:
                ImageFile.LOAD_TRUNCATED_IMAGES = True
