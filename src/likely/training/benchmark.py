"""What this machine can do: how fast it multiplies, how long the presets should take, and a short training run.

The expected time of a preset is that of its steps, one of which is timed here:

    seconds = epochs * images * seconds of a step per image

The work of a step, which torch counts, and the measured rate of a convolution in the precision that training takes say
how much of that rate a step reaches.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from likely.arrays import one_hot
from likely.config import RunConfig
from likely.config.registry import PRESETS
from likely.data.dataset import Part
from likely.data.images.fashion_mnist import at_hand
from likely.data.progress_callback import Progress
from likely.engines import create_engine
from likely.engines.protocol import Engine
from likely.errors import ConfigError, nearest
from likely.learners.boosting import Boosting
from likely.learners.mixture import Mixture
from likely.networks.trees import Trees
from likely.preprocessing.image_preprocessor import ImagePreprocessor
from likely.training.choose_plan import choose_plan
from likely.training.loop.descent import Record
from likely.training.plan import Plan
from likely.training.provenance import hardware, versions
from likely.training.task import CLASSIFICATION
from likely.training.train import train
from likely.training.training_rows import Rows

IMAGES, CLASSES, SHAPE = 55_200, 10, (28, 28)
"""What is learned from of Fashion-MNIST: 60,000 training images without those held out."""
_COUNTED = 16


@dataclass(frozen=True)
class Size:
    """How much to measure; smaller is sooner and less exact.

    Args:
        side: of the matrices that are multiplied.
        images: of the batch that is convolved.
        rounds: of which the best counts.
        trained_on: how many images the short run takes.
    """

    side: int = 2048
    images: int = 256
    rounds: int = 5
    trained_on: int = 10_240


@dataclass(frozen=True)
class Rate:
    """GFLOP/s of a piece of work in a precision: "matrix product" or "convolution"."""

    work: str
    precision: str
    gflops: float


@dataclass(frozen=True)
class Expected:
    """A preset on Fashion-MNIST: its epochs, the work of a training step per image, and the seconds of training."""

    preset: str
    epochs: float
    gflop_per_image: float
    seconds: float


@dataclass(frozen=True)
class ShortRun:
    """What training did: on which images, how many, for how long, how much of the convolution's rate it reached."""

    data: str
    images: int
    seconds: float
    images_per_second: float
    share_of_convolution: float


@dataclass(frozen=True)
class Benchmark:
    """All that was measured on a machine."""

    hardware: dict[str, Any]
    versions: dict[str, str]
    device: str
    threads: int
    rates: tuple[Rate, ...]
    presets: tuple[Expected, ...]
    run: ShortRun

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `likely bench --json` prints them."""
        return asdict(self)


def benchmark(
    device: str = "auto",
    size: Size | None = None,
    progress: Progress | None = None,
    on_record: Callable[[Record], None] | None = None,
) -> Benchmark:
    """Measure this machine.

    Args:
        device: "auto", "cpu" or "cuda".
        size: how much to measure.
        progress: told how far the measuring is.
        on_record: takes the records of the short run.
    Raises:
        EngineError: if there is no such device.
    """
    from likely.engines.by_torch.rates import convolution_rate, matrix_product_rate, precisions

    size, progress = size or Size(), progress or (lambda what, done, total: None)
    data, part = _images(size.trained_on)
    plans = {preset: _plan(preset, device) for preset in PRESETS}
    engines = {preset: _engine(plan, part, device) for preset, plan in plans.items()}
    device = engines["fast"].device

    rates: list[Rate] = []
    kinds = precisions(device)
    for i, precision in enumerate(kinds):
        progress("Measuring", 2 * i, 2 * len(kinds))
        rates.append(Rate("matrix product", precision, matrix_product_rate(device, precision, size.side, size.rounds)))
        progress("Measuring", 2 * i + 1, 2 * len(kinds))
        rates.append(Rate("convolution", precision, convolution_rate(device, precision, size.images, size.rounds)))
    progress("Measuring", 2 * len(kinds), 2 * len(kinds))
    speeds = {rate.precision: rate.gflops for rate in rates if rate.work == "convolution"}

    presets = [_expected(preset, plan, engines[preset], part.X[: size.images]) for preset, plan in plans.items()]
    fast = plans["fast"]
    records: list[Record] = []

    def record(record: Record) -> None:
        records.append(record)
        if on_record is not None:
            on_record(record)

    stop_at = min(1.0, size.trained_on / len(part) / fast.epochs)
    rows = Rows(part.X, one_hot(part.y, CLASSES, np.float32), None, CLASSIFICATION)
    train(fast, rows, np.arange(len(part)), RunConfig(device=_name(device)), stop_at=stop_at, on_record=record)
    rate = records[-1].examples_per_second
    run = ShortRun(
        data,
        records[-1].step * min(fast.batch_size, len(part)),
        records[-1].seconds,
        rate,
        presets[0].gflop_per_image * rate / speeds[engines["fast"].precision],
    )
    return Benchmark(hardware(), versions(), device, engines["fast"].threads, tuple(rates), tuple(presets), run)


def _images(least: int) -> tuple[str, Part]:
    """Fashion-MNIST, if it is on this machine, else as many made-up images as are needed: they cost the same."""
    dataset = at_hand()
    if dataset is not None:
        return dataset.name, dataset.train
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (max(least, 1_000), *SHAPE), dtype=np.uint8)
    return "made-up images", Part(X, np.arange(len(X)) % CLASSES)


def _plan(preset: str, device: str) -> Plan:
    config = RunConfig(preset=preset, device=_name(device))
    return choose_plan(config, row_shape=SHAPE, n_rows=IMAGES, n_outputs=CLASSES, task=CLASSIFICATION, hflip=True)


def _engine(plan: Plan, part: Part, device: str) -> Engine:
    """An engine of the plan that holds a few images, enough to take a step."""
    preprocessor = ImagePreprocessor(SHAPE, layout="channels_first")
    X, y = part.X[:_COUNTED], part.y[:_COUNTED]
    assert not isinstance(plan.network, Boosting | Trees | Mixture)  # a preset has another
    engine = create_engine(
        "torch",
        plan.network,
        n_outputs=CLASSES,
        head=plan.head,
        loss=plan.loss,
        optimizer=plan.optimizer,
        sample=preprocessor(X),
        seed=0,
        device=device,
        precision=plan.precision,
    )
    engine.place(X, one_hot(y, CLASSES, np.float32), prepare=preprocessor)
    return engine


def _expected(preset: str, plan: Plan, engine: Engine, X: np.ndarray) -> Expected:
    from likely.engines.by_torch.rates import step_seconds, step_work
    from likely.networks.convnet import ConvNet

    assert isinstance(plan.network, ConvNet)
    prepare = ImagePreprocessor(SHAPE, layout="channels_first")
    step = step_seconds(plan.network, X, prepare, CLASSES, engine.device, plan.precision)
    return Expected(preset, plan.epochs, step_work(engine, _COUNTED), plan.epochs * IMAGES * step / len(X))


def _name(device: str) -> Literal["auto", "cpu", "cuda"]:
    if device in ("auto", "cpu", "cuda"):
        return device
    raise ConfigError(f"device must be one of auto, cpu, cuda; got {device!r}. {nearest(device, ('cpu', 'cuda'))}")
