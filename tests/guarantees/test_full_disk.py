"""A disk that is full at any write: a clear error, what was there is whole, and nothing half-written is left.

Each command writes to a small disk of its own (a tmpfs, where we may make one; else files may grow no more), which is
filled at its first write, then, in a new attempt, at its second, and so on, until it comes to its end.
"""

import contextlib
import itertools
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from tests.guarantees.proof import Check, Figures, Proof, count, mean
from typer.testing import CliRunner

from likely.cli.app import app
from likely.config import RunConfig
from likely.data.images import image_cache
from likely.model.load import read_card
from likely.model.run_folder import _FILES
from likely.training.fit import fit

SIZE = 80 * 2**20
FIT = ("fit", "iris", "--network", "linear", "--epochs", "1")
COMMANDS: dict[str, tuple[str, ...]] = {
    "fit": (*FIT, "--out", "DISK/new"),
    "fit --overwrite": (*FIT, "--seed", "1", "--out", "DISK/run", "--overwrite"),
    "report": ("report", "DISK/run"),
    "predict --parquet": ("predict", "DISK/run", "DISK/rows.csv", "--parquet", "DISK/answers.parquet"),
    "calibrate": ("calibrate", "DISK/run", "DISK/labeled.csv", "--out", "DISK/again.likely"),
    "check --labels": ("check", "iris", "--labels", "--network", "linear", "--folds", "2", "--out", "DISK/labels"),
    "export": ("export", "DISK/run", "DISK/model.onnx"),
    "fit, with the cache": (*FIT[:1], "DISK/images", *FIT[2:], "--out", "ELSEWHERE/run"),
}
_MAY_STAY = ("unfinished", "checkpoints", *_FILES, "corrections.csv")
"""In a new folder: whole files, of which the last found no room."""


class Filler:
    """Fills a disk when a file on it is opened to be written for the n-th time."""

    def __init__(self) -> None:
        self.folder, self.left, self.filled = "", 0, False
        sys.addaudithook(self.hear)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" or not self.folder or self.filled:
            return
        path, mode, flags = arguments
        writes = (isinstance(mode, str) and set(mode) & set("wxa+")) or (flags or 0) & (os.O_WRONLY | os.O_RDWR)
        if writes and isinstance(path, str | os.PathLike) and os.fspath(path).startswith(self.folder):
            self.left -= 1
            if self.left == 0:
                self.filled = True
                self.fill()

    def fill(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        if not os.path.ismount(self.folder):
            return
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        with contextlib.suppress(OSError), Path(self.folder, "filler").open("wb", buffering=0) as file:
            for size in (2**20, 2**12, 1):
                with contextlib.suppress(OSError):
                    while file.write(bytes(size)):
                        pass


FILLER = Filler()


@contextlib.contextmanager
def disk() -> Generator[Path]:
    """A small disk of its own, or a folder."""
    with tempfile.TemporaryDirectory() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder]
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
        try:
            yield Path(folder)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            if mounted:
                subprocess.run(["umount", "-l", folder], check=True)


def prepared(folder: Path, good: Path) -> None:
    """A finished run, a table to answer, one to calibrate on, and images."""
    shutil.copytree(good, folder / "run")
    rng = np.random.default_rng(0)
    names = "sepal length (cm),sepal width (cm),petal length (cm),petal width (cm)"
    rows = [",".join(f"{x:.2f}" for x in row) for row in rng.normal([5, 3, 4, 1], 0.5, (60, 4))]
    (folder / "rows.csv").write_text("\n".join([names, *rows]))
    labels = rng.choice(["setosa", "versicolor", "virginica"], 60)
    (folder / "labeled.csv").write_text(
        "\n".join([f"{names},label", *(f"{row},{label}" for row, label in zip(rows, labels, strict=True))])
    )
    for i in range(40):
        (folder / "images" / f"class {i % 2}").mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (8, 8), np.uint8)).save(folder / "images" / f"class {i % 2}" / f"{i}.png")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file by its path, without what filled the disk and what was kept of decoded images."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "filler"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if "cache" not in path.parts}


