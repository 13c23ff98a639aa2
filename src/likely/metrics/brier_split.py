"""The Brier score in parts: what miscalibration costs, what discrimination gains."""

from typing import NamedTuple

import numpy as np

from likely.metrics.calibration import N_BINS, Binning, binned
from likely.metrics.checks import classified


class BrierSplit(NamedTuple):
    """The parts of a Brier score: brier = reliability - resolution + uncertainty + within_bins.

    `reliability` is the squared gap between probability and frequency, 0 if perfectly calibrated; `resolution` is how
    far the frequencies in the bins part from the overall one, more is better; `uncertainty` is the score of always
    saying the overall frequencies. `within_bins` is what binning hides: the spread of probabilities inside the bins,
    less twice their covariance with the truth, negative where they tell rows of one bin apart.
    """

    reliability: float
    resolution: float
    uncertainty: float
    within_bins: float


def brier_decomposition(
    probs: np.ndarray, labels: np.ndarray, n_bins: int = N_BINS, *, binning: Binning = "width"
) -> BrierSplit:
    """Brier's score split into reliability, resolution, uncertainty and what happens within the bins.

    Each class is an event of its own: its probabilities p_ik are put into bins, b with n_b rows, mean probability
    P_b and frequency Y_b, overall frequency Y. Summed over the classes k,

        reliability = sum_b n_b/n (P_b - Y_b)^2       resolution = sum_b n_b/n (Y_b - Y)^2
        uncertainty = Y (1 - Y)                       within_bins = 1/n sum_b sum_i [(p_i - P_b)^2
                                                                    - 2 (p_i - P_b) (y_i - Y_b)]

    and reliability - resolution + uncertainty + within_bins is the Brier score, exactly (up to rounding). Where each
    bin holds only one distinct probability, within_bins is 0 and the three-part identity of Murphy remains.
    Reliability and resolution are both biased upward on few rows, by the same expected amount. Arguments and errors
    are those of `calibration_error`; bins hold the probabilities of one class at a time.

    Example:
        >>> split = brier_decomposition(np.array([[0.75, 0.25]] * 4), np.array([0, 0, 0, 1]))
        >>> split.reliability, split.resolution, split.uncertainty, split.within_bins
        (0.0, 0.0, 0.375, 0.0)

    Reference: Murphy (1973), A new vector partition of the probability score; Stephenson, Coelho and Jolliffe (2008),
    Two extra components in the Brier score decomposition.
    """
    probs, labels = classified(probs, labels)
    n, k = probs.shape
    total = np.zeros(4)
    for label in range(k):
        p, y = probs[:, label].astype(np.float64), (labels == label).astype(np.float64)
        bins, _ = binned(p, n_bins, binning)
        count = np.bincount(bins)
        filled = np.maximum(count, 1)
        mean, frequency = np.bincount(bins, p) / filled, np.bincount(bins, y) / filled
        overall = y.mean()
        spread, surprise = p - mean[bins], y - frequency[bins]
        total += [
            count @ (mean - frequency) ** 2 / n,
            count @ (frequency - overall) ** 2 / n,
            overall * (1 - overall),
            spread @ (spread - 2 * surprise) / n,
        ]
    return BrierSplit(*total.tolist())
