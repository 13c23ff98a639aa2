"""What comes before a model's network, from its card and, where that is a frozen backbone, its weights in the file."""

from collections.abc import Mapping

import numpy as np

from likely.errors import LikelyError, ModelFileError
from likely.model.card import BACKBONE, Card
from likely.model.expected_arrays import expect_arrays, starting_with
from likely.networks.transformers_layout import TransformersLayout
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
    shapes = _shapes(where, backbone)
    expect_arrays(where, weights, shapes, kinds=dict.fromkeys(shapes, "f"))
    try:
        return described.computed_by(backbone)
    except ValueError as error:
        raise ModelFileError(
            f"{where} must hold the backbone that it was trained with; got others: {error}. Train the model again."
        ) from error


def _shapes(where: str, backbone: Backbone) -> dict[str, tuple[int, ...]]:
    """The shapes that its layout asks for, if it can be the layout of weights such as these at all.

    Transformers builds whatever it is told to: a number larger than any side of a weight would take for ever.
    """
    if isinstance(backbone.layout, TransformersLayout):
        most = max([4096, *(side for array in backbone.weights.values() for side in array.shape)])
        settings = backbone.layout.settings
        numbers = [x for value in settings.values() for x in (value if isinstance(value, list) else [value])]
        depths = settings.get("depths", [settings.get("num_hidden_layers", 0)])
        whole = all(isinstance(x, int | float | str) or x is None for x in numbers) and isinstance(depths, list)
        fits = whole and all(abs(x) <= most for x in numbers if isinstance(x, int | float))
        if not fits or not all(type(depth) is int for depth in depths) or sum(depths) > len(backbone.weights):
            raise ModelFileError(f"{where} must describe the backbone that it holds; got settings of another one.")
    try:
        return backbone.shapes
    except LikelyError:
        raise
    except Exception as error:  # whatever transformers comes across
        raise ModelFileError(
            f"{where} must describe a backbone that can be built; got {type(error).__name__}: {error!s:.200}. Train "
            "the model again."
        ) from error


def backbone_arrays(backbone: Backbone | None) -> dict[str, np.ndarray]:
    """The weights by their names in a model file; none without a backbone."""
    return {} if backbone is None else {BACKBONE + name: np.asarray(a) for name, a in backbone.weights.items()}
