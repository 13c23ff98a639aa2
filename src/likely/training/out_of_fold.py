"""The out-of-fold loop: k networks, each trained without one fold of the rows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from likely.training.freer_plans import Attempt, train_as_freely_as_pays
from likely.training.job import Job
from likely.training.loop.checkpoints import Checkpoint
from likely.training.loop.descent import Record
from likely.training.loop.interrupt import Interrupt
from likely.training.plan import Plan
from likely.training.trained import Trained
from likely.training.watcher import of_all_runs


@dataclass(frozen=True)
class FoldTraining:
    """The training without a fold.

    Args:
        fold: indices of the rows that the network has not seen, sorted.
        trained: the network.
        checkpoints: of the fold.
        plan: of the trainings that come after this one.
    """

    fold: np.ndarray
    trained: Trained
    checkpoints: list[Checkpoint]
    plan: Plan


def train_folds(
    job: Job,
    plan: Plan,
    folds: list[np.ndarray],
    *,
    runs: int,
    time_limit: float | None = None,
    most: int | None = None,
    give_up: Callable[[], bool] | None = None,
    interrupt: Interrupt | None = None,
) -> Iterator[FoldTraining]:
    """Train without each of the folds, one after the other; the first finds out how free the networks may be.

    Args:
        job: what is to be trained.
        plan: of the first training.
        folds: indices of the rows that are left out, of all rows once.
        runs: how many trainings the whole run has.
        time_limit: seconds for each training. With `most` only for the first one: the others take as many steps.
        most: evaluate each network at most so often on its fold, as the mean over the latest epoch, so that trainings
            of one length can be compared; None only scores the last state.
        give_up: asked after every step of all trainings but the first; True leaves the training unfinished.
        interrupt: that of a caller with more trainings.
    """
    everything = np.arange(len(job.rows))
    for number, fold in enumerate(folds, start=1):
        name = f"Fold {number} of {len(folds)}"
        job.watcher.say(f"{name}: training without {len(fold):,} rows")

        def record(entry: Record, number: int = number, name: str = name) -> None:
            job.watcher.record(of_all_runs(entry, number, runs), name)

        limited = number == 1 or most is None

        def train(
            plan: Plan, fold: np.ndarray = fold, most: int | None = most, limited: bool = limited, record: Any = record
        ) -> Attempt:
            seen: list[Checkpoint] = []
            trained = job.train(
                plan,
                np.setdiff1d(everything, fold),
                checkpoints=None if most is None else job.checkpoints(fold, most=most, keep=seen.append, states=True),
                average_recent=most is not None,
                time_limit=time_limit if limited else None,
                give_up=None if limited else give_up,
                on_record=record,
                interrupt=interrupt,
            )
            return Attempt(plan, trained, seen)

        if number == 1 and most is not None:
            _, Y, weights = job.rows.take(fold)
            found = train_as_freely_as_pays(train, plan, job.rows.task, Y, weights)
            plan = found.plan
        else:
            found = train(plan)
        trained, seen = found.trained, found.seen
        if most is not None and trained.stopped == "time limit":
            if plan.penalties:
                plan, seen = _for_as_long(plan, trained, seen)
            else:
                # The others are to be trained as long, and where checkpoints fell in this one has no meaning for them.
                plan, most, seen = replace(plan, epochs=trained.history[-1].epoch), 1, seen[-1:]
        yield FoldTraining(fold, trained, seen, plan)


def _for_as_long(plan: Plan, trained: Trained, seen: list[Checkpoint]) -> tuple[Plan, list[Checkpoint]]:
    """The plan of a path of penalties that ends where this training ended, and its checkpoints' places on it."""
    penalties, passes = plan.penalties[: len(seen)], int(trained.history[-1].epoch)
    places = [at._replace(progress=number / len(seen)) for number, at in enumerate(seen, start=1)]
    return replace(plan, penalties=penalties, passes=passes), places
