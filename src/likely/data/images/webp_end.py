"""Whether the pixels of a WebP were written to their end: a decoder takes zeros for pixels, without a word."""

_ZEROS = 64
"""Bytes of zero at the end that no small image has."""
_ZEROS_OF_BLOCK = 0.04
"""Bytes of zero for each block of 16 x 16 pixels: where pixels are all alike, libwebp 1.6 ends in up to 0.025."""


def is_webp(start: bytes) -> bool:
    """Whether a file with these first bytes is one."""
    return start[:4] == b"RIFF" and start[8:12] == b"WEBP"


def has_end(data: bytes) -> bool:
    """Whether the lossy pixels of the still image end in codes: few of them are zeros.

    Lossless ones may have such runs; zeros elsewhere, such as in EXIF data behind the pixels, do not count.
    """
    at = 12
    while at + 8 <= len(data):
        kind, end = data[at : at + 4], at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        if kind == b"VP8 ":
            width, height = (int.from_bytes(data[i : i + 2], "little") & 0x3FFF for i in (at + 14, at + 16))
            zeros = bytes(max(_ZEROS, int(width * height / 256 * _ZEROS_OF_BLOCK)))
            return not data[at + 8 : end].endswith(zeros)
        at = end + end % 2
    return True
