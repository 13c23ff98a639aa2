"""From the color space that an image names to sRGB, in which all others are, and in which models have learned.

A telephone stores Display P3 and a camera Adobe RGB: the same three levels are other colors there. Inks (CMYK) are
colors by their profile alone.
"""

import io
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

ToSRGB: TypeAlias = Callable[[Image.Image], Image.Image]
"""From an image, or a part of it, of mode "RGB" or "CMYK" to one of mode "RGB"."""

_LONGEST = 4 << 20
"""Bytes of a profile."""
_ROUNDING = 2
"""Levels by which colors may differ in what is still sRGB, of which there are many profiles: it is left as it is."""
_SPACES = {"RGB": "RGB", "CMYK": "CMYK"}


def to_srgb(image: Image.Image) -> ToSRGB | None:
    """What brings the colors of an image to sRGB; None where it is gray, names no other space, or names it badly.

    Images with a palette or with transparency are changed as RGB.
    """
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or not 0 < len(profile) <= _LONGEST:
        return None
    mode = "CMYK" if image.mode == "CMYK" else "RGB"
    if image.mode in ("1", "L", "LA", "La", "LAB", "F") or image.mode.startswith("I"):
        return None
    return _transform(profile, mode)


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ToSRGB | None:
    try:
        from PIL import ImageCms
    except ImportError:  # a Pillow that was built without it
        return None
    try:
        found: Any = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if found.profile.xcolor_space.strip() != _SPACES[mode]:
            return None
        made = ImageCms.buildTransform(
            found,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )

        def change(image: Image.Image) -> Image.Image:
            changed = ImageCms.applyTransform(image, made)
            assert changed is not None
            return changed

        return None if mode == "RGB" and _changes_nothing(change) else change
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError):
        return None


def _changes_nothing(change: ToSRGB) -> bool:
    """Whether no color of a grid moves by more than rounding."""
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(len(levels), -1, 3)
    moved = np.asarray(change(Image.fromarray(grid)), np.int64) - grid
    return bool(np.abs(moved).max() <= _ROUNDING)
