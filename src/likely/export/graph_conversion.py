"""What the graph itself makes of an image of another size: the middle, for networks of transformers, else the whole."""

from collections.abc import Mapping
from typing import Any

from likely.preprocessing.conversion import ResizeAndCrop, create_conversion


def graph_conversion(conversion: Mapping[str, Any] | None) -> ResizeAndCrop | None:
    """How the middle is cut out; None where the whole image is resized, and other conversions stay outside.

    Example:
        >>> graph_conversion({"name": "resize-and-crop", "edge": 256, "resampling": "bilinear"})
        ResizeAndCrop(edge=256, resampling='bilinear')
    """
    found = None if conversion is None else create_conversion(conversion)
    return found if isinstance(found, ResizeAndCrop) else None
