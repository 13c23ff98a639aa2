"""Skewed columns of numbers made symmetric: a power for each, of highest likelihood."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from likely.arrays import Array, namespace
from likely.preprocessing.standardize import check_mean_and_scale

_SAMPLE = 2_000
_HEAVIEST = 0.1


@dataclass(frozen=True)
class PowerTransform:
    """Bends standardized columns of numbers so that each is more symmetric.

    psi(z) = ((1 + z)^p - 1) / p  for z >= 0,  -((1 - z)^(2 - p) - 1) / (2 - p)  for z < 0
    output = (psi(z) - mean) / scale

    p < 1 draws in a long tail to the right, p > 1 one to the left, p = 1 leaves a column alone. A few values far out no
    longer decide where the others lie. p stays within 1/2 and 3/2, where psi maps all numbers onto all numbers: what
    lies further out than every training row still looks so.

    Args:
        power: p of each column.
        mean: of psi(z) over the training rows; 0 for columns left alone.
        scale: the standard deviation of psi(z) over the training rows; 1 for columns left alone.

    Reference: Yeo and Johnson (2000), A new family of power transformations to improve normality or symmetry.
    """

    power: tuple[float, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]

    @classmethod
    def fit(cls, columns: Sequence[np.ndarray]) -> "PowerTransform | None":
        """The transform for columns like these, or None if there is none to bend.

        The power is sought under which the values are most likely those of a normal distribution, between 0 and 2, and
        a column is bent half as far, by the mean of that power and 1: how far out a value lies may tell something, too.
        It is bent only if that is believable: the log-likelihood must rise by more than log(n) / 2, the price of a
        parameter by the Bayesian information criterion, and no value may be that of more than a tenth of the rows.
        Columns with such a value, like the background in images or counts that are mostly 0, are not the continuous
        ones that this is for.

        Args:
            columns: the standardized values of each, float64 of shape (n,); n may differ.
        Example:
            >>> rng = np.random.default_rng(0)
            >>> size, income = rng.normal(size=500), np.exp(rng.normal(size=500))
            >>> transform = PowerTransform.fit([size, (income - income.mean()) / income.std()])
            >>> [round(p, 2) for p in transform.power]
            [1.0, 0.5]
        """
        power = [_power(values) for values in columns]
        if all(p == 1 for p in power):
            return None
        transformed = [None if p == 1 else _psi(values, np.array(p)) for values, p in zip(columns, power, strict=True)]
        mean = tuple(0.0 if values is None else float(values.mean()) for values in transformed)
        scale = tuple(1.0 if values is None else float(values.std()) for values in transformed)
        return cls(tuple(power), mean, scale)

    def __call__(self, z: Array) -> Array:
        """The bent columns (n, d) for standardized ones (n, d), in their array library and on their device."""
        xp = namespace(z)
        like = {"dtype": z.dtype, "device": getattr(z, "device", None)}
        power, mean, scale = (xp.asarray(values, **like) for values in self._arrays)
        return (_psi(z, power) - mean) / scale

    def to_json(self) -> dict[str, Any]:
        """Plain values that `from_json` makes an equal transform of."""
        return {"power": list(self.power), "mean": list(self.mean), "scale": list(self.scale)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "PowerTransform":
        """The transform that `to_json` gave the values of; raises ValueError, KeyError or TypeError for others."""
        made = cls(tuple(values["power"]), tuple(values["mean"]), tuple(values["scale"]))
        check_mean_and_scale(made.mean, made.scale, *made.power)
        if len(values) != 3 or len(made.power) != len(made.mean):
            raise ValueError(f"{len(made.power)} powers and {len(made.mean)} means")
        if not all(0.5 <= p <= 1.5 for p in made.power):
            raise ValueError("a power outside 1/2 to 3/2")
        return made

    @cached_property
    def _arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return np.array(self.power), np.array(self.mean), np.array(self.scale)


def _psi(z: Array, power: Array) -> Array:
    """Yeo and Johnson's transform of z (n, d) by powers (d,)."""
    xp = namespace(z)
    exponent = xp.where(z < 0, 2 - power, power)
    size = xp.expm1(exponent * xp.log1p(xp.abs(z))) / exponent
    return xp.where(power == 1, z, xp.sign(z) * size)


def _power(z: np.ndarray) -> float:
    """Midway between 1 and the power of highest likelihood, or 1 where none is believable."""
    from scipy.optimize import minimize_scalar

    if len(z) > _SAMPLE:
        z = z[np.linspace(0, len(z) - 1, _SAMPLE).round().astype(np.int64)]
    most = int(_HEAVIEST * len(z))
    in_order = np.sort(z)
    if most == 0 or (in_order[most:] == in_order[:-most]).any():  # a value that more than `most` rows have
        return 1.0
    logs = float((np.sign(z) * np.log1p(np.abs(z))).sum())

    def loss(p: float) -> float:
        # The negative log-likelihood of a normal distribution with the mean and variance of the bent values.
        return len(z) / 2 * math.log(_psi(z, np.array(p)).var()) - (p - 1) * logs

    # The ends themselves are not tried.
    found = minimize_scalar(loss, bounds=(0.0, 2.0), method="bounded", options={"xatol": 1e-4})
    return (1 + float(found.x)) / 2 if loss(1.0) - found.fun > math.log(len(z)) / 2 else 1.0
