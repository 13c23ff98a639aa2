"""Runs of every kind, killed up to four times by SIGKILL at random moments, come to the bytes of a run that never was.

Every run is a process of its own, forked from one that has loaded everything and computed nothing. It tells through a
pipe what it is at, so that the table says in which phases it was killed.
"""

import functools
import importlib
import os
import select
import signal
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tests.guarantees.proof import Check, Figures, Proof, count, mean

from likely.config import RunConfig
from likely.engines.by_hand import ByHand
from likely.errors import DivergenceError, OutputError
from likely.model import file as model_file
from likely.training.fit import fit

PHASES = ("opening", "decoding", "trainings on the way", "last training", "writing")
IRIS: dict[str, Any] = {"data": "iris", "network": "linear", "optimizer": "adam", "epochs": 20}
KINDS: dict[str, dict[str, Any]] = {
    "by hand": IRIS,
    "a module of images": {"data": "images", "network": "conv", "epochs": 1},
    "by torch": {"data": "iris", "network": "mlp", "engine": "torch", "epochs": 6},
    "held-out rows": {"data": "rows", "network": "mlp", "hidden": (8,), "epochs": 2, "early_stopping": True},
    "L-BFGS": {"data": "iris", "network": "linear"},
    "a mixture": {"data": "wine", "network": "mixture"},
    "trees": {"data": "wine", "network": "trees"},
    "numbers": {"data": "diabetes", "network": "mlp", "epochs": 3},
    "a module of images again": {"data": "images", "network": "conv", "epochs": 1, "augment": ("hflip", "shift")},
    "by jax": {"data": "iris", "network": "mlp", "engine": "jax", "epochs": 3},
}
LOADED = ("scipy.stats", "scipy.cluster.vq", "sklearn.datasets", "sklearn.ensemble")
LOADED += tuple(f"likely.engines.{name}" for name in ("by_hand", "by_jax", "by_torch.torch_engine"))
EVERY = 0.02
"""Seconds between checkpoints."""
_KILLS = 4
"""Of a run, at most: it may be faster."""
_PATIENCE = 600.0
"""Seconds after which a run that was not killed counts as hanging."""


