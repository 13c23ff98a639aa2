"""Every picture file read once, whatever its size and however many of them are damaged."""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import Image

from likely.data.images.decode import look_at_picture
from likely.data.images.image_parts import LabeledPicture
from likely.data.inspect.near_duplicates import THUMBNAIL, block_means
from likely.data.progress_callback import Progress
from likely.errors import PictureError

_ENOUGH = 256
"""Pixels along the shorter side that are enough for a thumbnail."""


@dataclass(frozen=True)
class Seen:
    """What became of a file: the reason why it can't be read, or what is in it.

    Args:
        error: why it can't be read, or None.
        height, width: of the picture, upright.
        gray: whether its mode is.
        mode: of the file, such as "RGBA".
        opaque: whether every pixel is.
        frames: how many there are.
        turned: whether EXIF data turned it.
        constant: whether it has one color only.
        digest: of its pixels; equal pictures have equal ones.
        thumbnail: block means, uint8 of shape (32, 32, 3).
    """

    error: str | None = None
    height: int = 0
    width: int = 0
    gray: bool = True
    mode: str = ""
    opaque: bool = True
    frames: int = 1
    turned: bool = False
    constant: bool = False
    digest: bytes = b""
    thumbnail: np.ndarray | None = None


def look_at_files(files: Sequence[LabeledPicture], progress: Progress | None = None) -> list[Seen]:
    """What is in each file, in their order; several are read at a time."""
    seen: list[Seen] = []
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for one in pool.map(_look, files):
            seen.append(one)
            if progress is not None:
                progress("pictures", len(seen), len(files))
    return seen


def _look(file: LabeledPicture) -> Seen:
    source = file.found.source
    if source is None:
        return Seen(error=file.found.error)
    try:
        look = look_at_picture(source, name=file.found.name)
    except PictureError as error:
        return Seen(error=str(error))
    picture = look.picture
    pixels = picture.convert("RGB")
    return Seen(
        height=picture.height,
        width=picture.width,
        gray=picture.mode == "L",
        mode=look.mode,
        opaque=look.opaque,
        frames=look.frames,
        turned=look.turned,
        constant=picture.getcolors(1) is not None,
        digest=hashlib.blake2b(f"{picture.size}".encode() + pixels.tobytes(), digest_size=8).digest(),
        thumbnail=_thumbnail(pixels),
    )


def _thumbnail(picture: Image.Image) -> np.ndarray:
    factor = min(picture.size) // _ENOUGH
    if factor > 1:
        picture = picture.reduce(factor)
    means = block_means(np.asarray(picture)[None], THUMBNAIL, THUMBNAIL)[0]
    return np.rint(means).astype(np.uint8)
