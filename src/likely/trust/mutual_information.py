"""Doubt in two parts: how much several models that answer together disagree.

    H(P)  =  H(label | member)  +  I(label; member)         P = sum_m a_m P_m         in nats
    doubt    of each alone         disagreement

What each member doubts by itself, more rows like these would not take away: the labels overlap. Members differ where
rows say little of x, and more of them there would bring them together: I, the mutual information of the label and of a
member drawn at random, is 0 where all say the same, and log M at most.

What answers is often not the mean itself, but a calibrated Q. How often each label comes is then another, and what a
label says of the member stays: the joint distribution is Q(label) a_m P_m(label) / P(label), and the parts are those of
H(Q). Calibrating each member in place of their mean would make of members that are unsure and agree others that are
sure and do not.

Reference: Houlsby et al. (2011), Bayesian active learning for classification, arXiv 1112.5745; Depeweg et al. (2018),
Decomposition of uncertainty in Bayesian deep learning, arXiv 1710.07283.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy

from likely.errors import ShapeError


class Doubt(NamedTuple):
    """The two parts of the entropy of a mean, in nats, shape (n,) each: their sum is all of it.

    Args:
        of_each: what each member doubts by itself, the mean of their entropies.
        disagreement: the mutual information of label and member.
    """

    of_each: np.ndarray
    disagreement: np.ndarray


def doubt_in_parts(
    probs: Sequence[np.ndarray] | np.ndarray, weights: np.ndarray | None = None, answers: np.ndarray | None = None
) -> Doubt:
    """Both parts of the entropy of what M members answer together.

    Args:
        probs: probabilities (n, k) of each member.
        weights: a_m, non-negative, with sum 1, shape (M,); None for 1 / M each.
        answers: Q (n, k), what is made of the mean of the members; None for the mean itself.
    Raises:
        ShapeError: if there is no member, or arrays have different shapes.
    Example:
        >>> of_each, disagreement = doubt_in_parts([[[1.0, 0.0]], [[0.5, 0.5]]])
        >>> of_each.round(4), disagreement.round(4)
        (array([0.3466]), array([0.2158]))
    """
    shapes = {np.shape(each) for each in probs} | ({np.shape(answers)} if answers is not None else set())
    if len(shapes) != 1 or len(next(iter(shapes))) != 2:
        raise ShapeError(f"probs must hold an array (n, k) per member, all of one shape; got {sorted(shapes)}.")
    P = np.asarray(probs, dtype=np.float64)
    a = np.full(len(P), 1 / len(P)) if weights is None else np.asarray(weights, dtype=np.float64)
    joint = a[:, None, None] * P
    mean = joint.sum(axis=0)
    Q = mean if answers is None else np.asarray(answers, dtype=np.float64)
    # A label that no member knows says nothing of them.
    joint = Q * np.divide(joint, mean, where=mean > 0, out=np.broadcast_to(a[:, None, None], P.shape).copy())
    of_each = (scipy.special.entr(joint).sum(axis=2) - scipy.special.entr(joint.sum(axis=2))).sum(axis=0)
    return Doubt(of_each, np.maximum(scipy.special.entr(Q).sum(axis=1) - of_each, 0.0))


def disagreement(probs: Sequence[np.ndarray] | np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """The second part of `doubt_in_parts` of the mean, I = sum_m a_m KL(P_m || P) in nats, shape (n,).

    Example:
        >>> sure, other, unsure = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), np.array([[0.5, 0.5]])
        >>> disagreement([sure, other]).round(4), disagreement([unsure, unsure])
        (array([0.6931]), array([0.]))
    """
    return doubt_in_parts(probs, weights).disagreement
