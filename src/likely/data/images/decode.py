"""The gate: every image, through whichever door it comes, becomes uint8 of the model's shape here and nowhere else."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from likely.data.images import tiff_levels
from likely.data.images.color_profile import to_srgb
from likely.data.images.decoding_memory import room_for
from likely.data.images.open_image import MAX_PIXELS, ImageSource, bomb, damaged, name_of, opened
from likely.errors import ImageError
from likely.preprocessing.conversion import Photograph, create_conversion, resized
from likely.preprocessing.image_preprocessor import check_image_shape
from likely.preprocessing.resize import strips

ORIENTATION_TAG = 0x0112

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_SIDEWAYS = (5, 6, 7, 8)
_GRAY_MODES = ("1", "L", "LA", "La")


@dataclass(frozen=True)
class ImageForm:
    """What a model reads: the shape (h, w) or (h, w, 3), and how a photograph becomes one; None resizes it."""

    shape: tuple[int, ...]
    conversion: Mapping[str, Any] | None = None


def read_image(
    source: ImageSource,
    *,
    shape: tuple[int, ...],
    conversion: Mapping[str, Any] | None = None,
    raw: bool = False,
    name: str | None = None,
) -> np.ndarray:
    """One image as uint8 of the shape that a model learned from.

    Whatever its mode, it is turned upright as its EXIF data say, brought from the color space that it names to sRGB,
    laid on white where it is transparent, and brought to 8 bits; of an animation the first frame counts. Gray is
    0.299 R + 0.587 G + 0.114 B (ITU-R BT.601). A gray, opaque image that already has the shape passes bit for bit.

    Args:
        source: a path, bytes, an open binary file or a Pillow image.
        shape: (h, w) for gray, (h, w, 3) for color.
        conversion: how a photograph becomes an image of the training data, such as
            `likely.preprocessing.conversion.PRODUCT_PHOTO`; None resizes to the shape.
        raw: leave the conversion out.
        name: what to call the image in errors; by default its path.
    Returns:
        An array of `shape` and dtype uint8.
    Raises:
        ImageError: if there is no image to be had from the source; the message names it.
        ConfigError: if the conversion is not one that likely knows.
    Example:
        >>> read_image(Image.new("RGB", (4, 2), "red"), shape=(2, 4))
        array([[76, 76, 76, 76],
               [76, 76, 76, 76]], dtype=uint8)
    """
    check_image_shape(shape)
    convert = None if conversion is None or raw else create_conversion(conversion)
    name = name or name_of(source)
    with opened(source, name) as found:
        if isinstance(convert, Photograph) and convert.detail and found.format == "JPEG":
            least = math.ceil(convert.detail * max(shape[:2]))
            found.draft(None, (least, least))
        with room_for(found, name, turned=_orientation(found) in TURNS):
            image, opaque = _to_eight_bits(found, name)
            if len(shape) == 2 and image.size == (shape[1], shape[0]) and opaque and _is_gray(image):
                return np.array(image.convert("L"))
            return (convert or resized)(image, shape)


def image_shape(source: ImageSource, *, name: str | None = None) -> tuple[int, ...]:
    """The shape that an image has of its own accord: (h, w) if its mode is gray, else (h, w, 3).

    Of a file only the head is read, so damage further down goes unnoticed.

    Raises:
        ImageError: as `read_image` does.
    Example:
        >>> image_shape(Image.new("L", (4, 2)))
        (2, 4)
    """
    with opened(source, name or name_of(source)) as image:
        height, width = image.height, image.width
        # Pillow turns a TIFF by itself and states its size as it will be. Of a PNG it has to decode the pixels to find
        # the orientation, which does not matter where the image is square.
        if height != width and image.format != "TIFF" and _orientation(image) in _SIDEWAYS:
            height, width = width, height
        is_gray = image.mode in _GRAY_MODES or image.mode.startswith("I") or image.mode == "F"
        return (height, width) if is_gray else (height, width, 3)


@dataclass(frozen=True)
class Look:
    """An image as it is read, upright, on white, of mode "L" or "RGB", and what its file says of it.

    Args:
        mode: of the file, such as "RGBA" or "I;16".
        frames: how many there are; the first one counts.
        turned: whether the file's EXIF data turned it.
    """

    image: Image.Image
    mode: str
    opaque: bool
    frames: int
    turned: bool


def look_at_image(source: ImageSource, *, name: str | None = None) -> Look:
    """A whole image at its own size; arguments and errors are those of `read_image`."""
    name = name or name_of(source)
    with opened(source, name) as found:
        mode, turned = found.mode, _orientation(found) in TURNS
        frames = _frames(found)  # before the pixels are decoded: to count them is to go through the file
        with room_for(found, name, turned=turned):
            image, opaque = _to_eight_bits(found, name)
        return Look(image, mode, opaque, frames, turned)


def _frames(image: Image.Image) -> int:
    # Phones put a second view into some JPEG files; it is no frame.
    if image.format in ("JPEG", "MPO"):
        return 1
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception:  # the first frame is whole, and only it counts
        return 1


def _to_eight_bits(image: Image.Image, name: str) -> tuple[Image.Image, bool]:
    if image.width * image.height > MAX_PIXELS:
        raise ImageError(bomb(name))
    try:
        image.load()
        turn = TURNS.get(_orientation(image))
        image, opaque = _on_white(image, name)
        return (image if turn is None else image.transpose(turn)), opaque
    except ImageError:
        raise
    # Decoders fed with damaged bytes raise whatever they come across: OSError, SyntaxError, struct.error, KeyError...
    except Exception as error:
        raise ImageError(damaged(name, error)) from error


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation; 1 (upright) if there is none or the EXIF block is damaged, for the pixels may be fine."""
    try:
        return int(image.getexif().get(ORIENTATION_TAG, 1))
    except Exception:
        return 1


