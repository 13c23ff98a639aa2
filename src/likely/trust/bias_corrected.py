"""One temperature and a bias per class: repairs how often classes are answered, which a temperature alone cannot."""

from typing import NamedTuple

import numpy as np

from likely.arrays import Weights
from likely.errors import ConfigError, ShapeError
from likely.trust.temperature import FLATTEST, IMPOSSIBLE, SHARPEST, apply_temperature, fit_temperature

PULL = 1.0
"""How strongly biases are drawn to where they start: 1 / variance of what is expected of them, in nats^-2."""

_FOLDS = 5
_LEAST_ROWS = 4 * _FOLDS


class Calibration(NamedTuple):
    """What turns scores into calibrated log-probabilities: log softmax(scores / temperature + biases), biases (k,)."""

    temperature: float
    biases: np.ndarray | None = None

    def apply(self, scores: np.ndarray) -> np.ndarray:
        """Log-probabilities of scores (n, k): shape (n, k), float64."""
        return apply_temperature(scores, self.temperature, self.biases)

    def undone(self, log_probs: np.ndarray) -> np.ndarray:
        """Scores (n, k) of which `apply` makes these log-probabilities."""
        return self.temperature * (log_probs - (0.0 if self.biases is None else self.biases))


def fit_calibration(
    scores: np.ndarray, labels: np.ndarray, weights: Weights = None, *, start: np.ndarray | None = None, seed: int = 0
) -> Calibration:
    """A temperature, with biases of the classes where held-out rows support them.

    A bias per class costs about k / (2 n) nats where it is not needed. So both are compared in 5 folds: biases are
    taken if the mean gain in log-loss on left-out rows is more than its standard error. Where even the rows fitted to
    would gain less than (k - 1) / n nats (Akaike 1974), that is not tried: to second order the gain is g H^-1 g / 2,
    with the slope g and the curvature H of the mean loss in the biases (Rao's score test).

    Args:
        scores, labels, weights: as for `fit_temperature`.
        start: biases that are known beforehand, such as log(new / old class frequencies), shape (k,). A temperature
            alone keeps them; fitted biases are drawn to them.
        seed: of the folds.
    Raises:
        ShapeError, DataError, ProbabilityError: if shapes do not fit or a value is out of range; naming the row.
    Example:
        >>> rng = np.random.default_rng(0)
        >>> balanced = np.log(rng.dirichlet([1.0, 1.0], size=400))
        >>> tilted = apply_temperature(balanced, 1.0, np.array([2.0, 0.0]))      # class 0 comes more often
        >>> labels = (rng.random(400) > np.exp(tilted[:, 0])).astype(int)
        >>> found = fit_calibration(balanced, labels)
        >>> bool(1.5 < found.biases[0] - found.biases[1] < 2.5)
        True
        >>> fit_calibration(tilted, labels).biases is None
        True

    Reference: Alexandari, Kundaje and Shrikumar (2020), Maximum likelihood with bias-corrected calibration is
    hard-to-beat at label shift adaptation, arXiv 1901.06852.
    """
    plain = _fit_temperature(scores, labels, weights, start)
    scores, labels = np.asarray(scores), np.asarray(labels)
    n = len(scores)
    if n < _LEAST_ROWS or scores.shape[1] < 2:
        return plain
    shares = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    Y = _distributions(labels, scores.shape[1]) * _possible(scores)
    p, counted = np.exp(plain.apply(scores)), shares / shares.sum()
    slope = counted @ (Y - p)
    curvature = np.diag(counted @ p) - (p * counted[:, None]).T @ p + np.eye(p.shape[1]) / n
    if 0.5 * float(slope @ np.linalg.solve(curvature, slope)) <= (Y.shape[1] - 1) / n:
        return plain
    fold, gains = np.random.default_rng(seed).permutation(n) % _FOLDS, np.zeros(n)
    for number in range(_FOLDS):
        rest, left_out = fold != number, fold == number
        if not shares[rest].any():
            return plain
        some = None if weights is None else shares[rest]
        without = _fit_temperature(scores[rest], labels[rest], some, start)
        biased = _fit(scores[rest], labels[rest], some, start, without)
        gains[left_out] = (Y[left_out] * (biased.apply(scores[left_out]) - without.apply(scores[left_out]))).sum(axis=1)
    total = shares.sum()
    gain = float(shares @ gains) / total
    error = float(np.sqrt(np.square(shares * (gains - gain)).sum())) / total
    return _fit(scores, labels, weights, start, plain) if gain > error else plain


