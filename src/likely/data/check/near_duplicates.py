"""Images that look the same: saved again, resized or brightened a little, but not merely of the same kind.

Two images look the same if their thumbnails (block means, at most 32 x 32) differ by at most 6 of 255 levels (root
mean square) and by at most a tenth of their contrast (standard deviation). Of Fashion-MNIST's 70,000 images that
holds for 44 pairs, nearly all of one and the same garment; from 7 levels on, shirts with another print are among them.
A JPEG of quality 75 is at most 6 levels away from its photograph; an image cropped or shifted by a pixel is not found.

Nobody compares all pairs. A projection to fewer numbers never lengthens a distance, so pairs that are far apart in the
first principal components of coarse block means need no further look; sorted along the first component, most are.
"""

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np

LEVELS, CONTRAST = 6.0, 0.1
THUMBNAIL, _COARSE, _COMPONENTS = 32, 8, 24
_AT_ONCE = 1024


def look_alike(take: Callable[[np.ndarray], np.ndarray], n: int) -> list[np.ndarray]:
    """Groups of two and more of n images that look the same, each like another one of its group: sorted numbers.

    `take` gives the images of some numbers, uint8 of shape (m, h, w) or (m, h, w, 3).

    Example:
        >>> ramp = np.arange(64, dtype=np.uint8).reshape(8, 8) * 3
        >>> images = np.stack([ramp, ramp.T, ramp + 2])
        >>> look_alike(lambda index: images[index], len(images))
        [array([0, 2])]
    """
    if n < 2:
        return []
    every = np.arange(n)
    blocks = [thumbnails(take(every[start : start + _AT_ONCE])) for start in range(0, n, _AT_ONCE)]
    reach = LEVELS * np.sqrt(blocks[0][0].size)
    coarse = np.concatenate([_coarse(thumbs) for thumbs in blocks])
    del blocks
    group = np.arange(n)
    for one, other in _candidates(_components(coarse), reach):
        # Pairs within a group that has formed meanwhile need no look: of many alike, few are compared.
        while (apart := group[one] != group[other]).any():
            one, other = one[apart], other[apart]
            first, second = one[:_AT_ONCE], other[:_AT_ONCE]
            alike = _look_same(take, first, second)
            for a, b in zip(first[alike].tolist(), second[alike].tolist(), strict=True):
                if group[a] != group[b]:
                    group[group == group[b]] = group[a]
            one, other = one[_AT_ONCE:], other[_AT_ONCE:]
    order = np.argsort(group, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
    return sorted((m for m in members if len(m) > 1), key=lambda m: int(m[0]))


def thumbnails(images: np.ndarray) -> np.ndarray:
    """Block means of at most 32 x 32, as float32 of shape (m, h, w, c); small images are their own."""
    height, width = images.shape[1:3]
    return block_means(images, min(height, THUMBNAIL), min(width, THUMBNAIL))


def block_means(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """Means over equal blocks, pixels on an edge by their share of area: float32 of shape (m, height, width, c).

    Any scale of one of the images, (m, h, w) or (m, h, w, c), has the same.

    Example:
        >>> block_means(np.array([[[0, 3, 6]]]), 1, 2)[0, 0, :, 0]
        array([1., 5.], dtype=float32)
    """
    m, h, w = images.shape[:3]
    pixels = images.reshape(m, h, w, -1)
    if (h, w) == (height, width):
        return pixels.astype(np.float32)
    down, across = _shares(h, height), _shares(w, width)
    means = np.empty((m, height, width, pixels.shape[3]), np.float32)
    for i, image in enumerate(pixels):
        rows = down @ image.reshape(h, -1).astype(np.float32)
        means[i] = across @ rows.reshape(height, w, -1)
    return means


@cache
def _shares(pixels: int, blocks: int) -> np.ndarray:
    """How much of each block is of each pixel, along one axis: shape (blocks, pixels), rows that sum to 1."""
    edges = np.linspace(0, pixels, blocks + 1)[:, None]
    first = np.arange(pixels)
    overlap = np.minimum(edges[1:], first + 1) - np.maximum(edges[:-1], first)
    return (np.maximum(overlap, 0) * blocks / pixels).astype(np.float32)


def _coarse(thumbs: np.ndarray) -> np.ndarray:
    """Block sums over the root of the block's size, at most 8 x 8: projections on orthogonal directions of length 1."""
    m, height, width, channels = thumbs.shape
    a, b = -(-height // _COARSE), -(-width // _COARSE)
    inside = thumbs[:, : height // a * a, : width // b * b]
    sums = inside.reshape(m, height // a, a, width // b, b, channels).sum(axis=(2, 4))
    return sums.reshape(m, -1) / np.float32(np.sqrt(a * b))


def _components(rows: np.ndarray) -> np.ndarray:
    """The first principal components of rows, without their mean."""
    centered = rows - rows.mean(axis=0)
    _, directions = np.linalg.eigh(centered.T @ centered)
    return centered @ directions[:, ::-1][:, :_COMPONENTS]


def _candidates(points: np.ndarray, reach: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Numbers of the pairs that are not farther apart than this, some at a time."""
    order = np.argsort(points[:, 0], kind="stable")
    ordered = points[order]
    squares, along = (ordered**2).sum(axis=1), ordered[:, 0]
    # What rounding to 24 bits can make of the difference of two squares.
    limit = reach**2 * 1.001 + 1e-6 * float(squares.max())
    for start in range(0, len(ordered), _AT_ONCE):
        end = min(start + _AT_ONCE, len(ordered))
        last = int(np.searchsorted(along, along[end - 1] + 1.001 * reach, side="right"))
        distances = squares[start:end, None] + squares[None, start:last]
        distances -= 2 * ordered[start:end] @ ordered[start:last].T
        one, other = np.nonzero(np.triu(distances <= limit, 1))
        if len(one):
            yield order[one + start], order[other + start]


def _look_same(take: Callable[[np.ndarray], np.ndarray], one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Whether the images of each pair look the same: booleans (m,)."""
    wanted, where = np.unique(np.concatenate([one, other]), return_inverse=True)
    thumbs = thumbnails(take(wanted)).reshape(len(wanted), -1)
    contrast = thumbs.std(axis=1)[where]
    first, second = where[: len(one)], where[len(one) :]
    apart = np.sqrt(((thumbs[first] - thumbs[second]) ** 2).mean(axis=1))
    weaker = np.minimum(contrast[: len(one)], contrast[len(one) :])
    return apart <= np.minimum(LEVELS, CONTRAST * weaker)
