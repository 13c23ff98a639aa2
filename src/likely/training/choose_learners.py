"""Which learners answer, how long each is trained, and how much it counts: decided by rows that none has seen."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from likely.functional.convex_weights import mean_weights, mixed_log_probs, mixture_weights
from likely.metrics.scores import LOWEST_LOG_PROB
from likely.training.fold_learner import FoldLearner
from likely.training.trained import UNFINISHED
from likely.training.training_rows import Rows

_LEAST_WEIGHT = 0.05
"""Of a learner in the mixture; below it the others answer without it."""
_ENOUGH_TO_TELL = 400
"""Held-out rows: by fewer a mixture that is better is seldom better by a standard error."""
_CAUTION = 200
"""Held-out rows by which a learner must be behind by two standard errors to be left out, by half as many three: of 22
rows of iris trees, whose length and temperature they chose, led an MLP by one in five of eight draws, and lost."""


@dataclass(frozen=True, eq=False)
class Choice:
    """How long each learner is trained, and how much it counts, in the order of the learners."""

    lengths: tuple[int, ...]
    weights: np.ndarray

    def answers(self, learners: Sequence[FoldLearner]) -> np.ndarray:
        """What they answer together to held-out rows: log P (n, k), or the numbers (n, m)."""
        return self._mixed([at.answers(length) for at, length in zip(learners, self.lengths, strict=True)], learners)

    def answers_to(self, fold: int, learners: Sequence[FoldLearner], others: Sequence[FoldLearner]) -> np.ndarray:
        """What they answer together to a fold that took no part in the choice; `others` are those `without` it."""
        each = zip(learners, others, self.lengths, strict=True)
        return self._mixed([at.answers_to(fold, without, length) for at, without, length in each], learners)

    def _mixed(self, answers: Sequence[np.ndarray], learners: Sequence[FoldLearner]) -> np.ndarray:
        if learners[0].job.rows.task.name == "regression":
            return np.einsum("m,mnk->nk", self.weights, np.stack(answers))
        return mixed_log_probs(np.stack(answers), self.weights)


def choose(learners: Sequence[FoldLearner], rows: np.ndarray) -> Choice:
    """The length and the weight of each learner by which these held-out rows cost least.

    The best learner alone, unless the mixture is better by more than a standard error of the paired difference.
    """
    mixed, losses = _mixed(learners, rows), _losses(learners, rows)
    counted = _weights(learners[0].job.rows, rows)
    best = _best(losses, counted)
    gain, error = _mean_and_error(losses[best] - _together(learners, mixed, rows), counted)
    return mixed if gain > error else Choice(mixed.lengths, np.eye(len(learners))[best])


def _mixed(learners: Sequence[FoldLearner], rows: np.ndarray) -> Choice:
    """The best length of each learner, and the mixture of their answers by which these rows cost least."""
    lengths = tuple(learner.best_length(rows) for learner in learners)
    answers = np.stack([at.answers(length)[rows] for at, length in zip(learners, lengths, strict=True)])
    every = learners[0].job.rows
    lowest = mean_weights if every.task.name == "regression" else mixture_weights
    found = lowest(answers, every.Y[rows], _weights(every, rows))
    found = np.where(found < _LEAST_WEIGHT, 0.0, found)
    return Choice(lengths, found / found.sum())


def cross_fitted(
    kept: Sequence[FoldLearner], dropped: Sequence[FoldLearner] = (), costly: Collection[str] = ()
) -> np.ndarray:
    """What is answered to each row as the other folds chose: learners, lengths, weights and temperatures, (n, k).

    Args:
        kept: the learners that were trained without each fold.
        dropped: those that the first two folds left out. Without either of the two the other one alone decides, and
            where it would not have left out the same, it alone weighs the learners.
        costly: as in `left_out`.
    """
    found = np.empty(kept[0].job.rows.Y.shape)
    for number, fold in enumerate(kept[0].folds):
        learners = list(kept)
        others = [learner.without(number) for learner in learners]
        if number < 2:
            tried = [each for each in (*kept, *dropped) if len(each.trained) > 1]
            alone = [each.without(number, of=(1 - number,)) for each in tried]
            out = left_out(alone, costly)
            if {each.kind for each in tried if each.kind not in out} != {each.kind for each in kept}:
                chosen = [(each, by) for each, by in zip(tried, alone, strict=True) if each.kind not in out]
                learners, others = [each for each, _ in chosen], [by for _, by in chosen]
        found[fold] = choose(others, others[0].rows).answers_to(number, learners, others)
    return found


def left_out(learners: Sequence[FoldLearner], costly: Collection[str] = ()) -> dict[str, str]:
    """The learners that no further fold is spent on, with the reason.

    The best mixture of the folds so far does without them, and they are behind the best learner by a standard error, or
    more of them where rows are few; or the mixture with them is ahead of the one without by no more than half of one.
    What is costly must be ahead by one.
    """
    rows = learners[0].rows
    mixed, losses = _mixed(learners, rows), _losses(learners, rows)
    counted = _weights(learners[0].job.rows, rows)
    best, together = _best(losses, counted), _together(learners, mixed, rows)
    tells = len(rows) >= _ENOUGH_TO_TELL
    found: dict[str, str] = {}
    for number, learner in enumerate(learners):
        if number == best:
            continue
        worse, error = _mean_and_error(losses[number] - losses[best], counted)
        needless = learner.trained[-1].stopped == UNFINISHED or (
            mixed.weights[number] == 0 and worse > (1 + _CAUTION / len(rows)) * error
        )
        if not needless and (tells or learner.kind in costly):
            others = [*learners[:number], *learners[number + 1 :]]
            gain, error = _mean_and_error(_together(others, _mixed(others, rows), rows) - together, counted)
            needless = gain <= (1.0 if learner.kind in costly else 0.5) * error
        if needless:
            folds = f"{len(learner.trained)} folds" if len(learner.trained) > 1 else "a fold"
            found[learner.kind] = f"{learner.kind} left out ({worse:.2g} behind {learners[best].kind} in {folds})"
    return found


def falls_short(scores: np.ndarray, learner: FoldLearner, rivals: Sequence[FoldLearner]) -> bool:
    """Whether a mixture of labels' probabilities with this learner is not ahead of one without by a standard error.

    Args:
        scores: of the first fold, at a length of training.
        learner: what gave them.
        rivals: which have been trained without the first fold.
    """
    fold, every = learner.folds[0], learner.job.rows
    without = _mixed(rivals, fold).answers(rivals)[fold]
    _, answers, _ = learner.answered(scores, fold, rivals[0].stated[fold])
    stacked, Y, counted = np.stack([without, answers]), every.Y[fold], _weights(every, fold)
    together = mixed_log_probs(stacked, mixture_weights(stacked, Y, counted))
    ahead = (Y * (np.maximum(together, LOWEST_LOG_PROB) - np.maximum(without, LOWEST_LOG_PROB))).sum(axis=1)
    gain, error = _mean_and_error(ahead, counted)
    return gain <= error


def _losses(learners: Sequence[FoldLearner], rows: np.ndarray) -> list[np.ndarray]:
    """What the answers of each learner at its best length cost these rows."""
    return [learner.losses(learner.best_length(rows))[rows] for learner in learners]


def _best(losses: Sequence[np.ndarray], weights: np.ndarray | None) -> int:
    return int(np.argmin([np.average(loss, weights=weights) for loss in losses]))


def _together(learners: Sequence[FoldLearner], choice: Choice, rows: np.ndarray) -> np.ndarray:
    """What their answers by this choice cost these rows."""
    every = learners[0].job.rows
    answers, Y = choice.answers(learners)[rows], every.Y[rows]
    if every.task.name == "regression":
        return np.square(answers - Y).sum(axis=1)
    return -(Y * np.maximum(answers, LOWEST_LOG_PROB)).sum(axis=1)


def _weights(rows: Rows, index: np.ndarray) -> np.ndarray | None:
    return None if rows.weights is None else rows.weights[index]


def _mean_and_error(differences: np.ndarray, weights: np.ndarray | None) -> tuple[float, float]:
    """The mean of paired differences, and its standard error."""
    shares = np.full(len(differences), 1 / len(differences)) if weights is None else weights / weights.sum()
    mean = float(shares @ differences)
    return mean, float(np.sqrt(np.square(shares) @ np.square(differences - mean)))
