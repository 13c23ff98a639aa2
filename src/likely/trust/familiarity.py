"""Whether a row looks like what was trained on: class-conditional Gaussians on hidden features, and energy.

    d(x) = min_k (h - mu_k)^T S^-1 (h - mu_k)       h: hidden features, S: covariance within the classes
    e(x) = -log sum_k exp(score_k)
    u(x) = (log(1 + d(x)) - a) / s + (e(x) - b) / t      a, b and s, t: means and deviations over familiar rows; each
                                                         of the two parts counts as -3 at least

Neither of the two wins everywhere: the distance sees textures and noise that the last layer takes for a class, the
energy sees clear pictures of something else, which lie close to a class in most directions. Standardized, both count
the same without knowing what strange rows will look like. Ranks would do that too, but all rows beyond the reference
have the same rank; the logarithm makes distances nearly symmetric, so that a deviation describes them. A conformal
p-value over held-out rows, of which u knows nothing, turns the sum into a rate of false alarms.
"""

from collections.abc import Mapping

import numpy as np

from likely.errors import DataError, ShapeError
from likely.trust.conformal import rows_needed
from likely.trust.ties import STEP

UNFAMILIAR = 0.01
"""A p-value from which on a row is called unfamiliar: the rate of false alarms on familiar ones."""

_MOST_FAMILIAR = -3.0
_TINY = float(np.finfo(np.float64).tiny)

REFERENCE = 10_000
"""So many rows of the training part suffice for the Gaussians, and fewer of wide features."""
_LEAST_ROWS = 256
_WIDE = 1_024
"""Of more features than this the Gaussians are fitted to at most as many rows: S is then of low rank, beside a multiple
of the identity, and takes the eigenvectors of a matrix of rows by rows."""
_NUMBERS = 2**22
"""Of features that the Gaussians are fitted to, of directions that they keep, and of a piece of rows to measure."""
_MOST_DIRECTIONS = 512


