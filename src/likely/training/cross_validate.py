"""Out-of-fold scores choose the length of training and calibrate; then one network learns from all rows.

What is done with few rows.
"""

import math
from dataclasses import replace

import numpy as np

from likely.data.splits import folds
from likely.data.test_part import LEAST
from likely.model.card import SplitsEntry
from likely.training.cross_fitted import cross_fitted
from likely.training.fit_familiarity import ood_scores_of_folds
from likely.training.freer_plans import ENOUGH_TO_TELL
from likely.training.held_out_scores import HeldOutScores, TrainingOutcome, fold_numbers
from likely.training.hold_out import CHECKPOINTS, without_held_out
from likely.training.job import Job
from likely.training.loop.checkpoints import load
from likely.training.loop.interrupt import Interrupt
from likely.training.loop.pace import overtime
from likely.training.one_fold import one_fold
from likely.training.out_of_fold import FoldTraining, train_folds
from likely.training.resume.call import key_of
from likely.training.trained import UNFINISHED, Trained

_FOLDS = 5
_SHARES = 6.6
"""Trainings of the length of a fold's that a time limit must suffice for: the folds', the last one, whose rows are a
quarter more, and what comes after each."""


def cross_validate(job: Job) -> TrainingOutcome:
    """Out-of-fold scores choose how long to train; then one network is trained on all rows.

    What is evaluated is the mean over the latest epoch, and that is what every training ends with: networks of one
    kind, whose scores differ as little as their rows do. With a time limit the first fold finds out how many steps
    there is time for; the others, and the last training, take as many.

    A class of any size takes part: every row is held out once. The training rows of a fold may lack a label, whose
    rows are then in this fold; it has its stated probability there, and they count as they fall: wrong, and in no set.

    Where Ctrl-C or the limit ends the run before the last training is complete, the latest network that was trained to
    its full length answers; its own fold, which it has not seen, calibrates it.
    """
    rows, config, limit = job.rows, job.config, job.config.time_limit
    if rows.n_groups < LEAST:
        return without_held_out(job)

    everything = np.arange(len(rows))
    # At random: balanced folds show a network more of the label of a held-out row than new rows of rare labels find. Of
    # 60 images in ten kinds sets for 90% held 87.0%, and 91.3% with random folds and what `cross_fitted` makes of them.
    parts = folds(np.zeros(len(rows), np.int64), _FOLDS, np.random.default_rng(config.seed), rows.groups)
    plan = job.plan(len(rows), None if limit is None else limit / _SHARES)
    left = job.time_left()
    complete: list[FoldTraining] = []
    last = math.inf if limit is None else limit + overtime(limit)
    given_up = job.journal.by_clock(key_of("given up", plan))

    def over() -> bool:
        return limit is not None and given_up(len(complete), lambda: job.watch() > last)

    def unfinished(trained: Trained) -> bool:
        # One that was given up before the run was resumed stays so.
        return trained.stopped == UNFINISHED and given_up(len(complete), lambda: True)

    stated = np.zeros(rows.Y.shape)
    with Interrupt() as interrupt:
        for run in train_folds(
            job,
            plan,
            parts,
            runs=_FOLDS + 1,
            time_limit=None if left is None else left / _SHARES,
            most=CHECKPOINTS,
            give_up=over,
            interrupt=interrupt,
        ):
            if interrupt.asked or unfinished(run.trained):
                return _latest(job, complete or [run], interrupt.how)
            complete.append(run)
            stated[run.fold] = run.trained.stated

        # The end of a run is always evaluated, so there is one checkpoint at least.
        order = np.argsort(np.concatenate(parts))
        tells = len(parts[0]) >= ENOUGH_TO_TELL
        numbers = fold_numbers(parts, first_decides=plan.flipped or (tells and plan.has_rivals))
        pooled = [
            HeldOutScores(
                np.concatenate([checkpoint.scores for checkpoint in at])[order],
                rows.Y,
                rows.weights,
                everything,
                stated,
                folds=numbers,
            )
            for at in zip(*(run.checkpoints for run in complete), strict=False)
        ]
        losses = [rows.task.held_out_loss(scores, plan.head) for scores in pooled]
        best = int(np.argmin(losses))
        stop_at = complete[0].checkpoints[best].progress
        job.watcher.say(
            f"Out-of-fold loss {losses[best]:.4f}, lowest at {stop_at:.0%} of the full length; training on all rows"
        )
        trained = job.train(
            complete[-1].plan, everything, stop_at=stop_at, average_recent=True, give_up=over, interrupt=interrupt
        )
        if interrupt.asked or unfinished(trained):
            return _latest(job, complete, interrupt.how)
    for run in complete:
        load(run.trained, run.checkpoints[best])
    ood_scores, usual = ood_scores_of_folds([(run.trained, run.fold) for run in complete], rows)
    pooled = [replace(scores, ood_scores=ood_scores, usual=usual) for scores in pooled]
    if any(run.trained.stopped == "time limit" for run in complete):
        trained = replace(trained, stopped="time limit")
    counted = rows.one_per_group(everything, np.random.default_rng([config.seed, _FOLDS]))
    splits = SplitsEntry(
        method="cross-validation", train=len(rows), calibration=len(counted), thresholds=len(counted), folds=_FOLDS
    )
    rivals = tuple(scores.take(counted) for scores in pooled)
    outcome = TrainingOutcome(trained, everything, splits, rivals[best], rivals[best], rivals=rivals)
    return replace(outcome, thresholds=cross_fitted([outcome], outcome, rows.task))


def _latest(job: Job, complete: list[FoldTraining], interrupted: str) -> TrainingOutcome:
    run = complete[-1]
    return one_fold(job, run.trained, run.fold, len(complete), interrupted=interrupted)
