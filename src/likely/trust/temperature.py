"""One number that corrects confidence on average: dividing scores by a temperature fitted on held-out rows."""

import math
from collections.abc import Callable

import numpy as np

from likely.arrays import Weights
from likely.errors import ConfigError, DataError, ShapeError
from likely.functional.heads import log_softmax
from likely.metrics import at_labels
from likely.metrics.checks import finite_rows, refuse_negative
from likely.trust.unseen import mask_unseen, with_unseen

SHARPEST, FLATTEST = 0.05, 1000.0
"""The bounds of a fitted temperature. Sharpening claims knowledge, so it is bounded more tightly than flattening."""

IMPOSSIBLE = 1e8
"""A label whose score lies so far below the best of its row is masked: it has probability 0 at every temperature."""


def fit_temperature(scores: np.ndarray, labels: np.ndarray, weights: Weights = None, *, mistakes: float = 0.5) -> float:
    """The temperature T under which softmax(scores / T) gives held-out labels the highest likelihood.

    Minimizes the mean negative log-likelihood over b = 1/T, where it is convex:

        f(b)   = mean_i [log sum_k exp(b s_ik) - b s_i.y'_i]
        f'(b)  = mean_i [E_i(s) - s_i.y'_i],  f''(b) = mean_i Var_i(s),  moments under softmax(b s_i)

    by Newton's method for log mean_i E_i(s) = log mean_i s_i.y'_i, where the scores of each row are at most 0: the mean
    falls about exponentially in b, so that its logarithm is nearly straight. Steps stay inside a shrinking bracket. Few
    rows show few mistakes, perhaps none, and then sharpening
    looks better than it is. So each label is believed only as far as n rows can vouch for it, with m imagined mistakes
    and as many imagined successes, so that T from few rows is too large rather than too small:

        y' = (1 - e) y + e (1 - y) / (k - 1),  e = m / (n + 2 m)

    T is an estimate, without a distribution-free guarantee of calibration. A label that is masked has probability 0 at
    every temperature: k counts the others, and T rests on the rows whose own label is not masked. The result lies in
    [0.05, 1000]; scores that are equal within each row give 1. The likelihood of y' is never worse than at T = 1.

    Args:
        scores: log-probabilities or any scores, shape (n, k). Rows may be shifted: only differences count. A score of
            -inf, or 1e8 below the largest of its row, masks a label as impossible; not all of a row can be.
        labels: classes 0..k-1 of shape (n,), or true distributions of shape (n, k).
        weights: how much each row counts, nonnegative, shape (n,), or None. Rows that count at all are the n above.
        mistakes: m; 1/2 is the choice of Krichevsky and Trofimov, 1 the rule of succession, 0 believes the labels.
    Returns:
        T; above 1 the scores were overconfident.
    Raises:
        ShapeError, DataError, ProbabilityError: if shapes do not fit or a value is out of range; naming the row.
        ConfigError: if `mistakes` is not a number from 0 up.
    Example:
        >>> scores = np.log([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.9, 0.1]])
        >>> T = fit_temperature(scores, np.array([0, 0, 0, 1]))
        >>> np.exp(apply_temperature(scores, T))[0].round(4)  # 3 of 4 right, each label believed to 90%
        array([0.7, 0.3])

    Reference: Guo et al. (2017), On calibration of modern neural networks; Krichevsky and Trofimov (1981), The
    performance of universal encoding; Platt (1999), section 2.2 (targets that are not quite 0 and 1).
    """
    if not (math.isfinite(mistakes) and mistakes >= 0):
        raise ConfigError(f"mistakes must be a finite number, 0 or more; got {mistakes}. Try 0.5.")
    scores = _finite_scores(scores)
    shares = _shares(weights, len(scores))
    scores = scores - scores.max(axis=1, keepdims=True)  # so that no exponential overflows
    possible = scores >= -IMPOSSIBLE
    scale = float(-scores[possible].min())
    if not possible.all():
        mass = at_labels(possible.astype(np.float64), labels)
        if not shares @ mass:
            return 1.0
        shares = shares * mass / (shares @ mass)
        # What counts nothing below: neither in sums of scores nor among exponentials, see `loss_and_slopes`.
        believed = at_labels(np.where(possible, scores, 0.0), labels) / np.where(mass > 0, mass, 1.0)
        others = np.where(possible, scores, 0.0).sum(axis=1) - believed
        scores = np.maximum(scores, -IMPOSSIBLE)
    else:
        believed = at_labels(scores, labels)
        others = scores.sum(axis=1) - believed
    n_others = possible.sum(axis=1) - 1
    doubt = np.where(n_others, mistakes / (np.count_nonzero(shares) + 2 * mistakes), 0.0)
    believed = (1 - doubt) * believed + doubt * others / np.maximum(n_others, 1)
    true = float(shares @ believed)

    of_each = np.ascontiguousarray(scores.T)  # sums of long rows take a fraction of the time of many short ones

    def loss_and_slopes(b: float) -> tuple[float, float, float]:
        p = np.exp(b * of_each)
        total = p.sum(axis=0)
        p *= of_each
        first = p.sum(axis=0) / total
        p *= of_each
        second = p.sum(axis=0) / total
        return (
            float(shares @ np.log(total)) - b * true,
            float(shares @ first) - true,
            float(shares @ np.maximum(second - first**2, 0.0)),
        )

    loss_at_1, slope, curvature = loss_and_slopes(1.0)
    if abs(slope) <= 1e-15 * scale:
        return 1.0
    b = _minimum(loss_and_slopes, slope, curvature, true)
    return 1.0 / b if loss_and_slopes(b)[0] <= loss_at_1 else 1.0


