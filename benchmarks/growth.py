"""How the memory of `likely fit` grows with the number of images and with the width of the net.

Fashion-MNIST's training images, tiled to n, are written as an .npz under FOLDER (made once, then reused) and fitted
by the command line's own entry point in a process of its own, with the preset "fast" but for its width, for at most 100
steps, since longer training needs no more. "peak" is the most memory that lay in RAM for the process at any time,
libraries and mapped files included (VmHWM of Linux).

    python benchmarks/growth.py FOLDER [N ...]          (default 10000 60000 600000; WIDTHS="32 64 128")
"""

import contextlib
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

import likely

_WIDTHS = [int(text) for text in os.environ.get("WIDTHS", "32 64 128").split()]
_FAST = 64
_STEPS = 100


def tiled(folder: Path, n: int) -> Path:
    """The first n images of Fashion-MNIST's training part, repeated where they do not suffice."""
    path = folder / f"{n}.npz"
    if not path.exists():
        train = likely.open_dataset("fashion-mnist").train
        index = np.arange(n) % len(train)
        half = path.with_suffix(".half.npz")
        np.savez(half, X=train.X[index], y=train.y[index])
        half.rename(path)
    return path


def fit_and_report(path: str, n: int, width: int) -> None:
    """Print the peak of one fit in MB: what a process of its own does."""
    from likely.cli.app import app
    from likely.config.registry import PRESETS

    recipes = PRESETS["fast"].recipes
    recipes["conv"] = replace(recipes["conv"], settings={**recipes["conv"].settings, "width": width})
    epochs = min(1.0, _STEPS * recipes["conv"].batch_size / n)
    with tempfile.TemporaryDirectory() as out, contextlib.redirect_stdout(sys.stderr):
        app(["fit", path, "--out", f"{out}/run", "--epochs", str(epochs)], standalone_mode=False)
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(int(status["VmHWM"].split()[0]) / 1024)


def main() -> None:
    """Write the images, fit, and print a line for each size and width."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    sizes = [int(text) for text in sys.argv[2:]] or [10_000, 60_000, 600_000]
    print("| images | their pixels | width | peak |\n|---|---|---|---|")
    for n, width in [(n, _FAST) for n in sizes] + [(60_000, width) for width in _WIDTHS if width != _FAST]:
        command = [sys.executable, __file__, "--fit", str(tiled(folder, n)), str(n), str(width)]
        peak = float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])
        print(f"| {n:,} | {n * 28 * 28 / 2**20:,.0f} MB | {width} | {peak:,.0f} MB |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--fit"]:
        fit_and_report(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
