"""Labels that a network was never shown: which probability they have in its answers.

Among n training rows of k labels, a label without a row gets

    1 / (n + k)        the rule of succession, (n_c + 1) / (n + k) with n_c = 0

and the others share the rest as the network says. Left alone, the network would push such a label towards 0 with every
step: how often a label comes that has not come yet cannot be learned from rows that lack it. The probability is stated
and not fitted, so no temperature touches it.
"""

import numpy as np

from likely.errors import ShapeError

MASKED = -1e9
"""A log-probability so low that `fit_temperature` takes the label for impossible; finite, so that it can be kept."""


def unseen_probabilities(counts: np.ndarray) -> np.ndarray:
    """The stated probability 1 / (n + k) of each label without a training row, 0 for the others; shape (k,).

    Raises:
        ShapeError: if `counts`, training rows of each label or sums of label distributions, (k,), are all 0.
    Example:
        >>> unseen_probabilities(np.array([60, 37, 0]))
        array([0.  , 0.  , 0.01])

    Reference: Laplace (1814), Essai philosophique sur les probabilités, the rule of succession.
    """
    counts = np.asarray(counts, dtype=np.float64)
    if counts.ndim != 1 or not (counts > 0).any():
        raise ShapeError(f"counts must have one number per label, not all 0; got {counts}.")
    return np.where(counts > 0, 0.0, 1.0 / (counts.sum() + len(counts)))


def mask_unseen(log_probs: np.ndarray, stated: np.ndarray) -> np.ndarray:
    """Log-probabilities in which each unseen label is masked, so that what is fitted to them rests on the others.

    Example:
        >>> mask_unseen(np.log([[0.5, 0.5]]), np.array([0.0, 0.04])).round(4)
        array([[-6.931e-01, -1.000e+09]])
    """
    return np.where(stated > 0, MASKED, log_probs)


def with_unseen(log_probs: np.ndarray, stated: np.ndarray) -> np.ndarray:
    """Log-probabilities in which each unseen label has its stated probability, and the others the rest.

        q_c = stated_c  where that is above 0,      q_j = (1 - sum of stated) p_j / sum of the p of the other labels

    `log_probs` (n, k) come back as they are where nothing is unseen; `stated`, from `unseen_probabilities`, has shape
    (k,), or a row for each row, (n, k), where networks differ.

    Example:
        >>> log_probs = np.log([[0.6, 0.2, 0.2]])
        >>> np.exp(with_unseen(log_probs, np.array([0.0, 0.0, 0.04]))).round(3)
        array([[0.72, 0.24, 0.04]])
    """
    stated = np.asarray(stated)
    if not stated.any() or not len(log_probs):
        return log_probs
    unseen = stated > 0
    seen = np.where(unseen, -np.inf, log_probs)
    rest = np.log1p(-np.where(unseen, stated, 0.0).sum(axis=-1, keepdims=True))
    scaled = seen - np.logaddexp.reduce(seen, axis=1, keepdims=True) + rest
    with np.errstate(divide="ignore"):
        return np.where(unseen, np.log(stated), scaled)
