"""When two numbers are one and the same but for rounding.

The same row gets slightly other numbers in a batch of another size, and through the single precision of a model file.
Where many rows are alike (a table of categories), a comparison that falls between these numbers would treat held-out
rows and new rows of one kind differently, and break what is promised. So comparisons give way a little.
"""

import numpy as np

STEP = 1e-5
"""Rounding moves log-probabilities, distances and energies by a smaller share than this."""


def slack(p: np.ndarray) -> np.ndarray:
    """More than rounding moves a probability p: 1e-5 p (1 - p), the change from 1e-5 in its logarithm odds, and 1e-7.

    Example:
        >>> slack(np.array([0.5, 1.0]))
        array([2.6e-06, 1.0e-07])
    """
    p = np.clip(p, 0.0, 1.0)
    return STEP * p * (1 - p) + 1e-7
