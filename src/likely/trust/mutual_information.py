"""Doubt in two parts: how much several models that answer together disagree.

    H(mean_m P_m)  =  mean_m H(P_m)  +  I(label; member)            in nats
    doubt             of each alone     disagreement

What each member doubts by itself, more rows like these would not take away: the labels overlap. Members differ where
rows say little of x, and more of them there would bring them together: I, the mutual information of the label and of a
member drawn at random, is 0 where all say the same, and log M at most.

Reference: Houlsby et al. (2011), Bayesian active learning for classification, arXiv 1112.5745; Depeweg et al. (2018),
Decomposition of uncertainty in Bayesian deep learning, arXiv 1710.07283.
"""

from collections.abc import Sequence

import numpy as np
import scipy

from likely.errors import ShapeError


def disagreement(probs: Sequence[np.ndarray] | np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """I = sum_m a_m KL(P_m || sum_m a_m P_m) in nats, shape (n,), of what M members answer.

    Args:
        probs: probabilities (n, k) of each member.
        weights: a_m, non-negative, with sum 1, shape (M,); None for 1 / M each.
    Raises:
        ShapeError: if there is no member, or members answer in different shapes.
    Example:
        >>> sure, other, unsure = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), np.array([[0.5, 0.5]])
        >>> disagreement([sure, other]).round(4), disagreement([unsure, unsure])
        (array([0.6931]), array([0.]))
    """
    shapes = {np.shape(each) for each in probs}
    if len(shapes) != 1 or len(next(iter(shapes))) != 2:
        raise ShapeError(f"probs must hold an array (n, k) per member, all of one shape; got {sorted(shapes)}.")
    P = np.asarray(probs, dtype=np.float64)
    a = np.full(len(P), 1 / len(P)) if weights is None else np.asarray(weights, dtype=np.float64)
    mean = np.einsum("m,mnk->nk", a, P)
    entropies = -scipy.special.xlogy(P, P).sum(axis=2)
    return np.maximum(-scipy.special.xlogy(mean, mean).sum(axis=1) - a @ entropies, 0.0)
