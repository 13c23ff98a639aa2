"""Which frozen backbone images are learned with: the one that was asked for, or the usual one where it pays."""

from dataclasses import dataclass

import numpy as np

from likely.config import RunConfig
from likely.config.registry import BACKBONES, is_backbone
from likely.errors import ConfigError, DataError, MissingExtraError

USUAL = "efficientnet-lite0"
"""The one that `auto` takes."""
LEAST_SIDE = 64
"""Pixels a side from which an image shows what a backbone looks for."""
FEWER_THAN = 10_000
"""Images from which on a network from nothing is taken. Of kinds of things it was 20 to 29 points behind with up to
1,580, 7 to 9 with 5,000, and 7 with 10,000, the largest number measured, so that where it catches up lies beyond; of
simple outlines 200 suffice: docs/performance.md."""
_DECIDED = ("augment", "pad_to", "hidden", "activation", "freeze", "init_from", "image_size")
"""Settings of a network that learns from pixels: who gives one wants such a network."""


@dataclass(frozen=True)
class BackboneChoice:
    """A name of a backbone or None, and what to say of that."""

    name: str | None
    notes: tuple[str, ...] = ()


def choose_backbone(
    config: RunConfig, shape: tuple[int, ...], n: int, dtype: np.dtype | type = np.uint8
) -> BackboneChoice:
    """The backbone for n rows of this shape, and why.

    `auto` takes one for color images of at least 64 pixels a side, if there are less than `FEWER_THAN` and the extra
    is installed, and any number with tune="all".

    Raises:
        DataError: if one was asked for and these are no uint8 images; ConfigError: if it brings its own image_size.
        MissingExtraError: if one was asked for whose weights are not installed.
    """
    name = USUAL if (config.network, config.tune) == ("auto", "all") else config.network
    if is_backbone(name):
        if len(shape) < 2 or dtype != np.uint8:
            got = "rows of numbers" if len(shape) < 2 else f"images of {np.dtype(dtype)}"
            raise DataError(
                f"network={name!r} needs images of uint8, 0 to 255; got {got}. The range of other values is never "
                "guessed. Try (255 * X).round().astype('uint8') for images in [0, 1], or network='auto'."
            )
        if name in BACKBONES and not BACKBONES[name].installed:
            raise MissingExtraError("photographs", f"network={name!r}")
        if name not in BACKBONES and config.image_size is not None:
            raise ConfigError(
                f"image_size must be left to a network of transformers; got {config.image_size}. Its processor says "
                "how large images are. Try omitting image_size."
            )
        return BackboneChoice(name, () if len(shape) == 3 else (f"{name} sees gray images in three equal channels",))
    pays = len(shape) == 3 and min(shape[:2]) >= LEAST_SIDE and n < FEWER_THAN and dtype == np.uint8
    if name != "auto" or not pays or config.engine not in ("auto", "torch"):
        return BackboneChoice(None)
    if given := [setting for setting in _DECIDED if getattr(config, setting) not in (None, ())]:
        note = (
            f"A network learns from nothing, since {given[0]} is given; without it {n:,} color images would be learned "
            f"with {USUAL}, a pretrained network"
        )
    elif not BACKBONES[USUAL].installed:
        note = (
            f"{USUAL}, a pretrained network, mostly learns more from {n:,} color images, and in seconds: pip install "
            "'likely[photographs]'"
        )
    else:
        note = (
            f"Network: {USUAL}, pretrained, and a small head on its features, since these are {n:,} color images of at "
            f"least {LEAST_SIDE} pixels a side, fewer than {FEWER_THAN:,} (--network conv learns from nothing)"
        )
        return BackboneChoice(USUAL, (note,))
    return BackboneChoice(None, (note,))
