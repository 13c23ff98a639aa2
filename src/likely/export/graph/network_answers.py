"""From rows to scores and features: preprocessing and network, whatever they are."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx

from likely.errors import EngineError
from likely.export.graph.both_looks import Ask, both_looks
from likely.export.graph.builder import OPSET, Graph
from likely.export.graph.column_input import column_input
from likely.export.graph.completed_rows import Gaps, completed_rows
from likely.export.graph.conv_network import conv_ensemble, conv_network
from likely.export.graph.image_input import backbone_input, image_input
from likely.export.graph.mixed_answers import mixed_answers
from likely.export.graph.prepared_columns import prepared_columns
from likely.export.graph.pure_network import pure_network
from likely.export.graph.tree_network import tree_network
from likely.model.card import MIXTURE, THETA
from likely.model.predictor import Predictor
from likely.model.stand_ins import read_stand_ins
from likely.networks import create_network
from likely.networks.custom import CUSTOM
from likely.networks.network import Network
from likely.networks.trees import Trees
from likely.preprocessing.backbone_preprocessor import BackbonePreprocessor
from likely.preprocessing.column_preprocessor import ColumnPreprocessor
from likely.preprocessing.image_preprocessor import ImagePreprocessor


@dataclass(frozen=True)
class Answers:
    """What the network says of n rows, and M times of each of r rows with gaps below them.

    Args:
        scores: (n + r M, k).
        features: (n + r M, m).
        prepared: the network's input.
        dtype: of the scores.
        gaps: what averages the answers to rows with gaps; None where there can be none.
    """

    scores: str
    features: str
    prepared: str
    dtype: str
    gaps: Gaps | None = None


def network_answers(g: Graph, predictor: Predictor, names: dict[str, str]) -> Answers:
    """Inputs, preprocessing and network; both looks at an image averaged.

    Args:
        g: the graph.
        predictor: the model.
        names: the column of the table by the name of its input.
    Raises:
        EngineError: if the network cannot be exported.
    """
    card, preprocessor, gaps = predictor.card, predictor.preprocessor, None
    theta = {name.removeprefix(THETA): a for name, a in predictor.arrays.items() if name.startswith(THETA)}
    if isinstance(preprocessor, ColumnPreprocessor):
        rows = column_input(g, predictor.columns, preprocessor.shape[0], names)
        rows, gaps = completed_rows(g, rows, read_stand_ins(predictor.where, predictor.arrays, predictor.columns))
        x = prepared_columns(g, rows, preprocessor)
        if card.network.name == MIXTURE:
            return Answers(mixed_answers(g, card, theta, rows), x, x, "float64", gaps)
    elif isinstance(preprocessor, ImagePreprocessor):
        x = image_input(g, preprocessor)
    else:
        assert isinstance(preprocessor, BackbonePreprocessor)
        x = backbone_input(g, preprocessor, card.conversion)
    ask, dtype = _network(g, predictor, theta)
    scores, features = both_looks(g, x, ask, card.tta_threshold, card.head, dtype) if card.hflip else ask(x)
    return Answers(scores, features, x, dtype, gaps)


def _network(g: Graph, predictor: Predictor, theta: Mapping[str, np.ndarray]) -> tuple[Ask, str]:
    described, dtype = predictor.card.network, predictor.preprocessor.dtype
    if described.name == "conv":
        side = min(predictor.preprocessor.output_shape[1:])
        if (members := int(described.settings.get("members", 1))) > 1:
            mean = str(described.settings["mean"])
            return (lambda x: conv_ensemble(g, theta, g.cast(x, np.float32), side, members, mean)), "float32"
        return (lambda x: conv_network(g, theta, g.cast(x, np.float32), side)), "float32"
    if described.name == CUSTOM:
        model = onnx.load_from_string(predictor.engine.to_onnx(OPSET))

        def embedded(x: str) -> tuple[str, str]:
            scores, features = g.embed(model, g.cast(x, np.float32))
            return scores, features

        return embedded, "float32"
    network = create_network(described.name, described.settings)
    if isinstance(network, Trees):
        return (lambda x: (tree_network(g, network, theta, x), x)), "float64"
    if isinstance(network, Network):
        return (lambda x: pure_network(g, network, theta, x, dtype)), dtype
    raise EngineError(f"The network must be one that can be exported; got {described.name!r}.")
