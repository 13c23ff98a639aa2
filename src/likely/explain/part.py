"""The part of an image that carries an answer: the smallest one found that carries half of what the image says."""

from dataclasses import dataclass

import numpy as np

from likely.explain.cover import covered
from likely.explain.occlusion import Answer, most_contributing

SHARES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
"""Of the image: how large the part may be."""

_PLACES, _DRAWN = 8, 32
"""Places to which the part is moved for comparison: those that overlap with it least, of so many drawn ones."""


@dataclass(frozen=True, eq=False)
class Part:
    """A part of an image.

    Args:
        mask: booleans (h, w), all false where no part carries anything.
        without: the number where it is covered.
        elsewhere: the number where the same shape is covered elsewhere, on average.
    """

    mask: np.ndarray
    without: float
    elsewhere: float


def carrying_part(
    image: np.ndarray,
    contributions: np.ndarray,
    answer: Answer,
    instead: np.ndarray,
    *,
    least: float,
    raises: bool,
    seed: int,
) -> Part:
    """The smallest part, of what contributes most, whose covering takes half the way to f(instead).

    Where none does, or f(instead) is no lower than f(image), half of the most that covering a part does is enough.

    Args:
        image, instead: what is explained, and what it is covered with.
        contributions: shape (h, w).
        answer: gives the number f of such images.
        least: the smallest change of the number to speak of.
        raises: whether only what raises the number counts, as of a probability.
        seed: of the places that the part is compared with.
    """
    before, neutral = answer(np.stack([image, instead])).tolist()
    # What lowers a number can be as much of an answer as what raises it.
    signed = contributions if raises or contributions.max() >= -contributions.min() else -contributions
    shares = [share for share in SHARES if share <= np.mean(signed > 0)] or [SHARES[0]]
    masks = [most_contributing(signed, share) & (signed > 0) for share in shares]
    after = answer(np.stack([covered(image, instead, mask) for mask in masks]))
    falls = before - after if signed is contributions else after - before
    whole = before - neutral if signed is contributions else neutral - before
    if falls.max() < least:
        return Part(np.zeros(contributions.shape, np.bool_), before, before)
    enough = whole if least < whole <= 2 * falls.max() else falls.max()
    best = int(np.flatnonzero(falls >= 0.5 * enough)[0])
    moved = _moved(masks[best], seed)
    elsewhere = answer(np.stack([covered(image, instead, mask) for mask in moved])).mean()
    return Part(masks[best], float(after[best]), float(elsewhere))


def _moved(mask: np.ndarray, seed: int) -> list[np.ndarray]:
    """The same shape at other places; what leaves the image comes in again at the other side."""
    rng = np.random.default_rng(seed)
    offsets = rng.integers(0, mask.shape, (_DRAWN, 2)).tolist()
    moved = [np.roll(mask, offset, axis=(0, 1)) for offset in offsets]
    return sorted(moved, key=lambda other: int((other & mask).sum()))[:_PLACES]
