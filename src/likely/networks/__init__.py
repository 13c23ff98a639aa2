"""Networks: functions from inputs to scores; pure ones for any engine, builders of torch modules, and trees."""

from collections.abc import Mapping

from likely.config.registry import NETWORKS
from likely.networks.network import Network, TorchNetwork
from likely.networks.trees import Trees


def create_network(name: str, settings: Mapping[str, object]) -> Network | TorchNetwork | Trees:
    """The network of this name with these settings; torch is imported only for those that need it.

    Example:
        >>> create_network("mlp", {"sizes": [4, 8, 3], "activation": "tanh"}).shapes
        {'layer0': (5, 8), 'layer1': (9, 3)}
    """
    return NETWORKS.named(name)(**settings)
