"""How much worse calibrated one model is than another on the same rows, debiased, with an interval."""

import numpy as np

from likely.metrics.calibration import N_BINS, binned
from likely.metrics.intervals import Estimate
from likely.metrics.miscalibration import DRAWS, TAIL, Bins, Gaps, boundary

_STEPS = 12


def calibration_difference(
    confidences: tuple[np.ndarray, np.ndarray], rights: tuple[np.ndarray, np.ndarray], seed: int
) -> tuple[float, float, Estimate]:
    """The debiased ECE of two models, and the second less the first with a 95% interval (bins of equal width).

    Plug-in figures cannot be compared as they are: a model whose confidences spread over more bins shows more by
    chance. A difference D is tested like this: both models are given the gaps of two ECEs that differ by D, as near to
    the two observed ones as possible; noise is drawn for both at once, with the covariance of the rows; and D is in the
    interval if the plug-in figures differ as much to either side in more than 2.5% of the draws.

    Args are a pair each: confidences (n,) of the first and the second model, and whether each came true, 0 or 1.

    Returns:
        The ECE of the first, of the second, and the difference.
    """
    pairs = list(zip(confidences, rights, strict=True))
    gaps = [Bins.of(confidence, right, N_BINS, "width").gaps for confidence, right in pairs]
    if gaps[1].total < gaps[0].total:  # so that the order of the models changes the sign and nothing else
        second, first, change = calibration_difference((confidences[1], confidences[0]), (rights[1], rights[0]), seed)
        return first, second, Estimate(0.0 - change.value, -change.high, -change.low)
    noise = _noise(gaps, pairs, seed)
    debiased = [_debiased(gap, part) for gap, part in zip(gaps, noise, strict=True)]
    first, second = debiased
    seen = gaps[1].total - gaps[0].total

    def drawn(difference: float) -> np.ndarray:
        base = max(0.0, -difference, (first + second - difference) / 2)
        errors = (base, base + difference)
        figures = [np.abs(g.at(e) + part).sum(axis=1) for g, e, part in zip(gaps, errors, noise, strict=True)]
        return figures[1] - figures[0]

    value = second - first
    # No difference lies further out: each gap, and its noise, would have to be the largest.
    reach = max(gaps[0].total, gaps[1].total) + 2 * float(max(np.abs(part).sum(axis=1).max() for part in noise))
    # Nor beyond 1, since an ECE lies between 0 and 1.
    least, most = max(value - reach, -1.0), min(value + reach, 1.0)
    low = boundary(lambda d: float((drawn(d) >= seen).mean()) > TAIL, least, value, _STEPS)
    high = boundary(lambda d: float((drawn(d) <= seen).mean()) <= TAIL, value, most, _STEPS)
    return first, second, Estimate(value, min(low, value), max(high, value))


def _noise(gaps: list[Gaps], pairs: list[tuple[np.ndarray, np.ndarray]], seed: int) -> list[np.ndarray]:
    """Normal noise of the gaps of both models together, shape (draws, bins) each."""
    n = len(pairs[0][0])
    rows = np.concatenate([_by_bin(*pair) for pair in pairs], axis=1)
    covariance = np.cov(rows, rowvar=False, bias=True).reshape(rows.shape[1], -1) / n
    # Where fewer rows were wrong than the confidence lets expect, the noise is as large as expected.
    least = np.concatenate([gap.variance for gap in gaps])
    covariance[np.diag_indices_from(covariance)] = np.maximum(np.diag(covariance), least)
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    drawn = np.random.default_rng(seed).normal(size=(DRAWS, len(values))) @ root.T
    return np.split(drawn, [len(gaps[0].gap)], axis=1)


def _by_bin(confidence: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Right less confidence of each row, in the column of its bin; bins without a row have none."""
    bins, _ = binned(confidence, N_BINS, "width")
    _, column = np.unique(bins, return_inverse=True)
    return (right - confidence)[:, None] * np.eye(column.max() + 1)[column]


def _debiased(gaps: Gaps, noise: np.ndarray) -> float:
    """The error whose figure is the observed one on average."""
    if np.abs(noise).sum(axis=1).mean() >= gaps.total:
        return 0.0

    def beyond(error: float) -> bool:
        return bool(np.abs(gaps.at(error) + noise).sum(axis=1).mean() >= gaps.total)

    return boundary(beyond, 0, gaps.total, _STEPS)
