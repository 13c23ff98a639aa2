"""When not to answer: the confidence from which on at most a share of the answers is wrong, with a level."""

from typing import NamedTuple

import numpy as np
import scipy

from likely.errors import DataError
from likely.metrics.checks import above_0_at_most_1, marked, refuse, strictly_between_0_and_1
from likely.trust.ties import slack

GRID = 100
_ALLOWED_AT_START = 8


class RiskCoverage(NamedTuple):
    """The share of rows with confidence >= threshold, and of them the share wrong: per distinct confidence, falling."""

    coverage: np.ndarray
    risk: np.ndarray
    threshold: np.ndarray


class ErrorBound(NamedTuple):
    """Answer where confidence >= threshold: with the level asked for, at most `max_error` of the answers are wrong.

    `answered` of `n` held-out rows reach the threshold, `wrong` of them have another label; `bound` is the upper
    Clopper-Pearson bound from these counts alone.
    """

    threshold: float
    max_error: float
    answered: int
    wrong: int
    n: int
    bound: float

    @property
    def share(self) -> float:
        """The share of held-out rows that are answered."""
        return self.answered / self.n

    def answers(self, confidence: np.ndarray) -> np.ndarray:
        """Which rows of this confidence are answered, booleans of its shape."""
        return confidence >= self.threshold


def confidence(log_probs: np.ndarray) -> np.ndarray:
    """The largest probability of each row, shape (n,): what rows are ordered by.

    Example:
        >>> confidence(np.log([[0.7, 0.3]])).round(6)
        array([0.7])
    """
    return np.exp(np.asarray(log_probs).max(axis=1))


def risk_coverage(confidence: np.ndarray, wrong: np.ndarray) -> RiskCoverage:
    """Share answered and share wrong for every threshold on the confidence (n,); `wrong` are booleans (n,).

    Example:
        >>> curve = risk_coverage(np.array([0.9, 0.8, 0.6, 0.6]), np.array([False, False, True, False]))
        >>> curve.coverage, curve.risk
        (array([0.25, 0.5 , 1.  ]), array([0.  , 0.  , 0.25]))

    Reference: El-Yaniv and Wiener (2010), On the foundations of noise-free selective classification.
    """
    sure, wrong = _checked(confidence, wrong)
    order = np.argsort(-sure, kind="stable")
    sure, mistakes = sure[order], np.cumsum(wrong[order])
    last = np.flatnonzero(np.r_[sure[1:] != sure[:-1], True])
    answered = last + 1
    return RiskCoverage(answered / len(sure), mistakes[last] / answered, sure[last])


def error_at_coverage(confidence: np.ndarray, wrong: np.ndarray, coverage: float) -> float:
    """The share of wrong answers among the ceil(c n) most confident rows; rows that tie share their mean.

    Example:
        >>> error_at_coverage(np.array([0.9, 0.8, 0.6, 0.5]), np.array([False, False, True, True]), coverage=0.75)
        0.3333333333333333
    """
    above_0_at_most_1(coverage, "coverage", 0.9)
    sure, wrong = _checked(confidence, wrong)
    # Rounding must not take one row more: 0.1 * 30 is a little above 3.
    answered = max(1, int(np.ceil(coverage * len(sure) - 1e-9)))
    return float(_cumulative(sure, wrong)[answered - 1] / answered)


def aurc(confidence: np.ndarray, wrong: np.ndarray) -> float:
    """The area under the risk-coverage curve: the error averaged over answering the 1, 2, ..., n most confident rows.

    Rows that tie share their mean, so that their order does not matter.

    Example:
        >>> aurc(np.array([0.9, 0.8]), np.array([False, True]))
        0.25

    Reference: Geifman, Uziel and El-Yaniv (2019), Bias-reduced uncertainty estimation, arXiv 1805.08206.
    """
    sure, wrong = _checked(confidence, wrong)
    return float((_cumulative(sure, wrong) / np.arange(1, len(sure) + 1)).mean())


