"""Our update rules on torch tensors.

They are those of `torch.optim`, whose optimizers import torch's compiler with their first step: a second of every run
that compiles nothing.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from likely.arrays import to_numpy
from likely.engines.protocol import Optimizer


class Rule:
    """SGD or Adam, as `likely.engines.protocol.Optimizer` defines them, over some parameters.

    Example:
        >>> theta = torch.tensor([1.0], requires_grad=True)
        >>> theta.square().sum().backward()
        >>> Rule([theta], 1.0, Optimizer("sgd")).step(0.25)
        >>> theta.item()
        0.5

    Reference: Loshchilov and Hutter (2019), Decoupled weight decay regularization, arXiv 1711.05101.
    """

    def __init__(self, parameters: list[torch.Tensor], rate: float, rule: Optimizer) -> None:
        self._parameters, self._rate, self._rule = parameters, rate, rule
        self._m: list[torch.Tensor] = []
        self._v: list[torch.Tensor] = []
        self._steps = 0

    def forget(self) -> None:
        """Forget the gradient."""
        for parameter in self._parameters:
            parameter.grad = None

    def snapshot(self) -> dict[str, Any]:
        """The moments, and the steps so far."""
        return {"m": list(map(to_numpy, self._m)), "v": list(map(to_numpy, self._v)), "steps": self._steps}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take them up from `snapshot()`."""
        self._m, self._v = (
            [like(theta, value) for theta, value in zip(self._parameters, kept[name], strict=bool(kept[name]))]
            for name in ("m", "v")
        )
        self._steps = kept["steps"]

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Move along the gradient that the parameters hold."""
        a, rule = learning_rate * self._rate, self._rule
        if self._steps == 0:
            self._m, self._v = ([torch.zeros_like(theta) for theta in self._parameters] for _ in range(2))
        self._steps += 1
        first = second = 1.0
        if rule.name == "adam":
            first, second = (1 - b**self._steps for b in rule.betas)
        for theta, m, v in zip(self._parameters, self._m, self._v, strict=True):
            J = theta.grad
            if J is None:
                continue
            if rule.weight_decay:
                theta.mul_(1 - a * rule.weight_decay)
            if rule.name == "adam":
                # m <- b1 m + (1 - b1) J,  v <- b2 v + (1 - b2) J^2
                m.lerp_(J, 1 - rule.betas[0])
                v.mul_(rule.betas[1]).addcmul_(J, J, value=1 - rule.betas[1])
                theta.addcdiv_(m, (v.sqrt() / math.sqrt(second)).add_(rule.eps), value=-a / first)
            elif rule.momentum:
                # v <- b v + J
                theta.sub_(m.mul_(rule.momentum).add_(J), alpha=a)
            else:
                theta.sub_(J, alpha=a)


def like(theta: torch.Tensor, value: np.ndarray) -> torch.Tensor:
    """A value that belongs to a parameter as a tensor; one of the same shape lies in memory as the parameter does."""
    found = torch.from_numpy(value).to(theta.device)
    return torch.empty_like(theta, dtype=found.dtype).copy_(found) if found.shape == theta.shape else found
