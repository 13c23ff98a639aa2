"""Layers that training leaves alone, chosen by patterns of their parameters' names."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from torch import nn

from likely.engines.by_torch.modules import batch_norms
from likely.errors import ConfigError, nearest


def freeze(module: nn.Module, patterns: Sequence[str]) -> list[nn.Module]:
    """Stop the gradients of the parameters whose names match; returns the batch normalizations among their layers.

    Such a layer also keeps its statistics: they belong to the parameters that come after it. Patterns are as in file
    names: `blocks.0.*`, `blocks.*.conv1.*`, `layer[01]`; `likely inspect` prints the names.

    Raises:
        ConfigError: if a pattern matches nothing; it lists the names.
    Example:
        >>> module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
        >>> freeze(module, ["0.*", "1.*"])
        [BatchNorm1d(4, ...)]
        >>> [name for name, parameter in module.named_parameters() if parameter.requires_grad]
        ['2.weight', '2.bias']
    """
    names = [name for name, _ in module.named_parameters(remove_duplicate=False)]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise ConfigError(
                f"A pattern in freeze must match a parameter's name; got {pattern!r}, which matches none. "
                f"{nearest(pattern, names)}"
            )

    def frozen(name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in patterns)

    for name, parameter in module.named_parameters(remove_duplicate=False):
        if frozen(name):
            parameter.requires_grad_(False)
    norms = set(batch_norms(module))
    return [layer for path, layer in module.named_modules() if layer in norms and all(map(frozen, _names(path, layer)))]


def _names(path: str, layer: nn.Module) -> list[str]:
    """The names of the layer's own parameters; of its statistics where it has no parameters."""
    names = [name for name, _ in layer.named_parameters(recurse=False)]
    names = names or [name for name, _ in layer.named_buffers(recurse=False)] or ["weight"]
    return [f"{path}.{name}" if path else name for name in names]
