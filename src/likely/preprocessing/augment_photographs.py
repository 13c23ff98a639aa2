"""Changed copies of photographs: taken from nearer by, and in another light."""

from typing import Any

from likely.arrays import Array, namespace
from likely.preprocessing.random_integers import RandomIntegers

_LEAST_AREA = 0.35
"""Of an image that a crop shows."""
_LIGHT = 0.3
"""By how much brightness, contrast and saturation change at most, as a share."""
_FINENESS = 1 << 20
"""Steps of what is drawn between 0 and 1."""


class Crop(RandomIntegers):
    """Shows a random part of each image, of its shape, at its size: random resized crops, other ones in every epoch.

    The part has 35% of the area or more, and lies anywhere inside; pixels in between are interpolated linearly.

    Example:
        >>> x = np.arange(8.0).reshape(1, 1, 1, 8)
        >>> Crop(1, seed=0)(x, np.array([[(1 << 20) - 1, 0, 0]])).ravel().round(2)
        array([0., 1., 2., 3., 4., 5., 6., 7.])

    Reference: Szegedy et al. (2015), Going deeper with convolutions, arXiv 1409.4842.
    """

    per_row = 3

    def __call__(self, x: Array, draws: Array) -> Array:
        """Images x of shape (b, c, h, w), parts of them."""
        shares = _uniform(x, draws)
        side = (_LEAST_AREA + (1 - _LEAST_AREA) * shares[:, 0]) ** 0.5
        for axis in (2, 3):
            x = _stretched(x, side, shares[:, axis - 1], axis, draws.dtype)
        return x


class Color(RandomIntegers):
    """Changes brightness, contrast and saturation of images in [0, 1], each by at most 30%, others in every epoch.

    Example:
        >>> x = np.full((1, 3, 1, 1), 0.5)
        >>> Color(1, seed=0)(x, np.array([[(1 << 20) - 1, 0, 0]])).ravel().round(2)
        array([0.65, 0.65, 0.65])
    """

    per_row = 3

    def __call__(self, x: Array, draws: Array) -> Array:
        """Images x of shape (b, c, h, w), in another light."""
        xp = namespace(x)
        by = 1 + _LIGHT * (2 * _uniform(x, draws) - 1)
        brightness, contrast, saturation = (xp.reshape(by[:, i], (-1, 1, 1, 1)) for i in range(3))
        gray = xp.mean(x, axis=1, keepdims=True)
        x = gray + saturation * (x - gray)
        mean = xp.mean(x, axis=(1, 2, 3), keepdims=True)
        return xp.clip(brightness * (mean + contrast * (x - mean)), 0.0, 1.0)


def _uniform(x: Array, draws: Array) -> Array:
    """Numbers from 0 to 1 of the dtype of x."""
    return namespace(x).astype(draws % _FINENESS, x.dtype) / (_FINENESS - 1)


def _stretched(x: Array, side: Array, place: Array, axis: int, integers: Any) -> Array:
    """x with a part of it along the axis, `side` of its length, at its whole length; `place` from first to last."""
    xp, n = namespace(x), x.shape[axis]
    where: Any = {"device": x.device} if hasattr(x, "device") else {}
    at = xp.astype(xp.arange(n, **where), x.dtype)[None, :]
    at = place[:, None] * (n - side[:, None] * n) + (at + 0.5) * side[:, None] - 0.5
    at = xp.clip(at, 0.0, n - 1.0)
    shape = tuple(x.shape[i] if i in (0, axis) else 1 for i in range(x.ndim))
    first = xp.clip(xp.floor(at), 0.0, max(n - 2.0, 0.0))

    def taken(places: Array) -> Array:
        index = xp.reshape(xp.astype(places, integers), shape)
        return xp.take_along_axis(x, xp.broadcast_to(index, x.shape), axis=axis)

    share = xp.reshape(at - first, shape)
    return (1 - share) * taken(first) + share * taken(xp.clip(first + 1, 0.0, n - 1.0))
