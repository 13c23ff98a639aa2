"""The size that images of several sizes are all read at, where nobody named one."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

MOST, LEAST = 128, 8
"""Pixels along the longer and the shorter side of a size that nobody named: networks from nothing learn little more
from larger images, and take the square of the time."""
LARGEST_AS_THEY_ARE = 512
"""Pixels along the longer side up to which images of one size are read as they are."""


class CommonSize(NamedTuple):
    """(height, width), and what to say where it was chosen; "" if it was not."""

    size: tuple[int, int]
    note: str = ""


def common_size(sizes: Sequence[tuple[int, int]], image_size: int | None) -> CommonSize:
    """The size that was asked for, that of all images (height, width), or their median, scaled to `MOST` pixels a side.

    Example:
        >>> common_size([(10, 12), (10, 12), (40, 30)], None).size, common_size([(10, 12), (40, 30)], 16).size
        ((10, 12), (16, 16))
        >>> print(common_size([(400, 300), (300, 400), (400, 300)], None).note)
        Images have 2 sizes, from 300 x 400 to 400 x 300: all are resized to 128 x 96, in proportion to the median ...
    """
    if image_size is not None:
        return CommonSize((image_size, image_size))
    different = sorted(set(sizes))
    if len(different) == 1 and max(different[0]) <= LARGEST_AS_THEY_ARE:
        return CommonSize(different[0])
    height, width = (float(median) for median in np.median(np.array(sizes), axis=0))
    scale = min(1.0, MOST / max(height, width))
    size = (max(LEAST, round(height * scale)), max(LEAST, round(width * scale)))
    first, last = (f"{h} x {w}" for h, w in (different[0], different[-1]))
    which = f"{len(different):,} sizes, from {first} to {last}" if len(different) > 1 else f"{first} pixels"
    how = f"in proportion to the median of {height:.0f} x {width:.0f}" if scale < 1 else "the median"
    if len(different) == 1:
        how = "which learns faster"
    return CommonSize(
        size,
        f"Images have {which}: all are resized to {size[0]} x {size[1]}, {how} (--image-size SIDE, image_size=SIDE to "
        "choose another).",
    )
