"""Occlusion: what covering a part of an image does to the answer.

    c(pixel) = mean over the squares that cover it of f(x) - f(x with the square covered)

weighted by how near the pixel is to the middle of the square.

Reference: Zeiler and Fergus (2014), arXiv 1311.2901, section 4.2.
"""

from collections.abc import Callable, Sequence

import numpy as np

from likely.explain.cover import covered, squares

Answer = Callable[[np.ndarray], np.ndarray]
"""From rows (n, ...) to the number that is explained, float64 (n,)."""

_AT_ONCE = 256
_LITTLE = 0.2
"""Of what covering the whole image takes."""


def usual_occlusion(image: np.ndarray, answer: Answer, instead: np.ndarray) -> np.ndarray:
    """Occlusion by squares a quarter of the shorter side wide; half of it where these take little from the answer.

    What small squares cover is often there twice, and large ones say less of where it is. Those of an eighth beside
    these find parts that carry a little more, in four times the time (docs/performance.md).
    """
    shorter = min(image.shape[:2])
    found = occlusion(image, answer, instead, max(1, round(shorter / 4)))
    before, without = answer(np.stack([image, instead]))
    if np.abs(found).max() >= _LITTLE * abs(before - without):
        return found
    return occlusion(image, answer, instead, max(1, round(shorter / 2)))


def occlusion(image: np.ndarray, answer: Answer, instead: np.ndarray, side: int) -> np.ndarray:
    """How far the number falls where a pixel is covered, on average over the squares around it: float64 (h, w).

    Args:
        image: shape (h, w) or (h, w, 3).
        answer: gives the number of such images.
        instead: what covers it, in the shape of the image.
        side: of the squares, in pixels.
    Example:
        >>> image = np.zeros((3, 4)); image[0, 0] = 1
        >>> occlusion(image, lambda rows: rows.sum(axis=(1, 2)), 0 * image, 1)
        array([[1., 0., 0., 0.],
               [0., 0., 0., 0.],
               [0., 0., 0., 0.]])
    """
    height, width = image.shape[:2]
    places = list(squares(height, width, side))
    before, total, times = answer(image[None])[0], np.zeros((height, width)), np.zeros((height, width))
    for start in range(0, len(places), _AT_ONCE):
        some = places[start : start + _AT_ONCE]
        rows = np.repeat(image[None], len(some), axis=0)
        for row, (place, _) in zip(rows, some, strict=True):
            row[place] = instead[place]
        for (place, near), fall in zip(some, before - answer(rows), strict=True):
            total[place] += near * fall
            times[place] += near
    return total / times


def deletion(
    image: np.ndarray, contributions: np.ndarray, answer: Answer, instead: np.ndarray, shares: Sequence[float]
) -> np.ndarray:
    """The number when these shares of the image are covered, what contributes most first: float64 (len(shares),).

    Reference: Petsiuk, Das and Saenko (2018), arXiv 1806.07421 (deletion; insertion swaps the two).
    """
    masks = [most_contributing(contributions, share) for share in shares]
    return answer(np.stack([covered(image, instead, mask) for mask in masks]))


def most_contributing(contributions: np.ndarray, share: float) -> np.ndarray:
    """Where the largest contributions lie that make up this share of the pixels: booleans in their shape.

    Example:
        >>> most_contributing(np.array([[3.0, 1.0], [2.0, 0.0]]), 0.5)
        array([[ True, False],
               [ True, False]])
    """
    mask = np.zeros(contributions.size, np.bool_)
    order = np.argsort(-contributions, axis=None, kind="stable")
    mask[order[: round(share * contributions.size)]] = True
    return mask.reshape(contributions.shape)
