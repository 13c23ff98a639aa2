"""Small products by one thread: several wait for each other for longer than they compute."""

import math
import threading
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from threadpoolctl import threadpool_limits

from likely.preprocessing.stored_rows import RowArray

_SHARED = 2_000_000
"""Numbers of a table from which on threads share its products."""
_lock = threading.Lock()
_inside: list[threadpool_limits] = []


@contextmanager
def one_blas_thread() -> Generator[None]:
    """BLAS computes with one thread for as long as anyone is inside; who leaves last restores what was."""
    with _lock:
        # Only the first one knows what was before.
        _inside.append(_inside[0] if _inside else threadpool_limits(limits=1, user_api="blas"))
    try:
        yield
    finally:
        with _lock:
            last = _inside.pop()
            if not _inside:
                last.restore_original_limits()


def blas_threads_for(X: RowArray) -> AbstractContextManager[None]:
    """One thread for a small table, all for others."""
    return one_blas_thread() if X.ndim == 2 and math.prod(X.shape) < _SHARED else nullcontext()
