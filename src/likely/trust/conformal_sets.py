"""Sets of labels that hold the truth with at least the requested probability: split conformal prediction for classes.

    held-out rows -> a score per label, larger = fits worse -> quantile -> the labels of a new row that stay below it

The guarantee needs no trust in the probabilities, only that new rows are exchangeable with the held-out ones, which
nothing was fitted to; good probabilities make the sets small. It is an average over the draw of held-out and new rows
together, and over all classes unless there is a quantile per class.
"""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
import scipy

from likely.errors import ConfigError, DataError, ShapeError, nearest
from likely.metrics import at_labels
from likely.metrics.checks import strictly_between_0_and_1
from likely.probability.simplex import check_probabilities
from likely.trust.conformal import conformal_quantile, held_out_rank, rows_needed, weighted_quantiles
from likely.trust.ties import slack

Method: TypeAlias = Literal["lac", "aps"]
METHODS: tuple[Method, ...] = ("lac", "aps")

BEHIND = 2.0
"""The score with "aps" of a label that has no probability: behind all that have some, whose score is 1 at most."""

_NOTHING_LEFT = 8 * float(np.finfo(np.float64).eps)
"""A share of a row's mass that is none: what `slack` takes for rounding beside a whole mass."""


def lac_scores(probs: np.ndarray) -> np.ndarray:
    """How badly each label fits by its own probability: 1 - p_k, shape (n, k).

    Sets of all labels with 1 - p_k <= q are the smallest on average for their coverage, if the probabilities are true.

    Example:
        >>> lac_scores(np.array([[0.75, 0.25]]))
        array([[0.25, 0.75]])

    Reference: Sadinle, Lei and Wasserman (2019), Least ambiguous set-valued classifiers, arXiv 1609.00451.
    """
    return 1.0 - _probabilities(probs)


def aps_scores(probs: np.ndarray, u: np.ndarray | None = None) -> np.ndarray:
    """The mass of all labels that are more probable than label k, and u of its own: shape (n, k).

        s_k = sum of the p_j before k + u p_k,      labels in falling order of p, ties in the order of the columns

    Every u keeps the guarantee, if held-out and new rows get theirs in the same way. With u = 0 the most probable label
    is always in, and sets are about as small as those of `lac_scores`; uniform u make larger sets that follow doubt
    more closely; with u = 1 sets are empty where the network is surest and long elsewhere.

    The mass is divided by that of the whole row: the last label has exactly 1 with u = 1, whatever rounding did. Labels
    without any probability tie with it; `set_quantiles` and `prediction_sets` place them behind, see there.

    Args:
        probs: shape (n, k).
        u: numbers in [0, 1], shape (n,); None means 1.
    Raises:
        ProbabilityError, ShapeError: if a row is no distribution, or u does not fit.
    Example:
        >>> aps_scores(np.array([[0.25, 0.5, 0.25]]))
        array([[0.75, 0.5 , 1.  ]])

    Reference: Romano, Sesia and Candes (2020), Classification with valid and adaptive coverage, arXiv 2006.02544.
    """
    probs = _probabilities(probs)
    order = np.argsort(-probs, axis=1, kind="stable")
    ordered = np.take_along_axis(probs, order, axis=1)
    through = np.cumsum(ordered, axis=1)
    total = through[:, -1:]
    if u is not None:
        through = np.maximum(through - (1.0 - _uniforms(u, len(probs)))[:, None] * ordered, 0.0)
    scores = np.empty_like(probs)
    np.put_along_axis(scores, order, through / total, axis=1)
    return scores


