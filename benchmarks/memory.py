"""Memory and speed of fitting a folder of images: rows read from the mapped cache beside rows held in memory.

Gray images of 28 x 28, drawn in ten classes, are written as PNG files under FOLDER (made once, then reused). Every
fit is a process of its own, the cache warm, so that decoding is not in it; the two ways take turns. The conv net of
preset `fast` trains on a fifth of the rows, the MLP, for which reading rows counts most, on all of them twice.

"anonymous" is the most memory at any time that the process can't give back to files (RssAnon of Linux, sampled every
20 ms), "mapped" the most of files that lay in memory for it (libraries, and what was read of the cache). "rows/s" is
the rate that the training loop reports, the median over the rounds; OMP_NUM_THREADS=1 makes that of the MLP steady.

    python benchmarks/memory.py FOLDER [N ...]          (default 10000 100000; ROUNDS=3, NETWORKS="conv mlp")
"""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image

_ROUNDS = int(os.environ.get("ROUNDS", "3"))
_EPOCHS = {"conv": 0.2, "mlp": 2.0}


def write_images(folder: Path, n: int) -> Path:
    """n images in class folders: noise, and a bright bar whose height tells the class."""
    if not folder.exists():
        half = folder.with_name(f"{folder.name}.half")
        rng = np.random.default_rng(0)
        for i in range(n):
            image = rng.integers(0, 150, (28, 28), dtype=np.uint8)
            image[2 * (i % 10) + 3 : 2 * (i % 10) + 6] += 60
            path = half / f"class {i % 10}" / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path, compress_level=1)
        half.rename(folder)
    return folder


def fit_and_report(folder: str, network: str, way: str) -> None:
    """Print the figures of one fit as JSON: what a process of its own does."""
    from likely.config import RunConfig
    from likely.data.images import image_cache
    from likely.data.sources import open_dataset
    from likely.training.fit import learn

    image_cache.ON_DISK_FROM = 0 if way == "mapped" else 2**62
    peak = {"RssAnon": 0, "RssFile": 0}
    threading.Thread(target=_watch, args=(peak,), daemon=True).start()
    began = time.perf_counter()
    dataset = open_dataset(folder)
    opened = time.perf_counter() - began
    learned = learn(dataset, RunConfig(data=folder, network=network, epochs=_EPOCHS[network]))
    print(
        json.dumps(
            {
                "opened": opened,
                "rate": learned.history[-1].examples_per_second,
                "loss": learned.history[-1].loss,
                "anonymous": peak["RssAnon"] / 1024,
                "mapped": peak["RssFile"] / 1024,
            }
        )
    )


def _watch(peak: dict[str, int]) -> None:
    while True:
        for line in Path("/proc/self/status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in peak:
                peak[name] = max(peak[name], int(value.split()[0]))
        time.sleep(0.02)


def main() -> None:
    """Write the images, fit in turns, and print a line for each size, network and way."""
    root = Path(sys.argv[1])
    for n in [int(text) for text in sys.argv[2:]] or [10_000, 100_000]:
        folder = write_images(root / f"{n} images", n)
        first = _run(folder, "mlp", "mapped")
        print(f"{n:,} images, {n * 28 * 28 / 2**20:.0f} MB of pixels; first opened in {first['opened']:.1f} s")
        for network in os.environ.get("NETWORKS", "conv mlp").split():
            _compare(folder, network)


def _compare(folder: Path, network: str) -> None:
    found: dict[str, list[dict[str, float]]] = {"mapped": [], "memory": []}
    for _ in range(_ROUNDS):
        for way, results in found.items():
            results.append(_run(folder, network, way))
    rates = {way: statistics.median(result["rate"] for result in results) for way, results in found.items()}
    for way, results in found.items():
        print(
            f"  {network:5}{way}: {rates[way]:8,.0f} rows/s ({rates[way] / rates['memory']:.0%})   anonymous "
            f"{max(result['anonymous'] for result in results):6,.0f} MB   mapped "
            f"{max(result['mapped'] for result in results):6,.0f} MB   loss {results[0]['loss']:.6f}   opened in "
            f"{statistics.median(result['opened'] for result in results):.1f} s",
            flush=True,
        )


def _run(folder: Path, network: str, way: str) -> dict[str, float]:
    command = [sys.executable, __file__, "--fit", str(folder), network, way]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--fit"]:
        fit_and_report(*sys.argv[2:])
    else:
        main()