def apply_temperature(scores: np.ndarray, temperature: float, biases: np.ndarray | None = None) -> np.ndarray:
    """Log-probabilities log softmax(scores / T + biases), shape (n, k), float64.

    Without biases the order of the classes never changes, and for T = 1 log-probabilities come back as they were.

    Scores (n, k) of -inf mask a label; biases (k,) are one per class, as from `fit_bias_corrected`.

    Raises:
        ConfigError: if the temperature is not a positive finite number.
        ShapeError, DataError: if the scores are not numbers of shape (n, k), finite or -inf for masked labels, or the
            biases do not fit them.
    Example:
        >>> np.exp(apply_temperature(np.log([[0.8, 0.2]]), 2.0)).round(4)
        array([[0.6667, 0.3333]])
    """
    if not (math.isfinite(temperature) and temperature > 0):
        raise ConfigError(f"temperature must be a positive finite number; got {temperature}. Try fit_temperature.")
    with np.errstate(over="ignore"):  # of what is masked by the lowest number of all: -inf says the same
        scaled = _finite_scores(scores) / temperature
    if biases is None:
        return log_softmax(scaled)
    if np.shape(biases) != scaled.shape[1:]:
        raise ShapeError(f"biases must be one for each of {scaled.shape[1]} classes; got shape {np.shape(biases)}.")
    return log_softmax(scaled + biases)


def at_best_temperature(
    log_probs: np.ndarray, labels: np.ndarray, weights: Weights = None, stated: np.ndarray | None = None
) -> np.ndarray:
    """Log-probabilities under the temperature that fits these very rows best: one number, which knows no row by heart.

    Arguments as for `fit_temperature`. To the probability `stated` of each label that the network of a row was never
    shown, 0 for the others, (k,) or (n, k), no temperature is fitted, and none touches it: see `likely.trust.unseen`.

    Example:
        >>> scores = np.log([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.9, 0.1]])
        >>> np.exp(at_best_temperature(scores, np.array([0, 0, 0, 1])))[0].round(4)
        array([0.7, 0.3])
    """
    masked = log_probs if stated is None else mask_unseen(log_probs, stated)
    calibrated = apply_temperature(masked, fit_temperature(masked, labels, weights))
    return calibrated if stated is None else with_unseen(calibrated, stated)


def _minimum(f: Callable[[float], tuple[float, float, float]], slope: float, curvature: float, true: float) -> float:
    """Where the convex f, whose slopes at 1 are given, is least between 1/FLATTEST and 1/SHARPEST.

    `true` is the mean score of the labels, at most 0, so that slope + true is the mean score that f expects.
    """
    low, high = (1.0, 1 / SHARPEST) if slope < 0 else (1 / FLATTEST, 1.0)
    outer = high if slope < 0 else low
    outer_slope = f(outer)[1]
    if outer_slope * slope >= 0:  # still falling at the bound
        return outer
    b = 1.0
    for _ in range(200):
        expected = slope + true
        step = -expected * math.log(expected / true) / curvature if curvature > 0 and expected < 0 > true else math.inf
        if abs(step) <= 1e-12 * b:
            return b
        # Newton's step where it stays inside the bracket, else the middle on the logarithmic scale.
        b = moved if low < (moved := b + step) < high else math.sqrt(low * high)
        _, slope, curvature = f(b)
        low, high = (b, high) if slope < 0 else (low, b)
    return b


def _finite_scores(scores: np.ndarray) -> np.ndarray:
    if not np.size(scores):
        raise ShapeError(f"scores must be numbers of shape (n, k), at least one; got shape {np.shape(scores)}.")
    return finite_rows(scores, "scores", masked=True)


def _shares(weights: Weights, n: int) -> np.ndarray:
    """Weights that sum to 1."""
    if weights is None:
        return np.full(n, 1.0 / n)
    weights = np.asarray(weights)
    if weights.shape != (n,) or weights.dtype.kind not in "fiub":
        raise ShapeError(f"weights must be {n} numbers, one per row; got {weights.dtype} of shape {weights.shape}.")
    refuse_negative(weights, "weights")
    total = weights.sum(dtype=np.float64)
    if total <= 0:
        raise DataError("weights must not all be 0; got only zeros. Try weights=None.")
    return weights / total
