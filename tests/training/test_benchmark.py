"""What `likely bench` measures: rates, the work of a step, expected times, and a short run."""

import numpy as np
import pytest
import torch

from likely.engines import create_engine
from likely.engines.by_torch import rates
from likely.engines.protocol import Optimizer
from likely.errors import ConfigError, EngineError
from likely.networks.linear import Linear
from likely.networks.mlp import MLP
from likely.training import benchmark as benchmark_module
from likely.training.benchmark import Benchmark, Size, benchmark

TINY = Size(side=64, images=2, rounds=1, trained_on=256)


@pytest.fixture(scope="module")
def measured() -> tuple[Benchmark, list[str], int]:
    told: list[str] = []
    records: list[object] = []
    found = benchmark("cpu", TINY, lambda what, done, total: told.append(f"{what} {done}/{total}"), records.append)
    return found, told, len(records)


def test_rates_of_what_the_processor_multiplies(measured: tuple[Benchmark, list[str], int]) -> None:
    found, told, _ = measured
    kinds = rates.precisions("cpu")
    expected = [(work, kind) for kind in kinds for work in ("matrix product", "convolution")]
    assert [(rate.work, rate.precision) for rate in found.rates] == expected
    assert all(rate.gflops > 0 for rate in found.rates)
    assert told[0] == f"Measuring 0/{2 * len(kinds)}"
    assert told[-1] == f"Measuring {2 * len(kinds)}/{2 * len(kinds)}"


def test_expected_times_are_those_of_steps(measured: tuple[Benchmark, list[str], int]) -> None:
    found, _, _ = measured
    assert [entry.preset for entry in found.presets] == ["fast", "balanced", "best"]
    works = [entry.epochs * entry.gflop_per_image for entry in found.presets]
    assert works == sorted(works)
    fast, _, best = found.presets
    assert 0 < 4 * fast.seconds < best.seconds


def test_the_short_run_trains_on_fashion_mnist(measured: tuple[Benchmark, list[str], int]) -> None:
    found, _, records = measured
    assert records > 0
    assert (found.run.data, found.run.images) == ("fashion-mnist", 256)
    assert found.run.images_per_second == pytest.approx(256 / found.run.seconds, rel=1e-6)
    plain = found.to_json()
    assert set(plain) == {"hardware", "versions", "device", "threads", "rates", "presets", "run"}


def test_images_are_made_up_where_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark_module, "at_hand", lambda: None)
    found = benchmark("cpu", TINY)
    assert found.run.data == "made-up images"
    assert found.run.images == 256


def test_the_work_of_a_step_is_counted() -> None:
    net = MLP([30, 20, 10])
    engine = create_engine(
        "torch", net, n_outputs=10, head="softmax", loss="cross_entropy", optimizer=Optimizer(),
        sample=np.zeros((2, 30), np.float32), seed=0,
    )  # fmt: skip
    engine.place(np.zeros((8, 30), np.float32), np.eye(10, dtype=np.float32)[:8], prepare=lambda x: x)
    # Two multiplications and additions of the first layer per weight and row, three of the second; biases not counted.
    assert rates.step_work(engine, 8) * 1e9 == pytest.approx(2 * (2 * 30 * 20 + 3 * 20 * 10))


def test_only_torch_counts() -> None:
    engine = create_engine(
        "numpy", Linear(3, 2), n_outputs=2, head="softmax", loss="cross_entropy", optimizer=Optimizer(),
        sample=np.zeros((2, 3)), seed=0,
    )  # fmt: skip
    with pytest.raises(TypeError, match="ByHand"):
        rates.step_work(engine, 2)


def test_a_device_that_does_not_exist() -> None:
    with pytest.raises(ConfigError, match="'cpu'"):
        benchmark("cpus", TINY)
    if not torch.cuda.is_available():
        with pytest.raises(EngineError, match="device='cpu'"):
            benchmark("cuda", TINY)
