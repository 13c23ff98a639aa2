"""Rows held out before anything is fitted, for the temperature and for guarantees: what is done with many rows."""

import numpy as np

from likely.data.splits import random_split
from likely.model.card import SplitsEntry
from likely.training.held_out_scores import TrainingOutcome
from likely.training.job import Job
from likely.training.presets import SMALL
from likely.trust.gaussians import REFERENCE

SHARE, MOST = 0.04, 2_500
"""Of all rows, for each purpose, and how many rows at most."""
CHECKPOINTS = 12
"""At most, where held-out rows choose the length of a training."""
_PATIENCE = 5


def hold_out(job: Job, chosen: np.ndarray | None = None) -> TrainingOutcome:
    """Disjoint parts, drawn uniformly at random before anything is fitted: 4% each, at most 2,500 rows.

    One part is for the temperature, one for conformal scores and thresholds, and a third for early stopping if asked.
    Of related rows whole groups are drawn, 4% of them, and one row of each counts: such rows are exchangeable, while
    those of one group are not.

    Args:
        job: what is to be trained.
        chosen: indices of the rows that were set aside by the makers of the data; they become the parts, of one size.
            With few rows to train on, the part for the temperature also chooses the length of training.
    """
    rows, config = job.rows, job.config
    rng = np.random.default_rng(config.seed)
    if chosen is None:
        size = min(MOST, round(SHARE * rows.n_groups))
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
    plan = job.plan(len(index), config.time_limit)
    few = chosen is not None and len(index) < SMALL
    trained = job.train(
        plan,
        index,
        checkpoints=job.checkpoints(
            stopping if config.early_stopping else calibration,
            patience=_PATIENCE if config.early_stopping else None,
            most=CHECKPOINTS if few else None,
            keep_best=few or bool(plan.penalties) or plan.network.name == "trees",
        ),
        average_recent=few,
        time_limit=job.time_left(),
        scored_later=len(calibration) + len(thresholds) + min(REFERENCE, len(index)),
    )
    splits = SplitsEntry(
        method="held-out",
        train=len(index),
        calibration=len(calibration),
        thresholds=len(thresholds),
        stopping=len(stopping),
    )
    return TrainingOutcome(
        trained, index, splits, job.held_out(trained, calibration), job.held_out(trained, thresholds)
    )


def without_held_out(job: Job) -> TrainingOutcome:
    """One training on all rows: no others are left that a calibration could rest on."""
    everything = np.arange(len(job.rows))
    plan = job.plan(len(everything), job.config.time_limit)
    trained = job.train(plan, everything, time_limit=job.time_left())
    splits = SplitsEntry(method="none", train=len(everything), calibration=0, thresholds=0)
    return TrainingOutcome(trained, everything, splits, None, None)
