"""One kind of learner, trained without each fold of the rows: what it says of them at each length of training."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from likely.learners.boosting import BoostedTrees
from likely.metrics.scores import LOWEST_LOG_PROB
from likely.networks.network import Network
from likely.networks.trees import Trees
from likely.training.freer_plans import Attempt, train_as_freely_as_pays
from likely.training.held_out_scores import HeldOutScores
from likely.training.hold_out import CHECKPOINTS
from likely.training.job import Job
from likely.training.loop.checkpoints import Checkpoint
from likely.training.loop.descent import Record
from likely.training.loop.interrupt import SIGNALS, Interrupt, Interrupted
from likely.training.plan import Plan
from likely.training.trained import Trained
from likely.training.watcher import of_all_runs
from likely.trust.temperature import apply_temperature, fit_temperature
from likely.trust.unseen import with_unseen


@dataclass
class FoldLearner:
    """A kind of learner and its trainings, fold by fold.

    Args:
        kind: by name.
        job: of this kind, whose rows the folds are of.
        plan: of each training.
        folds: indices of the rows that are left out, of all rows once.
    """

    kind: str
    job: Job
    plan: Plan
    folds: list[np.ndarray]
    trained: list[Trained] = field(default_factory=list[Trained], init=False)
    seen: list[list[Checkpoint]] = field(default_factory=list[list[Checkpoint]], init=False)

    def train(self, upto: int, *, number: int, runs: int, time_limit: float | None, interrupt: Interrupt) -> None:
        """Train without each of the folds before `upto` that is left, as the runs from this number on."""
        for fold in self.folds[len(self.trained) : upto]:
            name = f"{self.kind}, fold {len(self.trained) + 1} of {len(self.folds)}"

            def record(entry: Record, number: int = number, name: str = name) -> None:
                self.job.watcher.record(of_all_runs(entry, number, runs), name)

            def train(plan: Plan, fold: np.ndarray = fold, record: Callable[[Record], None] = record) -> Attempt:
                seen: list[Checkpoint] = []
                trained = self.job.train(
                    plan,
                    np.setdiff1d(np.arange(len(self.job.rows)), fold),
                    checkpoints=self.job.checkpoints(fold, most=CHECKPOINTS, keep=seen.append, states=True),
                    average_recent=True,
                    time_limit=time_limit,
                    on_record=record,
                    interrupt=interrupt,
                )
                return Attempt(plan, trained, seen)

            if self.trained:
                found = train(self.plan)
            else:
                _, Y, weights = self.job.rows.take(fold)
                found = train_as_freely_as_pays(train, self.plan, self.job.rows.task, Y, weights)
                self.plan = found.plan
            if interrupt.asked:
                raise Interrupted(SIGNALS[interrupt.how])  # the mean of some folds is not what their rows say
            number += 1
            self.trained.append(found.trained)
            # Trainings that time has cut short have only their ends in common.
            self.seen.append(found.seen[-1:] if found.trained.stopped == "time limit" else found.seen)
        for known in ("_lengths", "stated"):
            self.__dict__.pop(known, None)

    @property
    def rows(self) -> np.ndarray:
        """The rows that have been held out so far."""
        return np.concatenate(self.folds[: len(self.trained)])

    @property
    def lengths(self) -> int:
        """How many lengths of training can be compared."""
        return min(map(len, self.seen))

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
        weights = None if self.job.rows.weights is None else self.job.rows.weights[rows]
        means = [np.average(self.losses(length)[rows], weights=weights) for length in range(self.lengths)]
        return int(np.argmin(means))

    def load(self, length: int) -> None:
        """Give every learner the state that it had at this length."""
        for trained, seen in zip(self.trained, self.seen, strict=True):
            if isinstance(trained.engine, BoostedTrees):
                trained.engine.keep(int(seen[length].state["rounds"]))
            else:
                trained.engine.load_state(dict(seen[length].state))

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
            for fold, seen in zip(self.folds, self.seen, strict=False):
                scores[fold] = seen[length].scores
            found.append(_answered(self, scores, index))
        return found


def _answered(learner: FoldLearner, scores: np.ndarray, index: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """The temperature, the answers and their losses, for scores of which the rows with these indices are known."""
    rows = learner.job.rows
    if rows.task.name == "regression":
        return 1.0, scores, np.square(scores - rows.Y).sum(axis=1)
    weights = None if rows.weights is None else rows.weights[index]
    part = HeldOutScores(scores[index], rows.Y[index], weights, index, learner.stated[index])
    masked = part.log_probs(learner.plan.head)
    temperature = fit_temperature(masked, part.Y, weights)
    answers, losses = np.zeros(scores.shape), np.zeros(len(scores))
    answers[index] = with_unseen(apply_temperature(masked, temperature), part.stated)
    losses[index] = -(part.Y * np.maximum(answers[index], LOWEST_LOG_PROB)).sum(axis=1)
    return temperature, answers, losses
