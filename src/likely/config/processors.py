"""How many processors this process may use."""

import os


def usable_cores() -> int:
    """As many as its affinity leaves it (`taskset`, a container's cpuset), where the system tells; else all.

    Example:
        >>> usable_cores() >= 1
        True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def threads() -> int:
    """How many of them a computation may take: OMP_NUM_THREADS, as the libraries for matrices read it, or all."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdigit() and int(asked) > 0 else usable_cores()
