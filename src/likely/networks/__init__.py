"""Networks: functions from inputs to scores; pure ones for any engine, builders of torch modules, and trees."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar, cast

from likely.config.registry import NETWORKS

if TYPE_CHECKING:
    from likely.networks.network import Network, TorchNetwork
    from likely.networks.trees import Trees

N = TypeVar("N", bound="Network | TorchNetwork")


def create_network(name: str, settings: Mapping[str, object]) -> "Network | TorchNetwork | Trees":
    """The network of this name with these settings; torch is imported only for those that need it.

    Example:
        >>> create_network("mlp", {"sizes": [4, 8, 3], "activation": "tanh"}).shapes
        {'layer0': (5, 8), 'layer1': (9, 3)}
    """
    return NETWORKS.named(name)(**settings)


def network_as_described(name: str, settings: Mapping[str, object]) -> "Network | TorchNetwork | Trees":
    """The network that a model file describes; errors as of its class, or a ValueError for settings of other types."""
    network = create_network(name, settings)
    made = {key: value for key, value in network.settings.items() if key in settings}
    # As text 1, 1.0 and true differ.
    if json.dumps(made, sort_keys=True) != json.dumps(settings, sort_keys=True):
        raise ValueError(f"settings {settings!r:.80} of the network {name!r}")
    return network


def with_inputs(network: N, n_inputs: int) -> N:
    """A network like this one for rows of so many inputs.

    Example:
        >>> with_inputs(NETWORKS["linear"](4, 3), 6).shapes
        {'layer0': (7, 3)}
    """
    settings = dict(network.settings)
    if "sizes" in settings:
        settings["sizes"] = [n_inputs, *cast(list[int], settings["sizes"])[1:]]
    else:
        settings["n_inputs"] = n_inputs
    return type(network)(**settings)