def fit_among(
    came: np.ndarray,
    scores: np.ndarray,
    labels: np.ndarray,
    *,
    start: np.ndarray | None = None,
    temperature: float = 1.0,
) -> Calibration:
    """`fit_calibration` among the classes that came in the rows at all; the others keep their bias.

    Rows without a class do not say how often it comes: they may be sorted, or chosen. So P(y | x, y among those that
    came) is calibrated, and the mean bias of those that came stays what it was: on average over them, the odds of the
    other classes change by the temperature alone. With one class there is nothing to compare, and nothing changes.

    `came` (k,) says which classes have a row; true distributions (n, k) give the others nothing. The temperature is
    kept if only one came. Other arguments are those of `fit_calibration`.

    Example:
        >>> scores = np.zeros((100, 3))
        >>> found = fit_among(np.array([True, True, False]), scores, np.repeat([0, 1], [80, 20]))
        >>> np.exp(found.apply(scores))[0].round(2)
        array([0.56, 0.15, 0.29])
    """
    if came.all():
        return fit_calibration(scores, labels, start=start)
    if came.sum() < 2:
        return Calibration(temperature, start)
    of_came = np.cumsum(came) - 1
    among = labels[:, came] if labels.ndim == 2 else of_came[labels]
    found = fit_calibration(scores[:, came], among, start=None if start is None else start[came])
    if found.biases is None:
        return found
    biases = np.zeros(len(came)) if start is None else np.array(start, dtype=np.float64)
    biases[came] = found.biases
    return Calibration(found.temperature, biases)


def fit_bias_corrected(
    scores: np.ndarray,
    labels: np.ndarray,
    weights: Weights = None,
    *,
    start: np.ndarray | None = None,
    pull: float = PULL,
    mistakes: float = 0.5,
) -> Calibration:
    """The temperature T and biases b under which softmax(scores / T + b) gives held-out labels the highest likelihood.

    Minimizes, jointly convex in 1/T and b,

        mean_i [log sum_k exp(s_ik / T + b_k) - sum_k y'_ik (s_ik / T + b_k)] + pull / (2 n) sum_k (b_k - start_k)^2

    with the cautious labels y' of `fit_temperature`. The pull is that of a normal prior of variance 1 / pull: a class
    with many rows goes where they say, a class without rows stays near its start. Biases sum to what `start` sums to.

    Args:
        scores, labels, weights, mistakes: as for `fit_temperature`.
        start, pull: what the biases are drawn to, shape (k,), None for 0, and how strongly, in nats^-2, above 0.
    Raises:
        ShapeError, DataError, ProbabilityError: if shapes do not fit or a value is out of range; naming the row.
        ConfigError: if `pull` is not positive or `mistakes` negative.
    Example:
        >>> scores = np.log(np.full((100, 2), 0.5))
        >>> found = fit_bias_corrected(scores, np.repeat([0, 1], [80, 20]))
        >>> np.exp(found.apply(scores))[0].round(2)
        array([0.79, 0.21])

    Reference: Alexandari, Kundaje and Shrikumar (2020), arXiv 1901.06852.
    """
    if not 0 < pull < np.inf:
        raise ConfigError(f"pull must be a positive finite number; got {pull}. Try {PULL}.")
    plain = _fit_temperature(scores, labels, weights, start, mistakes)
    return _fit(scores, labels, weights, start, plain, pull, mistakes)


