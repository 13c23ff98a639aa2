"""How much memory this process may still take: what the machine has left, and what the process's control group has."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

NOT_KNOWN = 2**40
"""Bytes, where the system does not say."""


def free_memory(root: Path = Path("/")) -> int:
    """Bytes that are free, or hold copies of files that the system drops when memory is short.

    Args:
        root: where `proc` and `sys` are mounted.
    Example:
        >>> free_memory() > 0
        True
    """
    return max(0, min(_of_machine(root), *_of_groups(root), NOT_KNOWN))


def _of_machine(root: Path) -> int:
    with suppress(OSError, ValueError, KeyError):
        return 1024 * int(_named(root / "proc/meminfo")["MemAvailable:"])
    with suppress(OSError, ValueError, AttributeError):
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return NOT_KNOWN


def _of_groups(root: Path) -> Iterator[int]:
    """What is left in the group of this process, and in those around it: of control groups of version 2, and of 1."""
    with suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            controllers, _, name = line.partition(":")[2].partition(":")
            if controllers and "memory" not in controllers.split(","):
                continue
            top = root / "sys/fs/cgroup" / ("memory" if controllers else "")
            limit, taken = (
                ("memory.limit_in_bytes", "memory.usage_in_bytes") if controllers else ("memory.max", "memory.current")
            )
            own = top / name.lstrip("/")
            # In a container its own group may be mounted as the top, whatever it is called outside.
            for group in (own, *own.parents):
                with suppress(OSError, ValueError, KeyError):  # "max" is no limit
                    most = int((group / limit).read_text())
                    files = _named(group / "memory.stat")[f"{'total_' if controllers else ''}inactive_file"]
                    yield most - int((group / taken).read_text()) + int(files)
                if group == top:
                    break


def _named(file: Path) -> dict[str, str]:
    """The first value of each line, by its name."""
    return {name: value for name, value, *_ in map(str.split, file.read_text().splitlines())}
