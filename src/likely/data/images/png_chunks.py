"""A PNG without what its pixels do not need: long texts, profiles and damaged chunks beside them cost no image."""

import struct
import zlib
from collections.abc import Generator
from typing import NamedTuple

from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ORIENTATIONS = (b"XML:com.adobe.xmp\0", b"Raw profile type exif\0")
_LONGEST = 1 << 20  # bytes of a text: Pillow refuses the file for longer ones


class _Chunk(NamedTuple):
    kind: bytes
    body: bytes
    whole: bytes

    @property
    def is_intact(self) -> bool:
        return self.whole[-4:] == struct.pack(">I", zlib.crc32(self.kind + self.body))


def for_pixels(data: bytes) -> bytes:
    """The same PNG with the chunks that say what its pixels are, and before them their colors and which way is up.

    No other is read.

    What is wrong with the chunks that pixels need, the decoder says.
    """
    chunks = list(_chunks(data))
    pixels = [chunk.whole for chunk in chunks if chunk.kind[:1].isupper() or chunk.kind == b"tRNS"]
    beside = [chunk.whole for chunk in chunks if _is_orientation(chunk) or _is_profile(chunk)]
    return b"".join([SIGNATURE, *pixels[:1], *beside, *pixels[1:]])


def count_frames(data: bytes) -> int:
    """How many frames an animated PNG says that it has; 1 for another."""
    counts = [int.from_bytes(c.body[:4]) for c in _chunks(data) if c.kind == b"acTL" and c.is_intact]
    return max([1, *counts])


def complete_info(image: Image.Image, data: bytes) -> None:
    """Bring the transparent gray level or color to the 8 bits of the pixels, and say where no EXIF data are.

    The file states the level in its own bit depth, in which Pillow leaves it; and for EXIF data it would decode pixels.
    """
    if "Raw profile type exif" not in image.info:
        image.info.setdefault("exif", b"")
    depth, transparent = data[24], image.info.get("transparency")
    if image.mode == "L" and isinstance(transparent, int):
        levels = 2**depth - 1
        image.info["transparency"] = (transparent & levels) * 255 // levels
    elif image.mode == "RGB" and isinstance(transparent, tuple):
        image.info["transparency"] = tuple(level >> 8 if depth == 16 else level & 255 for level in transparent)


def _chunks(data: bytes) -> Generator[_Chunk]:
    """All of them; one that is cut off is the last, as it is."""
    at = len(SIGNATURE)
    while at < len(data):
        length = int.from_bytes(data[at : at + 4])
        yield _Chunk(data[at + 4 : at + 8], data[at + 8 : at + 8 + length], data[at : at + 12 + length])
        if data[at + 4 : at + 8] == b"IEND":
            return
        at += 12 + length


def _is_orientation(chunk: _Chunk) -> bool:
    if chunk.kind == b"eXIf":
        return chunk.is_intact
    return chunk.kind in (b"tEXt", b"zTXt", b"iTXt") and chunk.body.startswith(_ORIENTATIONS) and _is_short(chunk)


def _is_profile(chunk: _Chunk) -> bool:
    """Whether it is the color space of the pixels, intact and not too long."""
    return chunk.kind == b"iCCP" and chunk.is_intact and _unpacks(chunk.body.partition(b"\0")[2][1:])


def _is_short(text: _Chunk) -> bool:
    """Whether a text is intact, and not too long once it is unpacked."""
    rest = text.body.partition(b"\0")[2]
    if text.kind == b"zTXt":
        packed = rest[1:]
    elif text.kind == b"iTXt" and rest[:1] == b"\1":
        packed = rest[2:].split(b"\0", 2)[-1]
    else:
        return text.is_intact and len(rest) < _LONGEST
    return text.is_intact and _unpacks(packed)


def _unpacks(packed: bytes) -> bool:
    """Whether it is intact and not too long."""
    try:
        return len(zlib.decompressobj().decompress(packed, _LONGEST)) < _LONGEST
    except zlib.error:
        return False
