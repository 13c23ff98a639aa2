"""A run that ended early: the model of one fold answers, and its own fold, which it has not seen, calibrates it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from likely.model.card import SplitsEntry
from likely.training.fold_learner import FoldLearner
from likely.training.held_out_scores import LEAST_VAL, TrainingOutcome
from likely.training.hold_out import Parts, held_out_outcome
from likely.training.job import Job
from likely.training.loop.interrupt import SIGNALS
from likely.training.trained import WHOLE, Trained


def one_fold(job: Job, trained: Trained, fold: np.ndarray, number: int, *, interrupted: str) -> TrainingOutcome:
    """The model that was trained without the fold of this number: an honest one, from fewer rows."""
    calibration, thresholds = _shared(job, fold, number)
    n_rows = len(job.rows)
    index = np.setdiff1d(np.arange(n_rows), fold)
    splits = SplitsEntry(method="held-out", train=len(index), calibration=len(calibration), thresholds=len(thresholds))
    cause = f"Training was {interrupted}" if interrupted else "The time limit was reached"
    note = (
        f"{cause} before the final training finished; the model is the network of fold {number}, trained "
        f"{f'for {round(trained.passes, 2):,g} epochs' if trained.stopped in SIGNALS else 'to its full length'} on "
        f"{len(index):,} of {n_rows:,} rows and calibrated on the others"
    )
    return TrainingOutcome(
        replace(trained, stopped=interrupted or "time limit"),
        index,
        splits,
        job.held_out(trained, calibration),
        job.held_out(trained, thresholds) if len(thresholds) else None,
        (note,),
    )


def best_of_first_fold(
    job: Job,
    learners: Sequence[FoldLearner],
    index: np.ndarray,
    parts: Parts | None,
    *,
    interrupted: str,
) -> TrainingOutcome:
    """What is best, of the models whose training without the first fold is complete, on the rows for the temperature.

    Args:
        job: with all rows.
        learners: of which one at least has begun.
        index: of all rows, those in the folds.
        parts: held-out rows for the temperature, for thresholds and for early stopping, where there are any.
        interrupted: by which signal, in words.
    """
    begun = [learner for learner in learners if learner.trained]
    complete = [learner for learner in begun if learner.trained[0].stopped in WHOLE] or begun[:1]
    fold = complete[0].folds[0]
    looked_at, _ = _shared(complete[0].job, fold, 1)
    best = min(complete, key=lambda learner: learner.mean_loss(learner.best_length(looked_at), looked_at))
    best.load(best.best_length(looked_at))
    trained = replace(best.trained[0], plan=replace(best.trained[0].plan, network=best.networks()[0]))
    if parts is None:
        return one_fold(job, trained, fold, 1, interrupted=interrupted)
    index, trained = np.delete(index, fold), replace(trained, stopped=interrupted)
    note = f"Training was {interrupted}; the model is the best one of the first fold, trained on {len(index):,} rows"
    return held_out_outcome(job, trained, index, parts, notes=(note,))


def _shared(job: Job, fold: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """A large fold at random: a half for the temperature, a half for thresholds."""
    rng = np.random.default_rng(number)
    drawn = rng.permutation(job.rows.one_per_group(fold, rng))
    calibration, thresholds = np.array_split(drawn, 2) if len(drawn) >= 2 * LEAST_VAL else (drawn, drawn[:0])
    return calibration, thresholds
