"""Gradient descent by torch's backpropagation, for pure networks and for torch modules, on CPU or GPU.

Backpropagation records each operation of the forward pass and walks the record backward with the chain rule; what it
computes is the gradient of the batch's mean loss.
"""

import math
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from likely.arrays import Array, Weights, to_numpy
from likely.engines.by_torch.features import LastInput
from likely.engines.by_torch.folded import FoldedConvNet, FoldedEnsemble
from likely.engines.by_torch.frozen import freeze as freeze_layers
from likely.engines.by_torch.modules import PureModule, batch_norms, last_called, make_module, try_out
from likely.engines.by_torch.optimizers import UpdateRule
from likely.engines.by_torch.precision import multiplies_in_bfloat16
from likely.engines.by_torch.seeded import seeded
from likely.engines.protocol import Augment, Batch, EngineSettings, Prepare
from likely.errors import EngineError
from likely.functional.objective import mean_loss
from likely.networks.convnet import ConvModule
from likely.networks.custom import CustomNetwork
from likely.networks.ensemble import EnsembleModule, mean_scores
from likely.networks.forked import alone_after_fork
from likely.networks.network import Network
from likely.preprocessing.stored_rows import RowArray, StoredRows

_TRIED = 8  # rows of the sample are enough to see what a module does with them
_WHOLE_PIECE, _LEAST_ROWS = 2**20, 256  # numbers of input in a piece of all rows, and its rows at least
_DTYPES = {"float32": torch.float32, "float64": torch.float64}

alone_after_fork()


