"""Scores of rows that their network was not trained on: what calibration and every promise rest on.

Two ways to get them: hold rows out before anything is fitted (large data), or train k networks, each without one fold
of the rows, and pool the scores of what each has not seen (small data).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from likely.config import RunConfig
from likely.data.groups import one_per_group
from likely.data.splits import folds, random_split
from likely.functional.heads import HEADS
from likely.metrics.durations import duration
from likely.model.card import SplitsEntry
from likely.preprocessing.stored_rows import take_rows
from likely.training.descent import Record
from likely.training.fit_familiarity import familiar_rows, scores_of_classes
from likely.training.pace import Stopwatch
from likely.training.plan import NOTHING, SMALL, Own, Plan, choose_plan
from likely.training.train import UNFINISHED, Checkpoints, Interrupt, Rows, Trained, held_out_figures, overtime, train
from likely.trust.familiarity import REFERENCE, unfamiliarity
from likely.trust.temperature import apply_temperature, fit_temperature
from likely.trust.unseen import MASKED
from likely.trust.weights import accept_by_weight

_SHARE, _MOST = 0.04, 2_500
LEAST_VAL = 100
"""Rows of a val part from which it can carry temperature and thresholds."""

_FOLDS = 5
LEAST = 4 * _FOLDS
"""Rows from which folds hold some out: with fewer, what is left says little of the whole."""

_SHARES = 6.6
"""Trainings of the length of a fold's that a time limit must suffice for: the folds', the last one, whose rows are a
quarter more, and what comes after each."""
_LOOKS = 12
_PATIENCE = 5


@dataclass(frozen=True)
class HeldOut:
    """Scores (m, k) of held-out rows beside their true distributions or targets (m, k).

    `features` (m, d) are hidden ones of the network. Where the scores come from several networks there are none, but
    `unfamiliarity` (m,) says how strange each row was to the network that had not seen it. `index` (m,) says which of
    all rows these are. `stated`, (k,) or (m, k), is the probability of each label that its training rows lacked, 0 for
    the others.
    """

    scores: np.ndarray
    Y: np.ndarray
    weights: np.ndarray | None
    features: np.ndarray | None = None
    unfamiliarity: np.ndarray | None = None
    index: np.ndarray | None = None
    stated: np.ndarray | None = None

    @property
    def unseen(self) -> np.ndarray:
        """Which labels the network of each row was never shown, booleans (m, k).

        They are masked where a calibration is fitted, which then rests on the rows of the other labels: those of an
        unseen label say nothing of how sure to be of the rest.
        """
        return np.broadcast_to(np.zeros(1, bool) if self.stated is None else self.stated > 0, self.Y.shape)

    def log_probs(self, head: str) -> np.ndarray:
        """Log-probabilities before calibration, shape (m, k); labels that the network was never shown are masked."""
        found = np.asarray(HEADS[head].log_probs(self.scores), dtype=np.float64)
        return np.where(self.unseen, MASKED, found)

    def take(self, index: np.ndarray) -> "HeldOut":
        """Some of these rows."""

        def some(array: np.ndarray | None) -> np.ndarray | None:
            return None if array is None else array[index]

        return HeldOut(
            self.scores[index],
            self.Y[index],
            some(self.weights),
            some(self.features),
            some(self.unfamiliarity),
            some(self.index),
            some(self.stated) if self.stated is not None and self.stated.ndim == 2 else self.stated,
        )


@dataclass(frozen=True)
class Outcome:
    """A trained network, the rows it was trained on, how the others were used, and their scores, if there are any.

    `notes` are what whoever uses the model should know of its training.
    """

    trained: Trained
    index: np.ndarray
    splits: SplitsEntry
    calibration: HeldOut | None
    thresholds: HeldOut | None
    notes: tuple[str, ...] = ()


class Recorder(Protocol):
    """Takes the records of a run, or of the fold that is named."""

    def __call__(self, record: Record, fold: str = "") -> None:
        """Take the next record."""
        ...


def hold_out(
    rows: Rows,
    config: RunConfig,
    mirror: bool,
    say: Callable[[str], None],
    record: Recorder,
    own: Own = NOTHING,
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
        mirror: whether pictures may be flipped.
        say: takes sentences for people.
        record: takes the records of the run.
        own: what the user brings.
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
    how = "held out" if chosen is None or own.start is not None else "of the val part held out"
    say(f"{len(index):,} rows to train on, {len(rows) - len(index):,} {how}")
    calibration, thresholds, stopping = (_counted(rows, part, rng) for part in (calibration, thresholds, stopping))
    shown = stopping if config.early_stopping else calibration
    plan = _plan(rows, len(index), config, mirror, own, config.time_limit, say)
    few = chosen is not None and len(index) < SMALL
    patience = _PATIENCE if config.early_stopping else None
    trained = train(
        plan,
        rows,
        index,
        config,
        checkpoints=_checkpoints(
            rows, shown, patience=patience, most=_LOOKS if few else None, keep_best=few or bool(plan.penalties)
        ),
        average_recent=few,
        time_limit=None if config.time_limit is None else _left(config.time_limit, watch() - began),
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
    return Outcome(trained, index, splits, _held_out(trained, rows, calibration), _held_out(trained, rows, thresholds))


def without_held_out(
    rows: Rows,
    config: RunConfig,
    mirror: bool,
    say: Callable[[str], None],
    record: Recorder,
    own: Own = NOTHING,
    watch: Callable[[], float] | None = None,
) -> Outcome:
    """One training on all rows: no others are left that a calibration could rest on."""
    watch = watch or Stopwatch()
    began, limit, everything = watch(), config.time_limit, np.arange(len(rows))
    plan = _plan(rows, len(rows), config, mirror, own, limit, say)
    left = None if limit is None else _left(limit, watch() - began)
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


def cross_validate(
    rows: Rows,
    config: RunConfig,
    mirror: bool,
    say: Callable[[str], None],
    record: Recorder,
    own: Own = NOTHING,
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
        return without_held_out(rows, config, mirror, say, record, own, watch)

    def over() -> bool:
        return limit is not None and watch() - began > limit + overtime(limit)

    held_out = folds(rows.strata, _FOLDS, np.random.default_rng(config.seed), rows.groups)
    plan = _plan(rows, len(rows), config, mirror, own, None if limit is None else limit / _SHARES, say)
    share = None if limit is None else _left(limit, watch() - began) / _SHARES
    most, out_of_time = _LOOKS, False
    looks: list[list[tuple[float, np.ndarray]]] = []
    strangeness = np.empty(len(rows))
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
                checkpoints=_checkpoints(
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
            looks.append(seen)
            stated[fold] = trained.stated
            strangeness[fold] = _strangeness(trained, rows, np.setdiff1d(everything, fold), fold)

        # The end of a run is always looked at, so there is one look at least.
        n_looks = min(len(seen) for seen in looks)
        order = np.argsort(np.concatenate(held_out))
        pooled = [np.concatenate([seen[look][1] for seen in looks])[order] for look in range(n_looks)]
        looked_at = [HeldOut(scores, rows.Y, rows.weights, stated=stated) for scores in pooled]
        losses = [_loss(look, plan.head, rows.classifies) for look in looked_at]
        best = int(np.argmin(losses))
        stop_at = looks[0][best][0]
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
    counted = _counted(rows, everything, np.random.default_rng([config.seed, _FOLDS]))
    splits = SplitsEntry(
        method="cross-validation", train=len(rows), calibration=len(counted), thresholds=len(counted), folds=_FOLDS
    )
    out_of_fold = replace(looked_at[best], unfamiliarity=strangeness, index=everything).take(counted)
    return Outcome(trained, everything, splits, out_of_fold, out_of_fold)


def counted_by_weight(held_out: HeldOut | None, weights: np.ndarray | None, seed: int) -> HeldOut | None:
    """The held-out rows that guarantees may count alike: see `accept_by_weight`; None where none is left.

    Args:
        held_out: the rows.
        weights: of all rows, whose largest one is the measure.
        seed: of the draw.
    """
    if held_out is None or held_out.weights is None or weights is None:
        return held_out
    rng = np.random.default_rng([seed, *b"weights"])
    kept = np.flatnonzero(accept_by_weight(held_out.weights, float(weights.max()), rng))
    return held_out.take(kept) if len(kept) else None


def of_all_runs(record: Record, number: int, runs: int) -> Record:
    """A record of the run with this number, counted from 1, as one of all runs, each of which takes as long."""
    rest = (runs - number) * (record.seconds + record.seconds_left)
    progress = (number - 1 + record.progress) / runs
    return replace(record, progress=progress, seconds_left=record.seconds_left + rest)


class Course:
    """How far a run with several trainings is, for whoever shows it: never back, and nothing of an earlier training.

    Example:
        >>> course = Course()
        >>> half = Record(10, 1.5, 0.5, 0.25, 1e-3, 30.0, 100.0, 30.0, {"nll": 0.3})
        >>> course(of_all_runs(half, 5, 6), "Fold 5 of 5")
        (0.75, {'nll': 0.3})
        >>> course(replace(half, held_out=None), "")
        (0.875, None)
    """

    def __init__(self) -> None:
        self._before, self._fold = 0.0, ""
        self._held_out: dict[str, float] | None = None

    def __call__(self, record: Record, fold: str) -> tuple[float, dict[str, float] | None]:
        """The share of all trainings, from 0 to 1, and the latest held-out figures of this one."""
        if fold != self._fold:
            self._fold, self._held_out = fold, None
        self._held_out = record.held_out or self._held_out
        if fold:
            self._before = share = record.progress
        else:
            # A training that is to end early ends before its planned length.
            share = 1.0 if record.seconds_left == 0 else self._before + (1 - self._before) * record.progress
        return share, self._held_out


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
    drawn = rng.permutation(_counted(rows, fold, rng))
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
        _held_out(trained, rows, calibration),
        _held_out(trained, rows, thresholds) if len(thresholds) else None,
        notes,
    )


def _for_as_long(
    plan: Plan, trained: Trained, seen: list[tuple[float, np.ndarray]]
) -> tuple[Plan, list[tuple[float, np.ndarray]]]:
    """The plan of a path of penalties that ends where this training ended, and its looks at their places on it."""
    penalties, passes = plan.penalties[: len(seen)], int(trained.history[-1].epoch)
    places = [(number / len(seen), scores) for number, (_, scores) in enumerate(seen, start=1)]
    return replace(plan, penalties=penalties, passes=passes), places


def _left(limit: float, used: float) -> float:
    """What is left of the limit after the plan was made, but not less than half of it."""
    return max(limit - used, 0.5 * limit)


def _counted(rows: Rows, index: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One row of each group among these, drawn from it at random; all of them where no rows are related."""
    return index if rows.groups is None else index[one_per_group(rows.groups[index], rng)]


