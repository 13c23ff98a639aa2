"""Images of floating-point numbers: standardized channel by channel, and refused outside the range learned from."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from likely.arrays import Array, namespace
from likely.errors import DataError, ShapeError
from likely.preprocessing.standardize import check_mean_and_scale
from likely.preprocessing.stored_rows import RowArray

_ROWS_AT_ONCE = 1024
_BESIDE = 1.0  # of the width of the range learned from: how far new values may lie outside
_FLAT = 0.02  # of that width: new images that all lie within so little are in another unit


@dataclass(frozen=True)
class FloatPixels:
    """(x - mean) / scale for each channel, with the numbers of the images learned from, all from `low` to `high`."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    low: float
    high: float

    @classmethod
    def fit(cls, X: RowArray) -> "FloatPixels":
        """For images like those of X, of shape (n, h, w) or (n, h, w, c).

        Raises:
            DataError: if a value is NaN or infinite, or all are the same.
        Example:
            >>> FloatPixels.fit(np.array([[[0.0, 1.0]], [[0.0, 1.0]]]))
            FloatPixels(mean=(0.5,), scale=(0.5,), low=0.0, high=1.0)
        """
        axes = (0, 1, 2)
        n = math.prod(X.shape[:3])
        low, high, total, squares = math.inf, -math.inf, np.zeros(X.shape[3:]), np.zeros(X.shape[3:])
        batches = [slice(start, start + _ROWS_AT_ONCE) for start in range(0, len(X), _ROWS_AT_ONCE)]
        for batch in batches:
            x = np.asarray(X[batch], dtype=np.float64)
            _check_finite(x)
            low, high, total = min(low, float(x.min())), max(high, float(x.max())), total + x.sum(axis=axes)
        if low == high:
            raise DataError(f"Images must not be constant; got {low} everywhere. Check how they were made.")
        mean = total / n
        for batch in batches:
            squares = squares + ((np.asarray(X[batch], dtype=np.float64) - mean) ** 2).sum(axis=axes)
        scale = np.sqrt(squares / n)
        scale = np.where(scale > 0, scale, 1.0)
        return cls(tuple(np.atleast_1d(mean).tolist()), tuple(np.atleast_1d(scale).tolist()), low, high)

    def __call__(self, x: Array) -> Array:
        """Images (n, h, w) or (n, h, w, c) of a floating-point dtype, standardized, in their array library."""
        xp = namespace(x)
        like = {"dtype": x.dtype, "device": getattr(x, "device", None)}
        return (x - xp.asarray(self.mean, **like)) / xp.asarray(self.scale, **like)

    def check(self, X: np.ndarray) -> None:
        """Refuse images unlike those learned from.

        Raises:
            ShapeError: if the dtype is not a floating-point one.
            DataError: if a value is NaN, infinite or far outside the range learned from, or all lie so close together
                that they are in another unit.
        """
        seen = f"from {self.low:g} to {self.high:g}"
        if X.dtype.kind != "f":
            raise ShapeError(
                f"Images must be floating-point numbers {seen} like those learned from; got {X.dtype}. The scale of "
                "another dtype is never guessed. Try converting them to that range first, such as X / 255."
            )
        if not X.size:
            return
        _check_finite(X)
        low, high, width = float(X.min()), float(X.max()), self.high - self.low
        if low < self.low - _BESIDE * width or high > self.high + _BESIDE * width or 0 < high - low < _FLAT * width:
            raise DataError(
                f"Images must have values {seen}, more or less, like those learned from; got {low:g} to {high:g}. They "
                "seem to be in another unit. Try converting them to that range first."
            )

    def to_json(self) -> dict[str, Any]:
        """Plain values that `from_json` makes an equal one of."""
        return {**asdict(self), "mean": list(self.mean), "scale": list(self.scale)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "FloatPixels":
        """The one that `to_json` gave the values of; raises ValueError, KeyError or TypeError for others."""
        made = cls(tuple(values["mean"]), tuple(values["scale"]), values["low"], values["high"])
        check_mean_and_scale(made.mean, made.scale, made.low, made.high)
        if not made.mean or made.low >= made.high:
            raise ValueError("pixels without a channel, or of an empty range")
        return made


def _check_finite(X: np.ndarray) -> None:
    if not np.isfinite(X).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(X))[0])
        raise DataError(f"Images must be finite; got {X[where]} in row {where[0]}. Fill or drop it.")
