"""Out-of-fold scores: k networks, each trained without one fold of the rows, and asked about it; for few rows."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from likely.config import RunConfig
from likely.data.splits import folds
from likely.model.card import SplitsEntry
from likely.preprocessing.stored_rows import take_rows
from likely.training.fit_familiarity import familiar_rows, scores_of_classes
from likely.training.held_out_scores import LEAST, HeldOutScores, Outcome, counted_once, scores_held_out
from likely.training.hold_out import LEAST_VAL, without_held_out
from likely.training.job import Recorder, checkpoints_of, planned, time_left
from likely.training.pace import Stopwatch
from likely.training.plan import NO_OVERRIDES, Overrides, Plan
from likely.training.run_progress import of_all_runs
from likely.training.train import UNFINISHED, Interrupt, Rows, Trained, held_out_figures, overtime, train
from likely.trust.temperature import at_best_temperature

_FOLDS = 5
_SHARES = 6.6
"""Trainings of the length of a fold's that a time limit must suffice for: the folds', the last one, whose rows are a
quarter more, and what comes after each."""
_CHECKPOINTS = 12


def cross_validate(
    rows: Rows,
    config: RunConfig,
    hflip: bool,
    say: Callable[[str], None],
    record: Recorder,
    overrides: Overrides = NO_OVERRIDES,
    watch: Callable[[], float] | None = None,
) -> Outcome:
    """Out-of-fold scores choose how long to train; then one network is trained on all rows.

    What is looked at is the mean over the latest epoch, and that is what every training ends with: networks of one
    kind, whose scores differ as little as their rows do. With a time limit the first fold finds out how many steps
    there is time for; the others, and the last training, take as many.

    A class of any size takes part: every row is held out once. The training rows of a fold may lack a label, whose
    rows are then in this fold; it has its stated probability there, and they count as they fall: wrong, and in no set.

    Where Ctrl-C or the limit ends the run before the last training is complete, the latest network that was trained to
    its full length answers; its own fold, which it has not seen, calibrates it.
    """
    watch = watch or Stopwatch()
    began, limit = watch(), config.time_limit
    everything = np.arange(len(rows))
    if rows.n_groups < LEAST:
        return without_held_out(rows, config, hflip, say, record, overrides, watch)

    def over() -> bool:
        return limit is not None and watch() - began > limit + overtime(limit)

    held_out = folds(rows.strata, _FOLDS, np.random.default_rng(config.seed), rows.groups)
    plan = planned(rows, len(rows), config, hflip, overrides, None if limit is None else limit / _SHARES, say)
    share = None if limit is None else time_left(limit, watch() - began) / _SHARES
    most, out_of_time = _CHECKPOINTS, False
    checkpoint_scores: list[list[tuple[float, np.ndarray]]] = []
    ood_scores = np.empty(len(rows))
    stated = np.zeros(rows.Y.shape)
    latest: Trained | None = None
    with Interrupt() as interrupt:
        for number, fold in enumerate(held_out, start=1):
            name = f"Fold {number} of {_FOLDS}"
            say(f"{name}: training without {len(fold):,} rows")
            seen: list[tuple[float, np.ndarray]] = []
            trained = train(
                plan,
                rows,
                np.setdiff1d(everything, fold),
                config,
                checkpoints=checkpoints_of(
                    rows, fold, most=most, keep=lambda progress, scores, seen=seen: seen.append((progress, scores))
                ),
                average_recent=True,
                time_limit=share if latest is None else None,
                watch=watch,
                give_up=None if latest is None else over,
                on_record=lambda entry, number=number, name=name: record(of_all_runs(entry, number, _FOLDS + 1), name),
                interrupt=interrupt,
            )
            if latest is not None and (interrupt.asked or trained.stopped == UNFINISHED):
                return _one_fold(rows, latest, held_out, number - 1, interrupt.asked)
            if interrupt.asked:
                return _one_fold(rows, trained, held_out, number, True)
            if trained.stopped == "time limit":
                out_of_time = True
                if plan.penalties:
                    plan, seen = _for_as_long(plan, trained, seen)
                else:
                    # The others are to be trained as long, and where looks fell in this one has no meaning for them.
                    plan, most, seen = replace(plan, epochs=trained.history[-1].epoch), 1, seen[-1:]
            latest = trained
            checkpoint_scores.append(seen)
            stated[fold] = trained.stated
            ood_scores[fold] = _ood_scores(trained, rows, np.setdiff1d(everything, fold), fold)

        # The end of a run is always looked at, so there is one look at least.
        n_checkpoints = min(len(seen) for seen in checkpoint_scores)
        order = np.argsort(np.concatenate(held_out))
        pooled = [
            np.concatenate([seen[checkpoint][1] for seen in checkpoint_scores])[order]
            for checkpoint in range(n_checkpoints)
        ]
        out_of_fold_at = [HeldOutScores(scores, rows.Y, rows.weights, stated=stated) for scores in pooled]
        losses = [_loss(checkpoint, plan.head, rows.classifies) for checkpoint in out_of_fold_at]
        best = int(np.argmin(losses))
        stop_at = checkpoint_scores[0][best][0]
        say(f"Out-of-fold loss {losses[best]:.4f}, lowest at {stop_at:.0%} of the full length; training on all rows")
        trained = train(
            plan,
            rows,
            everything,
            config,
            stop_at=stop_at,
            average_recent=True,
            watch=watch,
            give_up=over,
            on_record=record,
            interrupt=interrupt,
        )
        if latest is not None and (interrupt.asked or trained.stopped == UNFINISHED):
            return _one_fold(rows, latest, held_out, _FOLDS, interrupt.asked)
    if out_of_time:
        trained = replace(trained, stopped="time limit")
    counted = counted_once(rows, everything, np.random.default_rng([config.seed, _FOLDS]))
    splits = SplitsEntry(
        method="cross-validation", train=len(rows), calibration=len(counted), thresholds=len(counted), folds=_FOLDS
    )
    out_of_fold = replace(out_of_fold_at[best], ood_scores=ood_scores, index=everything).take(counted)
    return Outcome(trained, everything, splits, out_of_fold, out_of_fold)


def _one_fold(
    rows: Rows,
    trained: Trained,
    held_out: list[np.ndarray],
    number: int,
    interrupted: bool,
) -> Outcome:
    """A network that has not seen its fold, so that the fold can calibrate it: an honest model, from fewer rows.

    A large fold is shared, at random: a half for the temperature, a half for thresholds.
    """
    fold = held_out[number - 1]
    index = np.setdiff1d(np.arange(len(rows)), fold)
    rng = np.random.default_rng(number)
    drawn = rng.permutation(counted_once(rows, fold, rng))
    calibration, thresholds = np.array_split(drawn, 2) if len(drawn) >= 2 * LEAST_VAL else (drawn, drawn[:0])
    splits = SplitsEntry(method="held-out", train=len(index), calibration=len(calibration), thresholds=len(thresholds))
    notes = ()
    if not interrupted:
        note = (
            f"The time limit came before the last training was complete: the network of fold {number} answers, which "
            f"was trained to its full length on {len(index):,} of {len(rows):,} rows and is calibrated on the others"
        )
        notes = (note,)
    return Outcome(
        replace(trained, stopped="interrupted" if interrupted else "time limit"),
        index,
        splits,
        scores_held_out(trained, rows, calibration),
        scores_held_out(trained, rows, thresholds) if len(thresholds) else None,
        notes,
    )


def _for_as_long(
    plan: Plan, trained: Trained, seen: list[tuple[float, np.ndarray]]
) -> tuple[Plan, list[tuple[float, np.ndarray]]]:
    """The plan of a path of penalties that ends where this training ended, and its looks at their places on it."""
    penalties, passes = plan.penalties[: len(seen)], int(trained.history[-1].epoch)
    places = [(number / len(seen), scores) for number, (_, scores) in enumerate(seen, start=1)]
    return replace(plan, penalties=penalties, passes=passes), places


def _ood_scores(trained: Trained, rows: Rows, index: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """How strange the rows of the fold are to a network that was trained on the others."""
    familiarity = familiar_rows(trained, rows, index)
    scores, features = trained.scores_and_features(take_rows(rows.X, fold))
    return familiarity.ood_scores(features, scores_of_classes(scores, rows.classifies))


def _loss(held_out: HeldOutScores, head: str, classifies: bool) -> float:
    """NLL under the best temperature, since one will be fitted; or the mean squared error."""
    if not classifies:
        return held_out_figures(held_out.scores, held_out.Y, head, False, held_out.weights)["mse"]
    calibrated = at_best_temperature(held_out.log_probs(head), held_out.Y, held_out.weights, held_out.stated)
    return held_out_figures(calibrated, held_out.Y, "softmax", True, held_out.weights)["nll"]
