"""How the mean loss of the training rows is lowered: in closed form, along a path of penalties, or by descent."""

import math
import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from likely.config.registry import LOSSES
from likely.engines.protocol import Engine
from likely.errors import DivergenceError, RankWarning
from likely.functional.least_squares import least_squares, ridge_path
from likely.preprocessing.augment import make_augmentation
from likely.preprocessing.stored_rows import RowArray
from likely.training.loop.averaging import AveragedState
from likely.training.loop.by_clock import ByClock
from likely.training.loop.checkpoints import Evaluator
from likely.training.loop.descent import Position, Record, descend, planned_steps
from likely.training.loop.failure import check_training, cost_of_knowing_nothing
from likely.training.loop.interrupt import Interrupt
from likely.training.loop.penalties import walk_penalties
from likely.training.loop.schedule import Schedule
from likely.training.task import Targets
from likely.training.trained import UNFINISHED, Trained

_FEW_PARAMETERS = 5e-3
"""Nats: with p parameters and n rows a maximum of the likelihood loses about p / (2 n) on new rows (Akaike 1974), which
is all that a penalty can win back. Where that is less, a few hundred held-out rows that favor a strong penalty are
believed only beyond two standard errors: on three Gaussians of 90, 7 and 3% their noise cost 0.008 nats."""
_FEW = 200
"""Rows that are answered before and after training, to see whether it went wrong."""


def evenly(X: RowArray, most: int) -> np.ndarray:
    """Indices of some of the rows, evenly over all of them."""
    return np.linspace(0, len(X) - 1, max(1, min(most, len(X)))).round().astype(np.int64)


class Memory(Protocol):
    """What remembers where a descent stands, so that it goes on after its process was killed."""

    def go_on(self, trained: Trained, restore: Callable[[Mapping[str, Any]], None]) -> None:
        """Restore what was kept at the latest checkpoint, if there is one, and tell its records again."""
        ...

    def keep(self, trained: Trained, state: Callable[[], Mapping[str, Any]], *, now: bool) -> None:
        """Keep the present state, if it is time or must be `now`."""
        ...


