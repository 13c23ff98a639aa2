"""Images as they come in, up to what the network is given: resized, padded, scaled."""

import math

import numpy as np
import onnx

from likely.errors import EngineError
from likely.export.graph.builder import Graph
from likely.export.graph.prepared_columns import prepared_columns
from likely.export.graph.resizing import resized_images
from likely.export.names import IMAGES
from likely.networks.efficientnet_layout import MEAN, SCALE, EfficientNetLayout
from likely.networks.efficientnet_onnx import onnx_features
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


def backbone_input(g: Graph, preprocessor: BackbonePreprocessor) -> str:
    """The standardized features of a frozen backbone, of images of any size.

    Raises:
        EngineError: for a network of transformers.
    """
    backbone, shape = preprocessor.backbone, preprocessor.shape
    assert backbone is not None, "this preprocessor only describes"
    if not isinstance(backbone.layout, EfficientNetLayout):
        raise EngineError(
            f"A pretrained network must be an EfficientNet-Lite to be exported; got {backbone.name!r}. Try "
            "network='efficientnet-lite0' or 'efficientnet-lite2'."
        )
    side = backbone.layout.side
    images = g.input(IMAGES, np.uint8, ("n", "h", "w", *shape[2:]))
    x = resized_images(g, channels_first(g, images, shape[2:]), (shape[0], shape[1]))
    if shape[:2] != (side, side):
        x = resized_images(g, x, (side, side))
    if len(shape) == 2:
        x = g.add("Concat", x, x, x, axis=1)
    x = g.add("Div", g.add("Sub", x, np.float32(MEAN)), np.float32(SCALE))
    model = onnx.load_from_string(onnx_features(backbone.layout, backbone.weights))
    return prepared_columns(g, g.cast(g.embed(model, x)[0], np.float64), preprocessor.features)


def channels_first(g: Graph, images: str, channels: tuple[int, ...]) -> str:
    """(n, c, h, w) of images (n, h, w) or (n, h, w, 3)."""
    return g.add("Transpose", images, perm=[0, 3, 1, 2]) if channels else g.add("Unsqueeze", images, np.array([1]))


def _padded(g: Graph, x: str, height: int, width: int, size: int) -> str:
    """Zeros around the last two axes up to `size`, the odd one at the end."""
    top, left = (size - height) // 2, (size - width) // 2
    return g.add("Pad", x, np.array([0, 0, top, left, 0, 0, size - height - top, size - width - left]))
