"""Whether a JPEG has its end: a decoder makes gray pixels of zeros that stand in place of it, without a word."""

import re

START = b"\xff\xd8"
_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
_END, _NO_LENGTH = 0xD9, (0x01, 0xD8)


def has_end(data: bytes) -> bool:
    """Whether the marker that ends the image follows its segments; what comes later, such as padding, is not looked at.

    A thumbnail in a segment has an end of its own, which does not count.

    Example:
        >>> has_end(b"\\xff\\xd8\\xff\\xd9"), has_end(b"\\xff\\xd8\\xff\\xe1\\x00\\x04\\xff\\xd9")
        (True, False)
    """
    at = len(START)
    while marker := _MARKER.search(data, at):
        kind, at = marker[1][0], marker.end()
        if kind == _END:
            return True
        if kind not in _NO_LENGTH:
            at += int.from_bytes(data[at : at + 2])
    return False
