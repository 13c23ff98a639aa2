"""Engines by name, imported when they are asked for."""

from typing import Any

from likely.config.registry import ENGINES, LOSSES
from likely.engines.gradient import refuse_heaviside
from likely.engines.protocol import Engine, EngineSettings, Optimizer
from likely.errors import EngineError
from likely.networks.network import Network, TorchNetwork


def create_engine(name: str, network: Network | TorchNetwork, **settings: Any) -> Engine:
    """The engine of this name ("numpy", "jax" or "torch"), holding first values of the network.

    `settings` are the other fields of `EngineSettings`.

    Raises:
        EngineError: if the engine does not exist or cannot train the network; it says which can.
    """
    made = ENGINES.named(name)
    asked = EngineSettings(network, **settings)
    if name != "torch" and not isinstance(network, Network):
        raise module_needs_torch(name, network.name)
    if name != "torch" and asked.device == "cuda":
        raise EngineError(f"The engine {name!r} computes on the CPU; got device='cuda'. Try engine='torch'.")
    if name != "torch" and (asked.freeze or not isinstance(asked.optimizer, Optimizer)):
        raise EngineError(
            f"The engine {name!r} must train all layers by a rule that has a name; got "
            f"{'layers to freeze' if asked.freeze else 'another optimizer'}. Try engine='torch'."
        )
    if name == "numpy" and LOSSES.named(asked.loss).with_gradient is None:
        raise EngineError(
            "The engine 'numpy' must know the gradient of the loss; got a function without one. Try engine='torch' or "
            "'jax', which derive it."
        )
    refuse_heaviside(network)
    return made(asked)


def module_needs_torch(engine: str, network: str) -> EngineError:
    """What to say where this engine is to train this network, which is a torch module."""
    return EngineError(
        f"The engine {engine!r} must be given a pure network such as 'linear' or 'mlp'; got {network!r}, which is a "
        "torch module. Try engine='torch'."
    )
