"""From images to a network's input."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from likely.arrays import Array, namespace, to_numpy
from likely.errors import ShapeError
from likely.preprocessing.float_pixels import FloatPixels
from likely.preprocessing.stored_rows import RowArray, StoredRows

Layout: TypeAlias = Literal["rows", "channels_first"]


MOST_PIXELS = 2**24
"""Of one image that a network takes; files may have more, and are resized."""


def check_image_shape(shape: tuple[int, ...]) -> None:
    """Refuse what is the shape of no image, or of one that is larger than `MOST_PIXELS`, with a ShapeError."""
    if len(shape) not in (2, 3) or shape[2:] not in ((), (3,)) or min(shape) < 1:
        raise ShapeError(f"The shape of an image must be (h, w) or (h, w, 3); got {shape}.")
    if shape[0] * shape[1] > MOST_PIXELS:
        raise ShapeError(f"An image must have at most {MOST_PIXELS:,} pixels; got {shape}. Scale it down first.")


@dataclass(frozen=True)
class ImagePreprocessor:
    """x / 255, after zeros around it up to pad_to x pad_to; a `Preprocessor`.

    Images of floating-point numbers are standardized instead: see `FloatPixels`.

    Args:
        shape: of one stored image, (h, w) or (h, w, 3).
        pad_to: the height and width after padding, or None to leave images as they are.
        layout: how the network takes an image: as "rows" (n, h w c), or "channels_first" (n, c, h, w).
        dtype: what the network computes in.
        pixels: for images of floating-point numbers, how they are standardized; None for uint8.
    Raises:
        ShapeError: if the shape is not one of an image, or larger than `pad_to`.
    Example:
        >>> ImagePreprocessor((28, 28), pad_to=32, layout="channels_first").output_shape
        (1, 32, 32)
    """

    shape: tuple[int, ...]
    pad_to: int | None = None
    layout: Layout = "rows"
    dtype: str = "float32"
    pixels: FloatPixels | None = None

    columns = None

    def __post_init__(self) -> None:
        check_image_shape(self.shape)
        if self.pad_to is not None and self.pad_to < max(self.shape[:2]):
            raise ShapeError(
                f"pad_to must be at least the images' size, {max(self.shape[:2])}; got {self.pad_to}. Try a larger one."
            )
        if self.pad_to is not None:
            check_image_shape((self.pad_to, self.pad_to))

    @classmethod
    def fit(
        cls, X: RowArray, pad_to: int | None = None, layout: Layout = "rows", dtype: str = "float32"
    ) -> "ImagePreprocessor":
        """The preprocessor for images like those of X, of which uint8 has only a shape; errors as `FloatPixels.fit`."""
        return cls(X.shape[1:], pad_to, layout, dtype, None if X.dtype == np.uint8 else FloatPixels.fit(X))

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Of one input of the network."""
        height, width = self.shape[:2] if self.pad_to is None else (self.pad_to, self.pad_to)
        channels = math.prod(self.shape[2:])
        return (channels, height, width) if self.layout == "channels_first" else (height * width * channels,)

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Of one stored image, (h, w) or (h, w, 3)."""
        return self.shape

    def __call__(self, x: Array) -> Array:
        """The network's input for images that `check` accepts, in their array library and on their device."""
        xp = namespace(x)
        dtype = getattr(xp, self.dtype)
        if self.pixels is not None:
            x = self.pixels(xp.astype(x, dtype, copy=False))
        if self.pad_to is not None:
            x = _pad(x, self.pad_to)
        if self.layout == "channels_first":
            x = x[:, None] if len(self.shape) == 2 else xp.permute_dims(x, (0, 3, 1, 2))
        else:
            x = xp.reshape(x, (x.shape[0], *self.output_shape))
        if self.pixels is None:
            x = xp.astype(x, dtype)
            x /= 255
        return x

    def by_pixel(self, inputs: np.ndarray) -> np.ndarray:
        """Numbers of one input of the network, added up over channels: shape (h, w). Those of the padding are omitted.

        Example:
            >>> ImagePreprocessor((2, 2), pad_to=4).by_pixel(np.arange(16.0))
            array([[ 5.,  6.],
                   [ 9., 10.]])
        """
        height, width = self.shape[:2]
        tall, wide = (height, width) if self.pad_to is None else (self.pad_to, self.pad_to)
        first = self.layout == "channels_first"
        summed = inputs.reshape((-1, tall, wide) if first else (tall, wide, -1)).sum(axis=0 if first else 2)
        top, left = (tall - height) // 2, (wide - width) // 2
        return summed[top : top + height, left : left + width]

    def check(self, X: Any) -> Any:
        """The images, unchanged, if they are like those learned from: never rescaled by a guess.

        Raises:
            ShapeError: if the shape or dtype is another one.
            DataError: if a number is NaN, infinite or in another unit; see `FloatPixels.check`.
        """
        # Rows on disk have what is asked of images: a dtype and a shape.
        rows: Any = X if isinstance(X, StoredRows) else to_numpy(X)
        expected = f"(n, {', '.join(map(str, self.shape))})"
        if self.pixels is not None:
            self.pixels.check(rows)
        elif rows.dtype != np.uint8:
            fix = "Try (255 * X).round().astype('uint8')" if rows.dtype.kind == "f" else "Try X.astype('uint8')"
            raise ShapeError(
                f"Images must be uint8 of shape {expected}, 0 to 255; got {rows.dtype} of shape {rows.shape}. The "
                f"range of another dtype is never guessed. {fix} if the values fit."
            )
        if rows.shape[1:] != self.shape:
            raise ShapeError(
                f"Images must have shape {expected} like those learned from; got shape {rows.shape}. "
                "Try likely.data.images.decode.read_image, which brings an image to a shape."
            )
        return rows

    def too_large(self, rows: RowArray) -> np.ndarray:
        """No pixel is too large to compute with: False for each image, shape (n, 1)."""
        return np.zeros((len(rows), 1), np.bool_)

    def reads_like(self, other: object) -> bool:
        """Whether the other one takes the same images and gives the network inputs of the same meaning."""
        return isinstance(other, ImagePreprocessor) and (
            (self.shape, self.layout, self.output_shape, self.pixels is None)
            == (other.shape, other.layout, other.output_shape, other.pixels is None)
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values that `from_json` makes an equal one of."""
        values = {"kind": "images", "dtype": self.dtype, "shape": list(self.shape), "pad_to": self.pad_to}
        values |= {"layout": self.layout, "mean": [], "scale": []}
        return values if self.pixels is None else {**values, "pixels": self.pixels.to_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ImagePreprocessor":
        """The one that `to_json` gave the values of; raises ValueError, KeyError or TypeError for others."""
        shape, pad_to, layout = tuple(values["shape"]), values["pad_to"], values["layout"]
        if not all(type(size) is int and size >= 1 for size in (*shape, *([] if pad_to is None else [pad_to]))):
            raise ValueError("a size that is not a positive integer")
        if layout not in ("rows", "channels_first"):
            raise ValueError(f"layout {layout!r}")
        pixels = FloatPixels.from_json(values["pixels"]) if "pixels" in values else None
        return cls(shape, pad_to, layout, values["dtype"], pixels)


def _pad(x: Array, size: int) -> Array:
    """Zeros around axes 1 and 2 up to `size`, the odd one at the end."""
    xp = namespace(x)
    for axis in (1, 2):
        missing = size - x.shape[axis]
        borders = [
            xp.zeros((*x.shape[:axis], width, *x.shape[axis + 1 :]), dtype=x.dtype, device=getattr(x, "device", None))
            for width in (missing // 2, missing - missing // 2)
        ]
        x = xp.concat([borders[0], x, borders[1]], axis=axis)
    return x