def threshold_grid(confidence: np.ndarray) -> np.ndarray:
    """The thresholds to choose among, strictest first: percentiles of the confidence on *other* rows, then 0.

    A guarantee needs thresholds that were fixed without the rows that they are tested on. They lie a hair below the
    percentiles, so that all rows which tie there are answered, whatever the rounding.

    Example:
        >>> threshold_grid(np.arange(1, 100) / 100)[[0, 49, -1]].round(2)
        array([0.98, 0.5 , 0.  ])
    """
    sure, _ = _checked(confidence, np.zeros(np.shape(confidence), dtype=np.bool_))
    levels = np.quantile(sure, 1 - np.arange(1, GRID + 1) / GRID)
    return np.append(np.maximum(levels - slack(levels), 0.0), 0.0)


def choose_threshold(
    confidence: np.ndarray, wrong: np.ndarray, grid: np.ndarray, max_error: float, level: float = 0.95
) -> ErrorBound:
    """The threshold that answers most rows while the error among the answers stays below a bound.

    With probability at least `level` over the draw of independent held-out rows, refusals counted as kept:
    P(wrong | confidence >= threshold) <= max_error, for new rows of the same distribution together. Learn, then test:
    at a fixed threshold the w mistakes among a answers are Binomial(a, error), so that P(Binomial(a, max_error) <= w)
    is a p-value of "the error is larger". Thresholds of the grid are tested from strict to lax, each at 1 - level, up
    to the first that is not rejected: a fixed sequence needs no correction for their number. It starts where so many
    rows are answered that eight mistakes are acceptable (fewer, if that would take more than half of the rows).

    Args:
        confidence, wrong: of held-out rows, and whether their most probable label is wrong, booleans, shape (m,) each.
        grid: thresholds that were chosen without these rows, strictest first, such as `threshold_grid` of others.
        max_error: the largest acceptable share of wrong answers.
        level: the probability with which the guarantee holds.
    Raises:
        DataError: if it cannot be guaranteed; it says what can be, or how many rows are needed.
        ConfigError: if a number is out of range.
    Example:
        >>> rng = np.random.default_rng(0)
        >>> sure = rng.random(4000)
        >>> wrong = rng.random(4000) < 0.2 * (1 - sure) ** 2
        >>> bound = choose_threshold(sure, wrong, threshold_grid(rng.random(4000)), max_error=0.02)
        >>> 0.4 < bound.share < 0.7
        True

    Reference: Angelopoulos et al. (2021), Learn then test, arXiv 2110.01052; Clopper and Pearson (1934).
    """
    strictly_between_0_and_1(max_error, "max_error", 0.05)
    strictly_between_0_and_1(level, "level")
    sure, wrong = _checked(confidence, wrong)
    answered, mistakes = _counts(sure, wrong, np.asarray(grid))
    found = _last_accepted(answered, mistakes, len(sure), max_error, level)
    if found is None:
        raise _refused(answered, mistakes, len(sure), max_error, level)
    a, w = int(answered[found]), int(mistakes[found])
    bound = float(scipy.special.betaincinv(w + 1, a - w, level)) if w < a else 1.0
    return ErrorBound(float(grid[found]), max_error, a, w, len(sure), bound)


def thresholds_for_errors(
    confidence: np.ndarray, wrong: np.ndarray, grid: np.ndarray, errors: np.ndarray, level: float = 0.95
) -> np.ndarray:
    """The threshold of `choose_threshold` for each of several errors, shape as theirs; infinity where there is none.

    Each is guaranteed by itself, as if no other error had been asked about.

    Args:
        confidence, wrong, grid, level: as there.
        errors: largest acceptable shares of wrong answers, strictly between 0 and 1.
    Example:
        >>> sure, wrong = np.linspace(0.5, 1, 1000), np.zeros(1000, bool)
        >>> thresholds_for_errors(sure, wrong, threshold_grid(sure), np.array([1e-4, 0.1]))
        array([inf,  0.])
    """
    sure, wrong = _checked(confidence, wrong)
    answered, mistakes = _counts(sure, wrong, np.asarray(grid))
    found = [_last_accepted(answered, mistakes, len(sure), float(error), level) for error in errors]
    return np.array([np.inf if at is None else grid[at] for at in found])