def _on_white(image: Image.Image, name: str) -> tuple[Image.Image, bool]:
    if image.mode.startswith("I") or image.mode == "F":
        return _deep_to_gray(image, name)
    is_gray = image.mode in _GRAY_MODES
    to_rgb = to_srgb(image)
    if not image.has_transparency_data:
        mode = "L" if is_gray else "RGB"
        if to_rgb is not None:
            return to_rgb(image if image.mode in ("RGB", "CMYK") else image.convert("RGB")), True
        return (image if image.mode == mode else image.convert(mode)), True
    if image.format in ("BMP", "DIB") and image.mode == "RGBA" and image.getchannel("A").getextrema() == (0, 0):
        return image.convert("RGB"), True  # written by programs that know no transparency
    result, opaque = Image.new("L" if is_gray else "RGB", image.size), True
    for top, part in strips(image):
        layered = part.convert("LA").convert("RGBA") if image.mode == "La" else part.convert("RGBA")
        if to_rgb is not None:
            layered = Image.merge("RGBA", (*to_rgb(layered.convert("RGB")).split(), layered.getchannel("A")))
        opaque = opaque and layered.getchannel("A").getextrema() == (255, 255)
        white = Image.new("RGBA", layered.size, (255, 255, 255, 255))
        result.paste(Image.alpha_composite(white, layered).convert(result.mode), (0, top))
    return result, opaque


def _deep_to_gray(image: Image.Image, name: str) -> tuple[Image.Image, bool]:
    """16 bits scaled to 8, so that black becomes 0 and white 255."""
    most, (low, high) = tiff_levels.greatest_level(image), _extremes(image)
    # A file of 32 bits does not say what white is; an image in memory may hold 16 bits in 32.
    unclear = image.mode == "F" or (image.mode == "I" and image.format is not None)
    if unclear or low < 0 or high > most:
        raise ImageError(
            f"{name} must have levels from 0 to 65535; got mode {image.mode} with levels from {low} to {high}. It is "
            "undefined which levels are black and white. Try saving it with 8 or 16 bits."
        )
    white_is_zero, transparent = tiff_levels.white_is_zero(image), image.info.get("transparency")
    result, opaque = Image.new("L", image.size), True
    for top, part in strips(image):
        levels = np.asarray(part)
        gray = np.rint(levels * (255 / most)).astype(np.uint8)
        if white_is_zero:
            gray = 255 - gray
        if transparent is not None:
            hidden = levels == transparent
            gray[hidden], opaque = 255, opaque and not hidden.any()
        result.paste(Image.fromarray(gray), (0, top))
    return result, opaque


def _extremes(image: Image.Image) -> tuple[float, float]:
    ends = [(levels.min(), levels.max()) for _, part in strips(image) for levels in [np.asarray(part)]]
    return min(low for low, _ in ends), max(high for _, high in ends)


def _is_gray(image: Image.Image) -> bool:
    return len({channel.tobytes() for channel in image.split()}) == 1
