"""From a network to its torch module; a custom one is tried out before anything is trained.

What is asked of a module besides scores: the features that familiarity looks at, and the names of its last layer.
"""

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]  # the class of all of them

from likely.engines.by_torch.seeded import seeded
from likely.errors import ConfigError, EngineError, ShapeError
from likely.networks.custom import CustomNetwork, name_of
from likely.networks.network import Network, TorchNetwork


def make_module(
    network: Network | TorchNetwork,
    n_outputs: int,
    sample: np.ndarray,
    *,
    seed: int,
    dtype: torch.dtype,
    device: torch.device,
) -> nn.Module:
    """The module of a network with its first values, drawn from the seed; torch's own generator is left alone.

    An EngineError says that a factory returns no module, or one that learns what another one learns.
    """
    if isinstance(network, Network):
        theta = {name: torch.from_numpy(a).to(device, dtype) for name, a in network.init(seed).items()}
        return PureModule(network, theta)
    module = _built(network, n_outputs, sample, seed)
    if isinstance(network, CustomNetwork):
        _refuse_complex(network, module)
        _refuse_shared(network, module, _built(network, n_outputs, sample, seed))
        return module.to(device, dtype)
    module.to(device, dtype)
    return module.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]  # missing in its stub


def try_out(module: nn.Module, network: CustomNetwork, n_outputs: int, head: str, x: torch.Tensor) -> None:
    """Ask the module for scores of some prepared rows x (n, ...), in both modes, and leave it as it was.

    Raises:
        ShapeError: if the module does not take the rows, or has the wrong number of scores.
        EngineError: if it ends in a softmax before the head softmax, or holds what a model file cannot.
    """
    x = x if len(x) > 1 else torch.cat([x, x])  # one row has no variance to normalize by
    who = f"The module of {name_of(network.factory)}"
    with torch.no_grad(), seeded(0, x.device):
        module.eval()
        # Only now do lazy layers have their parameters.
        scores = _scores(module, who, n_outputs, x)
        before = {name: value.clone() for name, value in _storable(module, who).items()}
        module.train()
        _scores(module, who, n_outputs, x)
        module.load_state_dict(before)
    sums = scores.sum(dim=1)
    distributions = bool((scores >= 0).all() and torch.allclose(sums, torch.ones_like(sums)))
    if head == "softmax" and n_outputs > 1 and distributions:
        raise EngineError(
            f"{who} must return scores, any real numbers; got rows that are not negative and sum to 1, as after a "
            "softmax. Training already applies softmax; applying it twice makes every answer nearly uniform. Try the "
            "module without its last softmax."
        )


def last_called(module: nn.Module, x: torch.Tensor) -> tuple[str, nn.Module | None]:
    """The linear layer that the module calls last, or else the layer with parameters, and its name."""
    called: list[tuple[str, nn.Module]] = []
    layers = [(name, m) for name, m in module.named_modules() if list(m.parameters(recurse=False))]
    hooks = [
        layer.register_forward_pre_hook(lambda _, __, name=name, layer=layer: called.append((name, layer)))
        for name, layer in layers
    ]
    module.eval()
    try:
        with torch.no_grad():
            module(x[:1])
    finally:
        for hook in hooks:
            hook.remove()
    linear = [found for found in called if isinstance(found[1], nn.Linear)]
    return (linear or called or [("", None)])[-1]


def batch_norms(module: nn.Module) -> list[nn.Module]:
    """The layers that normalize by the batch."""
    return [layer for layer in module.modules() if isinstance(layer, _BatchNorm)]


class PureModule(nn.Module):
    """A pure network as a module: its state has the names that theta has."""

    def __init__(self, network: Network, theta: dict[str, torch.Tensor]) -> None:
        super().__init__()
        self._network = network
        for name, value in theta.items():
            self.register_parameter(name, nn.Parameter(value))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores (n, k)."""
        return self.scores_and_features(x)[0]

    def scores_and_features(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores (n, k) and the input of the last layer (n, m)."""
        return self._network.apply_with_features(dict(self.named_parameters()), x)