class ByTorch:
    """The torch engine, of pure networks and modules; see `likely.engines.protocol.Engine` for what it offers."""

    name = "torch"
    at_once = 1

    def __init__(self, settings: EngineSettings) -> None:
        network, sample = settings.network, settings.sample
        self._device = _device(settings.device)
        self._dtype = _DTYPES[settings.dtype]
        self._head, self._loss = settings.head, settings.loss
        self._seed, self._steps = settings.seed, 0
        self._module = make_module(
            network, settings.n_outputs, sample, seed=settings.seed, dtype=self._dtype, device=self._device
        )
        self._channels_last = not isinstance(network, CustomNetwork | Network)
        self._sample = self._input(torch.from_numpy(sample[:_TRIED]))
        self._last_input: LastInput | None = None
        if isinstance(network, CustomNetwork):
            try_out(self._module, network, settings.n_outputs, settings.head, self._sample)
            _, last = last_called(self._module, self._sample)
            if last is not None and not hasattr(self._module, "scores_and_features"):
                self._last_input = LastInput(last)
        self._frozen_norms = freeze_layers(self._module, settings.freeze)
        self._norms = batch_norms(self._module)
        self._still: list[nn.Module] | None = None  # the normalizations whose statistics a step leaves as they are
        self._answers: nn.Module | FoldedConvNet | FoldedEnsemble | None = None
        self._low = not isinstance(network, Network) and multiplies_in_bfloat16(settings.precision, self._device)
        self._rule = UpdateRule(self._module, settings.optimizer)

    @property
    def device(self) -> str:
        return self._device.type

    @property
    def precision(self) -> str:
        return "bfloat16" if self._low else str(self._dtype).removeprefix("torch.")

    @property
    def threads(self) -> int:
        return torch.get_num_threads()

    @property
    def n_parameters(self) -> int:
        return sum(p.numel() for p in self._module.parameters())

    @property
    def n_members(self) -> int:
        """How many networks answer together."""
        return len(self._module.members) if isinstance(self._module, EnsembleModule) else 1

    @property
    def map_begins(self) -> int | None:
        """The column of the features from which on they are the last feature map; None without one."""
        return self._module.channels if isinstance(self._module, ConvModule | EnsembleModule) else None

    @property
    def last_layer(self) -> tuple[str, ...]:
        if isinstance(self._module, PureModule):
            return tuple(name for name, _ in self._module.named_parameters())[-1:]
        name, layer = last_called(self._module, self._laid_out(self._sample))
        named = () if layer is None else layer.named_parameters(recurse=False)
        return tuple(f"{name}.{parameter}" if name else parameter for parameter, _ in named)

    @property
    def learning_rate(self) -> float | None:
        return self._rule.learning_rate

    def place(
        self, X: RowArray, Y: np.ndarray, weights: Weights = None, *, prepare: Prepare, augment: Augment | None = None
    ) -> None:
        """Keep the rows in their stored dtype on the device; rows on disk stay there until their batch comes."""
        self._X = X if isinstance(X, StoredRows) else torch.from_numpy(np.ascontiguousarray(X)).to(self._device)
        self._Y = torch.from_numpy(np.ascontiguousarray(Y)).to(self._device, self._dtype)
        self._weights = None if weights is None else torch.from_numpy(weights).to(self._device, self._dtype)
        self._prepare, self._augment = prepare, augment

    def step(self, batch: Batch, learning_rate: float) -> float:
        with _flushed_denormals(), self._seeded_randomness():
            return self._step(batch, learning_rate)

    def steps(self, batches: Sequence[Batch], learning_rates: Sequence[float]) -> list[float]:
        return [self.step(batch, rate) for batch, rate in zip(batches, learning_rates, strict=True)]

    def _step(self, batch: Batch, learning_rate: float) -> float:
        rows = torch.from_numpy(batch.rows).to(self._device)
        if isinstance(self._X, StoredRows):
            x = torch.from_numpy(self._X[batch.rows]).to(self._device)
        else:
            x = self._X.index_select(0, rows)
        x = self._input(self._prepare(x))
        if self._augment is not None and batch.draws is not None:
            x = self._augment(x, torch.from_numpy(batch.draws).to(self._device))
        weights = None if self._weights is None else self._weights.index_select(0, rows)
        self._answers = None
        self._learns_from(len(rows))
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._low):
            scores = self._module(self._laid_out(x))
        Y = self._Y.index_select(0, rows)
        loss = mean_loss(self._head, self._loss, Y, scores.to(self._dtype), weights)
        self._rule.step(loss, learning_rate)
        return loss.item()

    def _learns_from(self, n_rows: int) -> None:
        """Bring the module into training mode, which takes a while and is not done before every step."""
        # One row has no variance: it is normalized by the running statistics.
        still = self._norms if n_rows == 1 else self._frozen_norms
        if not self._module.training or still != self._still:
            self._module.train()
            for norm in still:
                norm.eval()
            self._still = still

    def loss_and_gradient(self, theta: Mapping[str, np.ndarray]) -> tuple[float, dict[str, np.ndarray]]:
        """The mean loss over all placed rows, and its gradient in float64, piece by piece."""
        made = {name: torch.from_numpy(value).to(self._device, self._dtype) for name, value in theta.items()}
        at = {name: value.requires_grad_() for name, value in made.items()}
        n = len(self._Y)
        total = n if self._weights is None else float(self._weights.sum(dtype=torch.float64))
        size = max(_LEAST_ROWS, _WHOLE_PIECE // math.prod(self._X.shape[1:]))
        loss = 0.0
        with _flushed_denormals():
            for start in range(0, n, size):
                piece = slice(start, start + size)
                rows = torch.from_numpy(self._X[piece]) if isinstance(self._X, StoredRows) else self._X[piece]
                weights = None if self._weights is None else self._weights[piece]
                counted = len(rows) if weights is None else float(weights.sum(dtype=torch.float64))
                if counted == 0:
                    continue
                x = self._laid_out(self._input(self._prepare(rows.to(self._device))))
                scores = torch.func.functional_call(self._module, at, (x,))
                value = mean_loss(self._head, self._loss, self._Y[piece], scores, weights) * (counted / total)
                value.backward()
                loss += value.item()
        return loss, {name: to_numpy(value.grad).astype(np.float64) for name, value in at.items()}

    def forward(self, X: Array) -> tuple[np.ndarray, np.ndarray]:
        module: Any = self._answering
        with torch.inference_mode(), _flushed_denormals():
            x = self._evaluated(X)
            if hasattr(module, "scores_and_features"):
                scores, features = module.scores_and_features(x)
            else:
                scores = module(x)
                features = scores if self._last_input is None else self._last_input.take(scores)
        return to_numpy(scores), to_numpy(features)

    def scores(self, X: Array) -> np.ndarray:
        if self._last_input is not None:
            return self.forward(X)[0]
        with torch.inference_mode(), _flushed_denormals():
            return to_numpy(self._answering(self._evaluated(X)))

    def scores_and_members(self, X: Array) -> tuple[np.ndarray, np.ndarray]:
        """The scores (n, k) of an ensemble, and those of each of its M members side by side, (n, M k)."""
        answering = self._answering
        assert isinstance(answering, FoldedEnsemble)
        with torch.inference_mode(), _flushed_denormals():
            x = self._evaluated(X)
            each = [member(x) for member in answering.members]
            return to_numpy(mean_scores(each, answering.mean)), to_numpy(torch.cat(each, dim=1))

    def input_gradient(self, X: Array, slopes: np.ndarray) -> np.ndarray:
        # Not as it answers, in a faster form, but as it learns: that is what has derivatives.
        module = self._module.eval()
        with torch.enable_grad(), _flushed_denormals():
            x = self._evaluated(X).detach().requires_grad_()
            (J,) = torch.autograd.grad(module(x), x, torch.from_numpy(slopes).to(self._device, self._dtype))
        return to_numpy(J)

    def to_onnx(self, opset: int) -> bytes:
        """The module as it answers, as an ONNX model: see `onnx_module`."""
        from likely.engines.by_torch.onnx_module import onnx_module

        return onnx_module(self._module.eval(), self._last_input, self._sample, opset)

    def state(self) -> dict[str, np.ndarray]:
        return {name: to_numpy(value).copy() for name, value in self._module.state_dict().items()}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        self._module.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in state.items()})
        self._answers = None

    def snapshot(self) -> dict[str, Any]:
        values = {name: to_numpy(value) for name, value in self._values().items()}
        return {"values": values, "rule": self._rule.snapshot(), "steps": self._steps}

    def restore(self, kept: Mapping[str, Any]) -> None:
        with torch.no_grad():
            for name, value in self._values().items():
                value.copy_(torch.from_numpy(kept["values"][name]))
        self._rule.restore(kept["rule"])
        self._steps, self._answers = kept["steps"], None

    def _values(self) -> dict[str, torch.Tensor]:
        """Parameters and all buffers, those that no model file holds, too."""
        return {**dict(self._module.named_parameters()), **dict(self._module.named_buffers())}

    def __getstate__(self) -> dict[str, object]:
        """Without the form in which it answers, which holds what only this process can read; it is made again."""
        return {**self.__dict__, "_answers": None}

    @property
    def _answering(self) -> nn.Module | FoldedConvNet | FoldedEnsemble:
        """The module as it answers: the conv net in a faster form, which is made once, until it learns again."""
        if self._answers is None:
            self._answers = module = self._module.eval()
            if isinstance(module, ConvModule):
                with torch.inference_mode():
                    self._answers = FoldedConvNet(module, self._laid_out(self._sample))
            elif isinstance(module, EnsembleModule):
                with torch.inference_mode():
                    self._answers = FoldedEnsemble(module, self._laid_out(self._sample))
        return self._answers

    def _evaluated(self, X: Array) -> torch.Tensor:
        return self._laid_out(self._input(X if isinstance(X, torch.Tensor) else torch.from_numpy(X)))

    @contextmanager
    def _seeded_randomness(self) -> Generator[None]:
        """Dropout, and custom augmentations, draw the same numbers in every run, and nobody else's."""
        if isinstance(self._module, PureModule) and self._augment is None:
            yield
            return
        self._steps += 1
        with seeded(self._seed + self._steps - 1, self._device):
            yield

    def _input(self, x: torch.Tensor) -> torch.Tensor:
        return x.to(self._device, self._dtype)

    def _laid_out(self, x: torch.Tensor) -> torch.Tensor:
        # A custom module may look at memory as it lies (`view`), so that its input keeps the usual layout.
        return x.contiguous(memory_format=torch.channels_last) if self._channels_last and x.ndim == 4 else x


@contextmanager
def _flushed_denormals() -> Generator[None]:
    """Takes denormal numbers for 0, which can make convolutions a hundred times slower; only while the engine computes,
    since the setting belongs to the thread and would change everybody's arithmetic. The user's own setting comes back.
    """
    # torch can set that, but not say it, so it is tried out.
    before = bool((torch.tensor(torch.finfo(torch.float32).tiny) * 0.5).item() == 0.0)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def _device(name: str) -> torch.device:
    if name == "cuda" and not torch.cuda.is_available():
        raise EngineError(
            "device='cuda' must have a GPU that torch can use; got none. "
            "Try device='cpu', or install a build of torch for your GPU."
        )
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)
