"""A predictor as one ONNX model: inputs, preprocessing, network, answers, metadata."""

import onnx

from likely.errors import EngineError
from likely.export.graph.builder import Graph
from likely.export.graph.image_input import image_input
from likely.export.graph.label_outputs import label_outputs
from likely.export.graph.network_answers import network_answers
from likely.export.names import TAKEN, event_outputs
from likely.export.properties import model_properties
from likely.model.classifier_predictor import ClassifierPredictor
from likely.model.predictor import Predictor
from likely.preprocessing.image_preprocessor import ImagePreprocessor


def onnx_model(predictor: Predictor) -> onnx.ModelProto:
    """The model as an ONNX graph with its metadata, not yet compared with the predictor.

    Raises:
        EngineError: if the network cannot be exported.
    """
    if not isinstance(predictor.preprocessor, ImagePreprocessor) or not isinstance(predictor, ClassifierPredictor):
        raise EngineError("A model must be a classifier of images to be exported; got another one.")
    g = Graph([*TAKEN, *event_outputs(predictor.card.events)])
    scores, features, dtype = network_answers(g, predictor, image_input(g, predictor.preprocessor))
    missing = label_outputs(g, predictor, scores, features, dtype)
    model = g.model("likely", model_properties(predictor, missing, {}))
    onnx.checker.check_model(model, full_check=True)
    return model
