"""Networks by name: the closed list that a model file may refer to."""

from typing import Any

from likely.errors import ConfigError, nearest
from likely.networks.network import Network, TorchNetwork

NETWORKS = ("conv", "linear", "mlp")


def create_network(name: str, settings: dict[str, Any]) -> Network | TorchNetwork:
    """The network of this name with these settings; torch is imported only for the conv net.

    Example:
        >>> create_network("mlp", {"sizes": [4, 8, 3], "activation": "tanh"}).shapes
        {'layer0': (5, 8), 'layer1': (9, 3)}
    """
    if name == "conv":
        from likely.networks.convnet import ConvNet

        return ConvNet(**settings)
    if name == "linear":
        from likely.networks.linear import Linear

        return Linear(**settings)
    if name == "mlp":
        from likely.networks.mlp import MLP

        return MLP(**settings)
    raise ConfigError(f"network must be one of {', '.join(NETWORKS)}; got {name!r}. {nearest(name, NETWORKS)}")