def rows_for_familiarity(d: int) -> int:
    """So many rows of the training part suffice for the Gaussians of d features.

    Example:
        >>> rows_for_familiarity(128), rows_for_familiarity(784), rows_for_familiarity(12_288)
        (10000, 5349, 341)
    """
    return max(_LEAST_ROWS, min(_NUMBERS // d, REFERENCE if d <= _WIDE else _WIDE))


def fit_familiarity(features: np.ndarray, Y: np.ndarray) -> dict[str, np.ndarray]:
    """The Gaussians of the classes, in closed form: means and one covariance within the classes.

        mu_k = sum_i y_ik h_i / sum_i y_ik,    S = sum_ik y_ik (h_i - mu_k)(h_i - mu_k)^T / n

    S is shrunk towards a multiple of the identity by the oracle approximating formula, so that it can be inverted
    from few rows, too; features are standardized before. What never varies in training keeps its unit: a row where
    it does vary is strange.

    With fewer rows than features, S is known by the r directions V in which the rows vary at all; they are the
    eigenvectors of a matrix of rows by rows, so that memory and time grow with d and not with its square:

        S = V diag(l) V^T + m (I - V V^T)          m: the mean variance in all other directions, by shrinkage

    At most 512 directions are kept, and 2^22 / d; those of less variance count in m.

    Args:
        features: of rows that the network was trained on, shape (n, d).
        Y: their label distributions, shape (n, k).
    Returns:
        "shift" and "scale" (d,), "whitening" (d, d) and "means" (k, d): z = ((h - shift) / scale) @ whitening has unit
        covariance within the classes. With n < d, "directions" (d, r), "variances" (r,) and "rest" (1,) in place of
        the whitening, that is V, l and m, and the means as they are after shift and scale.
    Raises:
        ShapeError, DataError: if shapes do not fit or a feature is not finite.

    Example:
        >>> features = np.random.default_rng(0).normal(size=(100, 3))
        >>> stats = fit_familiarity(features, np.ones((100, 1)))
        >>> stats["whitening"].shape, stats["means"].shape
        ((3, 3), (1, 3))
        >>> stats = fit_familiarity(features[:2], np.ones((2, 1)))
        >>> stats["directions"].shape
        (3, 1)

    Reference: Lee et al. (2018), A simple unified framework for detecting out-of-distribution samples, arXiv
    1807.03888; Chen et al. (2010), Shrinkage algorithms for MMSE covariance estimation (the formula); Tipping and
    Bishop (1999), Probabilistic principal component analysis (what is left beside the directions).
    """
    H, Y = _finite(features, "features"), np.asarray(Y, dtype=np.float64)
    if Y.ndim != 2 or len(Y) != len(H) or not len(H):
        raise ShapeError(f"Y must have a row per row of features; got {Y.shape} for features of {H.shape}.")
    n, d = H.shape
    shift, deviation = H.mean(axis=0), H.std(axis=0)
    scale = _or_one(deviation, shift)
    H = (H - shift) / scale
    counts = Y.sum(axis=0)
    means = (Y.T @ H) / np.maximum(counts, _TINY)[:, None]
    seen = counts > 0  # a class without rows has no place to be near to
    if n < d:
        found = _few_directions(_residuals(H, Y, means), n)
        return {"shift": shift, "scale": scale, **found, "means": means[seen].astype(np.float32)}
    within = (H.T @ H - (means * counts[:, None]).T @ means) / n
    trace, squares = float(np.trace(within)), float(np.square(within).sum())
    values, directions = np.linalg.eigh(within)
    whitening = directions / np.sqrt(_shrunk(values, _shrinkage(trace, squares, n, d), trace / d))
    return {"shift": shift, "scale": scale, "whitening": whitening, "means": means[seen] @ whitening}


def with_reference(stats: Mapping[str, np.ndarray], features: np.ndarray, scores: np.ndarray) -> dict[str, np.ndarray]:
    """The same statistics with the usual size of distances and energies over familiar rows.

    Args:
        stats: from `fit_familiarity`.
        features: of rows trained on, or held out for this alone, shape (m, d): rows that set the usual size and the
            p-values as well would make the p-values' promise approximate.
        scores: theirs before the head, shape (m, k).
    Returns:
        The statistics with those of `usual_size`.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> stats = fit_familiarity(rng.normal(size=(100, 3)), np.ones((100, 1)))
        >>> stats = with_reference(stats, rng.normal(size=(20, 3)), rng.normal(size=(20, 2)))
        >>> stats["center"].shape, stats["spread"].shape
        ((2,), (2,))
    """
    return {**stats, **usual_size(distance(stats, features), energy(scores))}


def usual_size(distances: np.ndarray, energies: np.ndarray) -> dict[str, np.ndarray]:
    """Means and deviations of log(1 + distance) and of the energy over familiar rows.

    Args:
        distances: from `distance`, shape (m,).
        energies: from `energy`, of the same rows, shape (m,).
    Returns:
        "center" (2,) and "spread" (2,); the spread of what never varies is 1.
    Raises:
        ShapeError: if there are not as many energies as distances, or none.

    Example:
        >>> usual_size(np.array([0.0, 0.0]), np.array([-3.0, 1.0]))
        {'center': array([ 0., -1.]), 'spread': array([1., 2.])}
    """
    if not len(distances):
        raise ShapeError(
            "The usual size must come from a row or more; got 0. Without any nothing is usual. Try to hold some out."
        )
    measured = _measured(distances, energies)
    center, deviation = measured.mean(axis=0), measured.std(axis=0)
    return {"center": center, "spread": _or_one(deviation, center)}


def combined(stats: Mapping[str, np.ndarray], distances: np.ndarray, energies: np.ndarray) -> np.ndarray:
    """u(x) from its two parts, shape (n,): larger is stranger.

    Each part counts in its deviations from the usual size, and at least as -3: far away from everything that was
    trained on, an energy can be as low as it likes, and must not make up for the distance.

    Args:
        stats: with what `usual_size` found.
        distances: from `distance`, shape (n,).
        energies: from `energy`, shape (n,).

    Example:
        >>> usual = {"center": np.array([0.0, -1.0]), "spread": np.array([1.0, 2.0])}
        >>> combined(usual, np.array([0.0]), np.array([3.0]))
        array([2.])
    """
    parts = (_measured(distances, energies) - stats["center"]) / stats["spread"]
    return np.maximum(parts, _MOST_FAMILIAR).sum(axis=1)


def distance(stats: Mapping[str, np.ndarray], features: np.ndarray) -> np.ndarray:
    """The squared Mahalanobis distance to the nearest class, shape (n,).

    Example:
        >>> stats = {"shift": np.zeros(2), "scale": np.ones(2), "whitening": np.eye(2), "means": np.zeros((1, 2))}
        >>> distance(stats, np.array([[3.0, 4.0]]))
        array([25.])
    """
    d = len(stats["shift"])
    if np.ndim(features) != 2 or np.shape(features)[1] != d:
        raise ShapeError(f"features must have {d} columns like those learned from; got {np.shape(features)}.")
    measure = _by_whitening if "whitening" in stats else _by_directions
    size = max(1, _NUMBERS // d)
    parts = [
        measure(stats, (_finite(features[at : at + size], "features", at) - stats["shift"]) / stats["scale"])
        for at in range(0, max(1, len(features)), size)
    ]
    return np.concatenate(parts)


def _by_whitening(stats: Mapping[str, np.ndarray], H: np.ndarray) -> np.ndarray:
    return np.maximum(_squares(H @ stats["whitening"], stats["means"]).min(axis=1), 0.0)


def _by_directions(stats: Mapping[str, np.ndarray], H: np.ndarray) -> np.ndarray:
    """(h - mu)^T S^-1 (h - mu) = |h - mu|^2 / m + sum_j (v_j^T (h - mu))^2 (1 / l_j - 1 / m)."""
    V, rest = stats["directions"], float(stats["rest"][0])
    means = stats["means"].astype(np.float64)
    inside = 1 / stats["variances"] ** 0.5
    along, all_of_it = _squares((H @ V) * inside, (means @ V) * inside), _squares(H, means)
    beside = np.maximum(all_of_it - _squares(H @ V, means @ V), 0.0)
    return np.maximum((along + beside / rest).min(axis=1), 0.0)


def _squares(Z: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Squared distances (n, k)."""
    return np.einsum("nd,nd->n", Z, Z)[:, None] - 2 * Z @ means.T + np.einsum("kd,kd->k", means, means)


def energy(scores: np.ndarray) -> np.ndarray:
    """-log sum_k exp(score_k), shape (n,): high where no class has a high score.

    A score of -inf masks a class, which then adds nothing; a row must have another.

    Example:
        >>> energy(np.array([[0.0, 0.0]])).round(4)
        array([-0.6931])

    Reference: Liu et al. (2020), Energy-based out-of-distribution detection, arXiv 2010.03759.
    """
    S = _finite(scores, "scores", masked=True)
    top = S.max(axis=1)
    return -(top + np.log(np.exp(S - top[:, None]).sum(axis=1)))


def unfamiliarity(stats: Mapping[str, np.ndarray], features: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """u(x), shape (n,): larger is stranger, and the sum of how many deviations both parts lie above their mean.

    Args:
        stats: from `fit_familiarity` and `with_reference`.
        features: shape (n, d).
        scores: before the head, shape (n, k).
    Raises:
        ShapeError, DataError: if shapes do not fit or a number is not finite.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> stats = fit_familiarity(rng.normal(size=(100, 3)), np.ones((100, 1)))
        >>> stats = with_reference(stats, rng.normal(size=(20, 3)), rng.normal(size=(20, 2)))
        >>> near, far = unfamiliarity(stats, np.array([[0.0, 0.0, 0.0], [9.0, 9.0, 9.0]]), np.zeros((2, 2)))
        >>> bool(near < far)
        True
    """
    return combined(stats, distance(stats, features), energy(scores))


def familiarity_p_values(strangeness: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """The conformal p-value (1 + how many of m held-out rows are at least as strange) / (m + 1), shape (n,).

    For a row that is exchangeable with the held-out ones P(p <= a) <= a, for every a and m, over the draw of all of
    them; not for every kind of familiar row, nor for every draw of held-out rows. What differs by rounding alone (1e-5
    of its size) counts as equal.

    Args:
        strangeness: shape (n,).
        held_out: that of held-out rows, sorted, shape (m,).

    Example:
        >>> familiarity_p_values(np.array([0.0, 2.5, 9.0]), np.array([1.0, 2.0, 3.0]))
        array([1.  , 0.5 , 0.25])

    Reference: Vovk, Gammerman and Shafer (2005), Algorithmic learning in a random world, ch. 2.
    """
    m, least = len(held_out), strangeness - STEP * (1.0 + np.abs(strangeness))
    return (1.0 + m - np.searchsorted(held_out, least, side="left")) / (m + 1.0)


def rows_needed_to_alarm(alarm: float = UNFAMILIAR) -> int:
    """The fewest held-out rows m with which a p-value can be this small: 1 / (m + 1) <= alarm.

    With fewer, nothing is ever called unfamiliar at that rate of false alarms.

    Raises:
        ConfigError: if the rate is not strictly between 0 and 1.

    Example:
        >>> rows_needed_to_alarm(0.01), rows_needed_to_alarm(0.05)
        (99, 19)
    """
    return rows_needed(1 - alarm)


def _measured(distances: np.ndarray, energies: np.ndarray) -> np.ndarray:
    """The two parts on scales where a deviation means something, shape (n, 2)."""
    if np.shape(distances) != np.shape(energies) or np.ndim(distances) != 1:
        raise ShapeError(
            f"There must be an energy per distance; got energies of shape {np.shape(energies)} for distances of shape "
            f"{np.shape(distances)}. Both are of the same rows. Try measuring them from one forward pass."
        )
    return np.stack([np.log1p(distances), energies], axis=1)


def _or_one(deviation: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """The deviation, or 1 where it is none but for rounding."""
    return np.where(deviation > 1e-7 * np.maximum(1.0, np.abs(mean)), deviation, 1.0)


def _residuals(H: np.ndarray, Y: np.ndarray, means: np.ndarray) -> np.ndarray:
    """R with R^T R = sum_ik y_ik (h_i - mu_k)(h_i - mu_k)^T = H^T A H,  A = I - Y diag(1 / counts) Y^T."""
    if np.isin(Y, (0.0, 1.0)).all():
        return H - Y @ means
    A = np.diag(Y.sum(axis=1)) - (Y / np.maximum(Y.sum(axis=0), _TINY)) @ Y.T
    values, vectors = np.linalg.eigh(A)
    return (vectors * np.sqrt(np.maximum(values, 0.0))).T @ H


def _few_directions(R: np.ndarray, n: int) -> dict[str, np.ndarray]:
    """V, l and m of S = R^T R / n after shrinkage, from the eigenvectors U of R R^T / n: V = R^T U / sqrt(n l)."""
    d = R.shape[1]
    values, left = np.linalg.eigh(R @ R.T / n)
    values, left = np.maximum(values[::-1], 0.0), left[:, ::-1]
    trace = float(values.sum())
    count = min(_MOST_DIRECTIONS, max(1, _NUMBERS // d), int((values > 1e-10 * values[0]).sum()))
    kept = values[:count]
    V = R.T @ (left[:, :count] / np.sqrt(n * kept))
    rate = _shrinkage(trace, float(np.square(values).sum()), n, d)
    rest = max(0.0, trace - float(kept.sum())) / (d - count)
    shrunk = _shrunk(np.append(kept, rest), rate, trace / d)
    return {"directions": V.astype(np.float32), "variances": shrunk[:-1], "rest": shrunk[-1:]}


def _shrunk(values: np.ndarray, rate: float, mean: float) -> np.ndarray:
    """The eigenvalues of (1 - r) S + r mean I; all 1 where nothing varies."""
    if mean <= 1e-12:  # of standardized features: no class has two rows that differ
        return np.ones_like(values)
    return np.maximum((1 - rate) * values + rate * mean, _TINY)


def _shrinkage(trace: float, squares: float, n: int, d: int) -> float:
    """The oracle approximating r of (1 - r) S + r (tr S / d) I, from tr S and the sum of the squares of S."""
    gap = (n + 1 - 2 / d) * (squares - trace**2 / d)
    return 1.0 if gap <= 0 else min(1.0, ((1 - 2 / d) * squares + trace**2) / gap)


def _finite(values: np.ndarray, name: str, first: int = 0, *, masked: bool = False) -> np.ndarray:
    """The same values as float64, once each is seen to be finite; or some of a row -inf, where they may be masked."""
    checked = np.asarray(values, dtype=np.float64)
    if checked.ndim != 2:
        raise ShapeError(f"{name} must have shape (n, d); got {checked.shape}.")
    finite = np.isfinite(checked).all(axis=1)
    if masked and not finite.all():
        finite = (checked < np.inf).all(axis=1) & (checked > -np.inf).any(axis=1)
    if not finite.all():
        raise DataError(f"{name} must be finite; got NaN or infinity in row {first + int((~finite).argmax())}.")
    return checked
