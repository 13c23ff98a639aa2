"""The calibration error of every class's probability, not only the largest: the mean over the classes."""

import numpy as np

from likely.metrics.calibration import N_BINS, Binning, binned
from likely.metrics.checks import classified
from likely.metrics.intervals import Estimate, resampled_counts
from likely.metrics.miscalibration import Gaps, inverted

RESAMPLES = 400


def classwise_calibration_error(
    probs: np.ndarray, labels: np.ndarray, n_bins: int = N_BINS, *, binning: Binning = "width"
) -> float:
    """The classwise ECE: the mean over the classes of the calibration error of "it is this class".

    cwECE = 1/k sum_j sum_b (n_jb / n) |frequency_jb - probability_jb|, where bin b of class j holds the rows whose
    probability of j lies in it. Biased upward like `calibration_error`; `classwise_calibration_estimate` is not.
    With many classes most probabilities are near 0, and so is the mean: compare it only for the same k. Arguments and
    errors are those of `calibration_error`; bins hold the probabilities of one class at a time.

    Example:
        >>> classwise_calibration_error(np.array([[0.75, 0.25], [0.75, 0.25]]), np.array([0, 1]))
        0.25

    Reference: Kull et al. (2019), Beyond temperature scaling: obtaining well-calibrated multi-class probabilities.
    """
    cells = _Cells(*classified(probs, labels), n_bins, binning)
    return cells.gaps.total / cells.k


def classwise_calibration_estimate(
    probs: np.ndarray, labels: np.ndarray, n_bins: int = N_BINS, *, binning: Binning = "width", seed: int = 0
) -> Estimate:
    """The classwise ECE on all rows like these, debiased, with a 95% interval.

    As `calibration_estimate`, with two differences: the noise of the bins is that of 400 bootstrap resamples of the
    rows, since the bins of different classes share their rows; and whether calibration is rejected, so that the lower
    end is above 0, is decided by the same noise.

    Example:
        >>> found = classwise_calibration_estimate(np.tile([[0.9, 0.1]], (400, 1)), np.repeat([0, 1], [280, 120]))
        >>> round(found.value, 2), found.low < 0.17, found.high > 0.23
        (0.2, True, True)
    """
    cells = _Cells(*classified(probs, labels), n_bins, binning)
    noise = cells.noise(seed)

    def errors(gap: np.ndarray) -> np.ndarray:
        return np.abs(noise + gap).sum(axis=1) / cells.k

    return inverted(
        cells.gaps.total / cells.k,
        errors(np.zeros(noise.shape[1])),
        lambda error: errors(cells.gaps.at(error * cells.k)),
        cells.gaps.most / cells.k,
    )


class _Cells:
    """Every bin of every class that holds a row: one row lies in k of them."""

    def __init__(self, probs: np.ndarray, labels: np.ndarray, n_bins: int, binning: Binning) -> None:
        n, self.k = probs.shape
        probs = probs.astype(np.float64)
        self.differences = -probs
        self.differences[np.arange(n), labels] += 1
        found = [binned(column, n_bins, binning) for column in probs.T]
        self.cell = np.column_stack([n_bins * j + bins for j, (bins, _) in enumerate(found)])
        size = n_bins * self.k

        def sums(values: np.ndarray) -> np.ndarray:
            return np.bincount(self.cell.ravel(), values.ravel(), size)[self.filled]

        self.filled = np.bincount(self.cell.ravel(), minlength=size) > 0
        gap, said, count = sums(self.differences) / n, sums(probs) / n, sums(np.ones_like(probs))
        expected = sums(probs * (1 - probs)) / n
        observed = sums(self.differences**2) / n - gap**2
        least = count / n / (count + 1)
        self.gaps = Gaps(gap, np.maximum.reduce([expected, observed, least]) / n, said, count / n - said)
        self._inflation = np.sqrt(np.maximum(1.0, expected / np.maximum(observed, expected * 1e-6 + 1e-300)))

    def noise(self, seed: int) -> np.ndarray:
        """How the gaps of 400 resamples differ from those of the rows, shape (400, cells).

        Where a class was hit less often in a bin than it was to be expected, its noise is as large as expected.
        """
        from scipy.sparse import csr_matrix

        n = len(self.cell)
        number = np.cumsum(self.filled) - 1
        shape = (n, int(self.filled.sum()))
        rows = csr_matrix((self.differences.ravel(), number[self.cell].ravel(), self.k * np.arange(n + 1)), shape)
        parts = [counts @ rows / n for counts in resampled_counts(n, seed, RESAMPLES)]
        return (np.concatenate(parts) - self.gaps.gap) * self._inflation
