"""What becomes of a file that nobody should have written: an answer, or an error that says what is wrong, soon.

Own mutations of small seeds, guided by where errors come from: an input that is refused where none was before is
changed further. An input is a defect if anything but a `LikelyError` comes of it, or if it takes more than 2 s of
processor time or 500 MB; it is then kept in runs/prove/defects, with its traceback.
"""

import hashlib
import os
import random
import resource
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.guarantees.proof import Check, Figures, Proof

from likely.errors import LikelyError

SECONDS, MEGABYTES = 2.0, 500.0
INPUTS = 1_000
"""Of one draw."""
DEFECTS = Path(__file__).parents[2] / "runs" / "prove" / "defects"


@dataclass(frozen=True)
class Target:
    """A kind of file, and what reads it.

    Args:
        name: of the format.
        seeds: good files to begin with, as bytes; asked for once in a process.
        mutate: one of them, and a source of chance -> another file.
        feed: reads a file, and does with it what one does with a good one.
        suffix: of the file's name.
    """

    name: str
    seeds: Callable[[], list[bytes]]
    mutate: Callable[[bytes, random.Random], bytes]
    feed: Callable[[Path], object]
    suffix: str = ""


@dataclass
class Batch:
    """What came of so many inputs."""

    inputs: int = 0
    answered: int = 0
    refused: int = 0
    defects: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    megabytes: float = 0.0


def fuzz(target: Target, seed: int, inputs: int = INPUTS) -> Batch:
    """So many inputs, which follow from the seed."""
    rng, found, seen = random.Random(seed), Batch(), set[str]()
    pool = list(target.seeds())
    with tempfile.TemporaryDirectory(dir=_in_memory()) as folder, AtMost(8 << 30), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for content in pool:  # they are good, and what is loaded once is no cost of an input
            target.feed(_written(content, Path(folder), target))
        for _ in range(inputs):
            content = target.mutate(rng.choice(pool), rng)
            path = _written(content, Path(folder), target)
            before, start = reset_peak(), time.process_time()
            where, why = "", ""
            try:
                target.feed(path)
                found.answered += 1
            except LikelyError as error:
                found.refused += 1
                where = _place(error)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # a panic in Rust is no Exception
                why, where = "".join(traceback.format_exception(error)), _place(error)
                error.__traceback__ = None
            seconds, megabytes = time.process_time() - start, (peak() - before) / 1e6
            found.inputs += 1
            found.seconds, found.megabytes = max(found.seconds, seconds), max(found.megabytes, megabytes)
            if not why and (seconds > SECONDS or megabytes > MEGABYTES):
                why, where = f"{seconds:.1f} s and {megabytes:.0f} MB", f"cost at {where}"
            if why and where not in found.defects:
                found.defects[where] = why
                _keep(target, content, why)
            elif where not in seen and len(content) < 4 * max(map(len, target.seeds())):
                seen.add(where)
                pool.append(content)
    return found


def proof_of(target: Target, draws: int) -> Proof:
    """`make prove PART=fuzz-NAME`: so many thousand inputs."""

    def draw(seed: int) -> Figures:
        found = fuzz(target, seed)
        return {
            "inputs": found.inputs,
            "answered": found.answered,
            "defects": len(found.defects),
            "seconds": found.seconds,
            "megabytes": found.megabytes,
        }

    def checks(draws: list[Figures]) -> list[Check]:
        inputs, answered, defects = (sum(d[name] for d in draws) for name in ("inputs", "answered", "defects"))
        seconds, megabytes = (max(d[name] for d in draws) for name in ("seconds", "megabytes"))
        return [
            Check(f"inputs, of which {answered:,.0f} are answered and the others refused", inputs, "", ok=True),
            Check("inputs that do anything else", defects, "0", defects == 0),
            Check("processor time of one, s", seconds, f"at most {SECONDS:g}", seconds <= SECONDS),
            Check("memory of one, MB", megabytes, f"at most {MEGABYTES:g}", megabytes <= MEGABYTES),
        ]

    return Proof(f"fuzz-{target.name}", draw, checks, draws)


def _place(error: BaseException) -> str:
    """Which kind of error came from which line of the package."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames if "likely" in frame.filename]
    return f"{type(error).__name__} {' '.join(ours[-2:])}"


def _keep(target: Target, content: bytes, why: str) -> None:
    folder = DEFECTS / target.name
    folder.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(why[-300:].encode()).hexdigest()[:12]
    (folder / f"{name}{target.suffix}").write_bytes(content)
    (folder / f"{name}.txt").write_text(why, encoding="utf-8", errors="backslashreplace")


def _written(content: bytes, folder: Path, target: Target) -> Path:
    path = folder / f"input{target.suffix}"
    path.write_bytes(content)
    return path


def _in_memory() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class AtMost:
    """So much address space beyond what there is: the system refuses more, before the machine is down."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __enter__(self) -> None:
        self.before = resource.getrlimit(resource.RLIMIT_AS)
        now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + self.size, self.before[1]))

    def __exit__(self, *_: object) -> None:
        resource.setrlimit(resource.RLIMIT_AS, self.before)


def reset_peak() -> int:
    """Let the peak of memory count from now on; bytes that are taken now."""
    Path("/proc/self/clear_refs").write_text("5")
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def peak() -> int:
    """The most bytes of memory that this process has taken since."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise AssertionError
