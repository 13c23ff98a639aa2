"""Two models on the same rows: the difference of each figure, what it may be on other rows, and what that says."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from likely.errors import ShapeError
from likely.metrics.calibration_difference import calibration_difference
from likely.metrics.catalog import FIGURES
from likely.metrics.checks import classified, numbers
from likely.metrics.interval_of_mean import mean_interval, unseen
from likely.metrics.intervals import Estimate
from likely.metrics.regression import regression_figures, regression_sums
from likely.metrics.scores import FLOOR, correct

ROUNDING = 1e-12
"""Differences up to this are none."""

FEWEST = 6
"""If fewer rows tell two models apart, all in favor of one, a fair coin would do the same more than 5% of the time."""

CHANCE = 0.05
"""A difference that some row may show counts if the models themselves expect it this often among as many rows."""

WIDEST = 2.0
"""Where a row that was not seen makes an interval so many times as wide, these rows are too few to tell anything."""


@dataclass(frozen=True)
class Difference:
    """How much a figure of the second model is above that of the first, with the ends of its 95% interval.

    The models differ in it on so many `rows_apart`. It is `unsettled` if a row that was not seen, but must be expected,
    could overturn what these rows show.
    """

    figure: str
    first: float
    second: float
    value: float
    low: float
    high: float
    rows_apart: int
    unsettled: bool = False

    @property
    def decided(self) -> bool:
        """Whether the rows suffice to say which model is better: the interval leaves 0 out, and rests on enough."""
        return self.rows_apart >= FEWEST and (self.low > 0 or self.high < 0)

    @property
    def better(self) -> str | None:
        """ "first", "second", or None where the rows do not tell."""
        if not self.decided:
            return None
        return "second" if (self.value > 0) == (FIGURES[self.figure].better == "higher") else "first"

    @property
    def conclusion(self) -> str:
        """One sentence: which model is better, that none is seen to be, or that the rows are too few."""
        if self.rows_apart == 0:
            return "No difference seen: the two models answer alike on every row."
        if self.decided:
            return f"The {self.better} model is better."
        if self.unsettled or self.rows_apart < FEWEST:
            return "Too few rows to tell which model is better."
        return "No difference seen."

    def to_json(self) -> dict[str, float | str | None]:
        """Value and ends as plain numbers (None for NaN), which model is better, and the sentence."""
        interval = Estimate(self.value, self.low, self.high).to_json()
        return {**interval, "better": self.better, "conclusion": self.conclusion}


def paired_difference(
    probs_a: np.ndarray, probs_b: np.ndarray, labels: np.ndarray, seed: int = 0
) -> dict[str, Difference]:
    """Accuracy, NLL, Brier score and ECE of two models on the same rows: second minus first.

    Accuracy, NLL and Brier score are means over the rows, and so are their differences: what makes a row hard for both
    cancels. The intervals (`mean_interval`) count on one row that was not seen: with the largest possible difference of
    accuracy, and otherwise as far out as the largest differences let expect (`unseen`), or as far as the models
    themselves give 1 chance in 20 among as many rows. That keeps them true where few rows carry the mean, as with a
    model that is rarely wrong and then very sure. The ECEs are debiased, and so is their difference.

    A label of probability 0 that came costs 708.4 nats here, where `log_loss` is infinite: differences stay finite.

    An interval without 0 names the better model. Otherwise there is no difference seen, or there are too few rows to
    tell: where fewer than 6 tell the models apart, and where the row that was not seen is most of the interval, or all
    that keeps 0 in it.

    Each interval is 95% by itself, not all of them together, approximate for NLL and ECE, and speaks of these two
    models on rows drawn independently like these: another training of the same recipe would differ as well.

    Args:
        probs_a, probs_b, labels: of the first and the second model, shape (n, k), and classes 0..k-1, shape (n,).
        seed: of the draws for the ECE.
    Returns:
        A `Difference` under each of "accuracy", "nll" (nats), "brier" and "ece" (15 bins of equal width).

    Example:
        >>> sure, unsure = np.tile([[0.9, 0.1]], (50, 1)), np.tile([[0.6, 0.4]], (50, 1))
        >>> found = paired_difference(unsure, sure, np.zeros(50, int))
        >>> round(found["nll"].value, 4), found["nll"].conclusion
        (-0.4055, 'The second model is better.')
        >>> found["accuracy"].conclusion
        'No difference seen: the two models answer alike on every row.'

    Reference: see `mean_interval` and `calibration_estimate`.
    """
    probs_a, labels = classified(probs_a, labels)
    probs_b, _ = classified(probs_b, labels)
    if probs_a.shape != probs_b.shape:
        raise ShapeError(
            f"probs_b must have the shape of probs_a, {probs_a.shape}; got {probs_b.shape}. "
            "Both models must answer the same rows with the same classes."
        )
    plausible = np.maximum(probs_a, probs_b)

    def of_means(figure: str, at_every_label: Callable[[np.ndarray], np.ndarray], most: float) -> Difference:
        at_labels_a, at_labels_b = map(at_every_label, (probs_a, probs_b))
        rows = [values[np.arange(len(labels)), labels] for values in (at_labels_a, at_labels_b)]
        change, possible = rows[1] - rows[0], at_labels_b - at_labels_a
        above, below = (_unseen(sign * change, sign * possible, plausible, most) for sign in (1, -1))
        return _difference(figure, rows, -below, above)

    rights = correct(probs_a, labels), correct(probs_b, labels)
    confidences = probs_a.max(axis=1).astype(np.float64), probs_b.max(axis=1).astype(np.float64)
    apart = int(((rights[0] != rights[1]) | (np.abs(confidences[0] - confidences[1]) > ROUNDING)).sum())
    first, second, change = calibration_difference(confidences, rights, seed)
    ends = (change.value, change.low, change.high) if apart else (0.0, 0.0, 0.0)
    return {
        "accuracy": _difference("accuracy", rights, -1.0, 1.0),
        "nll": of_means("nll", _loss_at_every_label, math.inf),
        "brier": of_means("brier", _distance_to_every_label, 2.0),
        "ece": Difference("ece", first, second, *ends, apart),
    }


def paired_regression_difference(
    y: np.ndarray, predictions_a: np.ndarray, predictions_b: np.ndarray, seed: int = 0
) -> dict[str, Difference]:
    """MSE, MAE and R^2 of two models on the same rows: second minus first, with paired intervals.

    As `paired_difference`; figures as in `regression_metrics`. Errors have no largest value: the row that was not seen
    is as far out as the largest differences let expect. R^2 differs by the squared errors in units of the variance of
    y, which is taken as these rows have it.

    Args:
        y, predictions_a, predictions_b: the truth and what each model predicts, all of shape (n,) or (n, m).
        seed: has no effect; nothing is drawn.
    Returns:
        A `Difference` under each of "mse", "mae" and "r2".

    Example:
        >>> y = np.arange(20.0)
        >>> found = paired_regression_difference(y, y + 2, y + 1)
        >>> found["mse"].value, found["mse"].conclusion
        (-3.0, 'The second model is better.')
    """
    y = numbers(y, "y")
    figures = regression_figures(len(y))
    sums = [regression_sums(y, p).sum(axis=0, keepdims=True) for p in (predictions_a, predictions_b)]
    values = np.concatenate([figures(part) for part in sums])
    truth = y.reshape(len(y), -1)
    errors = [truth - np.asarray(p, np.float64).reshape(len(y), -1) for p in (predictions_a, predictions_b)]
    spread = truth.var(axis=0) if np.isfinite(values[:, 2]).all() else np.full(truth.shape[1], np.nan)
    rows = {
        "mse": [(error**2).mean(axis=1) for error in errors],
        "mae": [np.abs(error).mean(axis=1) for error in errors],
        "r2": [1 - (error**2 / spread).mean(axis=1) for error in errors],
    }
    found: dict[str, Difference] = {}
    for name, pair in rows.items():
        change = pair[1] - pair[0]
        found[name] = _difference(name, pair, -unseen(-change, math.inf), unseen(change, math.inf))
    return found


def _difference(figure: str, rows: Sequence[np.ndarray], below: float, above: float) -> Difference:
    """The difference of two means, with the value of the row that is added for each end of its interval."""
    change = rows[1] - rows[0]
    first, second, value = (float(part.mean()) for part in (*rows, change))
    apart = int((np.abs(change) > ROUNDING).sum())
    if not math.isfinite(value):
        return Difference(figure, first, second, math.nan, math.nan, math.nan, apart)
    if not apart:
        return Difference(figure, first, second, 0.0, 0.0, 0.0, apart)
    low, high = mean_interval(change, below, above)
    seen_low, seen_high = mean_interval(change, None, None)
    found = Difference(figure, first, second, value, min(low, value), max(high, value), apart)
    wide = high - low > WIDEST * (seen_high - seen_low)
    overturned = (seen_low > 0 or seen_high < 0) and not found.decided
    return replace(found, unsettled=not found.decided and (wide or overturned))


def _unseen(change: np.ndarray, possible: np.ndarray, plausible: np.ndarray, most: float) -> float:
    """How far above a row may lie that was not seen, at most `most`: at least where the models themselves expect one.

    `change` (n,) is the difference of each row, `possible` (n, k) what it would be under each label, and `plausible`
    (n, k) the larger of both models' probabilities.
    """
    added = unseen(change, most)
    farther = possible > added
    differences, chances = possible[farther], plausible[farther].astype(np.float64)
    order = np.argsort(-differences, kind="stable")
    expected = np.flatnonzero(np.cumsum(chances[order]) >= CHANCE)
    return float(differences[order[expected[0]]]) if len(expected) else added


def _loss_at_every_label(probs: np.ndarray) -> np.ndarray:
    return 0.0 - np.log(np.maximum(probs, FLOOR, dtype=np.float64))


def _distance_to_every_label(probs: np.ndarray) -> np.ndarray:
    squares = np.einsum("nk,nk->n", probs, probs, dtype=np.float64)[:, None]
    return np.maximum(squares - 2.0 * probs.astype(np.float64) + 1.0, 0.0)
