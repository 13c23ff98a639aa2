"""Images as they come in, up to what the network is given: resized, padded, scaled."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx

from likely.export.graph.builder import OPSET, Graph
from likely.export.graph.prepared_columns import prepared_columns
from likely.export.graph.resizing import resized_images
from likely.export.graph_conversion import graph_conversion
from likely.export.names import IMAGES
from likely.networks import efficientnet_onnx, transformers_network
from likely.networks.efficientnet_layout import EfficientNetLayout
from likely.preprocessing.backbone import conversion_for
from likely.preprocessing.backbone_preprocessor import BackbonePreprocessor
from likely.preprocessing.image_preprocessor import ImagePreprocessor


def image_input(g: Graph, preprocessor: ImagePreprocessor) -> str:
    """The network's input from the graph's: what `ImagePreprocessor` computes, with images of any size before it."""
    height, width = preprocessor.shape[:2]
    channels = preprocessor.shape[2:]
    if preprocessor.pixels is not None:
        x = g.input(IMAGES, preprocessor.dtype, ("n", height, width, *channels))
        mean, scale = (
            np.array(values, preprocessor.dtype) for values in (preprocessor.pixels.mean, preprocessor.pixels.scale)
        )
        x = channels_first(g, g.add("Div", g.add("Sub", x, mean), scale), channels)
    else:
        images = g.input(IMAGES, np.uint8, ("n", "h", "w", *channels))
        x = resized_images(g, channels_first(g, images, channels), (height, width))
    if preprocessor.pad_to is not None:
        x = _padded(g, x, height, width, preprocessor.pad_to)
    if preprocessor.pixels is None:
        x = g.add("Div", x, np.float32(255))
    x = g.cast(x, preprocessor.dtype)
    if preprocessor.layout == "channels_first":
        return x
    if channels:
        x = g.add("Transpose", x, perm=[0, 2, 3, 1])
    return g.add("Reshape", x, np.array([-1, math.prod(preprocessor.output_shape)]), allowzero=0)


def backbone_input(g: Graph, preprocessor: BackbonePreprocessor, conversion: Mapping[str, Any] | None) -> str:
    """The standardized features of a frozen backbone, of images of any size; `conversion` is that of the model.

    Raises:
        EngineError: if torch cannot export the backbone, or its images are resized by a filter that the graph lacks.
    """
    backbone, shape = preprocessor.backbone, preprocessor.shape
    assert backbone is not None, "this preprocessor only describes"
    layout = backbone.layout
    images = g.input(IMAGES, np.uint8, ("n", "h", "w", *shape[2:]))
    x = resized_images(g, channels_first(g, images, shape[2:]), (shape[0], shape[1]), graph_conversion(conversion))
    if shape[:2] != (layout.side, layout.side):
        x = resized_images(g, x, (layout.side, layout.side), graph_conversion(conversion_for(layout)))
    if len(shape) == 2:
        x = g.add("Concat", x, x, x, axis=1)
    mean, scale = np.array([layout.mean, layout.scale], np.float32)[..., None, None]
    x = g.add("Div", g.add("Sub", x, mean), scale)
    if isinstance(layout, EfficientNetLayout):
        made = efficientnet_onnx.onnx_features(layout, backbone.weights)
    else:
        made = transformers_network.onnx_features(layout, backbone.weights, OPSET)
    model = onnx.load_from_string(made)
    return prepared_columns(g, g.cast(g.embed(model, x)[0], np.float64), preprocessor.features)


def channels_first(g: Graph, images: str, channels: tuple[int, ...]) -> str:
    """(n, c, h, w) of images (n, h, w) or (n, h, w, 3)."""
    return g.add("Transpose", images, perm=[0, 3, 1, 2]) if channels else g.add("Unsqueeze", images, np.array([1]))


def _padded(g: Graph, x: str, height: int, width: int, size: int) -> str:
    """Zeros around the last two axes up to `size`, the odd one at the end."""
    top, left = (size - height) // 2, (size - width) // 2
    return g.add("Pad", x, np.array([0, 0, top, left, 0, 0, size - height - top, size - width - left]))
