"""What each figure of the report says, in one sentence computed from the numbers that it shows.

`noun` is what one test row is called: "image" or "row". Names of classes appear here as plain text; the template
escapes them.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from likely.metrics import Reliability
from likely.metrics.evaluation import Evaluation, Seen
from likely.metrics.numerals import counted, percent
from likely.preprocessing.stored_rows import pieces
from likely.probability.information import entropy

FEW = 200


@dataclass(frozen=True)
class Bin:
    """The test rows whose highest probability lies between `low` and `high`, and how often they were named rightly."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float
    interval: tuple[float, float]


def wilson(successes: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """The Wilson score interval of a share, near the level on average; `likely.metrics.proportion` keeps it always.

    Example:
        >>> [round(bound, 3) for bound in wilson(8, 10)]
        [0.49, 0.943]

    Reference: Wilson, Journal of the American Statistical Association 22 (1927).
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = successes / n
    center = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, center - reach), min(1.0, center + reach)


def entropies(probs: np.ndarray) -> np.ndarray:
    """Entropy in nats of each row, shape (n,); a block of rows at a time to spare memory."""
    return np.concatenate([entropy(piece) for piece in pieces(probs)]).astype(np.float64)


def make_bins(reliability: Reliability) -> list[Bin]:
    """The bins that hold any row, with a 95% interval each."""
    edges, count = reliability.edges.tolist(), reliability.count.tolist()
    confidence, accuracy = reliability.confidence.tolist(), reliability.accuracy.tolist()
    rows = zip(edges[:-1], edges[1:], count, confidence, accuracy, strict=True)
    return [Bin(low, high, n, said, right, wilson(right * n, n)) for low, high, n, said, right in rows if n]


def curve(history: Iterable[Mapping[str, object]], *path: str) -> list[tuple[int, float]]:
    """(step, value) of every record that has a finite number at `path`, such as `curve(history, "held_out", "nll")`."""
    points: list[tuple[int, float]] = []
    for position, record in enumerate(history, start=1):
        value, step = record, record.get("step")
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        if isinstance(value, int | float) and math.isfinite(value):
            points.append((step if isinstance(step, int) else position, float(value)))
    return points


def about_seen(seen: Seen | None, noun: str) -> str:
    """What is to be said where the model knew some of the test rows; nothing where it knew none.

    Example:
        >>> from likely.metrics.intervals import Estimate
        >>> about_seen(Seen(1, Evaluation(n=3, accuracy=Estimate(2 / 3, 0.09, 0.99))), "row")
        '1 of them is a copy of a training row or related to one. Without it, 66.7% of 3 rows were named correctly.'
    """
    if seen is None:
        return ""
    one = seen.n == 1
    known = f"{seen.n:,} of them {'is a copy' if one else 'are copies'} of a training {noun} or related to one. "
    without = seen.without
    if without is None:
        return known + f"So nothing is known of new {noun}s."
    others = f"Without {'it' if one else 'them'}, "
    if without.accuracy is not None:
        right = percent(without.accuracy.value)
        return f"{known}{others}{right} of {counted(without.n, noun)} were named correctly."
    assert without.mse is not None
    assert without.r2 is not None
    explained = "undefined" if math.isnan(without.r2.value) else f"{without.r2.value:.3g}"
    return (
        f"{known}{others}of {counted(without.n, noun)}, the mean squared error is {without.mse.value:.4g} and "
        f"R² is {explained}."
    )


def about_loss(training: Sequence[tuple[int, float]], held_out: Sequence[tuple[int, float]]) -> str:
    """What the curves of the loss say: falling, level, or rising again."""
    if not held_out:
        (_, first), (last_step, last) = training[0], training[-1]
        return f"Training loss went from {first:.3g} to {last:.3g} in {counted(last_step, 'step')}."
    (_, first), (last_step, last) = held_out[0], held_out[-1]
    if len(held_out) == 1:
        return f"Held-out loss was {first:.3g} after {counted(last_step, 'step')}."
    best_step, best = min(held_out, key=lambda point: point[1])
    if last > best + 0.02 * abs(best):
        return f"Held-out loss was lowest at step {best_step:,} ({best:.3g}) and then rose to {last:.3g}: overfitting."
    *_, before = [first, *(value for step, value in held_out if step <= 0.75 * last_step)]
    went, falls = "fell" if last < first else "went", before - last > 0.02 * abs(before)
    ending = "was still falling when training ended" if falls else "had leveled off"
    return f"Held-out loss {went} from {first:.3g} to {last:.3g} and {ending}."


def about_accuracy(held_out: Sequence[tuple[int, float]]) -> str:
    """How far the held-out accuracy came, and where it was best."""
    (_, first), (_, last) = held_out[0], held_out[-1]
    best_step, best = max(held_out, key=lambda point: point[1])
    if len(held_out) == 1:
        return f"Held-out accuracy was {percent(last, 2)}."
    tail = "its best" if last >= best else f"after a best of {percent(best, 2)} at step {best_step:,}"
    return f"Held-out accuracy went from {percent(first, 2)} to {percent(last, 2)}, {tail}."


def about_reliability(bins: Sequence[Bin], noun: str) -> str:
    """Where confidence and accuracy differ by more than chance explains, at 95% over all bins together."""
    n = sum(b.count for b in bins)
    runs: list[tuple[int, list[Bin]]] = []
    for b in bins:
        low, high = wilson(b.accuracy * b.count, b.count, level=1 - 0.05 / len(bins))
        side = int(b.confidence > high) - int(b.confidence < low)
        if runs and side and runs[-1][0] == side and math.isclose(runs[-1][1][-1].high, b.low):
            runs[-1][1].append(b)
        else:
            runs.append((side, [b]))
    clauses = [_clause(side, run) for side, run in runs if side]
    if clauses:
        return f"The model is {'; '.join(clauses)}."
    if n < FEW:
        return f"No bin departs from the diagonal by more than chance, but {counted(n, noun)} can show only large gaps."
    return (
        "Its probabilities can be taken at face value: no bin departs from the diagonal by more than chance explains."
    )


def about_floor(evaluation: Evaluation, noun: str) -> str:
    """The calibration error, debiased, and whether chance alone would show as much."""
    ece, floor, classwise = evaluation.ece, evaluation.ece_floor, evaluation.ece_classwise
    counted, p = evaluation.ece_plugin, evaluation.calibration_p
    if ece is None or floor is None or counted is None or p is None:
        return ""
    verdict = (
        "there is no reason to doubt the calibration" if p > 0.05 else "a part of it is a miscalibration of the model"
    )
    about = (
        f"The calibration error is {percent(ece.value, 2)} (95% interval {percent(ece.low, 2)} to "
        f"{percent(ece.high, 2)}). As counted it is {percent(counted, 2)}; perfectly calibrated probabilities would "
        f"show about {percent(floor.value, 2)} on as many {noun}s by chance, and as much as that or more with a "
        f"probability of {chance(p)}, so that {verdict}."
    )
    if classwise is None:
        return about
    return (
        f"{about} The probabilities of every class, not only of the answers, are off by {percent(classwise.value, 2)} "
        f"({percent(classwise.low, 2)} to {percent(classwise.high, 2)}) on average over the classes."
    )


def chance(p: float) -> str:
    """A p-value from 500 draws: `chance(0.3)` is "0.30"; below 0.01, where the draws say little more, "<0.01"."""
    return f"{p:.2f}" if p >= 0.01 else "<0.01"


def _clause(side: int, run: Sequence[Bin]) -> str:
    count = sum(b.count for b in run)
    said = sum(b.confidence * b.count for b in run) / count
    right = sum(b.accuracy * b.count for b in run) / count
    gap = abs(said - right)
    degree = "slightly " if gap < 0.03 else "strongly " if gap >= 0.1 else ""
    direction = "overconfident" if side > 0 else "underconfident"
    return (
        f"{degree}{direction} between {run[0].low:.2f} and {run[-1].high:.2f} "
        f"(says {percent(said)}, is right {percent(right)} of the time)"
    )


def confused_pairs(confusion: np.ndarray, most: int) -> list[tuple[int, int, int, int]]:
    """(true class, answer, how often, rows of the true class) of the most frequent confusions, most frequent first."""
    wrong = np.array(confusion, dtype=np.int64)
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    rows = np.asarray(confusion).sum(axis=1)
    pairs = [(int(i), int(j)) for i, j in zip(*np.unravel_index(order, wrong.shape), strict=True)]
    return [(i, j, int(wrong[i, j]), int(rows[i])) for i, j in pairs if wrong[i, j]]


def about_confusion(confusion: np.ndarray, labels: Sequence[str], noun: str) -> str:
    """Which class is taken for which other most often."""
    pairs = confused_pairs(confusion, 1)
    if not pairs:
        return f"No {noun} was taken for another class."
    i, j, times, of = pairs[0]
    if times == 1:
        return "No class was taken for the same other one more than once."
    back, back_of = int(confusion[j][i]), int(np.sum(confusion[j]))
    text = f"Most often confused: {labels[i]} taken for {labels[j]} ({times:,} of {of:,})"
    return f"{text}; the other way round {back:,} of {back_of:,}." if back_of else f"{text}."


def about_classes(scores: Sequence[tuple[str, float]]) -> str:
    """The hardest and the easiest class by F1; `scores` holds the classes that have one."""
    if not scores:
        return "No class has a score: the test part holds too few rows."
    if len(scores) == 1:
        return f"Only {scores[0][0]} could be scored (F1 {scores[0][1]:.3f})."
    hardest, easiest = min(scores, key=lambda s: s[1]), max(scores, key=lambda s: s[1])
    if hardest[1] == easiest[1]:
        return f"All classes are equally hard (F1 {hardest[1]:.3f})."
    return f"Hardest: {hardest[0]} (F1 {hardest[1]:.3f}). Easiest: {easiest[0]} (F1 {easiest[1]:.3f})."


def about_wrong(y: np.ndarray, probs: np.ndarray, noun: str) -> str:
    """How many answers were wrong, and how many of those were given with high confidence."""
    wrong = probs.argmax(axis=1) != y
    n_wrong, n = int(wrong.sum()), len(y)
    if not n_wrong:
        return f"No wrong answer among {counted(n, noun)}."
    sure = int((probs[wrong].max(axis=1) >= 0.9).sum())
    return (
        f"{n_wrong:,} of {counted(n, noun)} got a wrong answer; "
        f"{sure:,} of these {n_wrong:,} ({percent(sure / n_wrong, 0)}) had a probability of 90% or more."
    )


def about_uncertain(y: np.ndarray, probs: np.ndarray, doubt: np.ndarray, noun: str) -> str:
    """Whether doubt (entropy) is well placed: the share of wrong answers in the least certain tenth and in the rest."""
    n = len(y)
    if n == 1:
        return f"The entropy of the one answer is {doubt[0]:.2f} nats."
    if n < 20:
        return f"Entropies run from {doubt.min():.2f} to {doubt.max():.2f} nats."
    order = np.argsort(-doubt, kind="stable")
    wrong = (probs.argmax(axis=1) != y)[order]
    tenth = n // 10
    doubted, rest = float(wrong[:tenth].mean()), float(wrong[tenth:].mean())
    verdict = "Low confidence indicates errors" if doubted > rest else "Low confidence does not indicate errors here"
    return (
        f"{verdict}: in the least certain tenth of the {noun}s {percent(doubted)} of the answers are wrong, "
        f"in the rest {percent(rest)}."
    )


def about_fit(y: np.ndarray, predicted: np.ndarray) -> str:
    """How large the errors of a regression are, compared with the spread of the targets."""
    spread, half = float(np.std(y)), float(np.median(np.abs(predicted - y)))
    beside = f", {half / spread:.2f} standard deviations of the true values" if spread > 0 else ""
    return f"Half of the predictions lie within {half:.4g} of the truth{beside}."


def about_residuals(y: np.ndarray, predicted: np.ndarray) -> str:
    """Whether the predictions are too high or too low on the whole."""
    residual = predicted - y
    mean = float(residual.mean())
    if len(residual) < 2:
        return f"The one prediction is off by {mean:.4g}."
    margin = 1.96 * float(residual.std(ddof=1)) / math.sqrt(len(residual))
    if abs(mean) <= margin:
        return f"On the whole the predictions are neither too high nor too low (mean error {mean:.3g} ± {margin:.2g})."
    return f"On the whole the predictions are too {'high' if mean > 0 else 'low'}, by {abs(mean):.3g} ± {margin:.2g}."