class _Phases:
    """A watcher that tells through a pipe which phase a run is in."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe

    def say(self, message: str) -> None:
        del message

    def loading(self, what: str, done: int, total: int | None) -> None:
        del what, done, total
        os.write(self._pipe, b"1")

    def record(self, record: Any, fold: str = "") -> None:
        os.write(self._pipe, b"2" if fold else b"4" if record.seconds_left == 0 else b"3")


@functools.cache
def _place() -> Path:
    """A folder with the data, for as long as this process lives; all that runs need is loaded, too."""
    for name in LOADED:
        importlib.import_module(name)
    Image.init()
    place = tempfile.TemporaryDirectory(prefix="likely-killed-")
    folder, rng = Path(place.name), np.random.default_rng(0)
    _kept.append(place)
    for label in range(2):
        (folder / f"images/{label}").mkdir(parents=True)
        for number in range(40):
            image = rng.integers(0, 150, (10, 12, 3))
            image[label * 5 : label * 5 + 5] += 60
            Image.fromarray(image.astype(np.uint8)).save(folder / f"images/{label}/{number}.png")
    X = rng.normal(size=(6_400, 4))
    y = np.argmax(X[:, :3] + rng.normal(size=(6_400, 3)), axis=1)
    np.savez(folder / "rows.npz", X_train=X[:6_000], y_train=y[:6_000], X_test=X[6_000:], y_test=y[6_000:])
    return folder


_kept: list[Any] = []


def _config(kind: str, out: Path) -> RunConfig:
    settings = KINDS[kind]
    data = {"images": str(_place() / "images"), "rows": str(_place() / "rows.npz")}.get(settings["data"])
    return RunConfig(**{**settings, "data": data or settings["data"], "out": str(out), "checkpoint_every": EVERY})


def _begun(kind: str, out: Path, *, forgetful: bool = False) -> tuple[int, int]:
    """A process that trains, or goes on, and a pipe that tells how far it is."""
    reading, writing = os.pipe()
    config, cache = _config(kind, out), out.with_name(f"{out.name}-cache")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that forking is not safe where threads run: here are none
        child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    code = 1
    try:
        os.environ["LIKELY_CACHE"] = str(cache)
        warnings.simplefilter("ignore")
        if forgetful:
            restore = ByHand.restore
            ByHand.restore = lambda self, kept: restore(self, {**kept, "v": kept["v"] * 0})
        fit(config, _Phases(writing), resume=True)
        code = 0
    except DivergenceError:
        code = int(not forgetful)  # what has forgotten may take too large a step
    except OutputError as error:
        code = "has come to its end" not in str(error)  # it was killed after its last deed
    finally:
        os._exit(code)


def _ended(child: int, pipe: int, within: float, after: int = 0) -> tuple[bool, int]:
    """Whether a process came to a good end within so many seconds, from a phase on; else it is killed.

    And the latest phase that it told of.
    """
    until, told = time.monotonic() + (_PATIENCE if after else within), b"0"
    while (left := until - time.monotonic()) > 0:
        if select.select([pipe], [], [], left)[0]:
            read = os.read(pipe, 1 << 16)
            if not read:
                break
            told = read
            if 0 < after <= int(told[-1:]):
                until, after = time.monotonic() + within, 0
    else:
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    while read := os.read(pipe, 1 << 16):
        told = read
    os.close(pipe)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, f"a run failed: {status}"
    return not os.WIFSIGNALED(status), int(told[-1:])


def _result(out: Path) -> dict[str, bytes]:
    """Arrays, figures, and what the card says of answers: temperature and splits."""
    arrays, card = model_file.read(out / "model.likely")
    told = {name: repr(card[name]).encode() for name in ("temperature", "biases", "splits", "held_out")}
    return {name: a.tobytes() for name, a in arrays.items()} | told | {"": (out / "metrics.json").read_bytes()}


@functools.cache
def _whole(kind: str) -> tuple[dict[str, bytes], float]:
    """What a run comes to that is never stopped, and the seconds that it takes."""
    out, began = _place() / f"whole-{kind}", time.monotonic()
    good, _ = _ended(*_begun(kind, out), _PATIENCE)
    assert good
    return _result(out), time.monotonic() - began


def draw(seed: int) -> Figures:
    """How often a run was killed, in which phases, and whether it then came to the same."""
    rng = np.random.default_rng(seed)
    kind = list(KINDS)[seed % len(KINDS)]
    whole, seconds = _whole(kind)
    with tempfile.TemporaryDirectory(dir=_place()) as folder:
        out = Path(folder) / "run"
        phases = np.zeros(len(PHASES))
        begun = False
        for _ in range(_KILLS):
            # At any time, or soon after a phase has begun: some are short.
            after = int(rng.integers(0, len(PHASES))) if rng.random() < 0.6 else 0
            within = seconds * rng.uniform(0.02, 0.3 if after else 1.0)
            good, phase = _ended(*_begun(kind, out), within, after)
            if good:
                break
            phases[phase] += 1
            begun |= (out / "checkpoints").is_dir()
        if not (good and phases.sum()):
            ended, _ = (True, 0) if good else _ended(*_begun(kind, out), _PATIENCE)
            assert ended, "a run hangs"
        same = _result(out) == whole
        left = [path.name for path in out.iterdir() if path.name in ("checkpoints", "unfinished", ".finished")]
    return {
        "kills": float(phases.sum()),
        "gone on": float(begun),
        "differs": float(not same),
        "left": float(len(left)),
        "control differs": _control(rng) if kind == "by hand" else np.nan,
        **{name: float(n) for name, n in zip(PHASES, phases, strict=True)},
    }


def _control(rng: np.random.Generator) -> float:
    """Whether a run differs that goes on without one array of what the update rule remembers."""
    whole, seconds = _whole("by hand")
    with tempfile.TemporaryDirectory(dir=_place()) as folder:
        for number in range(50):
            out = Path(folder) / f"run-{number}"
            good, _ = _ended(*_begun("by hand", out), seconds * rng.uniform(0.01, 0.2), after=2)
            # Killed in a training; else there is nothing to forget.
            if not good and list((out / "checkpoints").glob("checkpoint-*")):
                _ended(*_begun("by hand", out, forgetful=True), _PATIENCE)
                return float(not (out / "model.likely").exists() or _result(out) != whole)
    return np.nan


def checks(draws: list[Figures]) -> list[Check]:
    """All the same after at least 200 kills; the control is not."""
    kills = sum(int(figures["kills"]) for figures in draws)
    found = [
        Check("runs killed", kills, "at least 200", kills >= 200),
        Check("of them with checkpoints", count(draws, "gone on"), "at least 100", count(draws, "gone on") >= 100),
        Check("results that differ in a bit", count(draws, "differs"), "0", not count(draws, "differs")),
        Check("runs that left something", count(draws, "left"), "0", not count(draws, "left")),
        Check(
            "controls that differ",
            mean(draws, "control differs"),
            "at least 0.3: the best length may lie before",
            mean(draws, "control differs") >= 0.3,
        ),
    ]
    for phase in PHASES:
        n = int(sum(figures[phase] for figures in draws))
        found.append(Check(f"killed while {phase}", n, "at least 1", n >= 1))
    return found


PROOF = Proof("resume", draw, checks, draws=120, first=1_000)
