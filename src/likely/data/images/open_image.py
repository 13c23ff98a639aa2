"""From a source to an image that Pillow has opened, or the reason why there is none.

Only decoders of Pillow's that are in wide use are ever given foreign bytes, and the limit on decoded pixels stands.
"""

import io
import os
import stat
import threading
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeAlias

from PIL import Image, UnidentifiedImageError

from likely.data.images import jpeg_end, png_chunks, tiff_levels, webp_end
from likely.data.images.refuse_truncated import truncated_refused
from likely.errors import ImageError

ImageSource: TypeAlias = str | os.PathLike[str] | bytes | IO[bytes] | Image.Image
"""A path, the bytes of a file, an open binary file, or an image that Pillow has opened."""

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")

# Pillow's own limit, as a number: a program that lifted Pillow's has not asked us to decode bombs.
MAX_PIXELS = 89_478_485

MAX_BYTES = 300 * 10**6
"""Of a file that is read as a whole: as much as decoding may take."""

FOREIGN = (
    (png_chunks.SIGNATURE, "a PNG of an unusual kind, or a damaged one"),
    (b"\xff\xd8\xff", "a JPEG of an unusual kind, or a damaged one"),
    *((start, "a TIFF of a kind that is not read, or a damaged one") for start in tiff_levels.STARTS),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip archive or an office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"8BPS", "a Photoshop document"),
    (b"\x00\x00\x01\x00", "a Windows icon"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 image"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL image"),
)

_HEIC = ("a HEIC image", "pillow-heif reads it (pip install pillow-heif)")
_AVIF = ("an AVIF image", "Pillow reads it")
BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), _HEIC),
    **dict.fromkeys((b"avif", b"avis"), _AVIF),
}
"""What the first brand of an ISO media file says that it is, and what reads it."""

# The filters of the warnings module belong to the whole process, so two threads must not change them at once.
_warning_filters = threading.Lock()


@contextmanager
def opened(source: ImageSource, name: str) -> Generator[Image.Image]:
    """The image, its pixels not yet decoded; files that were opened here are closed afterwards."""
    try:
        with truncated_refused():
            if isinstance(source, Image.Image):
                yield source
                return
            if isinstance(source, str | os.PathLike):
                with _open_file(Path(source), name) as file, _open_image(file, name) as image:
                    yield image
                return
            is_content = isinstance(source, bytes | bytearray | memoryview)
            with _open_image(io.BytesIO(source) if is_content else _seekable(source, name), name) as image:
                yield image
    except MemoryError:
        raise _no_memory(name) from None


def name_of(source: ImageSource, otherwise: str = "The image") -> str:
    """What to call an image in errors, if its caller does not say."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    return str(getattr(source, "name", "") or getattr(source, "filename", "") or otherwise)


def read_file(path: Path, name: str) -> bytes:
    """The bytes of an image's file; an ImageError says why there are none."""
    with _open_file(path, name) as file:
        try:
            return _content(file, name)
        except OSError as error:
            raise ImageError(f"{name} must be readable; got: {error.strerror}.") from error
        except MemoryError:
            raise _no_memory(name) from None


def _no_memory(name: str) -> ImageError:
    return ImageError(f"{name} must fit into memory while it is decoded; got too little. Try it alone, or scaled down.")


def _open_file(path: Path, name: str) -> IO[bytes]:
    if not name:
        raise ImageError("A path must name an image; got an empty one. Omit the rows without an image.")
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
    except ImageError:
        raise
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
        if start.startswith(png_chunks.SIGNATURE):
            return _open_png(_content(file, name))
        if start.startswith(jpeg_end.START):
            return _open_whole(_content(file, name), jpeg_end.has_end)
        if webp_end.is_webp(start):
            return _open_whole(_content(file, name), webp_end.has_end)
        if start.startswith(tiff_levels.STARTS):
            return _open_tiff(_content(file, name))
        return _pillow_open(file)
    except UnidentifiedImageError:
        what, way = _describe(start)
        raise ImageError(f"{name} must be a PNG, JPEG, WebP, BMP, GIF or TIFF image; got {what}. {way}.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageError(bomb(name)) from None
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(damaged(name, error)) from error


def _pillow_open(file: IO[bytes]) -> Image.Image:
    with _warning_filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return Image.open(file, formats=FORMATS)


def _open_png(content: bytes) -> Image.Image:
    pixels = png_chunks.for_pixels(content)
    image = _pillow_open(io.BytesIO(pixels))
    png_chunks.complete_info(image, pixels)
    image.n_frames = png_chunks.count_frames(content)  # pyright: ignore[reportAttributeAccessIssue]
    return image


def _open_whole(content: bytes, has_end: Callable[[bytes], bool]) -> Image.Image:
    image = _pillow_open(io.BytesIO(content))
    if not has_end(content):
        raise OSError("its end is missing, or overwritten by zeros")
    return image


def _open_tiff(content: bytes) -> Image.Image:
    content, white_is_zero = tiff_levels.with_black_as_zero(content)
    image = _pillow_open(io.BytesIO(content))
    if white_is_zero:
        tiff_levels.remember_white_is_zero(image)
    return image


def _content(file: IO[bytes], name: str) -> bytes:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if size > MAX_BYTES:
        raise ImageError(f"{name} must have at most {MAX_BYTES:,} bytes; got {size:,}. Try scaling it down first.")
    return file.read()


def _describe(start: bytes) -> tuple[str, str]:
    """What the bytes of a file are that is not read, and what to do."""
    way = "Try opening it in an image program and saving it as PNG"
    if start[4:8] == b"ftyp":
        what, reader = BRANDS.get(start[8:12], ("a HEIC, AVIF or video file", ""))
        return what, f"Save it as JPEG or PNG, or pass Image.open of it in Python: {reader}" if reader else way
    for magic, what in FOREIGN:
        if start.startswith(magic):
            return what, "Try unpacking it, and name the images that were inside" if "archive" in what else way
    if b"<svg" in start:
        return "an SVG drawing", way
    text = b"\x00" not in start and all(byte >= 32 or byte in b"\t\n\r\f" for byte in start)
    return ("a text file" if text else "bytes in none of these formats, or a truncated image"), way


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
