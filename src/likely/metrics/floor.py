"""The calibration error that chance alone would show: what an ECE has to be compared with."""

import numpy as np

from likely.errors import ConfigError
from likely.metrics.calibration import N_BINS, Binning, binned
from likely.metrics.checks import distributions
from likely.metrics.intervals import Estimate

DRAWS = 500
_BLOCK = 2_000_000  # numbers drawn at once: bounds the memory


def calibration_floor(
    probs: np.ndarray, n_bins: int = N_BINS, *, binning: Binning = "width", seed: int = 0, draws: int = DRAWS
) -> Estimate:
    """The ECE that these predictions would show if they were perfectly calibrated.

    Labels are drawn from the predictions themselves, y_i ~ p_i, again and again, and each draw's ECE is computed: its
    expectation is no longer 0, because chance parts accuracy from confidence in every bin. An observed ECE within the
    range gives no reason to doubt the calibration; it does not prove it.

    Only whether the most probable class is drawn matters, and it is with the probability max_k p_ik.

    Args:
        probs: shape (n, k).
        n_bins, binning: as in `calibration_error`.
        seed: of the draws.
        draws: how many data sets are drawn.
    Returns:
        The mean over the draws, and the 2.5th and 97.5th percentile: the range of a single ECE, not of the mean.
    Raises:
        ProbabilityError, ShapeError: naming the row that does not fit.
        ConfigError: if there is no such binning, no bin or no draw.

    Example:
        >>> floor = calibration_floor(np.tile([[0.75, 0.25]], (400, 1)))
        >>> 0.015 < floor.value < 0.02  # sqrt(2/pi) sqrt(0.75 * 0.25 / 400) = 0.0173
        True

    Reference: Vaicenavicius et al. (2019), Evaluating model calibration in classification (consistency resampling).
    """
    return floor(distributions(probs, "probs").max(axis=1), n_bins, binning, seed, draws)


def floor(confidence: np.ndarray, n_bins: int, binning: Binning, seed: int, draws: int) -> Estimate:
    """The floor of any confidences in [0, 1]."""
    if draws < 1:
        raise ConfigError(f"draws must be at least 1; got {draws}. Try {DRAWS}.")
    n, confidence = len(confidence), confidence.astype(np.float64)
    bins, edges = binned(confidence, n_bins, binning)
    order = np.argsort(bins, kind="stable")
    sizes = np.bincount(bins, minlength=len(edges) - 1)
    starts = (np.cumsum(sizes) - sizes)[sizes > 0]
    ordered = confidence[order]
    expected = np.add.reduceat(ordered, starts)
    rng = np.random.default_rng(seed)
    block = max(1, _BLOCK // n)
    found: list[np.ndarray] = []
    for start in range(0, draws, block):
        right = rng.random((min(block, draws - start), n)) < ordered
        hits = np.add.reduceat(right, starts, axis=1, dtype=np.float64)
        found.append(np.abs(hits - expected).sum(axis=1) / n)
    errors = np.concatenate(found)
    low, high = np.quantile(errors, [0.025, 0.975])
    return Estimate(float(errors.mean()), float(low), float(high))
