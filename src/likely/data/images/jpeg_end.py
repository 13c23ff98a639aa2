"""Whether a JPEG has its end: a decoder makes gray pixels of zeros that stand in place of it, without a word."""

import numpy as np

START = b"\xff\xd8"
_END, _NO_LENGTH = 0xD9, (0x01, 0xD8)
_IS_MARKER = np.ones(256, np.bool_)
_IS_MARKER[[0x00, 0xFF, *range(0xD0, 0xD8)]] = False


def has_end(data: bytes) -> bool:
    """Whether the marker that ends the image follows its segments; what comes later, such as padding, is not looked at.

    A thumbnail in a segment has an end of its own, which does not count.

    Example:
        >>> has_end(b"\\xff\\xd8\\xff\\xd9"), has_end(b"\\xff\\xd8\\xff\\xe1\\x00\\x04\\xff\\xd9")
        (True, False)
    """
    levels = np.frombuffer(data, np.uint8)
    # Where a marker may be: 255, then what is neither zero (a level of 255), nor a fill byte, nor a restart.
    starts = np.flatnonzero(levels[:-1] == 0xFF)
    starts = starts[_IS_MARKER[levels[starts + 1]]]
    at = len(START)
    while (number := int(np.searchsorted(starts, at))) < len(starts):
        at = int(starts[number]) + 2
        kind = data[at - 1]
        if kind == _END:
            return True
        if kind not in _NO_LENGTH:
            at += int.from_bytes(data[at : at + 2])
    return False