def _built(network: TorchNetwork, n_outputs: int, sample: np.ndarray, seed: int) -> nn.Module:
    with seeded(seed):
        module = network.build(n_outputs, sample)
    if not isinstance(module, nn.Module):
        what = name_of(network.factory) if isinstance(network, CustomNetwork) else network.name
        raise EngineError(
            f"The factory {what!r} must return a torch.nn.Module; got {type(module).__name__}. It is called with the "
            "number of scores. Try ending it with a return."
        )
    return module


def _refuse_complex(network: CustomNetwork, module: nn.Module) -> None:
    named = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    for name, value in named.items():
        if value.dtype.is_complex:
            raise EngineError(
                f"The module of {name_of(network.factory)} must hold real numbers; got {value.dtype} in {name!r}. "
                "Model files store nothing else. Try two real tensors for a complex one."
            )


def _refuse_shared(network: CustomNetwork, module: nn.Module, again: nn.Module) -> None:
    """A factory that returns a module made before would let folds learn from rows that they are evaluated on."""
    ours = {id(parameter) for parameter in module.parameters() if parameter.requires_grad}
    shared = [name for name, parameter in again.named_parameters() if id(parameter) in ours]
    if shared:
        raise EngineError(
            f"The factory {name_of(network.factory)!r} must make a new module with every call; got the same parameter "
            f"{shared[0]!r} in two of them. Training one would train the other. Try creating the layers inside the "
            "factory, or copy.deepcopy(layer)."
        )


def _scores(module: Any, who: str, n_outputs: int, x: torch.Tensor) -> torch.Tensor:
    shape = tuple(x.shape)
    try:
        scores = module(x)
        if not module.training and hasattr(module, "scores_and_features"):
            _check_pair(module.scores_and_features(x), who, len(x))
    except (ShapeError, ConfigError):
        raise
    except Exception as error:
        raise ShapeError(
            f"{who} must take a batch of shape {shape}, {str(x.dtype).removeprefix('torch.')}; got "
            f"{type(error).__name__}: {error}. Rows are already prepared: images as (n, c, h, w) in [0, 1], tables as "
            "(n, d) standardized. Try calling the module with such a batch."
        ) from error
    mode = " while training" if module.training else ""
    if not isinstance(scores, torch.Tensor):
        raise ShapeError(
            f"{who} must return one tensor of scores{mode}; got {type(scores).__name__}. Try wrapping it in a module "
            "that returns only the scores."
        )
    if tuple(scores.shape) != (len(x), n_outputs) or not scores.is_floating_point():
        raise ShapeError(
            f"{who} must return scores of shape {(len(x), n_outputs)}{mode}, a row per row and a number per class or "
            f"target; got {tuple(scores.shape)}, {str(scores.dtype).removeprefix('torch.')}, for a batch of shape "
            f"{shape}. Try a last layer nn.Linear(..., n_classes), with the n_classes that the factory is called with."
        )
    return scores


def _check_pair(pair: Any, who: str, n_rows: int) -> None:
    shapes = [tuple(getattr(value, "shape", ())) for value in pair] if isinstance(pair, tuple | list) else []
    if len(shapes) != 2 or len(shapes[1]) != 2 or shapes[1][0] != n_rows:
        got = ", ".join(map(str, shapes)) or type(pair).__name__
        raise ShapeError(
            f"{who} must return scores (n, k) and features (n, m) from scores_and_features; got {got} for n = "
            f"{n_rows}. Familiarity uses them. Try features.flatten(1)."
        )


def _storable(module: nn.Module, who: str) -> dict[str, torch.Tensor]:
    state = module.state_dict()
    for name, value in state.items():
        if not isinstance(value, torch.Tensor):
            raise EngineError(
                f"{who} must hold tensors only; got {type(value).__name__} in {name!r}. Model files store nothing "
                "else. Try a buffer in place of get_extra_state."
            )
        if not bool(torch.isfinite(value).all()):
            raise EngineError(
                f"{who} must hold finite numbers; got NaN or infinity in {name!r}. Model files store nothing else. Try "
                "register_buffer(..., persistent=False) for a constant such as a mask."
            )
    return state
