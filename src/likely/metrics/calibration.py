"""Whether what is said with confidence c is right a share c of the time: reliability bins and their mean gap."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from likely.errors import ConfigError
from likely.metrics.checks import classified
from likely.metrics.json_values import to_json
from likely.metrics.scores import correct

Binning: TypeAlias = Literal["width", "mass"]

N_BINS = 15


@dataclass(frozen=True)
class Reliability:
    """Bins over the confidence (the largest probability of a row): what a reliability diagram shows.

    For an event, the confidence is its probability and the accuracy is how often it happened.

    Bin b of `edges`, from 0 to 1, holds confidences in (edges[b], edges[b + 1]], the first also 0. `count` is how many
    rows it holds, `confidence` their mean confidence and `accuracy` the share of them whose most probable class is
    true, both NaN where it is empty; shape (n_bins,) each.
    """

    edges: np.ndarray
    count: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray

    def to_json(self) -> list[dict[str, float | int | None]]:
        """One dict per bin: low, high, count, confidence, accuracy (None where the bin is empty)."""
        names = ("low", "high", "count", "confidence", "accuracy")
        columns = self.edges[:-1], self.edges[1:], self.count, self.confidence, self.accuracy
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return [to_json(dict(zip(names, row, strict=True))) for row in rows]


def calibration_error(
    probs: np.ndarray, labels: np.ndarray, n_bins: int = N_BINS, *, binning: Binning = "width"
) -> float:
    """The expected calibration error of the most probable class.

    ECE = sum_b (n_b / n) |accuracy_b - confidence_b|, bins as in `reliability_bins`.

    It is biased upward: chance alone makes accuracy and confidence differ in each bin, so that even for perfect
    probabilities it is some tenths of a percent at n = 10,000, and more on fewer rows: see `calibration_floor`.

    Args:
        probs, labels: shape (n, k), and classes 0..k-1, shape (n,).
        n_bins: how many bins (at most so many of equal mass).
        binning: bins of equal "width", or of equal "mass", with as many rows in each.
    Raises:
        ProbabilityError, ShapeError, DataError: naming the row that does not fit.
        ConfigError: if there is no such binning, or no bin.

    Example:
        >>> calibration_error(np.array([[0.75, 0.25], [0.75, 0.25]]), np.array([0, 1]))
        0.25

    Reference: Guo et al. (2017), On calibration of modern neural networks.
    """
    return mean_gap(*most_probable(probs, labels), n_bins, binning)


def reliability_bins(
    probs: np.ndarray, labels: np.ndarray, n_bins: int = N_BINS, *, binning: Binning = "width"
) -> Reliability:
    """Count, mean confidence and accuracy in each bin.

    Bins of equal mass hold n / n_bins rows each, one more or less; rows of equal confidence always share a bin, so
    that there may be fewer bins than n_bins, and none is empty. Arguments and errors are those of `calibration_error`.

    Example:
        >>> bins = reliability_bins(np.array([[1.0, 0.0], [0.55, 0.45]]), np.array([0, 1]), n_bins=2)
        >>> bins.count, bins.accuracy
        (array([0, 2]), array([nan, 0.5]))
        >>> reliability_bins(np.array([[1.0, 0.0], [0.55, 0.45]]), np.array([0, 1]), 2, binning="mass").edges
        array([0.  , 0.55, 1.  ])
    """
    return reliability(*most_probable(probs, labels), n_bins, binning)


def most_probable(probs: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The confidence of each row, float64, and whether its most probable class is true, 0 or 1."""
    probs, labels = classified(probs, labels)
    return probs.max(axis=1).astype(np.float64), correct(probs, labels)


def reliability(confidence: np.ndarray, right: np.ndarray, n_bins: int, binning: Binning) -> Reliability:
    """The bins of any confidences in [0, 1], with how often (0 or 1 per row) each came true."""
    bins, edges = binned(confidence, n_bins, binning)
    count = np.bincount(bins, minlength=len(edges) - 1)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(bins, confidence, len(count)) / count
        return Reliability(edges, count, mean, np.bincount(bins, right, len(count)) / count)


def mean_gap(confidence: np.ndarray, right: np.ndarray, n_bins: int, binning: Binning) -> float:
    """The ECE of any confidences in [0, 1], with how often (0 or 1 per row) each came true."""
    bins, _ = binned(confidence, n_bins, binning)
    return float(np.abs(np.bincount(bins, right - confidence)).sum() / len(confidence))


def binned(confidence: np.ndarray, n_bins: int, binning: Binning) -> tuple[np.ndarray, np.ndarray]:
    """The bin of each confidence, shape (n,), and the edges, one more than there are bins."""
    if n_bins < 1:
        raise ConfigError(f"n_bins must be at least 1; got {n_bins}. Try {N_BINS}.")
    if binning == "width":
        edges = np.linspace(0.0, 1.0, n_bins + 1)
        return np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, n_bins - 1), edges
    if binning != "mass":
        raise ConfigError(f"binning must be 'width' or 'mass'; got {binning!r}.")
    ordered = np.sort(confidence)
    # The middle rank of equal confidences puts them into one bin, whatever the order of the rows.
    twice_rank = np.searchsorted(ordered, confidence, side="left") + np.searchsorted(ordered, confidence, side="right")
    _, bins = np.unique(twice_rank * n_bins // (2 * len(ordered)), return_inverse=True)
    edges = np.concatenate([[0.0], ordered[np.cumsum(np.bincount(bins)) - 1]])
    edges[-1] = 1.0
    return bins, edges
