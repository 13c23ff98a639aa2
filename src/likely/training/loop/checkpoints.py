"""A network seen on held-out rows while it is trained, and the best state that was seen."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from likely.learners.boosting import BoostedTrees
from likely.metrics.scores import LOWEST_LOG_PROB
from likely.preprocessing.stored_rows import RowArray
from likely.training.held_out_scores import HeldOutScores
from likely.training.loop.averaging import AveragedEpoch
from likely.training.task import Task
from likely.training.trained import Trained
from likely.trust.temperature import at_best_temperature

_REMEMBERED = ("best_state", "best", "best_checkpoint", "best_progress", "_taken", "_waited")
_TIE = 5e-4
"""Nats: held-out rows do not tell penalties apart that differ by less, and the weaker one is nearer the optimum."""


class Checkpoint(NamedTuple):
    """The scores of the held-out rows at this progress, and the state that gave them, where it is kept."""

    progress: float
    scores: np.ndarray
    state: Mapping[str, np.ndarray] = MappingProxyType({})


def load(trained: Trained, at: Checkpoint) -> None:
    """Give a network the state that it had at a checkpoint."""
    if isinstance(trained.engine, BoostedTrees):
        trained.engine.keep(int(at.state["rounds"]))
    else:
        trained.engine.load_state(dict(at.state))


@dataclass(frozen=True)
class Checkpoints:
    """Held-out rows to evaluate the network on while it is trained.

    Args:
        X: stored rows.
        Y: their label distributions or targets.
        weights: how much each counts, or None.
        most: how often to evaluate at most, evenly over the run; None does so after every epoch.
        patience: stop after so many checkpoints without improvement and keep the best; None never stops.
        keep: takes each checkpoint.
        states: whether what is kept has the state, too.
        keep_best: whether the run ends with the best state that was evaluated, not with the last one.
    """

    X: RowArray
    Y: np.ndarray
    weights: np.ndarray | None = None
    most: int | None = None
    patience: int | None = None
    keep: Callable[[Checkpoint], None] | None = None
    states: bool = False
    keep_best: bool = False


class Evaluator:
    """Evaluates the network at its checkpoints and remembers the best state seen.

    Args:
        trained: the network.
        checkpoints: the rows; with None there are no figures.
        task: what is learned.
        recent: the mean state that is evaluated in place of the present one, if any.
    """

    def __init__(
        self, trained: Trained, checkpoints: Checkpoints | None, task: Task, recent: AveragedEpoch | None
    ) -> None:
        self.trained, self.checkpoints, self.task, self.recent = trained, checkpoints, task, recent
        self.best_state: dict[str, np.ndarray] | None = None
        self.best = math.inf
        self.best_checkpoint, self.best_progress = 0, 1.0
        self.overfits = False
        self.few_parameters = False
        self._taken = 0
        self._waited = 0
        self._least: np.ndarray | None = None

    @property
    def waited_enough(self) -> bool:
        """Whether there were as many checkpoints without improvement as the patience allows."""
        patience = self.checkpoints.patience if self.checkpoints else None
        return patience is not None and self._waited >= patience

    def load_best(self) -> bool:
        """Give the engine the best state that was seen; whether there was any."""
        if self.best_state is not None:
            self.trained.engine.load_state(self.best_state)
        return self.best_state is not None

    def snapshot(self) -> dict[str, Any]:
        """What is remembered of a descent so far."""
        recent = None if self.recent is None else self.recent.snapshot()
        return {"recent": recent, **{name: getattr(self, name) for name in _REMEMBERED}}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Remember it again, from `snapshot()`."""
        if self.recent is not None:
            self.recent.restore(kept["recent"])
        for name in _REMEMBERED:
            setattr(self, name, kept[name])

    def __call__(self, progress: float) -> dict[str, float]:
        """The figures of the network at this progress; one of NaN where it has diverged."""
        if self.recent is None:
            return self._evaluate(progress)
        engine = self.trained.engine
        state = engine.state()
        self.recent.add(state)
        engine.load_state(self.recent.state)
        try:
            return self._evaluate(progress)
        finally:
            engine.load_state(state)

    def _evaluate(self, progress: float) -> dict[str, float]:
        rows, trained, task = self.checkpoints, self.trained, self.task
        if rows is None:
            return {}
        # A network that diverged gives no figures; the loop is told by their being NaN.
        with np.errstate(over="ignore", invalid="ignore"):
            scores = trained.scores(rows.X)
            figures = task.figures(scores, rows.Y, trained.plan.head, rows.weights, trained.stated)
        loss = figures[task.loss_figure]
        if not task.finite(scores) or not math.isfinite(loss):
            return {task.loss_figure: math.nan}
        as_good = loss < self.best
        if rows.keep_best and not trained.plan.penalties:
            index = np.arange(len(rows.Y))
            loss = task.held_out_loss(
                HeldOutScores(scores, rows.Y, rows.weights, index, trained.stated), trained.plan.head
            )
            as_good = loss < self.best
        elif trained.plan.penalties:
            losses = _calibrated_losses(scores, rows.Y, rows.weights, trained.stated)
            loss = float(np.average(losses, weights=rows.weights))
            self.overfits = self._least is not None and plainly_larger(losses, self._least, rows.weights)
            self._least = losses if loss < self.best else self._least
            as_good = loss < self.best + _TIE or (self.few_parameters and not self.overfits)
        if as_good:
            self.best, self.best_state, self.best_checkpoint = min(loss, self.best), trained.engine.state(), self._taken
            self.best_progress = progress
        self._waited = 0 if as_good else self._waited + 1
        self._taken += 1
        if rows.keep is not None:
            rows.keep(Checkpoint(progress, scores, trained.engine.state() if rows.states else {}))
        return figures


def _calibrated_losses(scores: np.ndarray, Y: np.ndarray, weights: np.ndarray | None, stated: np.ndarray) -> np.ndarray:
    """The NLL of each row under the best temperature, since one will be fitted: penalties differ most in how sure they
    let a network be."""
    calibrated = at_best_temperature(scores, Y, weights, stated)
    return -(Y * np.maximum(calibrated, LOWEST_LOG_PROB)).sum(axis=1)


def plainly_larger(losses: np.ndarray, others: np.ndarray, weights: np.ndarray | None, errors: float = 2) -> bool:
    """Whether the mean difference of losses of the same rows is more than so many standard errors."""
    shares = np.full(len(losses), 1 / len(losses)) if weights is None else weights / weights.sum()
    difference = losses - others
    mean = float(shares @ difference)
    return mean > errors * math.sqrt(float(np.square(shares) @ np.square(difference - mean)))
