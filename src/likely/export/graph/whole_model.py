"""A predictor as one ONNX model: inputs, preprocessing, network, answers, metadata."""

import onnx

from likely.export.graph.builder import Graph
from likely.export.graph.label_outputs import label_outputs
from likely.export.graph.network_answers import network_answers
from likely.export.graph.number_outputs import number_outputs
from likely.export.names import TAKEN, column_names, event_outputs
from likely.export.properties import model_properties
from likely.model.classifier_predictor import ClassifierPredictor
from likely.model.predictor import Predictor
from likely.model.regressor_predictor import RegressorPredictor


def onnx_model(predictor: Predictor) -> onnx.ModelProto:
    """The model as an ONNX graph with its metadata, not yet compared with the predictor.

    Raises:
        EngineError: if the network cannot be exported.
    """
    columns = column_names(predictor.columns)
    events = event_outputs(predictor.card.events, columns)
    g = Graph([*TAKEN, *columns, *events])
    found = network_answers(g, predictor, columns)
    if isinstance(predictor, ClassifierPredictor):
        missing = label_outputs(g, predictor, found, events)
    else:
        assert isinstance(predictor, RegressorPredictor)
        missing = number_outputs(g, predictor, found)
    model = g.model("likely", model_properties(predictor, missing, columns))
    onnx.checker.check_model(model, full_check=True)
    return model
