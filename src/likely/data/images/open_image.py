"""From a source to an image that Pillow has opened, or the reason why there is none.

Only decoders of Pillow's that are in wide use are ever given foreign bytes, and the limit on decoded pixels stands.
"""

import io
import os
import stat
import threading
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeAlias

from PIL import Image, UnidentifiedImageError

from likely.errors import ImageError

ImageSource: TypeAlias = str | os.PathLike[str] | bytes | IO[bytes] | Image.Image
"""A path, the bytes of a file, an open binary file, or an image that Pillow has opened."""

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")

# Pillow's own limit, as a number: a program that lifted Pillow's has not asked us to decode bombs.
MAX_PIXELS = 89_478_485

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


@contextmanager
def opened(source: ImageSource, name: str) -> Generator[Image.Image]:
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


def name_of(source: ImageSource) -> str:
    """What to call an image in errors, if its caller does not say."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    return str(getattr(source, "name", "") or getattr(source, "filename", "") or "The image")


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


def _open_file(path: Path, name: str) -> IO[bytes]:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise ImageError(f"{name} must be an image; got a folder. Try a file in it.")
        if not stat.S_ISREG(mode):
            raise ImageError(f"{name} must be a file; got a device, pipe or socket. Try `-` with the bytes on stdin.")
        return path.open("rb")
    except FileNotFoundError:
        raise ImageError(f"{name} must be an image; no such file exists. Check the path.") from None
    except PermissionError:
        raise ImageError(f"{name} must be readable; permission denied. Try chmod +r.") from None
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
            f"{name} must be a PNG, JPEG, WebP, BMP, GIF or TIFF image; got {_describe(start)}. Try opening it in an "
            "image program and saving it as PNG."
        ) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageError(bomb(name)) from None
    except Exception as error:
        raise ImageError(damaged(name, error)) from error


def _describe(start: bytes) -> str:
    for magic, what in FOREIGN:
        if start.startswith(magic):
            return what
    if start[4:8] == b"ftyp":
        return "a HEIC, AVIF or video file"
    if b"<svg" in start:
        return "an SVG drawing"
    text = b"\x00" not in start and all(byte >= 32 or byte in b"\t\n\r\f" for byte in start)
    return "a text file" if text else "bytes in none of these formats, or a truncated image"


def damaged(name: str, error: Exception) -> str:
    """That a decoder failed, and why."""
    reason = str(error).rstrip(".") or type(error).__name__
    return f"{name} must be a complete image; got a damaged, truncated or unusual one: {reason}. Copy or save it again."


def bomb(name: str) -> str:
    """That an image has too many pixels."""
    return (
        f"{name} must have at most {MAX_PIXELS:,} pixels; got more. It may be a decompression bomb. Try scaling it "
        "down first."
    )
