"""What stands in for a part of an image that is covered, and where the covering squares lie."""

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageFilter

_BLUR = 0.25
"""The radius of the blur, as a share of the shorter side."""


def neutral(image: np.ndarray) -> np.ndarray:
    """The image without its details: halfway between its median color and itself, blurred.

    A gray square would be a thing of its own, with four edges that no picture has, and on a black ground a bright one.
    The blurred image has no edges, but keeps the broad colors that an answer may rest on; the median color, often that
    of the ground, keeps nothing of what stands before it. Halfway they find parts that carry more than either does
    alone, whatever they are deleted with (docs/performance.md). An even image stays as it is.

    Args:
        image: shape (h, w) or (h, w, 3), uint8 or floating-point.
    Returns:
        The same shape and dtype.
    Example:
        >>> neutral(np.full((8, 8), 7, np.uint8)).max()
        np.uint8(7)

    Reference: Fong and Vedaldi (2017), arXiv 1704.03296, for the blur.
    """
    median = np.median(image.reshape(-1, *image.shape[2:]), axis=0)
    halfway = (_blurred(image) + median) / 2
    return (np.round(halfway) if image.dtype == np.uint8 else halfway).astype(image.dtype)


def _blurred(image: np.ndarray) -> np.ndarray:
    """The image in float64, blurred so far that nothing as small as the squares is left."""
    blur = ImageFilter.GaussianBlur(_BLUR * min(image.shape[:2]))
    # Pillow blurs levels of 8 bits alone.
    low, width = (0.0, 255.0) if image.dtype == np.uint8 else (float(image.min()), float(np.ptp(image)) or 1.0)
    levels = np.round((image - low) / width * 255).astype(np.uint8)
    return np.asarray(Image.fromarray(levels).filter(blur)) / 255 * width + low


def squares(height: int, width: int, side: int) -> Iterator[tuple[tuple[slice, slice], np.ndarray]]:
    """Where a square lies on its way over an image, by half its side at a time, and how near pixels are to its middle.

    It starts and ends half outside, so that pixels near the edge are covered as often as others. The weights, of the
    shape that lies in the image, fall from the middle to the edges of the square.

    Example:
        >>> [(columns.start, columns.stop) for (_, columns), _ in squares(1, 4, 2)][:5]
        [(0, 1), (0, 2), (1, 3), (2, 4), (3, 4)]
    """
    step, near = max(1, side // 2), np.minimum(np.arange(1, side + 1), np.arange(side, 0, -1)) / side
    for top in range(step - side, height, step):
        for left in range(step - side, width, step):
            rows, columns = (
                slice(max(0, start), min(length, start + side)) for start, length in ((top, height), (left, width))
            )
            weights = np.outer(
                near[rows.start - top : rows.stop - top], near[columns.start - left : columns.stop - left]
            )
            yield (rows, columns), weights


def covered(image: np.ndarray, instead: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The image with `instead` where the mask (h, w) is true."""
    return np.where(mask.reshape(*mask.shape, *[1] * (image.ndim - 2)), instead, image)
