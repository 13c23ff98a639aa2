"""How fast this machine multiplies, and how much multiplying a training step is."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from likely.engines.by_torch.precision import multiplies_in_bfloat16
from likely.engines.by_torch.torch_engine import ByTorch
from likely.engines.protocol import Batch, EngineSettings, Optimizer, Precision, Prepare
from likely.networks.network import Network, TorchNetwork

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
_CHANNELS, _SIDE = 64, 14


def precisions(device: str) -> tuple[str, ...]:
    """What the device multiplies natively: "float32", and "bfloat16" where training takes it."""
    return ("float32", "bfloat16") if multiplies_in_bfloat16("auto", torch.device(device)) else ("float32",)


def matrix_product_rate(device: str, precision: str, side: int, rounds: int) -> float:
    """GFLOP/s of the product of two matrices (side, side), the best of some rounds.

    A product takes 2 side^3 multiplications and additions.
    """
    a = torch.rand(side, side, device=device).to(_DTYPES[precision])
    return 2 * side**3 / _shortest(lambda: a @ a, device, rounds) / 1e9


def convolution_rate(device: str, precision: str, images: int, rounds: int) -> float:
    """GFLOP/s of a 3 x 3 convolution of 64 channels of 14 x 14 pixels, forward and backward, the best of some rounds.

    Each direction takes 2 * 9 * 64^2 * 14^2 multiplications and additions per image: forward once, backward twice,
    for the gradient of the filters and of the input.
    """
    conv = torch.nn.Conv2d(_CHANNELS, _CHANNELS, 3, padding=1, bias=False).to(device, _DTYPES[precision])
    x = torch.rand(images, _CHANNELS, _SIDE, _SIDE, device=device).to(_DTYPES[precision])
    x = x.contiguous(memory_format=torch.channels_last).requires_grad_()
    slope = torch.rand_like(x)

    def there_and_back() -> None:
        x.grad = conv.weight.grad = None
        conv(x).backward(slope)

    work = 3 * images * 2 * 9 * _CHANNELS**2 * _SIDE**2
    return work / _shortest(there_and_back, device, rounds) / 1e9


def step_work(engine: Any, n_rows: int) -> float:
    """GFLOP of a training step per row, counted by torch while its engine takes one on `n_rows` of the placed rows."""
    if not isinstance(engine, ByTorch):
        raise TypeError(f"The engine must be torch; got {type(engine).__name__}.")
    counter = FlopCounterMode(display=False)
    with counter:
        engine.step(Batch(np.arange(n_rows)), 0.0)
    return counter.get_total_flops() / n_rows / 1e9


def step_seconds(
    network: Network | TorchNetwork,
    X: np.ndarray,
    prepare: Prepare,
    n_outputs: int,
    device: str,
    precision: Precision,
    dtype: str = "float32",
) -> float:
    """Seconds of a training step of such a network on the stored rows X (random ones do), the shorter of two."""
    sample, rule, loss = np.asarray(prepare(X)), Optimizer(), "cross_entropy"
    settings = EngineSettings(network, n_outputs, "softmax", loss, rule, sample, 0, dtype, device, precision)
    engine = ByTorch(settings)
    engine.place(X, np.full((len(X), n_outputs), 1 / n_outputs, dtype), prepare=prepare)
    batch = Batch(np.arange(len(X)))
    return _shortest(lambda: engine.step(batch, 1e-3), engine.device, 2)


def _shortest(work: Callable[[], object], device: str, rounds: int) -> float:
    """Seconds of the shortest round, after one that does not count."""
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    times: list[float] = []
    for _ in range(rounds + 1):
        wait()
        began = time.perf_counter()
        work()
        wait()
        times.append(time.perf_counter() - began)
    return min(times[1:])
