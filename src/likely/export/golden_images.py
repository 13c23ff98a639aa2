"""Images that an exported model is tried on before it is written: random and extreme ones."""

from collections.abc import Iterator

import numpy as np

from likely.preprocessing.float_pixels import FloatPixels

BATCHES = (1, 2, 33)
"""How many are asked about at a time."""


def golden_images(shape: tuple[int, ...], pixels: FloatPixels | None, dtype: str, seed: int = 0) -> np.ndarray:
    """33 images of this shape: uint8, or floats of the dtype in the range of `pixels`."""
    rng = np.random.default_rng(seed)
    levels = np.stack(list(_levels(rng, shape)))
    if pixels is None:
        return levels
    return (pixels.low + levels / 255 * (pixels.high - pixels.low)).astype(dtype)


def golden_sizes(shape: tuple[int, ...], seed: int = 0) -> Iterator[np.ndarray]:
    """Pairs of images of other sizes, uint8: tiny, slightly larger, much wider, larger on both sides."""
    rng = np.random.default_rng(seed)
    height, width = shape[:2]
    for size in ((1, 1), (height + 1, width), (height, 3 * width), (2 * height + 1, 3 * width - 1), (3, 5)):
        smooth = _smooth(rng, (*size, *shape[2:]))
        yield np.stack([smooth, rng.integers(0, 256, smooth.shape, dtype=np.uint8)])


def _levels(rng: np.random.Generator, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    for level in (0, 255, 128):
        yield np.full(shape, level, np.uint8)
    for _ in range(6):
        yield rng.integers(0, 256, shape, dtype=np.uint8)
    for _ in range(6):
        yield np.where(rng.random(shape) < 0.5, 0, 255).astype(np.uint8)
    for place in ((0, 0), (-1, -1)):
        one = np.zeros(shape, np.uint8)
        one[place] = 255
        yield one
    for _ in range(16):
        yield _smooth(rng, shape)


def _smooth(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """A bright ellipse on a dark background or the other way round, and a slope."""
    height, width = shape[:2]
    y, x = np.mgrid[:height, :width] / np.array([height, width])[:, None, None]
    center, radius = rng.uniform(0.3, 0.7, 2), rng.uniform(0.15, 0.5, 2)
    inside = ((y - center[0]) / radius[0]) ** 2 + ((x - center[1]) / radius[1]) ** 2 < 1
    image = rng.uniform(0, 0.3) * (x + y) / 2 + rng.uniform(0.3, 0.7) * inside
    image = image if rng.random() < 0.7 else 1 - image
    channels = np.multiply.outer(image, rng.uniform(0.5, 1, shape[2:])) if len(shape) == 3 else image
    return np.rint(255 * channels).astype(np.uint8)
