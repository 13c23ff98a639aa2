"""What comes before a model's network, from its card and, where that is a frozen backbone, its weights in the file."""

from collections.abc import Mapping

import numpy as np

from likely.errors import ModelFileError
from likely.model.card import BACKBONE, Card
from likely.model.file import expect_arrays, starting_with
from likely.preprocessing.backbone import Backbone
from likely.preprocessing.backbone_preprocessor import BackbonePreprocessor
from likely.preprocessing.preprocessor import Preprocessor, preprocessor_from_json


def read_preprocessor(where: str, card: Card, arrays: Mapping[str, np.ndarray]) -> Preprocessor:
    """The preprocessor that a card describes, able to compute; a ModelFileError if it or its weights are not whole."""
    described = preprocessor_from_json(card.normalization)
    weights = starting_with(BACKBONE, arrays)
    if not isinstance(described, BackbonePreprocessor):
        expect_arrays(where, weights, {})
        return described
    backbone = Backbone(described.name, weights, described.layout, described.tuned)
    shapes = backbone.shapes
    expect_arrays(where, weights, shapes, kinds=dict.fromkeys(shapes, "f"))
    try:
        return described.computed_by(backbone)
    except ValueError as error:
        raise ModelFileError(
            f"{where} must hold the backbone that it was trained with; got others: {error}. Train the model again."
        ) from error


def backbone_arrays(backbone: Backbone | None) -> dict[str, np.ndarray]:
    """The weights by their names in a model file; none without a backbone."""
    return {} if backbone is None else {BACKBONE + name: np.asarray(a) for name, a in backbone.weights.items()}
