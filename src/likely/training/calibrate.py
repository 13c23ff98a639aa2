"""What held-out rows say of a network that has just been trained: calibration, guarantees, and doubt."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from likely.config import RunConfig
from likely.data.classes import listed
from likely.data.hashes import row_codes
from likely.data.test_part import LEAST
from likely.model.held_out_arrays import CODES, familiarity_arrays
from likely.preprocessing.stored_rows import take_rows
from likely.training.fit_familiarity import fit_familiarity
from likely.training.held_out_scores import TrainingOutcome
from likely.training.loop.failure import nothing_learned
from likely.training.task import Calibrated
from likely.training.training_rows import Rows
from likely.training.watcher import Remarks


def calibrate(
    outcome: TrainingOutcome, rows: Rows, config: RunConfig, remarks: Remarks
) -> tuple[TrainingOutcome, Calibrated]:
    """Calibrate a network on its held-out rows, and gather what its guarantees rest on.

    Args:
        outcome: the network, and the scores of held-out rows.
        rows: all rows.
        config: the seed; a learning rate or a length that may be why nothing was learned.
        remarks: take what is to be said.
    Returns:
        The outcome with those rows for thresholds that guarantees may count alike, and what they say.
    """
    counted = outcome
    if outcome.thresholds is not None and rows.weights is not None:
        of, thresholds = len(outcome.thresholds), outcome.thresholds.counted_by_weight(rows.weights, config.seed)
        kept = 0 if thresholds is None else len(thresholds)
        splits = outcome.splits.model_copy(update={"thresholds": kept})
        counted = replace(outcome, thresholds=thresholds, splits=splits)
        remarks.note(
            f"Weights: the guarantees are for new rows that occur in proportion to their weight. They rest on {kept:,} "
            f"of {of:,} held-out rows, each kept with probability weight / largest weight."
        )
    if outcome.calibration is None:
        return outcome, Calibrated(None, None, {}, None)
    found = rows.task.calibrate(counted, rows.X, rows.Y)
    for sentence in found.sentences:
        remarks.say(sentence)
    if counted.thresholds is not None:
        found.arrays.update(familiarity_arrays(fit_familiarity(outcome, rows, config.seed)))
        if rows.task.has_confidence:
            found.arrays[CODES] = row_codes(take_rows(rows.X, counted.thresholds.index))
    if found.losses is not None:
        plan, history = outcome.trained.plan, outcome.trained.history
        doubt = nothing_learned(
            found.losses.values,
            found.losses.Y,
            found.losses.weights,
            found.losses.loss,
            fitted=found.losses.fitted,
            at_bound=found.losses.at_bound,
            rate=config.learning_rate,
            usual=plan.usual_rate,
            steps=None if config.epochs is None or not history else history[-1].step,
        )
        if doubt is not None:
            remarks.warn(doubt, note=True, prefix="Warning: ")
    return counted, found


def warn_of_limits(
    outcome: TrainingOutcome, rows: Rows, labels: Sequence[str], can_hold_out: bool, remarks: Remarks
) -> None:
    """Warn of what a model cannot do: too few rows were held out, or all that there are of a label, or it diverged."""
    trained = outcome.trained
    if outcome.calibration is None and can_hold_out:
        units = "rows" if rows.groups is None else "groups of related rows"
        remarks.warn(
            f"{rows.n_groups} {units} are too few to hold any out (at least {LEAST} are needed): "
            f"{rows.task.nothing_held_out}"
        )
    held = np.flatnonzero((rows.Y.sum(axis=0) > 0) & (trained.stated > 0))
    if len(held):
        remarks.warn(
            f"All rows of {len(held)} labels are held out: {listed([labels[i] for i in held.tolist()])}. The model "
            "can hardly predict them",
            note=True,
        )
    if trained.stopped.startswith("diverged"):
        remarks.warn(
            f"Training {trained.stopped}: the model is the best state before that. Try a smaller learning rate"
        )
