"""A model that answers: a frozen artifact of network, parameters, preprocessing, labels, calibration and card.

    rows or images -> preprocessing -> network -> scores -> head -> temperature -> Distribution

Training's own evaluation asks a Predictor, and `load` gives back the very same one, so the numbers agree.
"""

from likely.model.classifier_predictor import ClassifierPredictor
from likely.model.load import load, make_predictor, read_card
from likely.model.predictor import Predictor
from likely.model.regressor_predictor import RegressorPredictor

__all__ = ["ClassifierPredictor", "Predictor", "RegressorPredictor", "load", "make_predictor", "read_card"]
