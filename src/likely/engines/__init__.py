"""Engines by name, imported when they are asked for."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from likely.engines.gradient import refuse_heaviside
from likely.engines.protocol import Engine, MakeOptimizer, Optimizer
from likely.errors import EngineError
from likely.networks.network import Network, TorchNetwork
from likely.registry import ENGINES


def create_engine(
    name: str,
    network: Network | TorchNetwork,
    *,
    n_outputs: int,
    head: str,
    loss: str,
    optimizer: Optimizer | MakeOptimizer,
    sample: np.ndarray,
    seed: int,
    dtype: str = "float32",
    device: str = "auto",
    precision: str = "float32",
    freeze: Sequence[str] = (),
) -> Engine:
    """The engine of this name, holding first values of the network.

    Args:
        name: "numpy", "jax" or "torch".
        network: a pure network for any engine, or a torch network for torch.
        n_outputs: how many scores.
        head: by name, for the loss.
        loss: by name.
        optimizer: the update rule; for torch also a function that makes a torch optimizer of what learns.
        sample: some prepared inputs, of which a torch network may take data-dependent first values.
        seed: of the first values.
        dtype: "float32" or "float64".
        device: "auto", "cpu" or "cuda"; engines other than torch compute on the CPU.
        precision: of products while a torch module is trained: "auto", "float32" or "bfloat16".
        freeze: patterns of the names of parameters that do not learn; torch only.
    Raises:
        EngineError: if the engine does not exist or cannot train the network; it says which can.
    """
    made = ENGINES.named(name)
    if name != "torch" and not isinstance(network, Network):
        raise EngineError(
            f"The engine {name!r} must be given a pure network such as 'linear' or 'mlp'; got {network.name!r}, "
            "which is a torch module. Try engine='torch'."
        )
    if name != "torch" and device == "cuda":
        raise EngineError(f"The engine {name!r} computes on the CPU; got device='cuda'. Try engine='torch'.")
    if name != "torch" and (freeze or not isinstance(optimizer, Optimizer)):
        raise EngineError(
            f"The engine {name!r} must train all layers by a rule that has a name; got "
            f"{'layers to freeze' if freeze else 'another optimizer'}. Only torch can do that. Try engine='torch'."
        )
    refuse_heaviside(network)
    more: dict[str, Any] = {"precision": precision, "freeze": freeze} if name == "torch" else {}
    return made(
        network,
        n_outputs=n_outputs,
        head=head,
        loss=loss,
        optimizer=optimizer,
        sample=sample,
        seed=seed,
        dtype=dtype,
        device=device,
        **more,
    )
