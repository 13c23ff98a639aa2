"""From the network's input to scores and features, whatever the network is."""

from collections.abc import Mapping

import numpy as np

from likely.errors import EngineError
from likely.export.graph.both_looks import Ask, both_looks
from likely.export.graph.builder import Graph
from likely.export.graph.conv_network import conv_network
from likely.export.graph.pure_network import pure_network
from likely.model.card import THETA
from likely.model.predictor import Predictor
from likely.networks import create_network
from likely.networks.network import Network


def network_answers(g: Graph, predictor: Predictor, x: str) -> tuple[str, str, str]:
    """Scores (n, k) and features (n, m) of the network's input, both looks of images averaged, and their dtype."""
    card = predictor.card
    theta = {name.removeprefix(THETA): a for name, a in predictor.arrays.items() if name.startswith(THETA)}
    ask, dtype = _network(g, predictor, theta)
    x = g.cast(x, dtype)
    scores, features = both_looks(g, x, ask, card.tta_threshold, card.head, dtype) if card.hflip else ask(x)
    return scores, features, dtype


def _network(g: Graph, predictor: Predictor, theta: Mapping[str, np.ndarray]) -> tuple[Ask, str]:
    described, dtype = predictor.card.network, predictor.preprocessor.dtype
    if described.name == "conv":
        side = min(predictor.preprocessor.output_shape[1:])
        return (lambda x: conv_network(g, theta, x, side)), "float32"
    network = create_network(described.name, described.settings)
    if isinstance(network, Network):
        return (lambda x: pure_network(g, network, theta, x, dtype)), dtype
    raise EngineError(f"The network must be one that can be exported; got {described.name!r}.")