def rows_needed_for_error(max_error: float, level: float = 0.95) -> int:
    """The fewest answers, all of them right, that can guarantee this error: ceil(log(1 - level) / log(1 - max_error)).

    Example:
        >>> rows_needed_for_error(0.01)
        299
    """
    return int(np.ceil(np.log1p(-level) / np.log1p(-max_error)))


def _counts(sure: np.ndarray, wrong: np.ndarray, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Answers and mistakes at each threshold."""
    order = np.argsort(sure)
    from_above = np.searchsorted(sure[order], grid, side="left")
    return len(sure) - from_above, np.append(np.cumsum(wrong[order][::-1])[::-1], 0)[from_above]


def _last_accepted(answered: np.ndarray, mistakes: np.ndarray, m: int, max_error: float, level: float) -> int | None:
    """The index of the laxest threshold that the sequence of tests reaches."""
    expected = np.minimum(np.arange(1, len(answered) + 1), GRID) / GRID * m
    # The fewest answers among which w mistakes guarantee the error: P(Binomial(n, e) <= w) is the probability that the
    # (w + 1)-th mistake comes after the n-th answer.
    mistake = np.arange(1, _ALLOWED_AT_START + 2)
    right = np.ceil(scipy.special.nbdtrik(level, mistake, max_error))
    # The inverse may end just above a whole number that already suffices.
    right -= (right > 0) & (scipy.special.nbdtr(np.maximum(right - 1, 0), mistake, max_error) >= level)
    needed = mistake + right
    if needed[0] > m:
        return None
    # The last of them that half of the rows suffice for.
    fitting = max(0, int(np.searchsorted(needed, m / 2, side="right")) - 1)
    start = int(np.searchsorted(expected, needed[fitting]))
    p_values = scipy.special.bdtr(mistakes[start:].astype(np.float64), answered[start:], max_error)
    # The sum of a float cdf may end just above the level where it is exactly there.
    accepted = p_values <= (1 - level) * (1 + 1e-12)
    n_accepted = len(accepted) if accepted.all() else int(accepted.argmin())
    return start + n_accepted - 1 if n_accepted else None


def _refused(answered: np.ndarray, mistakes: np.ndarray, m: int, max_error: float, level: float) -> DataError:
    needed = rows_needed_for_error(max_error, level)
    what = (
        f"An error of at most {max_error:g} must be guaranteed by held-out rows at a level of {level:g}; got {m} rows"
    )
    # Numbers of two digits, so that the one that is named is the one that was tested.
    candidates = [float(f"{e:.2g}") for e in np.geomspace(max_error, 0.99, 200)]
    larger = (e for e in dict.fromkeys(candidates) if e > max_error)
    possible = next((e for e in larger if _last_accepted(answered, mistakes, m, e, level) is not None), None)
    best = "" if possible is None else f" The smallest error that they can guarantee is about {possible:g}."
    if m < needed:
        return DataError(f"{what}. It takes {needed} answers without a mistake.{best} Try more held-out rows.")
    return DataError(f"{what} with too many mistakes among the most confident.{best} Try a larger error.")


def _cumulative(sure: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """Expected mistakes among the 1, 2, ..., n most confident rows, rows that tie in random order."""
    _, inverse, count = np.unique(-sure, return_inverse=True, return_counts=True)
    mean = np.bincount(inverse, weights=wrong) / count
    return np.cumsum(np.repeat(mean, count))


def _checked(confidence: np.ndarray, wrong: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sure, mistakes = marked(confidence, wrong, "confidence and wrong")
    refuse(np.isnan(sure), sure, "confidence must not be NaN")
    return sure, mistakes
