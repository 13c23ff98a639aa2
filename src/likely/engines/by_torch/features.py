"""The hidden features of a module that does not offer any: what its last linear layer is given."""

import threading
from typing import Any

import torch
from torch import nn
from torch.nn import functional

_WIDEST = 1024
"""Features have a covariance matrix in the model file; wider ones are averaged over neighbors."""


class LastInput:
    """Remembers what a layer was given, for each thread by itself, outside of training.

    Example:
        >>> layer = nn.Linear(3, 2)
        >>> last = LastInput(layer)
        >>> with torch.inference_mode():
        ...     scores = layer(torch.ones(4, 3))
        >>> last.take(scores).shape
        torch.Size([4, 3])
    """

    def __init__(self, layer: nn.Module) -> None:
        self._seen: dict[int, torch.Tensor] = {}
        layer.register_forward_pre_hook(self._keep)

    def take(self, scores: torch.Tensor) -> torch.Tensor:
        """Features (n, m) of the batch that was just asked about; the scores where there are none."""
        x = self.seen()
        return scores if x is None or x.ndim < 2 or len(x) != len(scores) else narrow(x)

    def seen(self) -> torch.Tensor | None:
        """What the layer was given last in this thread, and no more from now on."""
        return self._seen.pop(threading.get_ident(), None)

    def _keep(self, layer: nn.Module, given: tuple[Any, ...]) -> None:
        del layer
        if given and not torch.is_grad_enabled():
            self._seen[threading.get_ident()] = given[0]


def narrow(x: torch.Tensor) -> torch.Tensor:
    """Features (n, m) of what a layer was given; of one vector for each place, such as tokens of a text, their mean."""
    if x.ndim > 2:
        x = x.flatten(1, -2).mean(dim=1)
    return functional.adaptive_avg_pool1d(x[:, None], _WIDEST)[:, 0] if x.shape[1] > _WIDEST else x
