"""The calibration error that chance alone would show, and how often it would show as much as was seen."""

import numpy as np

from likely.errors import ConfigError
from likely.metrics.calibration import N_BINS, Binning, binned, mean_gap, most_probable
from likely.metrics.checks import distributions
from likely.metrics.intervals import Estimate

DRAWS = 500
_BLOCK = 2_000_000  # numbers drawn at once: bounds the memory


def calibration_floor(
    probs: np.ndarray, n_bins: int = N_BINS, *, binning: Binning = "width", seed: int = 0, draws: int = DRAWS
) -> Estimate:
    """The ECE that these predictions would show if they were perfectly calibrated.

    Labels are drawn from the predictions themselves, y_i ~ p_i, again and again, and each draw's ECE is computed: its
    expectation is no longer 0, because chance makes them differ in every bin. An observed ECE within the
    range gives no reason to doubt the calibration; it does not prove it.

    Only whether the most probable class is drawn matters, and it is with the probability max_k p_ik.

    Args:
        probs, n_bins, binning: as in `calibration_error`.
        seed, draws: how many data sets are drawn, at least one, and by which seed.
    Returns:
        The mean over the draws, and the 2.5th and 97.5th percentile: the range of a single ECE, not of the mean.

    Example:
        >>> floor = calibration_floor(np.tile([[0.75, 0.25]], (400, 1)))
        >>> 0.015 < floor.value < 0.02  # sqrt(2/pi) sqrt(0.75 * 0.25 / 400) = 0.0173
        True

    Reference: Vaicenavicius et al. (2019), Evaluating model calibration in classification (consistency resampling).
    """
    return spread(chance_errors(distributions(probs, "probs").max(axis=1), n_bins, binning, seed, draws))


def calibration_p_value(
    probs: np.ndarray,
    labels: np.ndarray,
    n_bins: int = N_BINS,
    *,
    binning: Binning = "width",
    seed: int = 0,
    draws: int = DRAWS,
) -> float:
    """How often perfectly calibrated probabilities would show an ECE as large as these do: small speaks against them.

    Labels are drawn from the predictions as in `calibration_floor`; with r of m draws whose ECE is at least the
    observed one, p = (r + 1) / (m + 1). Of calibrated models, at most a share a has p <= a, exactly, for every n.
    Arguments and errors are those of `calibration_error` and `calibration_floor`.

    Example:
        >>> probs = np.tile([[0.9, 0.1]], (400, 1))
        >>> calibration_p_value(probs, np.repeat([0, 1], [360, 40])) > 0.9      # right in 90%, as it says
        True
        >>> calibration_p_value(probs, np.repeat([0, 1], [280, 120])) < 0.01    # right in 70%
        True

    Reference: Bröcker and Smith (2007), Increasing the reliability of reliability diagrams; Vaicenavicius et al.
    (2019).
    """
    confidence, right = most_probable(probs, labels)
    seen = mean_gap(confidence, right, n_bins, binning)
    return p_value(seen, chance_errors(confidence, n_bins, binning, seed, draws))


def p_value(seen: float, chance: np.ndarray) -> float:
    """The share of errors by chance that are at least as large as the one seen, which counts as one of them."""
    return float(1 + (chance >= seen - 1e-9).sum()) / (1 + len(chance))


def spread(errors: np.ndarray) -> Estimate:
    """The mean of the draws, and their 2.5th and 97.5th percentile."""
    low, high = np.quantile(errors, [0.025, 0.975])
    return Estimate(float(errors.mean()), float(low), float(high))


def chance_errors(confidence: np.ndarray, n_bins: int, binning: Binning, seed: int, draws: int = DRAWS) -> np.ndarray:
    """The ECE of each draw in which every confidence in [0, 1] comes true as often as it says, shape (draws,)."""
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
    return np.concatenate(found)
