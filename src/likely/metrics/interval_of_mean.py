"""An interval of a mean that counts on what the rows have not shown: rare rows that fall far out."""

import math

import numpy as np
import scipy

from likely.errors import DataError, ShapeError
from likely.metrics.checks import refuse

TAIL = 0.025
TOP = 10
"""From so many of the largest values the next record is guessed."""

BEYOND = 4.0
"""So many mean excesses beyond the largest value an unseen row is put. Enough for tails as heavy as x^-2."""


def mean_interval(values: np.ndarray, below: float | None, above: float | None) -> tuple[float, float]:
    """The ends of a 95% interval of a mean, each with one row added that was not seen.

    The upper end is the t at which

        P( sum_i E_i (x_i - t) >= 0 ) = 2.5%,        E_i independent, exponential with mean 1,

    over the values and `above`; the lower end likewise with `below`. If no value can lie further out than these, this
    is Gaffke's bound: for 0 and 1 it is that of Clopper and Pearson, for -1 and 1 the sign test, and no distribution
    in the range is known for which it fails. Without an added row it is the Bayesian bootstrap. The probability is
    computed by a saddlepoint approximation, off by less than a few percent of itself.

    `below` and `above` are the values of the row that is added for each end of values (n,); None adds none. If one is
    infinite, that end is, too.

    Raises:
        ShapeError, DataError: if there is no value, or one is NaN or infinite, or an end is NaN.

    Example:
        >>> low, high = mean_interval(np.ones(30), 0.0, 1.0)
        >>> round(low, 2), high                                       # 30 of 30: Clopper and Pearson have 0.884
        (0.88, 1.0)

    Reference: Gaffke (2005), Three test statistics for a nonparametric one-sided hypothesis on the mean of a
    nonnegative variable; Learned-Miller and Thomas (2019), A new confidence interval for the mean of a bounded random
    variable; Lugannani and Rice (1980), Saddle point approximation.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or not len(values):
        raise ShapeError(f"values must have shape (n,) with n >= 1; got {values.shape}. A mean takes one at least.")
    fix = "The mean of such values has no interval. Try a floor for losses, as in `event_metrics`."
    refuse(~np.isfinite(values), values, "values must be finite", fix)
    if any(end is not None and math.isnan(end) for end in (below, above)):
        raise DataError("below and above must be numbers; got NaN. Try None to add no row.")
    if any(end is not None and math.isinf(end) for end in (below, above)):
        low = below if below is not None and math.isinf(below) else mean_interval(values, below, None)[0]
        high = above if above is not None and math.isinf(above) else mean_interval(values, None, above)[1]
        return low, high
    with_below, with_above = (values if end is None else np.append(values, end) for end in (below, above))
    return -_upper_end(-with_below), _upper_end(with_above)


def unseen(values: np.ndarray, most: float) -> float:
    """How far out a row may lie that was not seen, where nothing is known but the values.

    The largest value, and four times the mean excess of the ten largest over the eleventh beyond it; at most `most`.
    Light tails have a small excess, and little is added; the excess of a heavy tail is a share of the value itself.

    Example:
        >>> unseen(np.arange(100.0), np.inf)                         # excess (90 + ... + 99) / 10 - 89 = 5.5
        121.0
    """
    top = np.sort(values)[-TOP - 1 :]
    excess = float(top[1:].mean() - top[0]) if len(top) > 1 else 0.0
    return min(float(top[-1]) + BEYOND * excess, most)


def _upper_end(values: np.ndarray) -> float:
    """The t at which the weighted sum of the values less t is at least 0 with the probability TAIL."""
    largest, mean = float(values.max()), float(values.mean())
    scale = float(values.std()) / math.sqrt(len(values))
    if scale <= 1e-12 * max(abs(largest), abs(mean)):
        return largest
    above = _Exceedance(values)
    step = 2.0 * scale
    low, high = mean, min(mean + step, largest)
    while high < largest and above(high) > TAIL:
        low, high = high, min(high + step, largest)
        step *= 2
    while high - low > 1e-4 * scale:
        middle = (low + high) / 2
        low, high = (middle, high) if above(middle) > TAIL else (low, middle)
    return (low + high) / 2


class _Exceedance:
    """t -> P(sum_i E_i (x_i - t) >= 0), by Lugannani and Rice; remembers where the last saddlepoint was."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values
        self._last = 0.0

    def __call__(self, t: float) -> float:
        x = self.values - t
        largest, smallest = float(x.max()), float(x.min())
        if largest <= 0:
            return 0.0
        if smallest >= 0:
            return 1.0
        # The cumulant generating function is K(s) = -sum log(1 - s x), for s between the poles.
        s, (low, high) = self._last, (1 / smallest, 1 / largest)
        if not low < s < high:
            s = 0.0
        for _ in range(100):
            ratio = x / (1 - s * x)
            slope, curvature = float(ratio.sum()), float(ratio @ ratio)
            low, high = (low, s) if slope > 0 else (s, high)
            newton = s - slope / curvature
            before, s = s, newton if low < newton < high else (low + high) / 2
            if abs(s - before) * math.sqrt(curvature) < 1e-7:
                break
        self._last = s
        left = 1 - s * x
        ratio = x / left
        w = math.copysign(math.sqrt(max(2 * float(np.log(left).sum()), 0.0)), s)
        v = s * math.sqrt(float(ratio @ ratio))
        if abs(w) < 1e-4:
            return 0.5 - float((x**3).sum()) / (3 * float(x @ x) ** 1.5 * math.sqrt(2 * math.pi))
        density = math.exp(-w * w / 2) / math.sqrt(2 * math.pi)
        return float(scipy.special.ndtr(-w)) - density * (1 / w - 1 / v)
