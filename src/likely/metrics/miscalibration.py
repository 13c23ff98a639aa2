"""The calibration error (ECE) without its bias, with a confidence interval."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from likely.metrics.calibration import N_BINS, Binning, binned, mean_gap, most_probable
from likely.metrics.calibration_error_floor import chance_errors, p_value, spread
from likely.metrics.checks import event
from likely.metrics.intervals import Estimate

TAIL = 0.025
"""The chance of missing the true value on either side of an interval."""

DRAWS = 1000
_STEPS = 11  # bisections: the ends are found to a 2,000th of where they may lie
_CLEAR = 2.0  # standard errors from which on the sign of a bin's gap counts as known


def calibration_estimate(
    probs: np.ndarray, labels: np.ndarray, n_bins: int = N_BINS, *, binning: Binning = "width", seed: int = 0
) -> Estimate:
    """The expected calibration error of the most probable class on all rows like these, debiased, with a 95% interval.

    What is estimated is the ECE of the population in the same bins,

        ECE = sum_b |E[(right - confidence) 1(confidence in bin b)]|,

    of which `calibration_error` is the plug-in figure: too large on average, by up to the floor where the model is
    calibrated. The interval inverts tests. For each candidate E, the gaps of the bins are moved as little as possible
    (in standard errors) until they sum to E; rows are drawn with these gaps; and E is in the interval if the plug-in
    figure of such rows is as small, and as large, as the observed one in more than 2.5% of the draws. The lower end is
    0 where consistency resampling does not reject calibration at 2.5% (`calibration_p_value`). The value is the E
    whose draws show the observed figure on average; 0 if those of calibrated probabilities show as much.

    The interval is approximate: which bins the gaps lie in is estimated, and bins of equal mass are taken as these rows
    form them. Arguments and errors are those of `calibration_error`, and the seed of the draws.

    Example:
        >>> probs, labels = np.tile([[0.9, 0.1]], (400, 1)), np.repeat([0, 1], [280, 120])  # right in 70%
        >>> found = calibration_estimate(probs, labels)
        >>> round(found.value, 2), found.low < 0.17, found.high > 0.23
        (0.2, True, True)

    Reference: Kumar, Liang and Ma (2019), Verified uncertainty calibration (the bias); Chuang and Lai (2000), Hybrid
    resampling methods for confidence intervals (the inversion); Sun et al. (2024), A confidence interval for the l2
    expected calibration error (why no bootstrap of the figure itself can do near 0).
    """
    return estimated(*most_probable(probs, labels), n_bins, binning, seed)


def event_calibration_estimate(
    probability: np.ndarray, inside: np.ndarray, n_bins: int = N_BINS, *, binning: Binning = "width", seed: int = 0
) -> Estimate:
    """The calibration error of an event's probability on all rows like these, debiased, with a 95% interval.

    As `calibration_estimate`, of the figure of `event_calibration_error`.

    Example:
        >>> found = event_calibration_estimate(np.full(400, 0.5), np.arange(400) < 200)
        >>> found.value, found.low, 0.02 < found.high < 0.06
        (0.0, 0.0, True)
    """
    return estimated(*event(probability, inside), n_bins, binning, seed)


def estimated(
    confidence: np.ndarray,
    right: np.ndarray,
    n_bins: int,
    binning: Binning,
    seed: int,
    chance: np.ndarray | None = None,
) -> Estimate:
    """The debiased ECE of any confidences in [0, 1], with how often (0 or 1 per row) each came true.

    `chance` are the errors of calibrated probabilities, where they were drawn before.
    """
    chance = chance_errors(confidence, n_bins, binning, seed) if chance is None else chance
    bins = Bins.of(confidence, right, n_bins, binning)
    return inverted(bins.gaps.total, chance, bins.drawing(seed), bins.gaps.most)


class CalibrationFigures(TypedDict):
    """The debiased ECE, the plug-in figure, what chance alone would show, and the p-value of calibration."""

    ece: Estimate
    ece_plugin: float
    ece_floor: Estimate
    calibration_p: float


def calibration_figures(confidence: np.ndarray, right: np.ndarray, seed: int) -> CalibrationFigures:
    """These figures from the same draws, by their names in an evaluation."""
    chance = chance_errors(confidence, N_BINS, "width", seed)
    seen = mean_gap(confidence, right, N_BINS, "width")
    return {
        "ece": estimated(confidence, right, N_BINS, "width", seed, chance),
        "ece_plugin": seen,
        "ece_floor": spread(chance),
        "calibration_p": p_value(seen, chance),
    }


def inverted(seen: float, chance: np.ndarray, draw: Callable[[float], np.ndarray], most: float) -> Estimate:
    """The estimate and interval of an error by the plug-in figure that it leads to, of which one was seen.

    `chance` are figures of calibrated probabilities; `draw` makes figures of rows with an error, at most `most`.
    """
    slack = 1e-9  # figures that differ by rounding alone are equal
    low = value = 0.0
    if p_value(seen, chance) <= TAIL:
        low = boundary(lambda error: float((draw(error) >= seen - slack).mean()) > TAIL, 0.0, seen)
    if chance.mean() < seen:
        value = boundary(lambda error: float(draw(error).mean()) >= seen, 0.0, seen)
    end = min(most, 2 * seen + 4 * float(chance.max()) + 0.01)
    while end < most and float((draw(end) <= seen + slack).mean()) > TAIL:
        end = min(most, 2 * end)
    high = boundary(lambda error: float((draw(error) <= seen + slack).mean()) <= TAIL, seen, end)
    return Estimate(value, min(low, value), max(high, value))


def boundary(beyond: Callable[[float], bool], low: float, high: float, steps: int = _STEPS) -> float:
    """Where what is false at `low` and true at `high` turns."""
    for _ in range(steps):
        middle = (low + high) / 2
        low, high = (low, middle) if beyond(middle) else (middle, high)
    return (low + high) / 2


@dataclass(frozen=True)
class Gaps:
    """The gap of each bin (its share of the rows times accuracy minus confidence), and how surely it is known.

    Variances are above 0; a gap can lie as far `below` 0 as where no row of the bin is right, and as far `above` as
    where all are.
    """

    gap: np.ndarray
    variance: np.ndarray
    below: np.ndarray
    above: np.ndarray

    @property
    def total(self) -> float:
        """The plug-in ECE."""
        return float(np.abs(self.gap).sum())

    @property
    def most(self) -> float:
        """The largest ECE that these confidences can have."""
        return float(np.maximum(self.below, self.above).sum())

    def at(self, error: float) -> np.ndarray:
        """The gaps that sum to this error, as near to the observed ones as can be, in standard errors.

        A smaller error shrinks each gap toward 0 by the same multiple of its variance; a larger one stretches it.
        Where the sign of a gap is in doubt, it is stretched to the side where there is more room.
        """
        size = np.abs(self.gap)
        if error <= self.total:
            return np.sign(self.gap) * _solve(lambda by: np.maximum(size - by * self.variance, 0.0), error)
        clear = size > _CLEAR * np.sqrt(self.variance)
        down = np.where(clear, self.gap < 0, self.below >= self.above)
        room = np.maximum(np.where(down, self.below, self.above), size)
        return np.where(down, -1.0, 1.0) * _solve(lambda by: np.minimum(size + by * self.variance, room), error)


def _solve(sizes: Callable[[float], np.ndarray], error: float) -> np.ndarray:
    """The sizes that sum to the error, where the sum is monotone in the argument."""
    rising = sizes(1.0).sum() > sizes(0.0).sum()
    low, high = 0.0, 1.0
    while (sizes(high).sum() < error if rising else sizes(high).sum() > error) and high < 1e18:
        low, high = high, 4 * high
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if (sizes(middle).sum() < error) == rising else (low, middle)
    return sizes(high)


@dataclass(frozen=True)
class Bins:
    """Bins of rows: their shares, mean confidences and gaps; only those that hold a row."""

    n: int
    share: np.ndarray
    confidence: np.ndarray
    gaps: Gaps

    @classmethod
    def of(cls, confidence: np.ndarray, right: np.ndarray, n_bins: int, binning: Binning) -> "Bins":
        """The bins of any confidences in [0, 1], with how often (0 or 1 per row) each came true."""
        n, (bins, edges) = len(confidence), binned(confidence, n_bins, binning)

        def means(values: np.ndarray) -> np.ndarray:
            return np.bincount(bins, values, len(edges) - 1)[count > 0] / filled

        count = np.bincount(bins, minlength=len(edges) - 1)
        filled = count[count > 0]
        share, said, came = filled / n, means(confidence), means(right)
        # A bin where all are right has no spread, and yet its accuracy is not known exactly.
        least = filled / (filled + 1.0) ** 2
        variance = np.maximum.reduce([means(confidence * (1 - confidence)), came * (1 - came), least])
        gaps = Gaps(share * (came - said), share * variance / n, share * said, share * (1 - said))
        return cls(n, share, said, gaps)

    def drawing(self, seed: int) -> Callable[[float], np.ndarray]:
        """What draws plug-in errors of as many rows with an error, (1000,), always alike but for the error: the gaps
        are as near to the observed ones as can be."""
        rng = np.random.default_rng(seed)
        count = rng.multinomial(self.n, self.share / self.share.sum(), size=DRAWS)
        said, begun = count * self.confidence, rng.bit_generator.state

        def drawn(error: float) -> np.ndarray:
            rng.bit_generator.state = begun
            accuracy = np.clip(self.confidence + self.gaps.at(error) / self.share, 0.0, 1.0)
            return np.abs(rng.binomial(count, accuracy) - said).sum(axis=1) / self.n

        return drawn
