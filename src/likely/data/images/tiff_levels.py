"""What the levels of a TIFF with more than 8 bits per value mean: how many there are, and which end of them is white.

Pillow reads some files whose zero is white as their negative, and does not read others: it is given the same file with
black as zero, and the levels are turned round afterwards.
"""

import struct
from collections.abc import Generator
from typing import Final

from PIL import Image

STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BITS, _WHITE_OR_BLACK = 258, 262
_WHITE_IS_ZERO, _BLACK_IS_ZERO = 0, 1
_SHORT: Final = 3


def with_black_as_zero(data: bytes) -> tuple[bytes, bool]:
    """The file as it is read, and whether its zero was white."""
    found = {tag: (kind, at) for tag, kind, at in _entries(data)}
    order = ">" if data[:1] == b"M" else "<"

    def value(tag: int) -> int | None:
        kind, at = found.get(tag, (0, 0))
        return struct.unpack_from(f"{order}H", data, at)[0] if kind == _SHORT else None

    if value(_WHITE_OR_BLACK) != _WHITE_IS_ZERO or (value(_BITS) or 1) <= 8:
        return data, False
    changed = bytearray(data)
    struct.pack_into(f"{order}H", changed, found[_WHITE_OR_BLACK][1], _BLACK_IS_ZERO)
    return bytes(changed), True


def remember_white_is_zero(image: Image.Image) -> None:
    """Say again in the tags of an image what was changed for its decoder."""
    getattr(image, "tag_v2", {})[_WHITE_OR_BLACK] = _WHITE_IS_ZERO


def white_is_zero(image: Image.Image) -> bool:
    """Whether 0 is white in the levels of an image with more than 8 bits."""
    return getattr(image, "tag_v2", {}).get(_WHITE_OR_BLACK) == _WHITE_IS_ZERO


def greatest_level(image: Image.Image) -> int:
    """The level at the other end, 65,535 but for a TIFF of 12 bits."""
    bits = getattr(image, "tag_v2", {}).get(_BITS, 16)
    return 2 ** (bits[0] if isinstance(bits, tuple) else bits) - 1


def _entries(data: bytes) -> Generator[tuple[int, int, int]]:
    """The tags of the first page: number, type, and where the value or its place stands."""
    order, is_big = ">" if data[:1] == b"M" else "<", b"+" in data[2:4]
    place, count, size, value = ("Q", "Q", 20, 12) if is_big else ("I", "H", 12, 8)
    try:
        (first,) = struct.unpack_from(order + place, data, 8 if is_big else 4)
        (n,) = struct.unpack_from(order + count, data, first)
        first += struct.calcsize(count)
        for at in range(first, min(first + n * size, len(data) - size + 1), size):
            yield *struct.unpack_from(f"{order}HH", data, at), at + value
    except struct.error:
        return