def _fit_temperature(
    scores: np.ndarray, labels: np.ndarray, weights: Weights, start: np.ndarray | None, mistakes: float = 0.5
) -> Calibration:
    """The temperature alone, the biases kept."""
    temperature = fit_temperature(scores, labels, weights, mistakes=mistakes)
    if start is None:
        return Calibration(temperature)
    start = np.asarray(start, dtype=np.float64)
    if start.shape != np.shape(scores)[1:] or not np.isfinite(start).all():
        raise ShapeError(
            f"start must be one finite bias for each of {np.shape(scores)[1]} classes; got shape {start.shape}. "
            "Try None for none."
        )
    return _fit(scores, labels, weights, start, Calibration(temperature, start), None, mistakes)


def _fit(
    scores: np.ndarray,
    labels: np.ndarray,
    weights: Weights,
    start: np.ndarray | None,
    near: Calibration,
    pull: float | None = PULL,
    mistakes: float = 0.5,
) -> Calibration:
    """The minimum, sought from `near`; without a pull the biases stay at their start."""
    from scipy.optimize import minimize  # takes a tenth of a second to import

    scores, possible, k = np.asarray(scores, dtype=np.float64), _possible(scores), np.shape(scores)[1]
    Y = _distributions(np.asarray(labels), k) * possible
    mass = Y.sum(axis=1)
    shares = mass if weights is None else mass * weights  # a row whose own label is masked costs the same everywhere
    if not shares.any():
        return near
    shares = shares / shares.sum()
    counted = int(np.count_nonzero(shares))
    scores = np.where(possible, scores - scores.max(axis=1, keepdims=True), 0.0)
    unit = float(np.sqrt(shares @ np.square(scores).mean(axis=1))) or 1.0  # so that 1/T and biases are of one size
    scores = scores / unit
    believed = _cautious(Y / np.where(mass > 0, mass, 1.0)[:, None], possible, mistakes / (counted + 2 * mistakes))
    believed *= shares[:, None]
    origin = np.zeros(k) if start is None else np.asarray(start, dtype=np.float64)
    true, came = float((believed * scores).sum()), believed.sum(axis=0)
    weight = 0.0 if pull is None else pull / counted

    def loss_and_gradient(point: np.ndarray) -> tuple[float, np.ndarray]:
        moved = point[1:]
        z = np.where(possible, point[0] * scores + (origin + moved), -np.inf)
        top = z.max(axis=1, keepdims=True)
        p = np.exp(z - top)
        total = p.sum(axis=1, keepdims=True)
        loss = float(shares @ (np.log(total) + top)[:, 0]) - point[0] * true - float(came @ (origin + moved))
        p *= shares[:, None] / total
        gradient = np.concatenate([[float((p * scores).sum()) - true], p.sum(axis=0) - came + weight * moved])
        return loss + 0.5 * weight * float(moved @ moved), gradient

    first = np.concatenate([[unit / near.temperature], np.zeros(k)])
    bounds = [(unit / FLATTEST, unit / SHARPEST), *[(0.0, 0.0) if pull is None else (None, None)] * k]
    options = {"maxiter": 2_000, "maxfun": 4_000, "ftol": 1e-15, "gtol": 1e-10}
    found = minimize(loss_and_gradient, first, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
    return Calibration(float(unit / found[0]), origin + found[1:])


def _cautious(Y: np.ndarray, possible: np.ndarray, doubt: float) -> np.ndarray:
    """True distributions (n, k), of which a share of doubt goes from each label to the other possible ones evenly."""
    others = possible.sum(axis=1, keepdims=True) - 1
    doubts = np.where(others > 0, doubt, 0.0)
    return (1 - doubts) * Y + doubts * np.where(possible, 1 - Y, 0.0) / np.maximum(others, 1)


def _possible(scores: np.ndarray) -> np.ndarray:
    """Which labels are not masked, shape (n, k)."""
    scores = np.asarray(scores)
    return scores >= scores.max(axis=1, keepdims=True) - IMPOSSIBLE


def _distributions(labels: np.ndarray, k: int) -> np.ndarray:
    return labels.astype(np.float64) if labels.ndim == 2 else np.eye(k)[labels]
