"""--tune all: the backbone learns too, beginning with a tuned head; held-out images say whether, and for how long.

The head to begin with is linear where there is a choice: an MLP often fits its training images so well that their loss
has no slope left.

    four fifths learn; a tenth chooses the head, whether all layers learn, the epoch and the temperature; a tenth
    carries the guarantees, and chooses nothing

There are no folds and no last training on all images: each would cost as much again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from likely.config.durations import duration
from likely.data.images.feature_cache import cached_features
from likely.engines.by_torch.fine_tuning import BATCH, FineTuning
from likely.engines.protocol import Optimizer
from likely.errors import ConfigError, DataError
from likely.networks.network import Network
from likely.preprocessing.column_preprocessor import ColumnPreprocessor
from likely.preprocessing.stored_rows import take_rows
from likely.training.choose_head import choose_head
from likely.training.held_out_scores import HeldOutScores, TrainingOutcome
from likely.training.hold_out import hold_out
from likely.training.job import Job
from likely.training.loop.checkpoints import plainly_larger
from likely.training.loop.descent import Record
from likely.training.loop.interrupt import SIGNALS, Interrupt
from likely.training.loop.pace import Stopwatch, overtime
from likely.training.resume.call import Call, key_of
from likely.training.trained import Trained
from likely.training.training_rows import Rows
from likely.training.watcher import Remarks, Watcher

LEAST = 100
"""Images, so that ten carry the guarantees."""
EPOCHS = 8
RATE = 1e-3
"""Of the head; weights of the backbone change by this share of their size, at most, in a step."""
_SHARE = 0.1
"""Of all images, for each of the two parts that are held out."""
_RECORDS = 20
"""Of an epoch."""
_OF_HEADS = 0.05
"""Of the whole run's progress, for a display."""


def refuse_tuning(rows: Rows, *, custom: bool, can_hold_out: bool) -> None:
    """Refuse to tune all layers where there is no backbone, nothing to measure it by, or too little.

    Args:
        rows: what would be learned from.
        custom: whether the network or the loss is the user's own.
        can_hold_out: whether there are rows that nothing has learned from.
    Raises:
        ConfigError: if the loss or the network has no name, or nothing can be held out.
        DataError: if there are too few images.
    """
    if custom or rows.task.name != "classification":
        raise ConfigError(
            "tune='all' must come with labels, and with a network and a loss that have names: their steps are known to "
            "suit pretrained weights. Try tune='head'."
        )
    if not can_hold_out:
        raise ConfigError(
            "tune='all' must hold out images that the parameters to begin with have not seen; there are none. Try "
            "tune='head', or more images."
        )
    if rows.n_groups < LEAST:
        raise DataError(
            f"tune='all' must have at least {LEAST} images that are not related; got {rows.n_groups}. A fifth of them "
            "is held out. Try tune='head'."
        )


def tune_all(
    job: Job, kinds: Sequence[str], chosen: np.ndarray | None, remarks: Remarks
) -> tuple[Rows, TrainingOutcome]:
    """The outcome with the backbone that answers, and the rows with its features; a fifth is held out.

    Args:
        job: what is to be trained, images with a backbone of EfficientNet-Lite.
        kinds: of heads, the simplest first.
        chosen: indices of rows that were set aside by the makers of the data; None draws a fifth.
        remarks: take what was chosen, and why.
    """
    rows, outcome = _head_or_all(job, kinds, chosen, remarks)
    for record in outcome.trained.history:
        job.watcher.record(record)
    return rows, outcome


def _head_or_all(
    job: Job, kinds: Sequence[str], chosen: np.ndarray | None, remarks: Remarks
) -> tuple[Rows, TrainingOutcome]:
    found: dict[str, TrainingOutcome] = {}

    def learn(each: Job) -> TrainingOutcome:
        found[each.config.network] = hold_out(each, chosen, share=_SHARE)
        return found[each.config.network]

    # Epochs that were asked for are those of all layers.
    config = job.config.replace(tune="head", epochs=None)
    head = choose_head(replace(job, config=config, watcher=_Beginning(job.watcher)), kinds, learn)
    if head.trained.stopped in SIGNALS:
        return job.rows, head
    begun = found[kinds[0]]
    before, state = _losses(job.rows, head.calibration, head.trained), begun.trained.engine.state()
    with Interrupt() as interrupt:
        tuned, history, epochs = _descend(job, begun, interrupt)
    weights = None if begun.calibration is None else begun.calibration.weights
    pays = tuned.epochs > 0 and plainly_larger(before, tuned.losses, weights, errors=1)
    if epochs:
        after = "no epoch of all layers was finished"
        if tuned.epochs:
            after = f"at best {_mean(tuned.losses, weights):.4f} after {tuned.epochs} of {epochs} epochs of all layers"
        learned = "all layers learned, which is" if pays else "only the head learned: all layers were not"
        remarks.note(
            f"--tune all: {learned} better by a standard error on {len(before)} held-out images: loss "
            f"{_mean(before, weights):.4f} with the head alone, {after}"
        )
    if not pays:
        begun.trained.engine.load_state(state)
        return job.rows, replace(head, trained=replace(head.trained, stopped=interrupt.how or head.trained.stopped))
    begun.trained.engine.load_state(tuned.theta)
    assert job.rows.backbone is not None
    backbone = replace(job.rows.backbone, weights=tuned.weights, tuned=True)
    features = cached_features(backbone, job.rows.X, job.watcher.loading)
    rows = replace(job.rows, backbone=backbone, flipped=None, features=features)
    plan = replace(begun.trained.plan, optimizer=Optimizer("adam"), learning_rate=RATE, batch_size=BATCH, penalties=())
    history = history[: tuned.records]
    trained = replace(
        begun.trained, plan=plan, history=history, penalty=None, stopped=interrupt.how or "finished", epochs=None
    )
    job = replace(job, rows=rows)
    assert begun.calibration is not None
    assert begun.thresholds is not None
    return rows, replace(
        begun,
        trained=trained,
        calibration=job.held_out(trained, begun.calibration.index),
        thresholds=job.held_out(trained, begun.thresholds.index),
    )


