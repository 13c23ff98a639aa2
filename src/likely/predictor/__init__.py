"""A model that answers: a frozen artefact of network, parameters, preprocessing, labels, calibration and card.

    rows or pictures -> normalization -> network -> scores -> head -> temperature -> Distribution

Training's own evaluation asks a Predictor, and `load` gives back the very same one, so the numbers agree.
"""

from likely.predictor.classifier import ClassifierPredictor
from likely.predictor.files import load, make_predictor, read_card
from likely.predictor.predictor import Predictor
from likely.predictor.regressor import RegressorPredictor

__all__ = ["ClassifierPredictor", "Predictor", "RegressorPredictor", "load", "make_predictor", "read_card"]
