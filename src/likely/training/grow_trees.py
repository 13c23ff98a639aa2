"""Trees, grown round by round: held-out rows see them at a few lengths, each 1.5 times the one before."""

import math
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from likely.config.registry import LOSSES
from likely.learners.boosting import BoostedTrees
from likely.preprocessing.stored_rows import RowArray
from likely.training.held_out_scores import HeldOutScores
from likely.training.loop.by_clock import ByClock
from likely.training.loop.checkpoints import Checkpoint, Checkpoints
from likely.training.loop.descent import Record
from likely.training.loop.interrupt import Interrupt
from likely.training.task import Targets, Task
from likely.training.trained import UNFINISHED, Trained

_FIRST, _GROWTH = 10, 1.5
"""Rounds at the first checkpoint, and how many times as many at each next one."""
_PATIENCE = 1
"""Checkpoints without a gain after which trees are not grown on."""
_GAIN = 1e-3
"""Nats, or variances of targets, that held-out rows must lose less: fewer are not worth half as many rounds again."""
_MOST_BYTES = 50e6
"""Of a model's trees."""
BYTES_OF_NODE = 19
"""In a model file."""
_FEW = 500
"""Training rows whose loss a record tells."""


@dataclass
class Growth:
    """The mean loss of some rows, lowered by trees: a `Trained` whose learner is `BoostedTrees`.

    Args:
        trained: what is grown.
        trees: its learner.
        X: training rows as they are stored; a few of them say what the loss is.
        targets: of these rows.
        task: what is learned.
        checkpoints: held-out rows that choose the number of rounds.
        by_clock: keeps what time decides, or tells it again.
        on_record: takes each record.
        interrupt: that of a caller who listens for Ctrl-C; None listens during this run.
    """

    trained: Trained
    trees: BoostedTrees
    X: RowArray
    targets: Targets
    task: Task
    by_clock: ByClock
    checkpoints: Checkpoints | None = None
    on_record: Callable[[Record], None] | None = None
    interrupt: Interrupt | None = None

    def run(
        self,
        *,
        stop_at: float = 1.0,
        time_limit: float | None = None,
        watch: Callable[[], float],
        give_up: Callable[[], bool] | None = None,
    ) -> Trained:
        """Grow to `stop_at` of the plan's rounds, or as far as time, size and held-out rows let it go."""
        most, began, trees = max(1, round(self.trained.plan.epochs)), watch(), self.trees
        last = max(1, round(stop_at * most))
        interrupt, stopped = self.interrupt or Interrupt(), "finished"
        held_out = None if self.checkpoints is None else _Held(self.checkpoints, self.trained, trees, self.task)
        few = np.linspace(0, len(self.X) - 1, min(_FEW, len(self.X))).round().astype(np.int64)
        inputs = self.trained.inference.preprocessor(self.X[few])
        sums: Any = 0.0
        read = 0
        with nullcontext() if self.interrupt else interrupt:
            for rounds in _lengths(last):
                trees.grow(rounds)
                sums, seconds = sums + trees.sums_since(inputs, read), watch() - began
                read, progress, left = rounds, rounds / most, (last - rounds) * seconds / rounds
                if interrupt.asked or (give_up is not None and give_up()):
                    stopped = interrupt.how or UNFINISHED
                elif (
                    time_limit is not None
                    and rounds < last
                    and self.by_clock(rounds, lambda seconds=seconds: seconds * _GROWTH > time_limit)
                ):
                    stopped, progress, left = "time limit", 1.0, 0.0
                elif trees.n_parameters * BYTES_OF_NODE * _GROWTH > _MOST_BYTES and rounds < last:
                    stopped = "50 MB of trees"
                figures = None
                if held_out is not None and (held_out.rows.most != 1 or rounds == last or stopped != "finished"):
                    figures = held_out(progress, rounds)
                    if stopped == "finished" and held_out.waited >= _PATIENCE:
                        stopped = "early stopping"
                loss, rate = self._loss(trees.scores_of(sums), few), len(self.X) * rounds / max(seconds, 1e-9)
                record = Record(
                    rounds, rounds, progress, loss, self.trained.plan.learning_rate or 1.0, seconds, rate, left, figures
                )
                self.trained.history.append(record)
                if self.on_record is not None:
                    self.on_record(record)
                if stopped != "finished":
                    break
        if held_out is not None and held_out.rows.keep_best:
            trees.keep(held_out.best_rounds)
        return replace(self.trained, plan=replace(self.trained.plan, network=trees.network), stopped=stopped)

    def _loss(self, scores: np.ndarray, few: np.ndarray) -> float:
        plan, targets = self.trained.plan, self.targets
        weights = None if targets.weights is None else targets.weights[few]
        if weights is not None and not weights.any():
            return 0.0
        losses = LOSSES.named(plan.loss).values(plan.head, targets.Y[few].astype(scores.dtype), scores)
        return float(np.average(losses, weights=weights))


class _Held:
    """Held-out rows at the checkpoints of one growth."""

    def __init__(self, rows: Checkpoints, trained: Trained, trees: BoostedTrees, task: Task) -> None:
        self.rows, self._trained, self._trees, self._task = rows, trained, trees, task
        self._X = trained.inference.preprocessor(rows.X[:])
        self._sums: Any = 0.0
        self._best, self._at_gain, self._read = math.inf, math.inf, 0
        self.waited, self.best_rounds = 0, 0

    def __call__(self, progress: float, rounds: int) -> dict[str, float]:
        """Their figures; the loss under the best temperature says whether they improve."""
        rows, trained, task, head = self.rows, self._trained, self._task, self._trained.plan.head
        self._sums, self._read = self._sums + self._trees.sums_since(self._X, self._read), rounds
        scores = self._trees.scores_of(self._sums) * trained.target_scale + trained.target_mean
        index, scale = np.arange(len(rows.Y)), trained.target_scale
        loss = task.held_out_loss(
            HeldOutScores(scores / scale, rows.Y / scale, rows.weights, index, trained.stated), head
        )
        if loss < self._best:
            self._best, self.best_rounds = loss, rounds
        self.waited += 1
        if loss < self._at_gain - _GAIN:
            self._at_gain, self.waited = loss, 0
        if rows.keep is not None:
            rows.keep(Checkpoint(progress, scores, {"rounds": np.array(rounds)}))
        return task.figures(scores, rows.Y, head, rows.weights, trained.stated)


def _lengths(last: int) -> Iterator[int]:
    """How many rounds there are at each checkpoint; the last one is the end.

    Example:
        >>> list(_lengths(30))
        [10, 15, 22, 30]
    """
    rounds = min(_FIRST, last)
    while rounds < last:
        yield rounds
        rounds = min(last, max(rounds + 1, round(rounds * _GROWTH)))
    yield last
