"""Class frequencies from what a model answers to rows of each class: the soft confusion matrix, solved.

Under label shift, rows of class y look the same in the field and among held-out rows. So for every function g of a row

    mean of g in the field = sum_y q_y E[g | y],

whatever the model's probabilities are worth: held-out rows with labels tell E[g | y], and q follows. With the answers
under the likeliest q as g, this is as sharp as maximum likelihood where the model is calibrated, and right where not.
"""

from typing import NamedTuple

import numpy as np
import scipy

TRUST = 1.0
"""Rows per class that the model's own word counts for: what there is to go by for a class without held-out rows."""

SPREAD = 0.25
"""How far the likeliest frequencies may be off where held-out rows cannot tell: a standard deviation."""

_MISSES = 0.05  # the chance that a frequency lies outside its interval, of all classes together


class Solved(NamedTuple):
    """Class frequencies and the ends of their intervals, each of shape (k,)."""

    prior: np.ndarray
    low: np.ndarray
    high: np.ndarray


def solve_confusion(
    field: np.ndarray, held_out: np.ndarray, labels: np.ndarray, likeliest: np.ndarray, shares: np.ndarray
) -> Solved:
    """The frequencies q under which the mean answer in the field is that of held-out rows, sum_y q_y E[g | y].

    With the confusion matrix C, C_jy = mean of g_j over held-out rows of class y, and the mean answer mu in the field,
    q is the least of

        (mu - C q)^T S^-1 (mu - C q) + |q - likeliest|^2 / SPREAD^2,      q >= 0, sum_y q_y = 1,

    where S is the covariance of mu - C q: of the mean over field rows, and of the means over the held-out rows of each
    class, times q_y^2. The second term decides only what the rows cannot tell. Each class has one more row in C, with
    the model's own word for its distribution. Of the step from `likeliest` to q a share of (k - 3) / chi^2 is taken
    back (James and Stein), chi^2 being its squared length in standard errors: with many classes and few held-out rows
    most of it is chance. The intervals are around the whole step.

    The intervals follow from S by the delta method, with Student's quantile for as many degrees of freedom as the
    classes have rows (Satterthwaite), and Wilson's correction, since near 0 a frequency is not normal. All of them hold
    together with about 95% (Bonferroni, for k - 1 free frequencies), if P(x | y) stayed the same.

    Args:
        field, held_out: answers g to rows from the field, (n, k), each with sum 1, and to held-out rows, (m, k).
        labels: the classes of the held-out rows, shape (m,).
        likeliest: the frequencies to go back to, shape (k,).
        shares: how the field rows are distributed within each class by the model's own word, (n, k), columns of sum 1.
    Example:
        >>> right, wrong = np.array([0.8, 0.2]), np.array([0.2, 0.8])
        >>> held_out = np.stack([right] * 80 + [wrong] * 20 + [wrong] * 80 + [right] * 20)
        >>> field = np.stack([right] * 500 + [wrong] * 500)
        >>> shares = np.full((1000, 2), 1e-3)
        >>> found = solve_confusion(field, held_out, np.repeat([0, 1], 100), np.array([0.6, 0.4]), shares)
        >>> found.prior.round(2), found.low.round(2), found.high.round(2)
        (array([0.51, 0.49]), array([0.4 , 0.39]), array([0.61, 0.6 ]))

    References: Saerens, Latinne and Decaestecker (2002), section 2.3 (confusion matrices); Lipton, Wang and Smola
    (2018), Detecting and correcting for label shift with black box predictors, arXiv 1802.03916; Azizzadenesheli et
    al. (2019), Regularized learning for domain adaptation under label shifts, arXiv 1903.09734; James and Stein (1961),
    Estimation with quadratic loss.
    """
    n, k = field.shape
    if k == 1:
        return Solved(np.ones(1), np.ones(1), np.ones(1))
    counts = np.bincount(labels, minlength=k)
    rows = counts + TRUST
    told = shares.T @ field  # (k, k): by the model's own word, a row per class
    sums = np.zeros((k, k))
    np.add.at(sums, labels, held_out)
    means = (sums + TRUST * told) / rows[:, None]
    mean = field.mean(axis=0)

    # How much a row's deviation from its mean moves mu - C q, squared.
    q = np.maximum(likeliest, 1.0 / (n + k))
    of_class = np.square(q) / (rows * np.maximum(counts, 1))
    apart, weight = held_out - means[labels], of_class[labels]
    cross = (of_class[:, None] * told).T @ means
    of_told = (field * (shares @ of_class)[:, None]).T @ field - cross - cross.T + (of_class[:, None] * means).T @ means
    centered = field - mean
    S = centered.T @ centered / n**2 + (apart * weight[:, None]).T @ apart + TRUST * of_told

    # Frequencies sum to 1, and so do answers: k - 1 directions.
    basis = np.linalg.qr(np.column_stack([np.ones(k), np.eye(k)[:, 1:]]))[0][:, 1:]
    C, S = basis.T @ means.T @ basis, basis.T @ S @ basis
    S = S + np.eye(k - 1) * (1e-9 * np.trace(S) / (k - 1) + 1e-15)
    information = C.T @ np.linalg.solve(S, C)
    precision = information + np.eye(k - 1) / SPREAD**2
    gain = np.linalg.solve(precision, np.linalg.solve(S, C).T)
    step = gain @ basis.T @ (mean - means.T @ likeliest)
    free = likeliest + basis @ step
    kept = max(0.0, 1.0 - max(k - 3, 0) / max(float(step @ precision @ step), 1e-300))
    prior = _on_simplex(likeliest + kept * (basis @ step), basis, precision)

    variance = np.einsum("ij,jk,ik->i", basis, np.linalg.inv(precision), basis)
    moves = basis @ gain @ basis.T
    parts = np.zeros((k, k))
    np.add.at(parts, labels, weight[:, None] * np.square(apart @ moves.T))
    in_field, at_means, at_told = field @ moves.T, means @ moves.T, told @ moves.T
    parts += TRUST * of_class[:, None] * (shares.T @ np.square(in_field) - 2 * at_told * at_means + np.square(at_means))
    of_field = np.square(centered @ moves.T).sum(axis=0) / n**2
    squares = (np.square(parts) / np.maximum(counts, 1)[:, None]).sum(axis=0) + np.square(of_field) / n
    total = parts.sum(axis=0) + of_field
    freedom = np.where(squares > 0, np.square(total) / np.where(squares > 0, squares, 1.0), n)
    t = scipy.special.stdtrit(np.maximum(freedom, 1.0), 1 - _MISSES / 2 / (k - 1))
    # Nobody can tell a frequency better than by counting n labels.
    variance = np.maximum(variance, prior * (1 - prior) / n)
    half = t * np.sqrt(variance)
    shrink = 1 + t**2 / n
    center, wilson = (free + t**2 / (2 * n)) / shrink, t * np.sqrt(variance + np.square(t / (2 * n))) / shrink
    low = np.clip(np.minimum(free - half, center - wilson), 0.0, 1.0)
    high = np.clip(np.maximum(free + half, center + wilson), 0.0, 1.0)
    return Solved(prior, np.minimum(low, prior), np.maximum(high, prior))


def _on_simplex(free: np.ndarray, basis: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """The frequencies that lie nearest in this precision, none below 0."""
    if (free >= 0).all():
        return free / free.sum()
    from scipy.optimize import nnls

    root = np.linalg.cholesky(precision).T @ basis.T
    scale = 1e3 * np.abs(root).max()
    found = nnls(np.vstack([root, np.full(len(free), scale)]), np.append(root @ free, scale))[0]
    return found / found.sum()
