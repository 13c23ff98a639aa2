"""Rows held out before anything is fitted, for the temperature and for guarantees: what large data does."""

from collections.abc import Callable

import numpy as np

from likely.config import RunConfig
from likely.data.splits import random_split
from likely.model.card import SplitsEntry
from likely.training.held_out_scores import LEAST, Outcome, counted_once, scores_held_out
from likely.training.job import Recorder, checkpoints_of, planned, time_left
from likely.training.pace import Stopwatch
from likely.training.plan import NO_OVERRIDES, SMALL, Overrides
from likely.training.train import Rows, train
from likely.trust.gaussians import REFERENCE

_SHARE, _MOST = 0.04, 2_500
LEAST_VAL = 100
"""Rows of a val part from which it can carry temperature and thresholds."""
_PATIENCE = 5
_CHECKPOINTS = 12


def hold_out(
    rows: Rows,
    config: RunConfig,
    hflip: bool,
    say: Callable[[str], None],
    record: Recorder,
    overrides: Overrides = NO_OVERRIDES,
    chosen: np.ndarray | None = None,
    watch: Callable[[], float] | None = None,
) -> Outcome:
    """Disjoint parts, drawn uniformly at random before anything is fitted: 4% each, at most 2,500 rows.

    One part is for the temperature, one for conformal scores and thresholds, and a third for early stopping if asked.
    Of related rows whole groups are drawn, 4% of them, and one row of each counts: such rows are exchangeable, while
    those of one group are not.

    Args:
        rows: all rows.
        config: what to do.
        hflip: whether images may be flipped.
        say: takes sentences for people.
        record: takes the records of the run.
        overrides: what the user brings.
        chosen: indices of the rows that were set aside by whoever made the data; they become the parts, of one size.
            With few rows to train on, the part for the temperature also chooses the length of training.
        watch: what counts the seconds of a time limit, if not a new `Stopwatch`.
    """
    watch = watch or Stopwatch()
    began = watch()
    rng = np.random.default_rng(config.seed)
    if chosen is None:
        size = min(_MOST, round(_SHARE * rows.n_groups))
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
    how = "held out" if chosen is None or overrides.start is not None else "of the val part held out"
    say(f"{len(index):,} rows to train on, {len(rows) - len(index):,} {how}")
    calibration, thresholds, stopping = (counted_once(rows, part, rng) for part in (calibration, thresholds, stopping))
    shown = stopping if config.early_stopping else calibration
    plan = planned(rows, len(index), config, hflip, overrides, config.time_limit, say)
    few = chosen is not None and len(index) < SMALL
    patience = _PATIENCE if config.early_stopping else None
    trained = train(
        plan,
        rows,
        index,
        config,
        checkpoints=checkpoints_of(
            rows, shown, patience=patience, most=_CHECKPOINTS if few else None, keep_best=few or bool(plan.penalties)
        ),
        average_recent=few,
        time_limit=None if config.time_limit is None else time_left(config.time_limit, watch() - began),
        watch=watch,
        scored_later=len(calibration) + len(thresholds) + min(REFERENCE, len(index)),
        on_record=record,
    )
    splits = SplitsEntry(
        method="held-out",
        train=len(index),
        calibration=len(calibration),
        thresholds=len(thresholds),
        stopping=len(stopping),
    )
    return Outcome(
        trained, index, splits, scores_held_out(trained, rows, calibration), scores_held_out(trained, rows, thresholds)
    )


def without_held_out(
    rows: Rows,
    config: RunConfig,
    hflip: bool,
    say: Callable[[str], None],
    record: Recorder,
    overrides: Overrides = NO_OVERRIDES,
    watch: Callable[[], float] | None = None,
) -> Outcome:
    """One training on all rows: no others are left that a calibration could rest on."""
    watch = watch or Stopwatch()
    began, limit, everything = watch(), config.time_limit, np.arange(len(rows))
    plan = planned(rows, len(rows), config, hflip, overrides, limit, say)
    left = None if limit is None else time_left(limit, watch() - began)
    trained = train(plan, rows, everything, config, time_limit=left, watch=watch, on_record=record)
    splits = SplitsEntry(method="none", train=len(rows), calibration=0, thresholds=0)
    return Outcome(trained, everything, splits, None, None)


def unseen_rows(seen: np.ndarray, chosen: np.ndarray | None, n_held_out: int, config: RunConfig) -> np.ndarray | None:
    """Which rows to hold out where training begins with parameters that have seen some: indices, None for none.

    Those of a val part that are new, if they suffice. Else of all new rows: if they are no more than those that were
    held out from the parameters, all of them, so that they stay held out; else 4% of all rows for each purpose, 100 or
    more, and at most half of the new ones, since new rows are there to be learned from.

    Args:
        seen: which rows the parameters have seen, booleans (n,).
        chosen: indices of the rows of a val part, or None.
        n_held_out: how many rows were held out from the parameters.
        config: its seed draws the rows.
    """
    if chosen is not None:
        new = chosen[~seen[chosen]]
        if len(new) >= LEAST_VAL:
            return new
    new = np.flatnonzero(~seen)
    parts = 3 if config.early_stopping else 2
    if len(new) > n_held_out:
        most = parts * max(LEAST_VAL, min(_MOST, round(_SHARE * len(seen))))
        new = np.random.default_rng([config.seed, *b"new"]).permutation(new)[: min(most, len(new) // 2)]
    return np.sort(new) if len(new) >= parts * LEAST else None
