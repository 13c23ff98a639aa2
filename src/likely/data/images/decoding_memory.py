"""How much memory images may take while they are decoded: one of them, and all that are decoded at the same time."""

import io
import threading
from collections.abc import Generator
from contextlib import contextmanager

from PIL import Image, JpegImagePlugin

from likely.data.images.color_profile import to_srgb
from likely.errors import ImageError

MOST_BYTES = 280 * 10**6
"""For one image: RGB of 70 megapixels, 35 where it is turned or transparent. 20 MB more are for resizing."""
MOST_AT_ONCE = 700 * 10**6
"""For all threads together."""
LONGEST_SIDE = 65_535
"""Pixels: no JPEG is longer."""
LONGEST_OVER_SHORTEST = 1000
"""No image of the world is a thousand times as long as wide."""

_BYTES_OF_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2}
"""As Pillow keeps them; all other modes take 4."""
_WEBP = 16
"""Bytes that a pixel of a WebP takes until it is decoded, measured with Pillow 12."""
_room, _taken = threading.Condition(), [0]


@contextmanager
def room_for(image: Image.Image, name: str, *, turned: bool) -> Generator[None]:
    """Wait until there is room to decode an image; a JPEG that is too large is made smaller by a power of two first.

    Raises:
        ImageError: if it has no sensible size, or decoding it takes more than `MOST_BYTES`.
    """
    least, longest = min(image.size), max(image.size)
    if least < 1:
        raise ImageError(f"{name} must have pixels; got {image.width} x {image.height}.")
    if longest > LONGEST_SIDE or longest > LONGEST_OVER_SHORTEST * least:
        raise ImageError(
            f"{name} must have sides of at most {LONGEST_SIDE:,} pixels, the longer one at most "
            f"{LONGEST_OVER_SHORTEST:,} times the shorter; got {image.width:,} x {image.height:,}. Try cutting it."
        )
    size, whole = image.size, _coefficients(image) + _file(image)
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        pixels = _pixels(image, turned=turned)
        scale = next((scale for scale in (1, 2, 4, 8) if whole + pixels / scale**2 <= MOST_BYTES), 8)
        if scale > 1:  # asked once: a second time counts from the size of the first
            image.draft(None, (size[0] // scale, size[1] // scale))
    needed = whole + _pixels(image, turned=turned)
    if needed > MOST_BYTES:
        raise ImageError(
            f"{name} must take at most {MOST_BYTES // 10**6} MB while it is decoded; got {size[0]:,} x {size[1]:,} "
            f"pixels of mode {image.mode}, which take about {needed // 10**6:,} MB. Try scaling it down first."
        )
    with _room:
        _room.wait_for(lambda: _taken[0] == 0 or _taken[0] + needed <= MOST_AT_ONCE)
        _taken[0] += needed
    try:
        yield
    finally:
        with _room:
            _taken[0] -= needed
            _room.notify_all()


def _pixels(image: Image.Image, *, turned: bool) -> int:
    """Bytes of the pixels as they are decoded, of those as they are read where they differ, and of those turned."""
    kept = _WEBP if image.format == "WEBP" else _BYTES_OF_PIXEL.get(image.mode, 4)
    result = 1 if image.mode in ("1", "L", "LA", "La", "F") or image.mode.startswith("I") else 4
    same = image.mode in ("L", "RGB") and not image.has_transparency_data and to_srgb(image) is None
    return image.width * image.height * (kept + result * (not same) + result * turned)


def _coefficients(image: Image.Image) -> int:
    """Bytes that libjpeg takes for all coefficients of a progressive JPEG, 2 for each, whatever size is asked for."""
    if not isinstance(image, JpegImagePlugin.JpegImageFile) or not image.info.get("progressive"):
        return 0
    samples = [across * down for _, across, down, _ in image.layer]
    return 2 * image.width * image.height * sum(samples) // max(*samples, 1)


def _file(image: Image.Image) -> int:
    """Bytes of the file, where it has been read; of a PNG a second time, without what is not pixels."""
    file = getattr(image, "fp", None)
    held = file.getbuffer().nbytes if isinstance(file, io.BytesIO) else 0
    return held * (2 if image.format == "PNG" else 1)
