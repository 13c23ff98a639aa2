"""Hours of work in one process: fits, answers and a cache that is pruned, at the same time, and memory stays flat.

`make prove PART=soak` takes 30 minutes, `SOAK_MINUTES=3 make prove PART=soak` three.
"""

import os
import resource
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tests.guarantees.proof import Check, Figures, Proof

from likely import Classifier
from likely.data.images import image_cache
from likely.data.images.decode_many import load_images

MINUTES = float(os.environ.get("SOAK_MINUTES", "30"))
MOST_GROWTH = 30.0
"""MB between the second and the last quarter of the time: allocators keep some."""


class Soak:
    """What runs until the time is over, each thing in its thread, and what went wrong."""

    def __init__(self, folder: Path) -> None:
        self.stop, self.errors, self.counts = threading.Event(), list[BaseException](), dict[str, int]()
        self.folder, rng = folder, np.random.default_rng(0)
        self.X, self.y = rng.normal(size=(200, 5)), np.arange(200) % 2
        self.images = rng.integers(0, 255, (80, 8, 8), np.uint8)
        self.model: Any = Classifier(network="mlp", epochs=1, random_state=0).fit(self.X, self.y).predictor_
        self.paths = [folder / f"{i}.png" for i in range(40)]
        for i, path in enumerate(self.paths):
            Image.fromarray(self.images[i]).save(path)

    def fit(self, turn: int) -> None:
        network = ("linear", "mlp", "trees", "conv")[turn % 4]
        images = network == "conv"
        X, y = (self.images, self.y[:80]) if images else (self.X, self.y)
        self.model = self.model if images else Classifier(network=network, epochs=2).fit(X, y).predictor_
        if images:
            Classifier(network=network, epochs=1).fit(X, y)

    def answer(self, turn: int) -> None:
        model = self.model
        assert np.isfinite(model.predict_proba(self.X)).all()
        model.predict_set(self.X[:10], 0.8)

    def prune(self, turn: int) -> None:
        some = self.paths[turn % 20 : turn % 20 + 10]
        assert len(load_images(some, [path.name for path in some]).X) == 10

    def looped(self, work: Callable[[int], None]) -> None:
        turn = 0
        try:
            while not self.stop.is_set():
                work(turn)
                turn += 1
        except BaseException as error:
            self.errors.append(error)
        self.counts[work.__name__] = turn


def megabytes() -> float:
    """What this process takes now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def soaked(minutes: float) -> Figures:
    """How much memory grew, and how often everything was done, in so many minutes."""
    before = image_cache.KEPT_FROM, image_cache.CACHE_BYTES, os.environ.get("LIKELY_CACHE")
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.environ["LIKELY_CACHE"] = f"{folder}/cache"
        image_cache.KEPT_FROM, image_cache.CACHE_BYTES = 1, 5_000
        soak = Soak(Path(folder))
        threads = [threading.Thread(target=soak.looped, args=(work,)) for work in (soak.fit, soak.answer, soak.prune)]
        try:
            for thread in threads:
                thread.start()
            sizes, end = list[float](), time.monotonic() + 60 * minutes
            while time.monotonic() < end and not soak.errors:
                time.sleep(min(1.0, 60 * minutes / 40))
                sizes.append(megabytes())
        finally:
            soak.stop.set()
            for thread in threads:
                thread.join()
            image_cache.KEPT_FROM, image_cache.CACHE_BYTES = before[:2]
            os.environ.pop("LIKELY_CACHE") if before[2] is None else os.environ.update(LIKELY_CACHE=before[2])
    if soak.errors:
        raise soak.errors[0]
    quarter = max(1, len(sizes) // 4)
    growth = float(np.median(sizes[-quarter:]) - np.median(sizes[quarter : 2 * quarter]))
    return {"growth": growth, **{name: float(n) for name, n in soak.counts.items()}}


def checks(draws: list[Figures]) -> list[Check]:
    [found] = draws
    done = [Check(f"times: {name}", found[name], "at least 1", found[name] >= 1) for name in ("fit", "answer", "prune")]
    growth = found["growth"]
    return [*done, Check("growth of memory, MB", growth, f"at most {MOST_GROWTH:g}", growth <= MOST_GROWTH)]


PROOF = Proof("soak", lambda seed: soaked(MINUTES), checks, draws=1)


def test_everything_at_the_same_time() -> None:
    found = soaked(1 / 60)
    assert min(found[name] for name in ("fit", "answer", "prune")) >= 1