@dataclass
class Minimization:
    """The mean loss of some rows as a function of a network's parameters, and three ways to lower it.

    Args:
        trained: the network, whose history is filled.
        engine: what holds its parameters.
        X: stored rows.
        targets: their targets, and how much each counts.
        seed: of the order of rows and of augmentation.
        evaluate: figures on held-out rows.
        stop_at: end the run at this progress.
        watch: what counts the seconds of a time limit.
        give_up: asked after every step; True leaves the run unfinished.
        memory: what a descent is kept in.
        by_clock: keeps what time decides, or tells it again.
        on_record: takes each record.
        caller: that of a caller who listens for Ctrl-C; None listens during this run.
    """

    trained: Trained
    engine: Engine
    X: RowArray
    targets: Targets
    seed: int
    evaluate: Evaluator
    stop_at: float
    watch: Callable[[], float]
    memory: Memory
    by_clock: ByClock
    give_up: Callable[[], bool] | None = None
    on_record: Callable[[Record], None] | None = None
    caller: Interrupt | None = None
    given_up: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.interrupt = self.caller or Interrupt()
        self.listening: AbstractContextManager[Any] = nullcontext() if self.caller else self.interrupt

    def solve(self) -> Trained:
        """Least squares, in closed form; for one penalty after the other, where the plan has some."""
        trained, engine = self.trained, self.engine
        if trained.plan.ridges:
            return self._solve_for_each(trained.plan.ridges)
        with warnings.catch_warnings():
            # Columns that depend on each other leave theta open but not what it predicts.
            warnings.simplefilter("ignore", RankWarning)
            theta = least_squares(self._inputs(), self.targets.Y, weights=self.targets.weights)
        engine.load_state({"layer0": theta.astype(trained.inference.preprocessor.dtype)})
        self.evaluate(1.0)
        return trained

    def _solve_for_each(self, ridges: tuple[float, ...]) -> Trained:
        trained, (Y, weights, *_) = self.trained, self.targets
        X, began = self._inputs().astype(np.float64), self.watch()
        unit, theta = float(X.var(axis=0).mean()), np.empty(0)
        for number, theta in enumerate(ridge_path(X, Y, [unit * ridge for ridge in ridges], weights=weights), start=1):
            self.engine.load_state({"layer0": theta.astype(trained.inference.preprocessor.dtype)})
            self.evaluate(number / len(ridges))
        loss = float(np.average(np.square(X @ theta[1:] + theta[0] - Y).sum(axis=1), weights=weights))
        self._keep(Record(len(ridges), 1.0, 1.0, loss, 1.0, self.watch() - began, 0.0, 0.0))
        return trained

    def walk(self, time_limit: float | None) -> Trained:
        """The minima of a convex problem for one penalty after the other; held-out rows choose among them."""
        trained, engine, evaluate = self.trained, self.engine, self.evaluate
        Y, checkpoints = self.targets.Y, self.evaluate.checkpoints
        evaluate.few_parameters = engine.n_parameters * (1 - 1 / Y.shape[1]) < 2 * _FEW_PARAMETERS * len(Y)
        with self.listening:
            path = walk_penalties(
                engine,
                self._inputs(),
                Y,
                self.targets.weights,
                penalties=trained.plan.penalties,
                passes=trained.plan.passes,
                evaluate=evaluate if checkpoints else None,
                stop_at=self.stop_at,
                time_limit=time_limit,
                watch=self.watch,
                by_clock=self.by_clock,
                stop=lambda: self._stop() or evaluate.overfits,
                on_record=self._keep,
            )
        penalty = path.penalties[-1]
        if checkpoints is not None and checkpoints.keep_best and evaluate.load_best():
            penalty = path.penalties[evaluate.best_checkpoint]
        return replace(trained, stopped=self._ended("time limit" if path.out_of_time else "finished"), penalty=penalty)

    def descend(self, time_limit: float | None) -> Trained:
        """Gradient descent over mini-batches."""
        trained, engine, plan, evaluate = self.trained, self.engine, self.trained.plan, self.evaluate
        preprocessor, rate = trained.inference.preprocessor, plan.learning_rate
        assert rate is not None
        X, Y, weights, checkpoints = self.X, self.targets.Y, self.targets.weights, evaluate.checkpoints
        parts = (*(("hflip",) if plan.hflip else ()), *plan.augment)
        augmentation = make_augmentation(parts, len(X), self.seed)
        last_step = math.ceil((self.stop_at - 1e-9) * planned_steps(len(X), plan.epochs, plan.batch_size))
        most = (checkpoints.most if checkpoints else None) or math.inf
        first = self._first_loss()
        engine.place(X, Y, weights, prepare=preprocessor, augment=augmentation)
        tail, stopped = AveragedState(), "finished"
        begun: Position | None = None

        def restore(kept: Mapping[str, Any]) -> None:
            nonlocal begun
            engine.restore(kept["engine"])
            evaluate.restore(kept["evaluator"])
            tail.restore(kept["tail"])
            begun = Position(**kept["position"])

        self.memory.go_on(trained, restore)

        def between_steps(position: Callable[[], Position]) -> None:
            self.memory.keep(
                trained,
                lambda: {
                    "engine": engine.snapshot(),
                    "evaluator": evaluate.snapshot(),
                    "tail": tail.snapshot(),
                    "position": asdict(position()),
                },
                now=self.interrupt.asked,
            )

        with self.listening:
            try:
                for record in descend(
                    engine,
                    len(X),
                    epochs=plan.epochs,
                    batch_size=plan.batch_size,
                    learning_rate=Schedule(rate, plan.warmup),
                    seed=self.seed,
                    augmentation=augmentation,
                    evaluate=evaluate if checkpoints else None,
                    evaluate_every=max(1, round(plan.epochs / most)),
                    time_limit=time_limit,
                    watch=self.watch,
                    by_clock=self.by_clock,
                    stop_at=self.stop_at,
                    stop=self._stop,
                    begun=begun,
                    between_steps=between_steps,
                ):
                    if record.held_out is not None and not all(map(math.isfinite, record.held_out.values())):
                        raise DivergenceError(
                            f"Held-out scores must stay finite; got NaN or infinity after step {record.step}. The "
                            f"steps were too large for this data. Try a learning rate of {rate / 10:.1g}.",
                            record.step,
                        )
                    if evaluate.recent is not None:
                        if record.held_out is None:  # at a checkpoint it has been added
                            evaluate.recent.add(engine.state())
                        if abs(record.epoch - round(record.epoch)) < 1e-9:
                            evaluate.recent.end_epoch()
                    elif plan.average_fraction and record.progress > 1 - plan.average_fraction:
                        tail.add(engine.state())
                    self._keep(record)
                    if record.step < last_step and record.progress >= self.stop_at - 1e-9:
                        stopped = "time limit"
            except DivergenceError as error:
                if evaluate.best_state is None:
                    raise
                stopped = f"diverged at step {error.step}"
        stopped = self._ended(stopped)
        keep_best = stopped not in ("finished", "time limit") or (checkpoints is not None and checkpoints.keep_best)
        kept = keep_best and evaluate.load_best()
        kept_after = None
        if kept and evaluate.best_progress < min(self.stop_at, 1.0) - 1e-9:
            kept_after = next(r.epoch for r in trained.history if r.progress >= evaluate.best_progress)
        if not kept and (average := evaluate.recent or tail):
            engine.load_state(average.state)
        if stopped in ("finished", "time limit", "early stopping"):
            # Where the best state that was evaluated is kept, the checkpoints say how good it is.
            # Held-out numbers are in their own unit, the others standardized.
            unit = float(np.square(trained.target_scale).mean())
            self._check(first, evaluate.best / unit if kept else last_loss(trained.history))
        return replace(trained, stopped=stopped, epochs=kept_after)

    def _inputs(self) -> np.ndarray:
        return self.trained.inference.preprocessor(self.X[:])

    def _keep(self, record: Record) -> None:
        self.trained.history.append(record)
        if self.on_record is not None:
            self.on_record(record)

    def _stop(self) -> bool:
        self.given_up = self.give_up is not None and self.give_up()
        return self.given_up or self.interrupt.asked or self.evaluate.waited_enough

    def _ended(self, otherwise: str) -> str:
        if self.interrupt.asked:
            return self.interrupt.how
        if self.evaluate.waited_enough:
            return "early stopping"
        return UNFINISHED if self.given_up else otherwise

    @property
    def _loss_is_known(self) -> bool:
        """Whether it is said what knowing nothing costs."""
        return self.trained.plan.loss in ("cross_entropy", "squared_error")

    def _first_loss(self) -> float:
        """The mean loss of a few rows before the first step; 0 where only the engine can compute it."""
        if not self._loss_is_known:
            return 0.0
        plan, preprocessor = self.trained.plan, self.trained.inference.preprocessor
        few = evenly(self.X, _FEW)
        scores = self.engine.scores(preprocessor(self.X[few]))
        with np.errstate(over="ignore", invalid="ignore"):
            losses = LOSSES.named(plan.loss).values(plan.head, self.targets.Y[few].astype(scores.dtype), scores)
            value = float(np.mean(losses))
        return value if math.isfinite(value) else 0.0  # so that no loss counts as larger because of it

    def _check(self, first: float, last: float) -> None:
        """Refuse a training that went wrong."""
        plan, few = self.trained.plan, evenly(self.X, _FEW)
        assert plan.learning_rate is not None
        history = self.trained.history
        if self._loss_is_known:
            nothing = cost_of_knowing_nothing(self.targets.Y, self.targets.weights, str(plan.loss))
        else:
            first = nothing = history[0].loss
        with np.errstate(over="ignore", invalid="ignore"):
            answers = self.engine.scores(self.trained.inference.preprocessor(self.X[few]))
        check_training(
            first,
            [(record.step, record.loss) for record in history],
            last if np.isfinite(answers).any(axis=1).all() else math.inf,
            nothing,
            rate=plan.learning_rate,
            usual=plan.usual_rate,
            answers_alike=len(few) > 1
            and _alike(answers)
            and not _alike(np.asarray(self.X[few]).reshape(len(few), -1)),
        )


def last_loss(history: list[Record]) -> float:
    """The mean loss over the last epoch, or over all records of a shorter run."""
    last = [record.loss for record in history if record.epoch > history[-1].epoch - 1]
    return float(np.mean(last))


def _alike(rows: np.ndarray) -> bool:
    """Whether all rows are the same but for rounding."""
    low, high = rows.min(axis=0).astype(np.float64), rows.max(axis=0).astype(np.float64)
    return bool(((high == low) | (high - low <= 1e-6 * np.maximum(np.abs(high), np.abs(low)))).all())
