"""One kind of learner, trained without each fold of the rows: what it says of them at each length of training."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np

from likely.learners.boosting import BoostedTrees
from likely.metrics.scores import LOWEST_LOG_PROB
from likely.networks.network import Network
from likely.networks.trees import Trees
from likely.training.freer_plans import Attempt, train_as_freely_as_pays
from likely.training.held_out_scores import HeldOutScores
from likely.training.hold_out import CHECKPOINTS
from likely.training.job import Job
from likely.training.loop.checkpoints import Checkpoint, load, plainly_larger
from likely.training.loop.descent import Record
from likely.training.loop.interrupt import Interrupt
from likely.training.plan import Plan
from likely.training.trained import WHOLE, Trained
from likely.training.watcher import of_all_runs
from likely.trust.temperature import apply_temperature, fit_temperature
from likely.trust.unseen import with_unseen

MARGIN = 0.1
"""Of the range of training targets: how far beyond it an answer may lie."""
_ERRORS = 1.5
"""Standard errors by which a network must be better without some columns."""


@dataclass
class FoldLearner:
    """A kind of learner and its trainings, fold by fold.

    Args:
        kind: by name.
        job: of this kind, whose rows the folds are of.
        plan: of each training.
        folds: indices of the rows that are left out, of all rows once.
        at_most: how many times the loss of training rows that of held-out rows may be where a freer plan is tried.
        pieces: whether numbers in pieces are tried in the first fold.
        hidden: indices of rows that take no part in what is decided.
    """

    kind: str
    job: Job
    plan: Plan
    folds: list[np.ndarray]
    at_most: float
    pieces: bool
    hidden: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    trained: list[Trained] = field(default_factory=list[Trained], init=False)
    seen: list[list[Checkpoint]] = field(default_factory=list[list[Checkpoint]], init=False)

    def train(
        self,
        upto: int,
        *,
        number: int,
        runs: int,
        time_limit: float | None,
        interrupt: Interrupt,
        hopeless: Callable[[np.ndarray], bool] = lambda scores: False,
    ) -> None:
        """Train without each of the folds before `upto` that is left, as the runs from this number on.

        What is hopeless by the scores of the first fold on the way is not trained to its end.
        """
        for fold in self.folds[len(self.trained) : upto]:
            name = f"{self.kind}, fold {len(self.trained) + 1} of {len(self.folds)}"

            def record(entry: Record, number: int = number, name: str = name) -> None:
                self.job.watcher.record(of_all_runs(entry, number, runs), name)

            train = partial(
                self._train_without,
                fold,
                time_limit=time_limit,
                hopeless=None if self.trained else hopeless,
                on_record=record,
                interrupt=interrupt,
            )
            if self.trained:
                found = train(self.plan)
            else:
                found = self._as_freely_as_pays(train, self.plan)
                self.plan = found.plan
            number += 1
            self.trained.append(found.trained)
            # Trainings that time has cut short have only their ends in common.
            self.seen.append(found.seen[-1:] if found.trained.stopped == "time limit" else found.seen)
            if interrupt.asked:
                break
        self._take(self.trained, self.seen)

    def switch_off(self, columns: tuple[int, ...], time_limit: float | None, interrupt: Interrupt) -> None:
        """Do without these columns, and be freer where that pays, if the first fold, the only one so far, loses less.

        A restrained network gains little by it, since it learns little of what useless columns happen to say: where it
        gains at all, freer ones are tried before 1.5 standard errors decide.
        """
        trained, seen, before = self.trained, self.seen, self._losses_now()
        if trained[0].stopped not in WHOLE:
            return
        train = partial(self._train_without, self.folds[0], time_limit=time_limit, interrupt=interrupt)
        found = train(self.plan.but(off=columns))
        weights = None if self.job.rows.weights is None else self.job.rows.weights[self.rows]
        if found.trained.stopped in WHOLE and self._takes(found, before, weights, errors=0):
            found = self._as_freely_as_pays(train, found)
        whole = not interrupt.asked and found.trained.stopped in WHOLE
        if whole and self._takes(found, before, weights, errors=_ERRORS):
            self.plan = found.plan
        else:
            self._take(trained, seen)

    def _takes(self, found: Attempt, before: np.ndarray, weights: np.ndarray | None, errors: float) -> bool:
        """Take what was found, and say whether it is better than before by more than so many standard errors."""
        self._take([found.trained], [found.seen])
        return plainly_larger(before, self._losses_now(), weights, errors=errors)

    def _losses_now(self) -> np.ndarray:
        return self.losses(self.best_length(self.rows))[self.rows]

    def _as_freely_as_pays(self, train: Callable[[Plan], Attempt], first: Plan | Attempt) -> Attempt:
        rows, (_, Y, weights) = self.job.rows, self.job.rows.take(self.folds[0])
        return train_as_freely_as_pays(train, first, rows.task, Y, weights, at_most=self.at_most, pieces=self.pieces)

    def _train_without(
        self,
        fold: np.ndarray,
        plan: Plan,
        *,
        time_limit: float | None,
        hopeless: Callable[[np.ndarray], bool] | None = None,
        on_record: Callable[[Record], None] = lambda record: None,
        interrupt: Interrupt,
    ) -> Attempt:
        seen: list[Checkpoint] = []
        trained = self.job.train(
            plan,
            np.setdiff1d(np.arange(len(self.job.rows)), fold),
            checkpoints=self.job.checkpoints(fold, most=CHECKPOINTS, keep=seen.append, states=True),
            average_recent=True,
            time_limit=time_limit,
            give_up=None if hopeless is None else lambda: len(seen) > 1 and hopeless(seen[-1].scores),
            on_record=on_record,
            interrupt=interrupt,
        )
        return Attempt(plan, trained, seen)

    def _take(self, trained: list[Trained], seen: list[list[Checkpoint]]) -> None:
        self.trained, self.seen = trained, seen
        for known in ("_lengths", "stated"):
            self.__dict__.pop(known, None)

    @property
    def rows(self) -> np.ndarray:
        """The rows that have been held out so far."""
        return np.concatenate(self.folds[: len(self.trained)])

    @cached_property
    def limits(self) -> np.ndarray | None:
        """Between which numbers are kept, shape (2, m): the range of all targets, and a tenth of it on either side."""
        if self.job.rows.task.name != "regression" or self.job.config.extrapolate:
            return None
        known = np.delete(self.job.rows.Y, self.hidden, axis=0)
        low, high = known.min(axis=0), known.max(axis=0)
        return np.stack([low - MARGIN * (high - low), high + MARGIN * (high - low)])

    def without(self, fold: int, *, of: Sequence[int] = ()) -> "FoldLearner":
        """The same, as if there were only the other folds, or those `of` them: no row of this fold decides anything."""
        others = [number for number in of or range(len(self.trained)) if number != fold]
        folds = [self.folds[number] for number in others]
        found = FoldLearner(self.kind, self.job, self.plan, folds, self.at_most, self.pieces, self.folds[fold])
        found._take([self.trained[number] for number in others], [self.seen[number] for number in others])
        return found

    def answers_to(self, fold: int, others: "FoldLearner", length: int) -> np.ndarray:
        """What is answered to the rows of a fold, by what has not seen them, at the length and temperature of others.

        As `answers`, of shape (m, k); `others` is `without` this fold.
        """
        seen, index = self.seen[fold], self.folds[fold]
        scores = seen[min(length, len(seen) - 1)].scores
        return others.answer(scores, index, self.stated[index], others.temperature(length))

    @property
    def lengths(self) -> int:
        """How many lengths of training can be compared."""
        return max(map(len, self.seen))

    def _at(self, length: int) -> list[Checkpoint]:
        """What was seen of each fold at this length, or at its end where it was trained less."""
        return [seen[min(length, len(seen) - 1)] for seen in self.seen]

    @cached_property
    def stated(self) -> np.ndarray:
        """The stated probability of each label that the training rows of a row's fold lack, (n, k)."""
        stated = np.zeros(self.job.rows.Y.shape)
        for fold, trained in zip(self.folds, self.trained, strict=False):
            stated[fold] = trained.stated
        return stated

    def temperature(self, length: int) -> float:
        """The best one of all held-out rows at this length; 1 for numbers."""
        return self._lengths[length][0]

    def answers(self, length: int) -> np.ndarray:
        """log P, (n, k), or the numbers (n, m), of the held-out rows at this length, each by what has not seen it."""
        return self._lengths[length][1]

    def losses(self, length: int) -> np.ndarray:
        """What these answers cost, (n,)."""
        return self._lengths[length][2]

    def best_length(self, rows: np.ndarray) -> int:
        """The length at which these rows cost least."""
        return int(np.argmin([self.mean_loss(length, rows) for length in range(self.lengths)]))

    def mean_loss(self, length: int, rows: np.ndarray) -> float:
        """What the answers to these rows cost at this length, on average."""
        weights = None if self.job.rows.weights is None else self.job.rows.weights[rows]
        return float(np.average(self.losses(length)[rows], weights=weights))

    def load(self, length: int) -> None:
        """Give every learner the state that it had at this length."""
        for trained, at in zip(self.trained, self._at(length), strict=True):
            load(trained, at)

    def networks(self) -> list[Network | Trees]:
        """What each learner is, by which it is rebuilt."""
        found = [t.engine.network if isinstance(t.engine, BoostedTrees) else t.plan.network for t in self.trained]
        return [network for network in found if isinstance(network, Network | Trees)]

    @cached_property
    def _lengths(self) -> list[tuple[float, np.ndarray, np.ndarray]]:
        rows, found = self.job.rows, list[tuple[float, np.ndarray, np.ndarray]]()
        index = self.rows
        for length in range(self.lengths):
            scores = np.zeros(rows.Y.shape)
            for fold, at in zip(self.folds, self._at(length), strict=False):
                scores[fold] = at.scores
            temperature, answers, losses = self.answered(scores[index], index, self.stated[index])
            all_answers, all_losses = np.zeros(rows.Y.shape), np.zeros(len(rows))
            all_answers[index], all_losses[index] = answers, losses
            found.append((temperature, all_answers, all_losses))
        return found

    def answered(
        self, scores: np.ndarray, index: np.ndarray, stated: np.ndarray
    ) -> tuple[float, np.ndarray, np.ndarray]:
        """The temperature, the answers and their losses, for scores of the rows with these indices.

        `stated` is the probability of each label that the training rows of a row's fold lack, (m, k).
        """
        rows = self.job.rows
        Y, weights = rows.Y[index], None if rows.weights is None else rows.weights[index]
        if rows.task.name == "regression":
            answers = self.answer(scores, index, stated, 1.0)
            return 1.0, answers, np.square(answers - Y).sum(axis=1)
        masked = self._masked(scores, index, stated)
        temperature = fit_temperature(masked, Y, weights)
        answers = with_unseen(apply_temperature(masked, temperature), stated)
        return temperature, answers, -(Y * np.maximum(answers, LOWEST_LOG_PROB)).sum(axis=1)

    def answer(self, scores: np.ndarray, index: np.ndarray, stated: np.ndarray, temperature: float) -> np.ndarray:
        """log P, or the numbers, for scores of the rows with these indices; `stated` as in `answered`."""
        if self.job.rows.task.name == "regression":
            return scores if (limits := self.limits) is None else np.clip(scores, *limits)
        return with_unseen(apply_temperature(self._masked(scores, index, stated), temperature), stated)

    def _masked(self, scores: np.ndarray, index: np.ndarray, stated: np.ndarray) -> np.ndarray:
        return HeldOutScores(scores, self.job.rows.Y[index], None, index, stated).log_probs(self.plan.head)
