"""The update rule over what a module learns: ours by name, or any of torch's."""

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from likely.arrays import to_numpy
from likely.engines.by_torch.rules import Rule, like
from likely.engines.protocol import MakeOptimizer, Optimizer
from likely.errors import EngineError


class UpdateRule:
    """A torch optimizer, one of our rules or what a function makes, whose learning rate comes with every step.

    The `parameter_groups()` of a module, if it has them, say what learns at which multiple of the rate ("rate"); else
    everything that has a gradient learns alike.

    Raises:
        EngineError: if nothing learns, or the function makes no optimizer of these parameters.
    """

    def __init__(self, module: nn.Module, rule: Optimizer | MakeOptimizer) -> None:
        groups = _groups(module)
        self.learning_rate: float | None = None
        self._optimizer: torch.optim.Optimizer | None = None
        self._groups = [Rule(group["params"], group["rate"], rule) for group in groups if isinstance(rule, Optimizer)]
        if isinstance(rule, Optimizer):
            return
        self._optimizer = _custom(rule, module, groups)
        made = self._optimizer.param_groups
        peak = max(float(group.get("lr", 0.0)) for group in made)
        self.learning_rate = peak or None
        # The schedule moves all groups together, in the proportions that the optimizer was made with.
        self._rates = [float(group["lr"]) / peak * group.get("rate", 1.0) for group in made] if peak else []

    def step(self, loss: torch.Tensor, learning_rate: float) -> None:
        """Lower the loss by one step."""
        if self._optimizer is None:
            for group in self._groups:
                group.forget()
            loss.backward()
            for group in self._groups:
                group.step(learning_rate)
            return
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=bool(self._rates)):
            group["lr"] = learning_rate * rate
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self._optimizer.step()

    def snapshot(self) -> dict[str, Any]:
        """What the rule remembers from step to step."""
        if self._optimizer is None:
            return {"groups": [group.snapshot() for group in self._groups]}
        of_each = [self._optimizer.state.get(parameter, {}) for parameter in self._parameters]
        groups = [{name: v for name, v in group.items() if name != "params"} for group in self._optimizer.param_groups]
        try:
            return {"states": list(map(_as_arrays, of_each)), "groups": list(map(_as_arrays, groups))}
        except TypeError as error:
            raise EngineError(
                f"What an optimizer remembers must be numbers and tensors; {type(self._optimizer).__name__} holds "
                f"{error}. A checkpoint cannot keep it. Try torch.optim.AdamW."
            ) from error

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take it up from `snapshot()`."""
        if self._optimizer is None:
            for group, values in zip(self._groups, kept["groups"], strict=True):
                group.restore(values)
            return
        for parameter, values in zip(self._parameters, kept["states"], strict=True):
            if values:
                self._optimizer.state[parameter] = {
                    name: like(parameter, value) if isinstance(value, np.ndarray) else value
                    for name, value in values.items()
                }
        for group, values in zip(self._optimizer.param_groups, kept["groups"], strict=True):
            group.update({n: tuple(v) if isinstance(v, list) else v for n, v in values.items()})

    @property
    def _parameters(self) -> list[torch.Tensor]:
        assert self._optimizer is not None
        return [parameter for group in self._optimizer.param_groups for parameter in group["params"]]


def _as_arrays(values: Mapping[str, Any]) -> dict[str, Any]:
    """Tensors as arrays; a TypeError names what can be no part of a checkpoint."""
    found = {name: to_numpy(value) if isinstance(value, torch.Tensor) else value for name, value in values.items()}
    for name, value in found.items():
        plain = value if isinstance(value, list | tuple) else [value]
        if not all(each is None or isinstance(each, bool | int | float | str | np.ndarray) for each in plain):
            raise TypeError(f"a {type(value).__name__} by the name of {name}")
    return found


def _groups(module: nn.Module) -> list[dict[str, Any]]:
    grouped: Any = getattr(module, "parameter_groups", None)
    groups: list[dict[str, Any]] = grouped() if grouped else [{"params": list(module.parameters())}]
    learning = [{"rate": 1.0, **group, "params": [p for p in group["params"] if p.requires_grad]} for group in groups]
    learning = [group for group in learning if group["params"]]
    if not learning:
        raise EngineError(
            f"The module must have parameters that learn; got none in {type(module).__name__}. Try fewer patterns in "
            "freeze, or a layer with parameters."
        )
    return learning


def _custom(make: MakeOptimizer, module: nn.Module, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
    # One group without a rate of its own is a plain list, as every optimizer takes it.
    plain = len(groups) == 1 and set(groups[0]) == {"params", "rate"} and groups[0]["rate"] == 1
    made = make(groups[0]["params"] if plain else groups)
    if not isinstance(made, torch.optim.Optimizer):
        raise EngineError(
            f"optimizer must return a torch.optim.Optimizer; got {type(made).__name__}. It is called with the "
            "parameters that learn. Try optimizer=lambda params: torch.optim.SGD(params, lr=0.1)."
        )
    closure = inspect.signature(made.step).parameters.get("closure")
    if closure is not None and closure.default is inspect.Parameter.empty:
        raise EngineError(
            f"optimizer must step from one gradient; got {type(made).__name__}, which evaluates the loss several times "
            "in a step. Try torch.optim.AdamW."
        )
    ours = {id(parameter) for parameter in module.parameters()}
    if any(id(parameter) not in ours for group in made.param_groups for parameter in group["params"]):
        raise EngineError(
            "optimizer must hold the parameters that it is called with; got an optimizer of others. Otherwise those of "
            "another module would learn. Try optimizer=lambda params: torch.optim.SGD(params, lr=0.1)."
        )
    return made
