"""When classes are as frequent in the field as they were not in training: other priors, and estimating them.

Both rest on one assumption, label shift: what a class looks like, P(x | y), is the same in both places, and only how
often it comes, P(y), has changed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from likely.errors import ConfigError, DataError, ProbabilityError, ShapeError, nearest
from likely.functional.heads import log_softmax
from likely.metrics.checks import classes
from likely.metrics.intervals import resampled_counts
from likely.probability.simplex import check_probabilities
from likely.trust.confusion_prior import solve_confusion

RESAMPLES = 300
_BLOCK = 2_000_000  # numbers held at once: bounds the memory of the bootstrap
_GAP = 1e-10
_MOST_ITERATIONS = 20_000


class PriorEstimate(NamedTuple):
    """Class frequencies estimated from rows without labels, with the ends of 95% intervals, shape (k,) each.

    `iterations` is how many steps of EM were taken.
    """

    prior: np.ndarray
    low: np.ndarray
    high: np.ndarray
    iterations: int


def check_frequencies(prior: Any, labels: Sequence[Any], what: str = "prior", *, positive: bool = False) -> np.ndarray:
    """One frequency per label, in their order, shape (k,), once they are seen to be such.

    Args:
        prior: a mapping from every label to its frequency, or the frequencies, shape (k,).
        labels, what: k labels, and how messages call the frequencies.
        positive: whether none may be 0.
    Raises:
        DataError: if a label is missing, or the labels do not have one that the mapping names.
        ShapeError, ProbabilityError: if they are not k numbers from 0 to 1 with sum 1, or one is 0 and must not be.
    Example:
        >>> check_frequencies({"tails": 0.25, "heads": 0.75}, ["heads", "tails"])
        array([0.75, 0.25])
    """
    values: Any = prior
    if isinstance(prior, Mapping):
        unknown = [label for label in prior if label not in labels]
        if unknown:
            raise DataError(f"{what} must be about labels; got {unknown[0]!r}. {nearest(unknown[0], labels)}")
        missing = [label for label in labels if label not in prior]
        if missing:
            raise DataError(
                f"{what} must give the frequency of every label; got none for {missing[0]!r}. Try {missing[0]!r}: 0.0 "
                "if it never occurs."
            )
        values = [prior[label] for label in labels]
    if np.shape(values) != (len(labels),):
        raise ShapeError(
            f"{what} must have one frequency for each of the {len(labels)} labels; got shape {np.shape(values)}. Try 0 "
            "for one that never comes."
        )
    found = check_probabilities(values, labels, what=what).astype(np.float64)
    if positive and (found <= 0).any():
        raise ProbabilityError(
            f"{what} must be positive for every label; got 0 for {labels[int((found <= 0).argmax())]!r}. A label that "
            "never occurred in training has no probability to reweight. Try the frequencies counted in the training "
            "rows."
        )
    return found


def shift_prior(log_probs: np.ndarray, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The log-probabilities that hold where classes come as often as `new` says, not as `old` says.

    P'(y | x) = P(y | x) new_y / old_y / sum_k P(k | x) new_k / old_k, Bayes' rule with another prior. Exact if P(x | y)
    is unchanged and P(y | x) is right under `old`. Error bounds from rows under `old` no longer hold; sets hold with
    the weights of `label_shift_weights`.

    Args:
        log_probs: log P(y | x) in nats under the old prior, shape (n, k).
        old, new: class frequencies where the model was trained and calibrated, and in the field, shape (k,). No old one
            is 0; a class of the new frequency 0 gets probability 0.
    Returns:
        Log-probabilities, shape (n, k), float64.
    Raises:
        ProbabilityError, ShapeError: if a prior or a row of probabilities does not sum to 1, an old frequency is 0, or
            shapes do not fit.
    Example:
        >>> log_probs = np.log([[0.5, 0.5]])
        >>> np.exp(shift_prior(log_probs, np.array([0.5, 0.5]), np.array([0.9, 0.1]))).round(4)
        array([[0.9, 0.1]])

    Reference: Saerens, Latinne and Decaestecker (2002), Adjusting the outputs of a classifier to new a priori
    probabilities, eq. 2.4.
    """
    log_probs = _checked(log_probs)
    old, new = _both(old, new, log_probs.shape[1])
    if len(log_probs) == 0:
        return log_probs
    with np.errstate(divide="ignore"):
        return log_softmax(log_probs + np.log(new) - np.log(old))


