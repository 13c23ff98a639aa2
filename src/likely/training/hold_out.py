"""Rows held out before anything is fitted, for the temperature and for guarantees: what is done with many rows."""

from typing import Any, TypeAlias

import numpy as np

from likely.data.splits import random_split
from likely.data.test_part import SMALL
from likely.model.card import SplitsEntry
from likely.training.freer_plans import AT_ALL, Attempt, train_as_freely_as_pays
from likely.training.held_out_scores import TrainingOutcome
from likely.training.job import Job
from likely.training.loop.checkpoints import Checkpoint
from likely.training.loop.descent import Record
from likely.training.plan import Plan
from likely.training.trained import Trained
from likely.training.watcher import of_all_runs
from likely.trust.gaussians import REFERENCE

Parts: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Indices of the rows for the temperature, for thresholds and for early stopping, and of those left to train on."""
SHARE, MOST = 0.04, 2_500
"""Of all rows, for each purpose, and how many rows at most."""
CHECKPOINTS = 12
"""At most, where held-out rows choose the length of a training."""
_SHOWN = 1_000
"""Of them, at most, that show how training goes where they choose nothing: more would only take longer."""
_PATIENCE = 5
_MOST_PLANS = 3
"""For the progress display: as many plans as a recipe of `likely.training.presets` leads to."""


def hold_out(job: Job, chosen: np.ndarray | None = None, *, share: float = SHARE) -> TrainingOutcome:
    """Disjoint parts, drawn uniformly at random before anything is fitted: 4% each, at most 2,500 rows.

    One part is for the temperature, one for conformal scores and thresholds, and a third for early stopping if asked.
    On rows of numbers, and on images if there are few, the part for the temperature (the third one, if there is any)
    also chooses the length of training, and how free the network is. The part for thresholds chooses nothing.

    Of related rows whole groups are drawn, 4% of them, and one row of each counts: such rows are exchangeable, while
    those of one group are not.

    Args:
        job: what is to be trained.
        chosen: indices of the rows that were set aside by the makers of the data; they become the parts, of one size.
        share: of all rows, for each part that is drawn.
    """
    rows, config = job.rows, job.config
    parts = calibration, thresholds, stopping, index = held_out_parts(job, chosen, share=share)
    plan = job.plan(len(index), config.time_limit)
    chosen_length = len(rows.shape) == 1 or (chosen is not None and len(index) < SMALL)
    trained = _train(
        job,
        plan,
        index,
        stopping if config.early_stopping else calibration,
        patience=_PATIENCE if config.early_stopping else None,
        most=CHECKPOINTS if chosen_length and not config.early_stopping else None,
        keep_best=chosen_length or bool(plan.penalties),
        average_recent=chosen_length,
        scored_later=len(calibration) + len(thresholds) + min(REFERENCE, len(index)),
    )
    return held_out_outcome(job, trained, index, parts)


def _train(
    job: Job, plan: Plan, index: np.ndarray, look_at: np.ndarray, *, average_recent: bool, scored_later: int, **how: Any
) -> Trained:
    """Train on the rows with these indices; `look_at` are the held-out rows of the checkpoints.

    What was tried is recorded under a name of its own; the records of what answers come at the end.
    """
    plan = plan.but(may_augment=())  # with so many images a try costs as much as all folds of few
    several, number = plan.flipped or plan.has_rivals, 0
    if not (several or how["keep_best"] or how["patience"]):
        look_at = np.sort(np.random.default_rng(0).permutation(look_at)[:_SHOWN])

    def train(plan: Plan) -> Attempt:
        nonlocal number
        number += 1
        seen: list[Checkpoint] = []

        def record(entry: Record, number: int = number) -> None:
            job.watcher.record(of_all_runs(entry, number, _MOST_PLANS), f"Plan {number} of at most {_MOST_PLANS}")

        trained = job.train(
            plan,
            index,
            checkpoints=job.checkpoints(look_at, keep=seen.append if several else None, **how),
            average_recent=average_recent,
            time_limit=job.time_left(),
            scored_later=scored_later,
            **({"on_record": record} if several else {}),
        )
        return Attempt(plan, trained, seen)

    _, Y, weights = job.rows.take(look_at)
    # A try costs no training of every fold.
    trained = train_as_freely_as_pays(train, plan, job.rows.task, Y, weights, at_most=AT_ALL).trained
    if several:
        for entry in trained.history:
            job.watcher.record(entry)
    return trained


def held_out_outcome(
    job: Job, trained: Trained, index: np.ndarray, parts: Parts, *, folds: int = 0, notes: tuple[str, ...] = ()
) -> TrainingOutcome:
    """What came of a training on the rows with these indices, and its scores of the parts that it has not seen."""
    calibration, thresholds, stopping, _ = parts
    splits = SplitsEntry(
        method="held-out",
        train=len(index),
        calibration=len(calibration),
        thresholds=len(thresholds),
        stopping=len(stopping),
        folds=folds,
    )
    return TrainingOutcome(
        trained, index, splits, job.held_out(trained, calibration), job.held_out(trained, thresholds), notes
    )


def held_out_parts(job: Job, chosen: np.ndarray | None = None, *, share: float = SHARE) -> Parts:
    """The rows for the temperature, for thresholds and for early stopping, and those that are left to train on."""
    rows, config = job.rows, job.config
    rng = np.random.default_rng(config.seed)
    if chosen is None:
        size = min(MOST, round(share * rows.n_groups))
        sizes = [size, size, size if config.early_stopping else 0]
        calibration, thresholds, stopping, index = random_split(len(rows), sizes, rng, rows.groups)
    else:
        n_parts = 3 if config.early_stopping else 2
        groups = None if rows.groups is None else rows.groups[chosen]
        units = len(chosen) if groups is None else len(np.unique(groups))
        sizes = [units // n_parts, units // n_parts if config.early_stopping else 0]
        split = random_split(len(chosen), sizes, rng, groups)
        thresholds, stopping, calibration = (chosen[part] for part in split)
        index = np.setdiff1d(np.arange(len(rows)), chosen)
        if rows.groups is not None:
            index = index[~np.isin(rows.groups[index], rows.groups[chosen])]
    how = "held out" if chosen is None or job.overrides.start is not None else "of the val part held out"
    job.watcher.say(f"{len(index):,} rows to train on, {len(rows) - len(index):,} {how}")
    calibration, thresholds, stopping = (rows.one_per_group(part, rng) for part in (calibration, thresholds, stopping))
    return calibration, thresholds, stopping, index


def without_held_out(job: Job) -> TrainingOutcome:
    """One training on all rows: no others are left that a calibration could rest on."""
    everything = np.arange(len(job.rows))
    plan = job.plan(len(everything), job.config.time_limit).but(flipped=False)
    trained = job.train(plan, everything, time_limit=job.time_left())
    splits = SplitsEntry(method="none", train=len(everything), calibration=0, thresholds=0)
    return TrainingOutcome(trained, everything, splits, None, None)
