"""What is free: of the machine, and of the groups around a process, whichever version counts them."""

from pathlib import Path

import pytest

from likely.data.free_memory import free_memory


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({}, 4096),
        (  # its own group has no limit, the one around it has
            {
                "proc/self/cgroup": "0::/jobs/one\n",
                "sys/fs/cgroup/jobs/one/memory.max": "max\n",
                "sys/fs/cgroup/jobs/memory.max": "3000\n",
                "sys/fs/cgroup/jobs/memory.current": "2500\n",
                "sys/fs/cgroup/jobs/memory.stat": "anon 1000\ninactive_file 1500\n",
            },
            2000,
        ),
        (  # in a container, whose group has another name outside
            {
                "proc/self/cgroup": "3:cpu:/\n4:memory:/docker/1f\n0::/\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "3000\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "3500\n",
                "sys/fs/cgroup/memory/memory.stat": "total_inactive_file 100\n",
            },
            0,
        ),
    ],
)
def test_the_least_of_machine_and_groups_is_free(tmp_path: Path, files: dict[str, str], free: int) -> None:
    write(tmp_path, {"proc/meminfo": "MemTotal: 8 kB\nMemAvailable: 4 kB\nHugePages_Total: 0\n", **files})
    assert free_memory(tmp_path) == free


def test_this_machine_has_some() -> None:
    assert 0 < free_memory() <= 2**40
