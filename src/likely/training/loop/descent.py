"""Gradient descent over mini-batches: one loop for every engine, as a generator of records.

    for each epoch:
        for each batch of rows, in a new random order:
            theta <- theta - a(progress) * direction(J),    J = the gradient of the batch's mean loss

The engine computes J and the direction; the loop knows only rows, progress and time. Progress runs from 0 to 1 in
steps: in as many as were planned, or as there is time for, so that the learning rate always comes down in time.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from likely.engines.protocol import Batch, Engine
from likely.errors import ConfigError, DivergenceError
from likely.preprocessing.augment import Augmentation
from likely.training.loop.by_clock import ByClock
from likely.training.loop.pace import Pace, Stopwatch

_RECORDS_PER_EPOCH = 20


@dataclass(frozen=True)
class Record:
    """Where a run stands after a step.

    Args:
        step: steps taken so far.
        epoch: passes over the rows so far, with a fraction.
        progress: from 0 to 1 at the planned end.
        loss: the mean loss of the batches since the previous record, in the loss's unit (nats for cross-entropy).
        learning_rate: of the latest step.
        seconds: since the first step began, without the time that evaluation took.
        examples_per_second: over the whole run.
        seconds_left: until the planned end, at this rate.
        held_out: figures on held-out rows, computed at the end of an epoch; None in between.
    """

    step: int
    epoch: float
    progress: float
    loss: float
    learning_rate: float
    seconds: float
    examples_per_second: float
    seconds_left: float
    held_out: dict[str, float] | None = None

    def to_json(self) -> dict[str, Any]:
        """The record as a line of `history.jsonl` holds it."""
        return dict(vars(self))


@dataclass(frozen=True)
class Position:
    """Where a descent stands between two steps: with the engine, all that it takes to go on.

    Args:
        taken: steps so far.
        losses: of the batches since the latest record.
        seconds: since the first step began, without the time that evaluation took.
        elapsed: seconds by the watch.
        pace: the plan of the steps, as `Pace.snapshot()` tells it.
        rate: the learning rate of the latest step.
        untold: whether the record of the latest step, if it has one, is still to be told.
    """

    taken: int
    losses: list[float]
    seconds: float
    elapsed: float
    pace: dict[str, Any]
    rate: float = 0.0
    untold: bool = False


def descend(
    engine: Engine,
    n_rows: int,
    *,
    epochs: float,
    batch_size: int,
    learning_rate: Callable[[float], float],
    seed: int,
    augmentation: Augmentation | None = None,
    evaluate: Callable[[float], dict[str, float]] | None = None,
    evaluate_every: int = 1,
    time_limit: float | None = None,
    watch: Callable[[], float] | None = None,
    by_clock: ByClock | None = None,
    stop_at: float = 1.0,
    stop: Callable[[], bool] = lambda: False,
    begun: Position | None = None,
    between_steps: Callable[[Callable[[], Position]], None] = lambda position: None,
) -> Iterator[Record]:
    """Train the engine on its placed rows; yield a record about twenty times an epoch and at the end of each.

    Whole batches only: the rows left over in one epoch come up in another, since each draws its own order. With fewer
    rows than `batch_size` the batch is all rows.

    Args:
        engine: holds the rows and the parameters.
        n_rows: how many rows were placed.
        epochs: passes over the rows; may be a fraction.
        batch_size: rows per step.
        learning_rate: a function of progress in [0, 1], such as a `Schedule`.
        seed: of the order of rows.
        augmentation: draws of random integers, handed to the engine with each batch.
        evaluate: figures on held-out rows, asked with the progress after every `evaluate_every`-th epoch and the last.
        evaluate_every: epochs between two questions.
        time_limit: seconds after which the run must have ended, evaluation included; progress is planned to be 1 then.
        watch: what counts them; None takes a `Stopwatch`, which leaves out the time in which the process was stopped.
        by_clock: keeps what time decides, or tells it again.
        stop_at: the progress at which to end, at the learning rate that the full run would have there.
        stop: asked after every step; True ends the run.
        begun: where an earlier process left off, which the engine was restored to; None begins at the first step.
        between_steps: takes what tells where the run stands, wherever it could go on.
    Raises:
        ConfigError: if a number is out of range.
        DivergenceError: if a loss is NaN or infinite; it says at which step and what to try.
    """
    _check_numbers(
        n_rows=n_rows,
        epochs=epochs,
        batch_size=batch_size,
        evaluate_every=evaluate_every,
        time_limit=1 if time_limit is None else time_limit,
        stop_at=stop_at,
    )
    batch_size = min(batch_size, n_rows)
    steps_per_epoch = max(1, n_rows // batch_size)
    total = planned_steps(n_rows, epochs, batch_size)
    record_every = max(1, steps_per_epoch // _RECORDS_PER_EPOCH)
    rng = np.random.default_rng(seed)
    pace = Pace(total, time_limit, by_clock)
    begun = begun or Position(0, [], 0.0, 0.0, pace.snapshot())
    pace.restore(begun.pace)
    order = rng.permutation(n_rows)
    for _ in range((begun.taken - 1) // steps_per_epoch if begun.taken else 0):
        order = rng.permutation(n_rows)
    losses = list(begun.losses)
    clock = time.perf_counter
    began, evaluating = clock() - begun.seconds, 0.0
    watch = (watch or Stopwatch()) if time_limit is not None else clock
    watched = watch() - begun.elapsed

    # The first step after which progress has reached `stop_at`.
    last = max(1, math.ceil((min(stop_at, 1.0) - 1e-9) * total))
    # Where time sets the pace, every step asks the watch.
    at_once = engine.at_once if time_limit is None else 1
    taken, rate, untold, ended = begun.taken, begun.rate, begun.untold, False

    def stands() -> Position:
        seconds = clock() - began - evaluating
        return Position(taken, list(losses), seconds, watch() - watched, pace.snapshot(), rate, untold)

    while not ended:
        if not untold:
            epoch, position = divmod(taken, steps_per_epoch)
            if position == 0 and taken > 0:
                order = rng.permutation(n_rows)
            # No further than the next record.
            count = min(at_once, record_every - taken % record_every, steps_per_epoch - position, last - taken)
            # In the middle of a step no schedule is 0, neither before its warm-up nor at its end.
            rates = [learning_rate(min(pace(step + 0.5), 1.0)) for step in range(taken, taken + count)]
            rows = [order[i * batch_size : (i + 1) * batch_size] for i in range(position, position + count)]
            draws = [None if augmentation is None else augmentation.draws(some, epoch) for some in rows]
            before = watch()
            for number, loss in enumerate(engine.steps(list(map(Batch, rows, draws)), rates)):
                if not math.isfinite(loss):
                    raise DivergenceError(
                        f"The loss must stay finite; got {loss} at step {taken + number + 1} with learning rate "
                        f"{rates[number]:.3g}. The steps were too large for this data. Try a learning rate of "
                        f"{rates[number] / 10:.1g}.",
                        taken + number + 1,
                    )
                losses.append(loss)
            taken += count
            now = watch()
            pace.took(taken, now - watched, now - before)
            rate = rates[-1]
        untold = True
        seconds = clock() - began - evaluating
        reached = pace(taken)
        ended = taken == last or reached >= min(stop_at, 1.0) - 1e-9
        if not ended and stop():
            between_steps(stands)
            ended = True
        epoch_ended = taken % steps_per_epoch == 0
        if ended or epoch_ended or taken % record_every == 0:
            held_out = None
            if evaluate is not None and (ended or (epoch_ended and taken // steps_per_epoch % evaluate_every == 0)):
                before = clock()
                held_out = evaluate(reached)
                evaluating += clock() - before
            left = max(0.0, pace.steps * stop_at - taken) * seconds / taken
            if time_limit is not None:
                left = min(left, max(0.0, time_limit - (watch() - watched)))
            yield Record(
                step=taken,
                epoch=taken / steps_per_epoch,
                progress=min(reached, 1.0),
                loss=sum(losses) / len(losses),
                learning_rate=rate,
                seconds=seconds,
                examples_per_second=taken * batch_size / seconds,
                seconds_left=0.0 if ended else left,
                held_out=held_out,
            )
            losses.clear()
        untold = False
        if not ended:
            between_steps(stands)


def planned_steps(n_rows: int, epochs: float, batch_size: int) -> int:
    """How many steps so many epochs of whole batches are, one at least.

    Example:
        >>> planned_steps(100, epochs=2.5, batch_size=30)
        8
    """
    return max(1, round(epochs * max(1, n_rows // min(batch_size, n_rows))))


def _check_numbers(**numbers: float) -> None:
    for name, value in numbers.items():
        if not 0 < value < math.inf:
            raise ConfigError(f"{name} must be positive and finite; got {value}. Else there is no step. Try {name}=1.")
