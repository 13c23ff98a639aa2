"""From a photograph to an image like those learned from: a closed list, kept in models as a name and numbers.

A conversion is looked up by name in `CONVERSIONS` and built from plain numbers, so a model file never brings code.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

from likely.errors import ConfigError, ShapeError, nearest
from likely.preprocessing.resize import resize, strips

Conversion: TypeAlias = Callable[[Image.Image, tuple[int, ...]], np.ndarray]
"""(an upright, opaque image of mode "L" or "RGB", the shape asked for) -> uint8 of that shape."""

# Finding the edges of the subject needs a few pixels per pixel of the result, not the 12 megapixels of a camera.
DETAIL = 8
_LONGEST = 4096
"""Pixels of a side in which they are ever looked for."""


def _check_number(name: str, value: Any, low: float, high: float, whole: bool = False) -> None:
    right_type = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not right_type or not low <= value <= high:
        kind = "a whole number" if whole else "a number"
        raise ConfigError(f"{name} must be {kind} from {low} to {high}; got {value!r}.")


@dataclass(frozen=True)
class ProductPhoto:
    """The conversion that the authors of Fashion-MNIST published for photographs of products.

    1. Trim the edges that are close to the color of the corners.
    2. Scale the longest edge to the size of the result.
    3. Sharpen with a Gaussian.
    4. Extend the shortest edge, the subject in the middle.
    5. Negate, and keep 8 bits of gray.

    It departs from the publication in three places, each because photographs come from anywhere and not from one shop.
    The edge is scaled by averaging over areas: the authors skipped rows and columns of thumbnails of 51 x 73 pixels,
    which in a large photograph would leave the result to the few rows that happen to be hit. An image with a dark
    background is not negated. And the background's gray becomes exactly 0, with the other levels stretched to keep
    255: the shop's background was nearly white, others are not.

    Args:
        trim_tolerance: the largest distance in RGB space, as a part of the largest possible, that is still background.
        sharpen_radius: half the width of the sharpening kernel in pixels of the result; 0 does not sharpen.
        sharpen_sigma: its standard deviation.
    Reference: Xiao, Rasul and Vollgraf, Fashion-MNIST, arXiv 1708.07747, section 2.
    """

    trim_tolerance: float = 0.05
    sharpen_radius: int = 1
    sharpen_sigma: float = 1.0

    def __post_init__(self) -> None:
        _check_number("trim_tolerance", self.trim_tolerance, 0.0, 1.0)
        _check_number("sharpen_radius", self.sharpen_radius, 0, 8, whole=True)
        _check_number("sharpen_sigma", self.sharpen_sigma, 0.01, 100.0)

    def __call__(self, image: Image.Image, shape: tuple[int, ...]) -> np.ndarray:
        """The image as uint8 of `shape` (h, w), its background 0; an image without a subject is all 0."""
        if len(shape) != 2:
            raise ShapeError(f"The product-photo conversion must make gray images of shape (h, w); got shape {shape}.")
        height, width = shape
        canvas = np.zeros((height, width), dtype=np.uint8)
        longest = max(image.size)
        image = image.reduce(max(1, longest // (DETAIL * max(shape)), math.ceil(longest / _LONGEST)))
        background = _corner_color(image)
        box = _subject_box(image, background, self.trim_tolerance)
        if box is None:
            return canvas
        subject = image.crop(box)
        scale = min(width / subject.width, height / subject.height)
        size = (max(1, round(subject.width * scale)), max(1, round(subject.height * scale)))
        average_or_enlarge = Image.Resampling.BOX if scale <= 1 else Image.Resampling.BICUBIC
        gray = np.asarray(resize(subject, size, "L", average_or_enlarge), dtype=np.float64)
        gray = np.clip(_sharpen(gray, self.sharpen_radius, self.sharpen_sigma), 0.0, 255.0)
        # Where the margins cannot be equal, those of Fashion-MNIST are wider by one at the top and on the left.
        top, left = (height - size[1] + 1) // 2, (width - size[0] + 1) // 2
        canvas[top : top + size[1], left : left + size[0]] = _away_from(background, gray)
        return canvas


def resized(image: Image.Image, shape: tuple[int, ...]) -> np.ndarray:
    """A whole image as uint8 of `shape`, (h, w) or (h, w, 3): bicubic, with antialiasing."""
    gray = len(shape) == 2
    image = resize(image, (shape[1], shape[0]), "L" if gray else image.mode, Image.Resampling.BICUBIC)
    return np.array(image if gray else image.convert("RGB"))


@dataclass(frozen=True)
class Photograph:
    """The whole photograph, resized.

    A JPEG file is made smaller by a power of two while it is decoded, which takes a fraction of the time for those of
    a camera, but keeps `detail` times the side that is asked for, or more. That moves some gray levels a little.

    Args:
        detail: how many times the side must be left before resizing; 0 decodes every file as a whole.
    """

    detail: float = 2.0

    def __post_init__(self) -> None:
        _check_number("detail", self.detail, 0.0, 64.0)

    def __call__(self, image: Image.Image, shape: tuple[int, ...]) -> np.ndarray:
        """The image as uint8 of `shape`."""
        return resized(image, shape)


@dataclass(frozen=True)
class ResizeAndCrop:
    """The middle of the photograph, its shortest edge resized first; as the processors of transformers do it.

    Args:
        edge: what the shortest edge becomes, at least the side of the result; 0 resizes the whole photograph.
        resampling: a filter of Pillow: "bicubic", "bilinear", "lanczos", "box", "hamming" or "nearest".
    """

    edge: int = 0
    resampling: str = "bicubic"

    def __post_init__(self) -> None:
        _check_number("edge", self.edge, 0, 4096, whole=True)
        if self.resampling not in _FILTERS:
            raise ConfigError(
                f"resampling must be a filter; got {self.resampling!r}. {nearest(self.resampling, _FILTERS)}"
            )

    def __call__(self, image: Image.Image, shape: tuple[int, ...]) -> np.ndarray:
        """The image as uint8 of `shape`."""
        gray, (height, width), short = len(shape) == 2, shape[:2], min(image.size)
        size = (width, height)
        if self.edge:
            size = (int(self.edge * image.width / short), int(self.edge * image.height / short))
        left, top = (size[0] - width) // 2, (size[1] - height) // 2
        middle = (left, top, left + width, top + height)
        image = resize(image, size, "L" if gray else image.mode, _FILTERS[self.resampling], middle)
        return np.array(image if gray else image.convert("RGB"))


_FILTERS = {name.lower(): value for name, value in Image.Resampling.__members__.items()}

CONVERSIONS: dict[str, type[ProductPhoto | Photograph | ResizeAndCrop]] = {
    "product-photo": ProductPhoto,
    "photograph": Photograph,
    "resize-and-crop": ResizeAndCrop,
}
"""The closed list: every conversion that a data set or a model file can name."""

PHOTOGRAPH: dict[str, Any] = {"name": "photograph", **asdict(Photograph())}
"""How images are read for a backbone."""

PRODUCT_PHOTO: dict[str, Any] = {"name": "product-photo", **asdict(ProductPhoto())}
"""The published conversion with its published numbers, as a data set declares it and a model file keeps it."""


def create_conversion(settings: Mapping[str, Any]) -> Conversion:
    """The conversion that `settings` describe: {"name": one of `CONVERSIONS`, and its numbers}.

    Raises:
        ConfigError: if the name or a number's name is unknown, or a number is outside its range.
    Example:
        >>> create_conversion({"name": "product-photo", "trim_tolerance": 0.1})
        ProductPhoto(trim_tolerance=0.1, sharpen_radius=1, sharpen_sigma=1.0)
    """
    numbers = dict(settings)
    name = numbers.pop("name", None)
    if not isinstance(name, str) or name not in CONVERSIONS:
        raise ConfigError(f"The conversion must exist; got {name!r}. {nearest(name, CONVERSIONS)}")
    known = CONVERSIONS[name].__dataclass_fields__
    if unknown := [key for key in numbers if key not in known]:
        raise ConfigError(f"The conversion {name!r} has no number {unknown[0]!r}. {nearest(unknown[0], known)}")
    return CONVERSIONS[name](**numbers)


def _corner_color(image: Image.Image) -> np.ndarray:
    """The median of the four corners, shape (3,): one corner may hold a part of the subject or a label."""
    right, bottom = image.width - 1, image.height - 1
    one_pixel = [image.crop((x, y, x + 1, y + 1)).convert("RGB") for x in (0, right) for y in (0, bottom)]
    return np.median([np.asarray(pixel, dtype=np.float64).reshape(3) for pixel in one_pixel], axis=0)


def _subject_box(image: Image.Image, background: np.ndarray, tolerance: float) -> tuple[int, int, int, int] | None:
    """(left, top, right, bottom) around everything unlike the background, or None if nothing is."""
    in_row, in_column = list[np.ndarray](), np.zeros(image.width, dtype=bool)
    for _, part in strips(image):
        off = np.asarray(part.convert("RGB"), dtype=np.float32) - background.astype(np.float32)
        subject = (off**2).sum(axis=2) > (tolerance * 255.0) ** 2 * 3.0
        in_row.append(subject.any(axis=1))
        in_column |= subject.any(axis=0)
    rows, columns = np.flatnonzero(np.concatenate(in_row)), np.flatnonzero(in_column)
    if len(rows) == 0:
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _sharpen(gray: np.ndarray, radius: int, sigma: float) -> np.ndarray:
    """Each pixel's difference from its Gaussian neighborhood, added to the pixel.

    The kernel is -g everywhere but 2 sum(g) in the middle, g a Gaussian, over its own sum: it keeps flat areas.
    """
    if radius == 0:
        return gray
    offsets = range(-radius, radius + 1)
    weight = {(i, j): math.exp(-(i * i + j * j) / (2 * sigma * sigma)) for i in offsets for j in offsets}
    total = sum(weight.values())
    height, width = gray.shape
    padded = np.pad(gray, radius, mode="edge")
    neighbors = sum(
        weight[i, j] * padded[radius + i : radius + i + height, radius + j : radius + j + width]
        for i, j in weight
        if (i, j) != (0, 0)
    )
    return (2.0 * total * gray - neighbors) / (2.0 * total - (total - 1.0))


def _away_from(color: np.ndarray, gray: np.ndarray) -> np.ndarray:
    """Gray levels with the background's color at 0 and the far end of the scale at 255; a light one is negated."""
    background = float(color @ np.array([0.299, 0.587, 0.114]))
    light = background >= 127.5
    level = (background - gray) / background if light else (gray - background) / (255.0 - background)
    return np.rint(np.clip(level, 0.0, 1.0) * 255.0).astype(np.uint8)
