"""Whether a limit of address space, as `ulimit -v` sets it, leaves room for the libraries that compute."""

import mmap

from likely.config.processors import threads
from likely.errors import LikelyError

try:
    import resource
except ImportError:  # Windows knows no such limit
    resource = None

_MEGABYTE = 1 << 20
_FIRST_THREAD, _ANOTHER_THREAD = 400, 90
"""Megabytes that learning from a table takes (measured: 340, and 80 with each further thread): code, and work space for
matrices, which NumPy and SciPy each take for themselves."""


def require_address_space() -> None:
    """Refuse to start where too little is left: OpenBLAS, denied its work space, would wait for it forever.

    Where there is no limit, which is usual, nothing is looked at.

    Raises:
        LikelyError: with the limit and what is needed.
    """
    limit = resource.getrlimit(resource.RLIMIT_AS)[0] if resource else -1
    if resource is None or limit == resource.RLIM_INFINITY:
        return
    needed = _FIRST_THREAD + _ANOTHER_THREAD * (threads() - 1)
    try:
        mmap.mmap(-1, needed * _MEGABYTE).close()
    except (OSError, MemoryError):
        raise LikelyError(
            f"Out of memory: {needed} MB of address space must be free for computing with {threads()} threads; this "
            f"process may have {limit // _MEGABYTE} MB in all. Raise the limit (`ulimit -v unlimited`), or set "
            "OMP_NUM_THREADS=1."
        ) from None
