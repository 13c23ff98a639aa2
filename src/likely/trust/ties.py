"""When two numbers are one and the same but for rounding.

The same row gets slightly other numbers in a batch of another size, and through the single precision of a model file.
Where many rows are alike (a table of categories), a comparison that falls between these numbers would treat held-out
rows and new rows of one kind differently, and break what is guaranteed. So comparisons give way a little.
"""

import numpy as np
from numpy.typing import DTypeLike

STEP = 1e-5
"""Rounding moves log-probabilities, distances and energies by a smaller share than this."""


def slack(p: np.ndarray, dtype: DTypeLike = np.float64) -> np.ndarray:
    """More than rounding moves a probability p, shape as p's.

        1e-5 (1 + |log p/(1-p)|) p (1 - p) + 4 eps p + 4 e

    The first part is the change from 1e-5 of its log odds, and 1e-5; it vanishes as p goes to 0 or 1, where differences
    of 1e-9 may tell labels apart. The others are a few units of rounding: eps that of the dtype in which probabilities
    came, e that of float64, in which they are compared.

    Example:
        >>> slack(np.array([0.5, 1e-9])).round(14)
        array([2.5e-06, 2.2e-13])
    """
    p = np.clip(p, 0.0, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = p * (1 - p) * (1 + np.abs(np.log(p) - np.log1p(-p)))
    eps = float(np.finfo(np.float64).eps)
    return STEP * np.nan_to_num(odds) + 4 * max(eps, float(np.finfo(dtype).eps)) * p + 4 * eps


def number_slack(
    predictions: np.ndarray, center: float | np.ndarray, scale: float | np.ndarray, dtype: DTypeLike = np.float64
) -> np.ndarray:
    """More than rounding moves predicted numbers, shape as theirs, in their unit.

        100 eps (scale + |prediction - center|) + 4 e |prediction|

    A network computes (prediction - center) / scale, in a dtype whose units of rounding are eps (float32: 1.2e-7, so
    that this is about 1e-5 of the size); e are those of float64, in which center and scale are put back.

    Example:
        >>> number_slack(np.array([3.0]), center=1.0, scale=2.0, dtype=np.float32).round(7)
        array([4.77e-05])
    """
    predictions = np.asarray(predictions, dtype=np.float64)
    inside = 100 * float(np.finfo(dtype).eps) * (scale + np.abs(predictions - center))
    return inside + 4 * float(np.finfo(np.float64).eps) * np.abs(predictions)
