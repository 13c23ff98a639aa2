"""Whether the pixels of a WebP were written to their end: a decoder takes zeros for pixels, without a word."""

_ZEROS = bytes(64)


def is_webp(start: bytes) -> bool:
    """Whether a file with these first bytes is one."""
    return start[:4] == b"RIFF" and start[8:12] == b"WEBP"


def has_end(data: bytes) -> bool:
    """Whether the lossy pixels of the still image end in something else than zeros: such codes have no runs of them.

    Lossless ones may have; zeros elsewhere, such as in EXIF data behind the pixels, do not count.
    """
    at = 12
    while at + 8 <= len(data):
        kind, end = data[at : at + 4], at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        if kind == b"VP8 ":
            return data[max(at + 8, end - len(_ZEROS)) : end] != _ZEROS
        at = end + end % 2
    return True
