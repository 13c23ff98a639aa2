"""The gate: every picture, through whichever door it comes, becomes uint8 of the model's shape here and nowhere else.

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

from likely.errors import PictureError, ShapeError
from likely.preprocessing.conversion import create_conversion

PictureSource: TypeAlias = str | os.PathLike[str] | bytes | IO[bytes] | Image.Image
"""A path, the bytes of a file, an open binary file, or a picture that Pillow has opened."""

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
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
)

# The filters of the warnings module belong to the whole process, so two threads must not change them at once.
_warning_filters = threading.Lock()


def read_picture(
    source: PictureSource,
    *,
    shape: tuple[int, ...],
    conversion: Mapping[str, Any] | None = None,
    raw: bool = False,
    name: str | None = None,
) -> np.ndarray:
    """One picture as uint8 of the shape that a model learned from.

    Whatever its mode, it is turned upright as its EXIF data say, laid on white where it is transparent, and brought
    to 8 bits; of an animation the first frame counts. Gray is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601). A gray,
    opaque picture that already has the shape passes bit for bit.

    Args:
        source: a path, bytes, an open binary file or a Pillow picture.
        shape: (h, w) for gray, (h, w, 3) for color.
        conversion: how a photograph becomes a picture of the training data, such as
            `likely.preprocessing.conversion.PRODUCT_PHOTO`; None resizes to the shape.
        raw: leave the conversion out.
        name: what to call the picture in errors; by default its path.
    Returns:
        An array of `shape` and dtype uint8.
    Raises:
        PictureError: if there is no picture to be had from the source; the message names it.
        ConfigError: if the conversion is not one that likely knows.
    Example:
        >>> read_picture(Image.new("RGB", (4, 2), "red"), shape=(2, 4))
        array([[76, 76, 76, 76],
               [76, 76, 76, 76]], dtype=uint8)
    """
    _check_shape(shape)
    convert = None if conversion is None or raw else create_conversion(conversion)
    name = name or _name_of(source)
    picture, opaque = _decode(source, name)
    size = (shape[1], shape[0])
    if len(shape) == 2 and picture.size == size and opaque and _is_gray(picture):
        return np.array(picture.convert("L"))
    if convert is not None:
        return convert(picture, shape)
    picture = picture.convert("L" if len(shape) == 2 else "RGB")
    return np.array(picture if picture.size == size else picture.resize(size, Image.Resampling.BICUBIC))


def picture_shape(source: PictureSource, *, name: str | None = None) -> tuple[int, ...]:
    """The shape that a picture has of its own accord: (h, w) if its mode is gray, else (h, w, 3).

    Of a file only the head is read, so damage further down goes unnoticed.

    Raises:
        PictureError: as `read_picture` does.
    Example:
        >>> picture_shape(Image.new("L", (4, 2)))
        (2, 4)
    """
    with _opened(source, name or _name_of(source)) as picture:
        height, width = picture.height, picture.width
        # Pillow turns a TIFF by itself and states its size as it will be. Of a PNG it has to decode the pixels to find
        # the orientation, which does not matter where the picture is square.
        if height != width and picture.format != "TIFF" and _orientation(picture) in _SIDEWAYS:
            height, width = width, height
        is_gray = picture.mode in _GRAY_MODES or picture.mode.startswith("I") or picture.mode == "F"
        return (height, width) if is_gray else (height, width, 3)


@dataclass(frozen=True)
class Look:
    """A picture as it is read, and what its file says of it.

    Args:
        picture: upright, on white, of mode "L" or "RGB".
        mode: of the file, such as "RGBA" or "I;16".
        opaque: whether every pixel is.
        frames: how many there are; the first one counts.
        turned: whether the file's EXIF data turned it.
    """

    picture: Image.Image
    mode: str
    opaque: bool
    frames: int
    turned: bool


def look_at_picture(source: PictureSource, *, name: str | None = None) -> Look:
    """A whole picture at its own size.

    Args:
        source: a path, bytes, an open binary file or a Pillow picture.
        name: what to call it in errors; by default its path.
    Raises:
        PictureError: as `read_picture` does.
    """
    name = name or _name_of(source)
    with _opened(source, name) as opened:
        mode, turned = opened.mode, _orientation(opened) in TURNS
        picture, opaque = _to_eight_bits(opened, name)
        return Look(picture, mode, opaque, _frames(opened), turned)


def _frames(picture: Image.Image) -> int:
    # Phones put a second view into some JPEG files; it is no frame.
    if picture.format in ("JPEG", "MPO"):
        return 1
    try:
        return int(getattr(picture, "n_frames", 1))
    except Exception:  # the first frame is whole, and only it counts
        return 1


def read_file(path: Path, name: str) -> bytes:
    """The bytes of a picture's file.

    Raises:
        PictureError: if there is none, or it can't be read; the message says why.
    """
    with _open_file(path, name) as file:
        try:
            return file.read()
        except OSError as error:
            raise PictureError(f"{name} must be readable; got: {error.strerror}.") from error


def _check_shape(shape: tuple[int, ...]) -> None:
    if len(shape) not in (2, 3) or min(shape) < 1 or shape[2:] not in ((), (3,)):
        raise ShapeError(f"The shape of a picture must be (h, w) or (h, w, 3); got {shape}.")


def _name_of(source: PictureSource) -> str:
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    return str(getattr(source, "name", "") or getattr(source, "filename", "") or "The picture")


def _decode(source: PictureSource, name: str) -> tuple[Image.Image, bool]:
    """An upright picture of mode "L" or "RGB" on white, and whether it was opaque."""
    with _opened(source, name) as picture:
        return _to_eight_bits(picture, name)


@contextmanager
def _opened(source: PictureSource, name: str) -> Generator[Image.Image]:
    """The picture, its pixels not yet decoded; files that were opened here are closed afterwards."""
    if isinstance(source, Image.Image):
        yield source
    elif isinstance(source, bytes | bytearray | memoryview):
        with _open_picture(io.BytesIO(source), name) as picture:
            yield picture
    elif isinstance(source, str | os.PathLike):
        with _open_file(Path(source), name) as file, _open_picture(file, name) as picture:
            yield picture
    else:
        with _open_picture(_seekable(source, name), name) as picture:
            yield picture


def _open_file(path: Path, name: str) -> IO[bytes]:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise PictureError(f"{name} must be a picture; got a folder. Try a file in it.")
        if not stat.S_ISREG(mode):
            raise PictureError(f"{name} must be a file; got a device, pipe or socket. Try `-` with the bytes on stdin.")
        return path.open("rb")
    except FileNotFoundError:
        raise PictureError(f"{name} must be a picture; got nothing: there is no such file. Check the path.") from None
    except PermissionError:
        raise PictureError(f"{name} must be readable; got no permission to read it. Try chmod +r.") from None
    except (OSError, ValueError) as error:
        raise PictureError(f"{name} must be readable; got: {error}.") from error


def _seekable(source: Any, name: str) -> IO[bytes]:
    read = getattr(source, "read", None)
    if read is None or isinstance(source, io.TextIOBase):
        raise PictureError(
            f"{name} must be a path, bytes, a binary file or a Pillow picture; got {type(source).__name__}. "
            'Open files with mode "rb".'
        )
    try:
        if source.seekable():
            source.seek(0)
            return source
        return io.BytesIO(read())
    except (AttributeError, OSError, ValueError) as error:
        raise PictureError(f"{name} must be an open binary file; got one that can't be read: {error}.") from error


def _open_picture(file: IO[bytes], name: str) -> Image.Image:
    start = file.read(512)
    file.seek(0)
    if not start:
        raise PictureError(f"{name} must be a picture; got 0 bytes. The file is empty. Copy or download it again.")
    try:
        with _warning_filters, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(file, formats=FORMATS)
    except UnidentifiedImageError:
        raise PictureError(
            f"{name} must be a PNG, JPEG, WebP, BMP, GIF or TIFF picture; got {_describe(start)}. "
            "Try to open it in a picture program and save it as PNG."
        ) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(_bomb(name)) from None
    except Exception as error:
        raise PictureError(_damaged(name, error)) from error


def _to_eight_bits(picture: Image.Image, name: str) -> tuple[Image.Image, bool]:
    if picture.width * picture.height > MAX_PIXELS:
        raise PictureError(_bomb(name))
    if min(picture.size) < 1:
        raise PictureError(f"{name} must have pixels; got {picture.width} x {picture.height}.")
    try:
        picture.load()
        turn = TURNS.get(_orientation(picture))
        picture, opaque = _on_white(picture, name)
        return (picture if turn is None else picture.transpose(turn)), opaque
    except PictureError:
        raise
    # Decoders fed with damaged bytes raise whatever they come across: OSError, SyntaxError, struct.error, KeyError...
    except Exception as error:
        raise PictureError(_damaged(name, error)) from error


def _orientation(picture: Image.Image) -> int:
    """The EXIF orientation; 1 (upright) if there is none or the EXIF block is damaged, for the pixels may be fine."""
    try:
        return int(picture.getexif().get(ORIENTATION_TAG, 1))
    except Exception:
        return 1


def _on_white(picture: Image.Image, name: str) -> tuple[Image.Image, bool]:
    if picture.mode.startswith("I") or picture.mode == "F":
        return _deep_to_gray(picture, name)
    is_gray = picture.mode in _GRAY_MODES
    if not picture.has_transparency_data:
        return picture.convert("L" if is_gray else "RGB"), True
    layered = picture.convert("LA").convert("RGBA") if picture.mode == "La" else picture.convert("RGBA")
    opaque = layered.getchannel("A").getextrema() == (255, 255)
    white = Image.new("RGBA", layered.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, layered).convert("L" if is_gray else "RGB"), opaque


def _deep_to_gray(picture: Image.Image, name: str) -> tuple[Image.Image, bool]:
    """16 bits scaled to 8, so that 0 stays 0 and 65535 becomes 255."""
    levels = np.asarray(picture)
    if picture.mode == "F" or levels.min() < 0 or levels.max() > 65535:
        raise PictureError(
            f"{name} must have levels from 0 to 65535; got mode {picture.mode} with levels from {levels.min()} to "
            f"{levels.max()}. Such pictures have no agreed black and white. Try to save it with 8 or 16 bits."
        )
    gray = np.rint(levels / 257.0).astype(np.uint8)
    transparent = picture.info.get("transparency")
    hidden = np.zeros(levels.shape, dtype=bool) if transparent is None else levels == transparent
    gray[hidden] = 255
    return Image.fromarray(gray), not bool(hidden.any())


def _is_gray(picture: Image.Image) -> bool:
    if picture.mode == "L":
        return True
    red, green, blue = picture.split()
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
    return "a text file" if text else "bytes that none of these formats begins with, or only the beginning of a picture"


def _damaged(name: str, error: Exception) -> str:
    reason = str(error).rstrip(".") or type(error).__name__
    return f"{name} must be a whole picture; got a damaged, truncated or unusual one: {reason}. Copy or save it again."


def _bomb(name: str) -> str:
    return (
        f"{name} must have at most {MAX_PIXELS:,} pixels; got more. It may be a decompression bomb, "
        "made to fill the memory. Try to scale it down first."
    )