def is_whole(path: Path) -> bool:
    """Whether a file of likely's has its end; what was written into room that became free is as good as any."""
    try:
        match path.suffix:
            case ".html":
                return path.read_text(encoding="utf-8").rstrip().endswith("</html>")
            case ".json":
                return isinstance(json.loads(path.read_text(encoding="utf-8")), dict)
            case ".likely":
                return read_card(path).created != ""
            case ".npy":
                return np.load(path).dtype == np.uint64
            case ".parquet":
                return len(pd.read_parquet(path)) == 60
            case suffix:
                return suffix != ".tmp"
    except Exception:
        return False


def is_replaced(run: Path, model: bytes) -> bool:
    """Whether a new run has taken the place of the old one, figures and all; only its report found no room."""
    if (run / "model.likely").read_bytes() == model:
        return False
    return (
        read_card(run).metrics == json.loads((run / "metrics.json").read_text()) and not (run / "unfinished").exists()
    )


def attempt(command: str, good: Path, moment: int) -> tuple[bool, list[str]]:
    """Whether the disk was filled at all, and what was wrong then."""
    with disk() as folder, tempfile.TemporaryDirectory() as elsewhere:
        prepared(folder, good)
        before = contents(folder)
        words = [word.replace("DISK", str(folder)).replace("ELSEWHERE", elsewhere) for word in COMMANDS[command]]
        FILLER.folder, FILLER.left, FILLER.filled = str(folder), moment, False
        try:
            result = CliRunner().invoke(app, words, env={"LIKELY_CACHE": str(folder / "cache")})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            FILLER.folder, filled = "", FILLER.filled
        after, wrong = contents(folder), list[str]()
        if "Traceback" in result.output or "bug in likely" in result.output:
            wrong.append(f"it says {result.output[-300:]!r}")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            wrong.append(f"it raises {result.exception!r}")
        wrong += [f"{name} is not whole" for name in after if not is_whole(folder / name)]
        if result.exit_code and not is_replaced(folder / "run", before["run/model.likely"]):
            wrong += [f"{name} is no longer what it was" for name in before if after.get(name) != before[name]]
            new = [name for name in after if name not in before and not set(Path(name).parts) & set(_MAY_STAY)]
            wrong += [f"{name} is left" for name in new]
        if result.exit_code and "cache" in command:
            wrong.append("it needs a cache")
        return filled, wrong


def draw(seed: int) -> Figures:
    """All moments of one command."""
    command, before = list(COMMANDS)[seed % len(COMMANDS)], image_cache.KEPT_FROM
    image_cache.KEPT_FROM = 1
    try:
        with tempfile.TemporaryDirectory() as folder:
            good = Path(folder) / "good"
            assert CliRunner().invoke(app, [*FIT, "--out", str(good)]).exit_code == 0
            for moment in itertools.count(1):
                filled, wrong = attempt(command, good, moment)
                if wrong:
                    print(command, moment, wrong, file=sys.stderr)
                    return {"moments": moment, "wrong": 1.0}
                if not filled:
                    return {"moments": moment - 1, "wrong": 0.0}
    finally:
        image_cache.KEPT_FROM = before
    raise AssertionError


def checks(draws: list[Figures]) -> list[Check]:
    moments, wrong = mean(draws, "moments") * len(draws), count(draws, "wrong")
    return [
        Check("moments at which the disk was full", moments, "at least 20", moments >= 20),
        Check("commands that lost, left or hid something", wrong, "0", wrong == 0),
    ]


PROOF = Proof("disk", draw, checks, draws=len(COMMANDS), first=0)


def test_a_full_disk_leaves_what_was_there() -> None:
    with tempfile.TemporaryDirectory() as folder:
        good = fit(RunConfig(data="iris", network="linear", epochs=1, out=f"{folder}/good")).folder
        for command, moment in (("fit --overwrite", 2), ("calibrate", 1)):
            filled, wrong = attempt(command, good, moment)
            assert filled
            assert not wrong
