"""Every image file read once, whatever its size and however many of them are damaged."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from likely.config.processors import usable_cores
from likely.data.check.near_duplicates import THUMBNAIL, block_means
from likely.data.images.decode import look_at_image
from likely.data.images.image_parts import LabeledImage
from likely.data.progress_callback import Progress
from likely.errors import ImageError

_ENOUGH = 256
"""Pixels along the shorter side that are enough for a thumbnail."""


@dataclass(frozen=True)
class FileFacts:
    """What became of a file: the reason why it can't be read, or what is in it, upright, as `Look` has it.

    Args:
        constant: whether it has one color only.
        digest: of its pixels; equal images have equal ones.
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

    @property
    def shape(self) -> tuple[int, ...]:
        """(h, w) of a gray image, (h, w, 3) of another one."""
        return (self.height, self.width) if self.gray else (self.height, self.width, 3)


def look_at_files(files: Sequence[LabeledImage], progress: Progress | None = None) -> list[FileFacts]:
    """What is in each file, in their order; several are read at a time."""
    seen: list[FileFacts] = []
    with ThreadPoolExecutor(max_workers=usable_cores()) as pool:
        for one in pool.map(_look, files):
            seen.append(one)
            if progress is not None:
                progress("images", len(seen), len(files))
    return seen


def _look(file: LabeledImage) -> FileFacts:
    source = file.found.source
    if source is None:
        return FileFacts(error=file.found.error)
    try:
        look = look_at_image(source, name=file.found.name)
    except ImageError as error:
        return FileFacts(error=str(error))
    image = look.image
    pixels = image.convert("RGB")
    few = pixels.reduce(max(1, min(pixels.size) // _ENOUGH))
    return FileFacts(
        height=image.height,
        width=image.width,
        gray=image.mode == "L",
        mode=look.mode,
        opaque=look.opaque,
        frames=look.frames,
        turned=look.turned,
        constant=image.getcolors(1) is not None,
        digest=hashlib.blake2b(f"{image.size}".encode() + pixels.tobytes(), digest_size=8).digest(),
        thumbnail=np.rint(block_means(np.asarray(few)[None], THUMBNAIL, THUMBNAIL)[0]).astype(np.uint8),
    )