def _checkpoints(rows: Rows, index: np.ndarray, **settings: Any) -> Checkpoints:
    weights = None if rows.weights is None else rows.weights[index]
    return Checkpoints(take_rows(rows.X, index), rows.Y[index], weights, **settings)


def _held_out(trained: Trained, rows: Rows, index: np.ndarray) -> HeldOut:
    weights = None if rows.weights is None else rows.weights[index]
    scores, features = trained.scores_and_features(take_rows(rows.X, index))
    return HeldOut(scores, rows.Y[index], weights, features, index=index, stated=trained.stated)


def _strangeness(trained: Trained, rows: Rows, index: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """How strange the rows of the fold are to a network that was trained on the others."""
    stats = familiar_rows(trained, rows, index)
    scores, features = trained.scores_and_features(take_rows(rows.X, fold))
    return unfamiliarity(stats, features, scores_of_classes(scores, rows.classifies))


def _loss(held_out: HeldOut, head: str, classifies: bool) -> float:
    """NLL under the best temperature, since one will be fitted; or the mean squared error."""
    if not classifies:
        return held_out_figures(held_out.scores, held_out.Y, head, False, held_out.weights)["mse"]
    log_probs = held_out.log_probs(head)
    calibrated = apply_temperature(log_probs, fit_temperature(log_probs, held_out.Y, held_out.weights))
    return held_out_figures(calibrated, held_out.Y, "softmax", True, held_out.weights, held_out.stated)["nll"]


def _plan(
    rows: Rows,
    n_rows: int,
    config: RunConfig,
    mirror: bool,
    own: Own,
    seconds: float | None,
    say: Callable[[str], None],
) -> Plan:
    """The plan; what was chosen because of the time is said."""
    plan = choose_plan(
        config,
        row_shape=rows.shape,
        n_rows=n_rows,
        n_outputs=rows.Y.shape[1],
        task="classification" if rows.classifies else "regression",
        mirror=mirror,
        own=own,
        seconds=seconds,
    )
    if seconds is not None and plan.network.name == "conv":
        width = plan.network.settings["width"]
        say(f"{duration(seconds)} to train a conv net of width {width}, at most {plan.epochs:.2g} epochs")
    return plan
