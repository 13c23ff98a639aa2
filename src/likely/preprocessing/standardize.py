"""Columns of numbers brought to mean 0 and standard deviation 1."""

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from likely.arrays import Array, namespace


class Standardizer:
    """(x - mean) / scale of rows (n, d) of floats, in their array library, on their device and in their dtype.

    Where the dtype is too coarse for the mean, it is subtracted in two parts: x may be large beside its spread. Both
    mean and scale are float64 of shape (d,).

    Example:
        >>> x = np.array([[1.6e9], [1.6e9 + 256]], np.float32)
        >>> Standardizer(np.array([1.6e9 + 32]), np.array([32.0]))(x).ravel()
        array([-1.,  7.], dtype=float32)
    """

    def __init__(self, mean: np.ndarray, scale: np.ndarray) -> None:
        self._mean, self._scale = mean, scale

    def __call__(self, x: Array) -> Array:
        """The standardized rows."""
        if isinstance(x, np.ndarray) and x.dtype == np.float64:
            return (x - self._mean) / self._scale
        xp = namespace(x)
        like = {"dtype": x.dtype, "device": getattr(x, "device", None)}
        for part in self._in_float32 if str(x.dtype).endswith("float32") else [self._mean]:
            x = x - xp.asarray(part, **like)
        return x / xp.asarray(self._scale, **like)

    @cached_property
    def _in_float32(self) -> list[np.ndarray]:
        """The mean in float32, and what it lacks, if anything."""
        coarse = self._mean.astype(np.float32)
        rest = self._mean - coarse
        return [coarse, rest] if rest.any() else [coarse]


def mean_and_scale(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations of columns of finite float64 numbers, each (d,); scale 1 where nothing varies."""
    # Divided by the largest value first: the square of a large number would overflow.
    peak = np.maximum(np.abs(rows).max(axis=0), np.finfo(np.float64).tiny)
    mean = (rows / peak).mean(axis=0)
    deviation = (rows / peak).std(axis=0)
    # What rounding alone makes of a constant column.
    varies = deviation > 10 * np.finfo(np.float64).eps * np.maximum(np.abs(mean), deviation)
    scale = np.where(varies, deviation * peak, 1.0)
    # A column of the tiniest numbers: its deviation is no longer a normal number to divide by.
    return mean * peak, np.where(scale < np.finfo(np.float64).tiny, 1.0, scale)


def check_mean_and_scale(mean: Sequence[Any], scale: Sequence[Any], *others: Any) -> None:
    """Raise a ValueError for what a model file must not hold; `others` only have to be finite numbers."""
    if len(mean) != len(scale):
        raise ValueError(f"{len(mean)} means and {len(scale)} scales")
    if not all(isinstance(v, float | int) and math.isfinite(v) for v in (*mean, *scale, *others)):
        raise ValueError("a mean, scale or other value that is not a finite number")
    if not all(s > 0 for s in scale):
        raise ValueError("a scale that is not positive")


def as_floats(x: Array, dtype: Any) -> Array:
    """Rows of numbers as floats: floats as they are, integers in `dtype`, or in float64 where that may round them."""
    xp = namespace(x)
    if xp.isdtype(x.dtype, "real floating"):
        return x
    return xp.astype(x, dtype if x.dtype.itemsize <= 2 else xp.float64)
