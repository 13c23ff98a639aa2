"""Gradient descent by torch's backpropagation, for pure networks and for torch modules, on CPU or GPU.

Backpropagation records each operation of the forward pass and walks the record backward with the chain rule; what it
computes is the gradient of the batch's mean loss.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from likely.arrays import Array, to_numpy
from likely.engines.by_torch.precision import Precision, multiplies_in_bfloat16
from likely.engines.engine import Augment, Batch, Optimizer, Prepare
from likely.errors import EngineError
from likely.networks.network import Network, TorchNetwork
from likely.objective import mean_loss
from likely.stored_rows import RowArray, StoredRows

_DTYPES = {"float32": torch.float32, "float64": torch.float64}


class ByTorch:
    """The torch engine; see `likely.engines.engine.Engine` for what it promises.

    Args:
        network: a pure network, or one that builds a module.
        n_outputs: how many scores.
        head: by name, for the loss.
        loss: by name.
        optimizer: the update rule.
        sample: some prepared inputs, of which a module may take data-dependent first values.
        seed: of the first values.
        dtype: "float32" or "float64"; modules are float32.
        device: "auto", "cpu" or "cuda".
        precision: what modules multiply in while they are trained: "auto", "float32" or "bfloat16".
    """

    name = "torch"

    def __init__(
        self,
        network: Network | TorchNetwork,
        *,
        n_outputs: int,
        head: str,
        loss: str,
        optimizer: Optimizer,
        sample: np.ndarray,
        seed: int,
        dtype: str = "float32",
        device: str = "auto",
        precision: Precision = "float32",
    ) -> None:
        self._device = _device(device)
        self._dtype = _DTYPES[dtype]
        self._head, self._loss = head, loss
        if isinstance(network, Network):
            theta = {name: torch.from_numpy(a).to(self._device, self._dtype) for name, a in network.init(seed).items()}
            self._module: nn.Module = _Pure(network, theta)
        else:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                self._module = network.build(n_outputs, sample)
            self._module.to(device=self._device)
            self._module.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]  # missing in its stub
        self._low = not isinstance(network, Network) and multiplies_in_bfloat16(precision, self._device)
        self._optimizer, self._rates = _optimizer(self._module, optimizer)
        # torch's SGD adds its decay to the gradient, momentum included; ours acts on theta itself.
        self._decay = optimizer.weight_decay if optimizer.name == "sgd" else 0.0

    @property
    def device(self) -> str:
        """Where it computes: "cpu" or "cuda"."""
        return self._device.type

    @property
    def precision(self) -> str:
        """What products are computed in while training."""
        return "bfloat16" if self._low else str(self._dtype).removeprefix("torch.")

    @property
    def threads(self) -> int:
        """How many CPU threads it computes with."""
        return torch.get_num_threads()

    @property
    def n_parameters(self) -> int:
        """How many numbers the network holds that are parameters, learned or fixed."""
        return sum(p.numel() for p in self._module.parameters())

    def place(
        self,
        X: RowArray,
        Y: np.ndarray,
        weights: np.ndarray | None = None,
        *,
        prepare: Prepare,
        augment: Augment | None = None,
    ) -> None:
        """Keep the rows in their stored dtype on the device."""
        stored = X if isinstance(X, StoredRows) else None
        self._X = torch.from_numpy(np.ascontiguousarray(X) if stored is None else stored.base).to(self._device)
        self._at = None if stored is None else torch.from_numpy(stored.index).to(self._device)
        self._Y = torch.from_numpy(np.ascontiguousarray(Y)).to(self._device, self._dtype)
        self._weights = None if weights is None else torch.from_numpy(weights).to(self._device, self._dtype)
        self._prepare, self._augment = prepare, augment

    def step(self, batch: Batch, learning_rate: float) -> float:
        """One step on the mean loss of the batch; returns that loss."""
        with _flushed_denormals():
            return self._step(batch, learning_rate)

    def _step(self, batch: Batch, learning_rate: float) -> float:
        rows = torch.from_numpy(batch.rows).to(self._device)
        x = self._X.index_select(0, rows if self._at is None else self._at.index_select(0, rows))
        x = self._input(self._prepare(x))
        if self._augment is not None and batch.draws is not None:
            x = self._augment(x, torch.from_numpy(batch.draws).to(self._device))
        weights = None if self._weights is None else self._weights.index_select(0, rows)
        self._module.train()
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = learning_rate * rate
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._low):
            scores = self._module(self._laid_out(x))
        Y = self._Y.index_select(0, rows)
        loss = mean_loss(self._head, self._loss, Y, scores.to(self._dtype), weights)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self._decay:
            with torch.no_grad():
                for group in self._optimizer.param_groups:
                    for parameter in group["params"]:
                        parameter.mul_(1 - group["lr"] * self._decay)
        self._optimizer.step()
        return loss.item()

    def forward(self, X: Array) -> tuple[np.ndarray, np.ndarray]:
        """Scores (n, k) and features (n, m) in evaluation mode."""
        self._module.eval()
        with torch.inference_mode(), _flushed_denormals():
            x = self._laid_out(self._input(X if isinstance(X, torch.Tensor) else torch.from_numpy(X)))
            module: Any = self._module
            if hasattr(module, "scores_and_features"):
                scores, features = module.scores_and_features(x)
            else:
                scores = features = module(x)
        return to_numpy(scores), to_numpy(features)

    def state(self) -> dict[str, np.ndarray]:
        """A copy of parameters and buffers by name."""
        return {name: to_numpy(value).copy() for name, value in self._module.state_dict().items()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take parameters and buffers back."""
        self._module.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in state.items()})

    def _input(self, x: torch.Tensor) -> torch.Tensor:
        return x.to(self._device, self._dtype)

    @staticmethod
    def _laid_out(x: torch.Tensor) -> torch.Tensor:
        return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x


class _Pure(nn.Module):
    """A pure network as a module: its state has the names that theta has."""

    def __init__(self, network: Network, theta: Mapping[str, torch.Tensor]) -> None:
        super().__init__()
        self._network = network
        for name, value in theta.items():
            self.register_parameter(name, nn.Parameter(value))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.scores_and_features(x)[0]

    def scores_and_features(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self._network.apply_with_features(dict(self.named_parameters()), x)


@contextmanager
def _flushed_denormals() -> Generator[None]:
    """Takes denormal numbers for 0, which can make convolutions a hundred times slower; only while the engine computes,
    since the setting belongs to the thread and would change everybody's arithmetic."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _device(name: str) -> torch.device:
    if name == "cuda" and not torch.cuda.is_available():
        raise EngineError(
            "device='cuda' must have a GPU that torch can use; got none. "
            "Try device='cpu', or install a build of torch for your GPU."
        )
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def _optimizer(module: nn.Module, optimizer: Optimizer) -> tuple[torch.optim.Optimizer, list[float]]:
    """The update rule over what learns, and each group's multiple of the learning rate."""
    grouped: Any = getattr(module, "parameter_groups", None)
    groups: list[dict[str, Any]]
    groups = grouped() if grouped else [{"params": [p for p in module.parameters() if p.requires_grad], "rate": 1.0}]
    rates = [group["rate"] for group in groups]
    params = [{"params": group["params"]} for group in groups]
    if optimizer.name == "sgd":
        made = torch.optim.SGD(params, lr=0.0, momentum=optimizer.momentum)
        return made, rates
    made = torch.optim.AdamW(
        params, lr=0.0, betas=optimizer.betas, eps=optimizer.eps, weight_decay=optimizer.weight_decay, foreach=True
    )
    return made, rates