def label_shift_weights(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """How much a row of each class counts where classes come as often as `new` says: new_y / old_y, shape (k,).

    Raises:
        ProbabilityError, ShapeError: as `shift_prior`.
    Example:
        >>> label_shift_weights(np.array([0.5, 0.5]), np.array([0.9, 0.1]))
        array([1.8, 0.2])

    Reference: Lipton, Wang and Smola (2018), Detecting and correcting for label shift with black box predictors.
    """
    old, new = _both(old, new, len(old))
    return new / old


def prior_biases(old: np.ndarray, new: np.ndarray, n: int) -> np.ndarray:
    """What `shift_prior` adds to log-probabilities, as biases that n labeled rows may still correct: shape (k,).

    log(new_y / old_y). A class of frequency 0 would stay impossible whatever the rows show; it gets the frequency of
    half a row among n + 1. Raises as `label_shift_weights`.

    Example:
        >>> np.exp(prior_biases(np.array([0.5, 0.5]), np.array([0.9, 0.1]), n=100)).round(2)
        array([1.8, 0.2])
    """
    weights = label_shift_weights(old, new)
    return np.log(np.where(weights > 0, weights, 0.5 / (n + 1) / np.asarray(old)))


def estimate_prior(
    log_probs: np.ndarray,
    old: np.ndarray,
    *,
    held_out: np.ndarray | None = None,
    labels: np.ndarray | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> PriorEstimate:
    """How often each class comes in rows without labels, from what a model says of them.

    Maximizes the likelihood of the rows, up to a constant L(q) = mean_i log sum_y q_y P(y | x_i) / old_y, by EM:

        q_y  <-  mean_i P_q(y | x_i),    P_q(y | x) = P(y | x) q_y / old_y, normalized over y.

    L is concave, so that L* - L <= max_y mean_i [P_q(y | x_i) / q_y] - 1, which tells when to stop: at 1e-10.

    That is right as far as the probabilities are. With held-out rows it is corrected by what the model answers to rows
    of each class (`solve_confusion`), and the intervals count both draws and how wrong the probabilities are: with
    about 95% they hold the frequencies of all classes together. Rows are taken to be independent. Without held-out rows
    the interval of each class holds the middle 95% of the estimates from resampled rows, widened to hold the estimate,
    and counts only which rows came. Neither tells whether P(x | y) stayed the same.

    Args:
        log_probs: log P(y | x) in nats under the old prior, calibrated, of rows drawn at random in the field, (n, k).
        old: class frequencies where the model was trained and calibrated, shape (k,); none is 0.
        held_out, labels: what the same model says of held-out rows, (m, k), and their classes 0..k-1, (m,).
        seed, resamples: of the resampling, and how often the rows are drawn.
    Raises:
        DataError, ConfigError: if there is no row, a label is not among the classes, or there are no resamples.
        ProbabilityError, ShapeError: as `shift_prior`.
    Example:
        >>> sure = np.log(np.repeat([[0.99, 0.01], [0.01, 0.99]], [80, 20], axis=0))
        >>> found = estimate_prior(sure, np.array([0.5, 0.5]))
        >>> found.prior.round(2), bool(0.65 < found.low[0] < 0.8 < found.high[0] < 0.9)
        (array([0.81, 0.19]), True)

    Reference: Saerens, Latinne and Decaestecker (2002), Adjusting the outputs of a classifier to new a priori
    probabilities, eq. 2.9.
    """
    log_probs = _checked(log_probs)
    if len(log_probs) == 0:
        raise DataError("log_probs must have rows to estimate a prior from; got none.")
    if resamples < 1:
        raise ConfigError(f"resamples must be at least 1; got {resamples}. Try {RESAMPLES}.")
    n, k = log_probs.shape
    old = check_frequencies(old, range(k), "old", positive=True)
    ratios = log_probs - np.log(old)
    ratios = np.exp(ratios - ratios.max(axis=1, keepdims=True))  # a factor per row changes nothing
    found, iterations = _maximize(ratios, np.full((n, 1), 1.0 / n), old[:, None], _GAP)
    prior = found[:, 0]
    if held_out is not None:
        held_out = _checked(held_out)
        if held_out.shape[1] != k:
            raise ShapeError(f"held_out must have shape (m, {k}); got {held_out.shape}.")
        if labels is None:
            raise ShapeError("held_out must come with labels, a class for each of its rows; got none.")
        labels = classes(labels, *held_out.shape)
        near = 0.9 * prior + 0.1 * old  # answers under it see every class
        field, known = (np.exp(shift_prior(rows, old, near)) for rows in (log_probs, held_out))
        within = ratios / (ratios @ prior)[:, None]
        solved = solve_confusion(field, known, labels, prior, within / within.sum(axis=0))
        return PriorEstimate(*solved, iterations)

    # Close enough for an interval: 0.001 nats of all rows together. A share of `old` lets no class stay at 0.
    gap, start = max(_GAP, 1e-3 / n), 0.9 * prior + 0.1 * old
    estimates = [
        _maximize(ratios, counts.T / n, np.repeat(start[:, None], len(counts), axis=1), gap)[0]
        for counts in resampled_counts(n, seed, resamples, _BLOCK)
    ]
    low, high = np.quantile(np.concatenate(estimates, axis=1), [0.025, 0.975], axis=1)
    return PriorEstimate(prior, np.minimum(low, prior), np.maximum(high, prior), iterations)


def _maximize(ratios: np.ndarray, shares: np.ndarray, prior: np.ndarray, gap: float) -> tuple[np.ndarray, int]:
    """EM on several weightings of the rows at once: shares (n, r) that sum to 1, priors (k, r); and its steps."""
    for iteration in range(_MOST_ITERATIONS):
        slopes = ratios.T @ (shares / (ratios @ prior))
        # The derivative of the likelihood by each class; 1 where the class has its due, at most 1 at the maximum.
        if slopes.max() - 1 <= gap:
            return prior, iteration
        prior = prior * slopes
        prior /= prior.sum(axis=0)
    return prior, _MOST_ITERATIONS


def _both(old: np.ndarray, new: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    return check_frequencies(old, range(k), "old", positive=True), check_frequencies(new, range(k), "new")


def _checked(log_probs: np.ndarray) -> np.ndarray:
    """The same numbers as float64, once each row is seen to be log-probabilities."""
    log_probs = np.asarray(log_probs)
    if log_probs.ndim != 2 or log_probs.dtype.kind != "f" or not log_probs.shape[1]:
        raise ShapeError(
            f"log_probs must be numbers of shape (n, k); got {log_probs.dtype} of shape {log_probs.shape}. "
            "Try predict_log_proba."
        )
    check_probabilities(np.exp(np.minimum(log_probs, 1.0)), what="exp(log_probs)")  # no overflow for what is none
    return log_probs.astype(np.float64)