@dataclass(frozen=True)
class _Tuned:
    """All layers after so many epochs, none at first, held-out images' losses, and how many records there were."""

    weights: dict[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])
    theta: dict[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])
    epochs: int = 0
    losses: np.ndarray = field(default_factory=lambda: np.empty(0))
    records: int = 0


def _descend(job: Job, begun: TrainingOutcome, interrupt: Interrupt) -> tuple[_Tuned, list[Record], int]:
    """The best state of all layers at the end of an epoch, the records, and how many epochs were planned."""
    rows, config, trained, part = job.rows, job.config, begun.trained, begun.calibration
    network, features, backbone = trained.plan.network, trained.inference.preprocessor, rows.backbone
    assert isinstance(network, Network)
    assert isinstance(features, ColumnPreprocessor)
    assert backbone is not None
    assert part is not None
    weights = None if rows.weights is None else rows.weights[begun.index]
    targets = rows.task.targets(rows.Y[begun.index], weights, rows.class_weight, job.overrides.start)
    images = take_rows(rows.X, begun.index)
    tuning = FineTuning(
        backbone,
        features,
        network,
        trained.engine.state(),
        head=config.head,
        loss=config.loss,
        hflip=job.hflip or trained.plan.flipped,
        seed=config.seed,
        precision=config.precision,
    )
    per_epoch, epochs = -(-len(images) // BATCH), max(1, round(config.epochs or EPOCHS))
    limit, key = config.time_limit, key_of("all layers", trained.plan, begun.index, config.seed, epochs)
    seconds = per_epoch * tuning.step_seconds(images, targets.Y)
    if limit is not None:
        epochs = job.journal.decide(f"{key}-epochs", lambda: min(epochs, int((limit - job.watch()) / seconds)))
    if not epochs:
        job.watcher.say(f"The time limit leaves no time for all layers: an epoch takes about {duration(seconds)}")
        return _Tuned(), [], 0
    job.watcher.say(
        f"All layers learn for {epochs} epochs of {len(images):,} images: about {duration(epochs * seconds)}"
    )
    best, losses, steps, watch, taken = _Tuned(), list[float](), epochs * per_epoch, Stopwatch(), 0

    def say(record: Record) -> None:
        progress = _OF_HEADS + (1 - _OF_HEADS) * record.progress
        job.watcher.record(replace(record, progress=progress), "All layers")

    learning, call = replace(trained, history=[]), Call(job.journal, key, job.watch, say)

    def restore(kept: Mapping[str, Any]) -> None:
        nonlocal best, losses, taken
        if kept["tuning"]:
            tuning.restore(kept["tuning"])
        best, losses, taken = _Tuned(**kept["best"]), kept["losses"], kept["taken"]
        watch.advance_to(kept["seconds"])

    def state(step: int, all_layers: dict[str, Any]) -> dict[str, Any]:
        return {"tuning": all_layers, "best": vars(best), "losses": losses, "taken": step, "seconds": watch()}

    call.go_on(learning, restore)
    going_on = tuning.steps(images, targets.Y, targets.weights, epochs=epochs, rate=RATE, taken=taken)
    for step, loss in enumerate(going_on, start=taken + 1):
        losses.append(loss)
        ended = step % per_epoch == 0
        if ended or step % max(1, per_epoch // _RECORDS) == 0:
            figures = None
            if ended:
                now, theta = tuning.backbone(), tuning.theta()
                trained.engine.load_state(theta)
                scores = trained.scores(now.features(take_rows(rows.X, part.index)))
                seen = HeldOutScores(scores, part.Y, part.weights, part.index, part.stated)
                figures = rows.task.figures(scores, part.Y, trained.plan.head, part.weights, part.stated)
                held_out = _losses(rows, seen, trained)
                if not best.epochs or _mean(held_out, part.weights) < _mean(best.losses, part.weights):
                    best = _Tuned(dict(now.weights), theta, step // per_epoch, held_out, len(learning.history) + 1)
            passed = watch()
            record = Record(
                step,
                step / per_epoch,
                step / steps,
                float(np.mean(losses)),
                RATE * (1 - step / steps),
                passed,
                step * BATCH / passed,
                passed * (steps / step - 1),
                figures,
            )
            learning.history.append(record)
            say(record)
            losses = []
        call.keep(learning, lambda step=step: state(step, tuning.snapshot()), now=interrupt.asked)
        over = limit is not None and call.by_clock(step, lambda: job.watch() > limit + overtime(limit))
        if interrupt.asked or over:
            break
    if not interrupt.asked:
        call.end(learning, state(steps, {}))
    return best, learning.history, epochs


def _losses(rows: Rows, part: HeldOutScores | None, trained: Trained) -> np.ndarray:
    assert part is not None
    return rows.task.held_out_losses(part, trained.plan.head)


def _mean(losses: np.ndarray, weights: np.ndarray | None) -> float:
    return float(np.average(losses, weights=weights))


@dataclass(frozen=True)
class _Beginning:
    """A watcher of the heads, whose trainings are a small part of the run; of none it is told that it answers."""

    watcher: Watcher

    def say(self, message: str) -> None:
        self.watcher.say(message)

    def loading(self, what: str, done: int, total: int | None) -> None:
        self.watcher.loading(what, done, total)

    def record(self, record: Record, fold: str = "") -> None:
        if fold:
            self.watcher.record(replace(record, progress=_OF_HEADS * record.progress), fold)
