"""A guarantee, put to the test by simulation: many draws of a world, and what must come of them together.

A proof lives in `tests/guarantees/test_*.py` as a module-level `Proof`. `make test` runs a few of its draws with fixed
seeds (each test file says what may be expected of so few); `make prove` runs all of them, `make prove PART=name` those
of one proof. A draw is a pure function of its seed, so finished draws are kept and a stopped run goes on.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

Figures = dict[str, float]


@dataclass(frozen=True)
class Check:
    """One line of a proof's summary: what was asked, what came of it, and what it must be.

    Example: Check("mean coverage at 90%", 0.9012, "at least 0.89", ok=True)
    """

    what: str
    figure: float
    must: str
    ok: bool


@dataclass(frozen=True)
class Proof:
    """A simulation of one guarantee.

    Args:
        name: what `make prove PART=` calls it: lower case, with hyphens.
        draw: seed -> figures of one draw of the world, as plain numbers (NaN where there is none).
        checks: the figures of all draws -> what must hold of them.
        draws: how many draws prove it; seeds count from `first`.
        first: the first seed. Nothing may be tuned on these seeds.
    """

    name: str
    draw: Callable[[int], Figures]
    checks: Callable[[list[Figures]], list[Check]]
    draws: int
    first: int = 1_000

    @property
    def seeds(self) -> range:
        """Those of all draws."""
        return range(self.first, self.first + self.draws)

    def some(self, n: int) -> list[Figures]:
        """The figures of the first n draws, for the short form in `make test`."""
        return [self.draw(seed) for seed in self.seeds[:n]]


def mean(draws: Iterable[Figures], name: str) -> float:
    """The mean of a figure over the draws that have it.

    Example:
        >>> mean([{"coverage": 0.9}, {"coverage": 1.0}, {"coverage": float("nan")}], "coverage")
        0.95
    """
    return float(np.nanmean([figures[name] for figures in draws]))


def count(draws: Iterable[Figures], name: str) -> int:
    """In how many draws a figure is neither 0 nor missing.

    Example:
        >>> count([{"broken": 1.0}, {"broken": 0.0}, {"broken": float("nan")}], "broken")
        1
    """
    return sum(1 for figures in draws if figures[name] and not np.isnan(figures[name]))


def fingerprint(files: Iterable[Path]) -> str:
    """A hash of these files: kept draws count only as long as nothing that they came from has changed."""
    found = hashlib.sha256()
    for path in sorted(files):
        found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


class Kept:
    """The draws of a proof that are done: a line of JSON each, below a line that says what they were made from."""

    def __init__(self, path: Path, made_from: str) -> None:
        self.path = path
        self.draws: dict[int, Figures] = {}
        if path.exists():
            first, *lines = path.read_text(encoding="utf-8").splitlines() or [""]
            if first == json.dumps({"made_from": made_from}):
                self.draws = {entry["seed"]: entry["figures"] for entry in map(_entry, lines) if entry}
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = [json.dumps({"made_from": made_from}), *(_line(seed, found) for seed, found in self.draws.items())]
        path.write_text("".join(line + "\n" for line in whole), encoding="utf-8")

    def add(self, seed: int, figures: Figures) -> None:
        """Keep one more draw."""
        self.draws[seed] = figures
        with self.path.open("a", encoding="utf-8") as file:
            file.write(_line(seed, figures) + "\n")


def _line(seed: int, figures: Figures) -> str:
    return json.dumps({"seed": seed, "figures": {name: float(value) for name, value in figures.items()}})


def _entry(line: str) -> dict | None:
    try:
        return json.loads(line)
    except ValueError:
        return None  # cut off when the run was stopped: drawn again
