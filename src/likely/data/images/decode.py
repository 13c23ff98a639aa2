"""The gate: every image, through whichever door it comes, becomes uint8 of the model's shape here and nowhere else.

Only decoders of Pillow's that are in wide use are ever given foreign bytes, and the limit on decoded pixels stands.
"""

import io
import os
import stat
import threading
import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
from PIL import Image, UnidentifiedImageError

from likely.errors import ImageError, ShapeError
from likely.preprocessing.conversion import create_conversion

ImageSource: TypeAlias = str | os.PathLike[str] | bytes | IO[bytes] | Image.Image
"""A path, the bytes of a file, an open binary file, or an image that Pillow has opened."""

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
ORIENTATION_TAG = 0x0112

# Pillow's own limit, as a number: a program that lifted Pillow's has not asked us to decode bombs.
MAX_PIXELS = 89_478_485

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

FOREIGN = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip archive or an office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"8BPS", "a Photoshop document"),
    (b"\x00\x00\x01\x00", "a Windows icon"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 image"),
    (b"\xff\x0a", "a JPEG XL image"),
)

# The filters of the warnings module belong to the whole process, so two threads must not change them at once.
_warning_filters = threading.Lock()


def read_image(
    source: ImageSource,
    *,
    shape: tuple[int, ...],
    conversion: Mapping[str, Any] | None = None,
    raw: bool = False,
    name: str | None = None,
) -> np.ndarray:
    """One image as uint8 of the shape that a model learned from.

    Whatever its mode, it is turned upright as its EXIF data say, laid on white where it is transparent, and brought
    to 8 bits; of an animation the first frame counts. Gray is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601). A gray,
    opaque image that already has the shape passes bit for bit.

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
    _check_shape(shape)
    convert = None if conversion is None or raw else create_conversion(conversion)
    name = name or _name_of(source)
    image, opaque = _decode(source, name)
    size = (shape[1], shape[0])
    if len(shape) == 2 and image.size == size and opaque and _is_gray(image):
        return np.array(image.convert("L"))
    if convert is not None:
        return convert(image, shape)
    image = image.convert("L" if len(shape) == 2 else "RGB")
    return np.array(image if image.size == size else image.resize(size, Image.Resampling.BICUBIC))


def image_shape(source: ImageSource, *, name: str | None = None) -> tuple[int, ...]:
    """The shape that an image has of its own accord: (h, w) if its mode is gray, else (h, w, 3).

    Of a file only the head is read, so damage further down goes unnoticed.

    Raises:
        ImageError: as `read_image` does.
    Example:
        >>> image_shape(Image.new("L", (4, 2)))
        (2, 4)
    """
    with _opened(source, name or _name_of(source)) as image:
        height, width = image.height, image.width
        # Pillow turns a TIFF by itself and states its size as it will be. Of a PNG it has to decode the pixels to find
        # the orientation, which does not matter where the image is square.
        if height != width and image.format != "TIFF" and _orientation(image) in _SIDEWAYS:
            height, width = width, height
        is_gray = image.mode in _GRAY_MODES or image.mode.startswith("I") or image.mode == "F"
        return (height, width) if is_gray else (height, width, 3)


@dataclass(frozen=True)
class Look:
    """An image as it is read, and what its file says of it.

    Args:
        image: upright, on white, of mode "L" or "RGB".
        mode: of the file, such as "RGBA" or "I;16".
        opaque: whether every pixel is.
        frames: how many there are; the first one counts.
        turned: whether the file's EXIF data turned it.
    """

    image: Image.Image
    mode: str
    opaque: bool
    frames: int
    turned: bool


def look_at_image(source: ImageSource, *, name: str | None = None) -> Look:
    """A whole image at its own size.

    Args:
        source: a path, bytes, an open binary file or a Pillow image.
        name: what to call it in errors; by default its path.
    Raises:
        ImageError: as `read_image` does.
    """
    name = name or _name_of(source)
    with _opened(source, name) as opened:
        mode, turned = opened.mode, _orientation(opened) in TURNS
        image, opaque = _to_eight_bits(opened, name)
        return Look(image, mode, opaque, _frames(opened), turned)


def _frames(image: Image.Image) -> int:
    # Phones put a second view into some JPEG files; it is no frame.
    if image.format in ("JPEG", "MPO"):
        return 1
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception:  # the first frame is whole, and only it counts
        return 1


def read_file(path: Path, name: str) -> bytes:
    """The bytes of an image's file.

    Raises:
        ImageError: if there is none, or it can't be read; the message says why.
    """
    with _open_file(path, name) as file:
        try:
            return file.read()
        except OSError as error:
            raise ImageError(f"{name} must be readable; got: {error.strerror}.") from error


def _check_shape(shape: tuple[int, ...]) -> None:
    if len(shape) not in (2, 3) or min(shape) < 1 or shape[2:] not in ((), (3,)):
        raise ShapeError(f"The shape of an image must be (h, w) or (h, w, 3); got {shape}.")


def _name_of(source: ImageSource) -> str:
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    return str(getattr(source, "name", "") or getattr(source, "filename", "") or "The image")


def _decode(source: ImageSource, name: str) -> tuple[Image.Image, bool]:
    """An upright image of mode "L" or "RGB" on white, and whether it was opaque."""
    with _opened(source, name) as image:
        return _to_eight_bits(image, name)


@contextmanager
def _opened(source: ImageSource, name: str) -> Generator[Image.Image]:
    """The image, its pixels not yet decoded; files that were opened here are closed afterwards."""
    if isinstance(source, Image.Image):
        yield source
    elif isinstance(source, bytes | bytearray | memoryview):
        with _open_image(io.BytesIO(source), name) as image:
            yield image
    elif isinstance(source, str | os.PathLike):
        with _open_file(Path(source), name) as file, _open_image(file, name) as image:
            yield image
    else:
        with _open_image(_seekable(source, name), name) as image:
            yield image


def _open_file(path: Path, name: str) -> IO[bytes]:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise ImageError(f"{name} must be an image; got a folder. Try a file in it.")
        if not stat.S_ISREG(mode):
            raise ImageError(f"{name} must be a file; got a device, pipe or socket. Try `-` with the bytes on stdin.")
        return path.open("rb")
    except FileNotFoundError:
        raise ImageError(f"{name} must be an image; got nothing: there is no such file. Check the path.") from None
    except PermissionError:
        raise ImageError(f"{name} must be readable; got no permission to read it. Try chmod +r.") from None
    except (OSError, ValueError) as error:
        raise ImageError(f"{name} must be readable; got: {error}.") from error


def _seekable(source: Any, name: str) -> IO[bytes]:
    read = getattr(source, "read", None)
    if read is None or isinstance(source, io.TextIOBase):
        raise ImageError(
            f"{name} must be a path, bytes, a binary file or a Pillow image; got {type(source).__name__}. "
            'Open files with mode "rb".'
        )
    try:
        if source.seekable():
            source.seek(0)
            return source
        return io.BytesIO(read())
    except (AttributeError, OSError, ValueError) as error:
        raise ImageError(f"{name} must be an open binary file; got one that can't be read: {error}.") from error


def _open_image(file: IO[bytes], name: str) -> Image.Image:
    start = file.read(512)
    file.seek(0)
    if not start:
        raise ImageError(f"{name} must be an image; got 0 bytes. The file is empty. Copy or download it again.")
    try:
        with _warning_filters, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(file, formats=FORMATS)
    except UnidentifiedImageError:
        raise ImageError(
            f"{name} must be a PNG, JPEG, WebP, BMP, GIF or TIFF image; got {_describe(start)}. "
            "Try to open it in an image program and save it as PNG."
        ) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageError(_bomb(name)) from None
    except Exception as error:
        raise ImageError(_damaged(name, error)) from error


def _to_eight_bits(image: Image.Image, name: str) -> tuple[Image.Image, bool]:
    if image.width * image.height > MAX_PIXELS:
        raise ImageError(_bomb(name))
    if min(image.size) < 1:
        raise ImageError(f"{name} must have pixels; got {image.width} x {image.height}.")
    try:
        image.load()
        turn = TURNS.get(_orientation(image))
        image, opaque = _on_white(image, name)
        return (image if turn is None else image.transpose(turn)), opaque
    except ImageError:
        raise
    # Decoders fed with damaged bytes raise whatever they come across: OSError, SyntaxError, struct.error, KeyError...
    except Exception as error:
        raise ImageError(_damaged(name, error)) from error


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
    if not image.has_transparency_data:
        return image.convert("L" if is_gray else "RGB"), True
    layered = image.convert("LA").convert("RGBA") if image.mode == "La" else image.convert("RGBA")
    opaque = layered.getchannel("A").getextrema() == (255, 255)
    white = Image.new("RGBA", layered.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, layered).convert("L" if is_gray else "RGB"), opaque


def _deep_to_gray(image: Image.Image, name: str) -> tuple[Image.Image, bool]:
    """16 bits scaled to 8, so that 0 stays 0 and 65535 becomes 255."""
    levels = np.asarray(image)
    if image.mode == "F" or levels.min() < 0 or levels.max() > 65535:
        raise ImageError(
            f"{name} must have levels from 0 to 65535; got mode {image.mode} with levels from {levels.min()} to "
            f"{levels.max()}. Such images have no agreed black and white. Try to save it with 8 or 16 bits."
        )
    gray = np.rint(levels / 257.0).astype(np.uint8)
    transparent = image.info.get("transparency")
    hidden = np.zeros(levels.shape, dtype=bool) if transparent is None else levels == transparent
    gray[hidden] = 255
    return Image.fromarray(gray), not bool(hidden.any())


def _is_gray(image: Image.Image) -> bool:
    if image.mode == "L":
        return True
    red, green, blue = image.split()
    return red.tobytes() == green.tobytes() == blue.tobytes()


def _describe(start: bytes) -> str:
    for magic, what in FOREIGN:
        if start.startswith(magic):
            return what
    if start[4:8] == b"ftyp":
        return "a HEIC, AVIF or video file"
    if b"<svg" in start:
        return "an SVG drawing"
    text = b"\x00" not in start and all(byte >= 32 or byte in b"\t\n\r\f" for byte in start)
    return "a text file" if text else "bytes that none of these formats begins with, or only the beginning of an image"


def _damaged(name: str, error: Exception) -> str:
    reason = str(error).rstrip(".") or type(error).__name__
    return f"{name} must be a whole image; got a damaged, truncated or unusual one: {reason}. Copy or save it again."


def _bomb(name: str) -> str:
    return (
        f"{name} must have at most {MAX_PIXELS:,} pixels; got more. It may be a decompression bomb, "
        "made to fill the memory. Try to scale it down first."
    )