def set_quantiles(
    probs: np.ndarray,
    labels: np.ndarray,
    coverage: float,
    *,
    method: Method = "lac",
    per_class: bool = False,
    u: np.ndarray | None = None,
    names: Sequence[str] | None = None,
    class_weights: np.ndarray | None = None,
    unseen: np.ndarray | None = None,
) -> np.ndarray:
    """The score up to which each label belongs to a set, from held-out rows: shape (k,).

    The ceil((m + 1) c)-th smallest score of the true labels, of all m rows (all k values are equal), or of the m_k
    rows of each class: then the guarantee holds for the rows of every class (Mondrian conformal prediction). Where
    scores do not tie and sets may stay empty, the coverage averages between c and c + 1 / (m + 1).

    Where classes look the same, but come more or less often among new rows than among held-out ones (label shift), a
    row of class y counts w_y = new frequency / old frequency of y, as in `weighted_quantiles`: the coverage is at least
    c, exactly for the true w. Sets per class need no weights: they hold under every label shift.

    With "aps", labels to which the more probable ones leave no probability but rounding have the score 2 here, whatever
    u is, in held-out and new rows alike: by their mass they would enter every set with the last label that has some.

    Args:
        probs, labels: of held-out rows, shape (m, k), and their true classes 0..k-1, shape (m,).
        coverage: c, strictly between 0 and 1.
        method: "lac" or "aps".
        per_class: one quantile for each class.
        u: numbers in [0, 1) for "aps", shape (m,), or None; like those of the new rows.
        names: what to call the classes in messages.
        class_weights: w up to a factor, shape (k,), or None where classes come as often as among held-out rows.
        unseen: rows whose label their network was never shown, booleans (m,), or None: they count for the coverage, and
            fit no set, as new rows of labels that nobody has seen.
    Returns:
        Quantiles; infinity for a label that no score can exclude.
    Raises:
        DataError: if there are too few rows (of a class) for the coverage, or too many of unseen labels; it says what
            is needed, or can be guaranteed. Rows of unequal weights count as (sum w)^2 / sum w^2.
        ConfigError, ShapeError, ProbabilityError: if a setting does not exist, or an array does not fit.
    Example:
        >>> probs = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
        >>> set_quantiles(probs, np.array([0, 0, 1]), coverage=0.75).round(2)
        array([0.3, 0.3])

    Reference: Vovk, Gammerman and Shafer (2005), Algorithmic learning in a random world, ch. 4; Podkopaev and Ramdas
    (2021), Distribution-free uncertainty quantification for classification under label shift, arXiv 2103.03323.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1:
        raise ShapeError(
            f"labels must have shape (m,), one class per row; got {labels.shape}. A guarantee is about labels as they "
            "come. Try to draw one from each distribution."
        )
    unseen = np.zeros(len(labels), bool) if unseen is None else np.asarray(unseen)
    scores, k = np.where(unseen, np.inf, at_labels(_scores(probs, method, u), labels)), np.shape(probs)[1]
    if class_weights is not None and not per_class:
        weights = np.asarray(class_weights, dtype=np.float64)
        if weights.shape != (k,):
            raise ShapeError(f"class_weights must be one for each of {k} classes; got shape {weights.shape}.")
        counted = weights[labels]
        out_of_reach = counted[unseen].sum()
        if out_of_reach > (1 - coverage) * counted.sum():
            raise _out_of_reach(coverage, 1 - out_of_reach / counted.sum(), unseen)
        return weighted_quantiles(scores, counted, weights, coverage)
    if not per_class:
        quantile = conformal_quantile(scores, coverage)
        if np.isinf(quantile):
            raise _out_of_reach(coverage, int((~unseen).sum()) / (len(labels) + 1), unseen)
        return np.full(k, quantile)
    counts, needed = np.bincount(labels[~unseen], minlength=k), rows_needed(coverage)
    if counts.min() < needed:
        rare = int(counts.argmin())
        raise DataError(
            f"A coverage of {coverage} per class must rest on at least {needed} held-out rows of each; got "
            f"{counts[rare]} of {repr(names[rare]) if names else f'class {rare}'}. With fewer, only "
            "the set of all labels has this coverage. Try a lower coverage, more rows, or without per_class."
        )
    return np.array([conformal_quantile(scores[labels == c], coverage) for c in range(k)])


def prediction_sets(
    probs: np.ndarray,
    quantiles: np.ndarray,
    *,
    method: Method = "lac",
    u: np.ndarray | None = None,
    allow_empty: bool = False,
) -> np.ndarray:
    """Which labels belong to the set of each row: booleans of shape (n, k).

    A set is empty where every label scores above its quantile: at a coverage below the accuracy some rows can be given
    up. By default the most probable label is put in, which can only raise the coverage.

    Args:
        probs, u: of the rows, as for `aps_scores`.
        quantiles: from `set_quantiles` with the same method, shape (k,).
        method: "lac" or "aps".
        allow_empty: leave empty sets empty.
    Raises:
        ShapeError, ProbabilityError: if shapes do not fit, or a row is no distribution.
    Example:
        >>> prediction_sets(np.array([[0.6, 0.4], [0.9, 0.1]]), np.array([0.65, 0.65]))
        array([[ True,  True],
               [ True, False]])
    """
    scores, quantiles = _scores(probs, method, u), np.asarray(quantiles)
    if quantiles.shape != scores.shape[1:]:
        raise ShapeError(
            f"quantiles must be one per column of probs; got shape {quantiles.shape} for probs of {scores.shape}. "
            "Try set_quantiles."
        )
    # A score is 1 minus a probability with "lac"; with "aps" a sum that was computed in float64.
    room = slack(1.0 - quantiles, check_probabilities(probs).dtype) if method == "lac" else slack(quantiles)
    mask = scores <= quantiles + room
    if not allow_empty:
        empty = np.flatnonzero(~mask.any(axis=1))
        mask[empty, np.asarray(probs)[empty].argmax(axis=1)] = True
    return mask


def coverage_interval(m: int, coverage: float, level: float = 0.95) -> tuple[float, float]:
    """Where the coverage of sets from m held-out rows lies with this probability over their draw.

    The guarantee is an average over held-out rows, too. Given them, the coverage of all new rows is distributed as
    Beta(r, m + 1 - r) with r = ceil((m + 1) c), where scores do not tie and sets may stay empty (ties and filled sets
    raise it); these are its central quantiles. For quantiles per class, m counts the held-out rows of the class.

    Raises:
        DataError, ConfigError: if m rows are too few for the coverage, or a number is out of range.
    Example:
        >>> low, high = coverage_interval(2400, 0.95)
        >>> round(low, 3), round(high, 3)
        (0.941, 0.958)

    Reference: Vovk (2012), Conditional validity of inductive conformal predictors, arXiv 1209.2673.
    """
    strictly_between_0_and_1(level, "level")
    rank = held_out_rank(m, coverage)
    low, high = scipy.special.betaincinv(rank, m + 1 - rank, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _out_of_reach(coverage: float, most: float, unseen: np.ndarray) -> DataError:
    """A coverage whose rank lies among rows that fit no set; `most` is what the others suffice for."""
    most = np.floor(1000 * most) / 1000
    return DataError(
        f"A coverage of {coverage} must be reached by sets of known labels; got {unseen.sum():,} of {len(unseen):,} "
        "held-out rows with a label that their network was never shown. Try a coverage of at most "
        f"{most:g}, or more rows of rare labels."
    )


def _scores(probs: np.ndarray, method: str, u: np.ndarray | None) -> np.ndarray:
    if method == "lac":
        return lac_scores(probs)
    if method == "aps":
        return np.where(_without_mass(probs), BEHIND, aps_scores(probs, u))
    raise ConfigError(f"method must be known; got {method!r}. {nearest(method, METHODS)}")


def _without_mass(probs: np.ndarray) -> np.ndarray:
    """The labels to which the more probable ones leave nothing but rounding: booleans (n, k)."""
    probs = _probabilities(probs)
    order = np.argsort(probs, axis=1, kind="stable")
    through = np.cumsum(np.take_along_axis(probs, order, axis=1), axis=1)  # from the least probable label on
    found = np.empty(probs.shape, dtype=bool)
    np.put_along_axis(found, order, through <= _NOTHING_LEFT * through[:, -1:], axis=1)
    return found


def _probabilities(probs: np.ndarray) -> np.ndarray:
    checked = check_probabilities(probs).astype(np.float64, copy=False)
    if checked.ndim != 2:
        raise ShapeError(f"probs must have shape (n, k); got {checked.shape}. Try probs[None] for a single row.")
    return checked


def _uniforms(u: np.ndarray, n: int) -> np.ndarray:
    u = np.asarray(u, dtype=np.float64)
    if u.shape != (n,) or not ((u >= 0) & (u <= 1)).all():
        raise ShapeError(f"u must be {n} numbers in [0, 1], one per row; got shape {u.shape}. Try rng.random({n}).")
    return u
