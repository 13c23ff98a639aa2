"""From data to a model that answers. Read this file first: it is the whole story, top to bottom.

    open -> split -> descend -> calibrate -> evaluate -> Predictor

From 5,000 rows up, some are held out before anything is fitted: a part for the temperature, by which tables choose the
length of training and its decay, too, and a part for guarantees, which chooses nothing. With fewer rows, 5-fold
out-of-fold scores choose length, decay and temperature, then one fit uses all rows. The test rows choose nothing.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from likely.config import RunConfig
from likely.data.classes import check_events
from likely.data.dataset import Dataset
from likely.data.groups import shared_with
from likely.data.hashes import hashes_to_know_again, row_sketch
from likely.errors import ConfigError, LikelyError
from likely.metrics.evaluation import Evaluation
from likely.model import ClassifierPredictor, RegressorPredictor, make_predictor
from likely.model.card import MIXTURE, SKETCH
from likely.model.init_from_file import read_start
from likely.model.load import read_card
from likely.model.read_preprocessor import backbone_arrays
from likely.model.run_folder import CHECKPOINTS, LENGTHS, METRICS, MODEL, UNFINISHED, RunFolder
from likely.model.stand_ins import about_gaps
from likely.model.transfer import check_columns
from likely.preprocessing.stored_rows import take_rows
from likely.training.backbone_rows import about_flipped, heads, with_features, with_flipped
from likely.training.blas_threads import blas_threads_for
from likely.training.calibrate import calibrate, warn_of_limits
from likely.training.choose_head import choose_head
from likely.training.cross_validate import cross_validate
from likely.training.evaluate import Evaluated, evaluate
from likely.training.evaluate_held_out import evaluate_held_out, to_arrays
from likely.training.held_out_scores import TrainingOutcome
from likely.training.hold_out import hold_out, without_held_out
from likely.training.hours_ahead import HoursAhead
from likely.training.init_from_rows import rows_to_hold_out, with_old_labels
from likely.training.job import Job
from likely.training.loop.by_clock import Lengths
from likely.training.loop.descent import Record
from likely.training.loop.interrupt import SIGNALS
from likely.training.members import refuse_members
from likely.training.mix import mix
from likely.training.open_data import look_over, open_data
from likely.training.plan import NO_OVERRIDES, Overrides
from likely.training.provenance import make_card, stand_in_arrays
from likely.training.refuse_for_tables import decides, refuse_for_mixture
from likely.training.resume.basis import Resumption, basis_of, journal_of
from likely.training.resume.journal import remove
from likely.training.trained import WHOLE
from likely.training.training_rows import Rows, gather_rows
from likely.training.watcher import Remarks, Silent, Watcher


@dataclass(frozen=True)
class Learned:
    """A model that was just trained, how its training on the rows went, what the clock decided, and what users of the
    model should know."""

    predictor: ClassifierPredictor | RegressorPredictor
    outcome: TrainingOutcome
    rows: Rows
    lengths: Lengths
    warnings: tuple[str, ...] = ()
    all_rows_known: bool = True

    @property
    def history(self) -> list[Record]:
        """The records of the training."""
        return self.outcome.trained.history

    @property
    def stopped(self) -> str:
        """How it ended."""
        return self.outcome.trained.stopped

    def evaluated(self, predictor: ClassifierPredictor | RegressorPredictor, dataset: Dataset) -> Evaluated:
        """The figures of its predictor on the test part of a data set, or on held-out rows where it has none."""
        with blas_threads_for(dataset.train.X):
            if dataset.test is not None:
                return evaluate(predictor, dataset.test, shared_with(dataset.test, (dataset.train, dataset.val)))
            found = evaluate_held_out(predictor, self.outcome, self.rows, dataset)
        assert found is not None  # tables too small for folds have a test part, see `share_to_draw`
        return found


@dataclass(frozen=True)
class Run:
    """A run that has come to a model, its folder, and what came of its test rows, or of rows held out in its training;
    and whether it can go on."""

    folder: Path
    dataset: Dataset
    predictor: ClassifierPredictor | RegressorPredictor
    evaluated: Evaluated
    stopped: str
    private: bool
    resumable: bool = False

    @property
    def evaluation(self) -> Evaluation:
        """The figures on the test rows; without any, of held-out ones."""
        return self.evaluated.evaluation

    @property
    def answers(self) -> np.ndarray:
        """The probabilities, or numbers, for these rows."""
        return self.evaluated.answers

    @property
    def card(self) -> dict[str, Any]:
        """The model's card as plain JSON values."""
        return self.predictor.card.to_json()


def fit(
    config: RunConfig,
    watcher: Watcher | None = None,
    command: str = "",
    overrides: Overrides = NO_OVERRIDES,
    *,
    resume: bool = False,
    resume_anyway: bool = False,
    lengths: Lengths | None = None,
) -> Run:
    """Learn from the data that the configuration names, evaluate on its test part, and write a run folder.

    Args:
        config: what to do.
        watcher: sees messages and records.
        command: what the user typed, for the card.
        overrides: a network, an optimizer or augmentations that have no name in a configuration.
        resume: go on with the unfinished run in the run folder; without one there, begin.
        resume_anyway: even if its machine, versions or threads were others.
        lengths: what the clock decided in a run of these settings, to be done again (`read_lengths`); None asks it.
    Raises:
        OutputError: if the run folder cannot be written; before any training.
        DataError: if the data cannot be learned from.
        DivergenceError: if the loss became NaN before there was anything to keep.
    """
    watcher = watcher or Silent()
    dataset = look_over(open_data(config, watcher), watcher)
    start, out = config.init_from, config.out
    if start is not None and out is not None and Path(start).resolve().is_relative_to(Path(out).resolve()):
        raise ConfigError(
            f"init_from must be outside the run folder; got {start} in {out}, whose files are replaced. Try another "
            "out."
        )
    # A run made again from its own config.json must ask again before it replaces anything.
    settings = config.replace(overwrite=False).to_json()
    with RunFolder(
        config.out, dataset.name, overwrite=config.overwrite, resume=resume, is_unfinished=_is_unfinished
    ) as folder:
        if folder.note:
            watcher.say(folder.note)
        learned = learn(
            dataset,
            config,
            _Kept(watcher, folder, settings),
            command=command,
            overrides=overrides,
            resumption=Resumption(folder.checkpoints, folder.resumes, resume_anyway),
            lengths=lengths,
        )
        folder.begin(settings)
        predictor = learned.predictor.keeping_features()
        evaluated = learned.evaluated(predictor, dataset)
        for sentence in about_gaps(predictor.gaps_by_column(evaluated.part.X), len(evaluated.part)):
            watcher.say(f"Careful: {sentence}")
        metrics = evaluated.evaluation.to_json()
        predictor = predictor.with_metrics(metrics)
        predictor.save(folder.writes_to / MODEL)
        if predictor.trained_on is not None and learned.all_rows_known and not config.private:
            folder.write_row_hashes(predictor.trained_on)
        folder.write_json(METRICS, metrics)
        if config.time_limit is not None:
            folder.write_json(LENGTHS, learned.lengths, indent=None)
        if evaluated.index is not None:
            folder.write_held_out(to_arrays(evaluated))
        if not (folder.protects and _ended_early(learned.stopped)):
            folder.finish()
        if learned.stopped not in SIGNALS:
            remove(folder.checkpoints)
    resumable = folder.checkpoints.is_dir()
    return Run(folder.writes_to, dataset, predictor, evaluated, learned.stopped, config.private, resumable)


def _ended_early(stopped: str) -> bool:
    """Whether a signal or a loss without bound ended a training: its model replaces none that was finished."""
    return stopped in SIGNALS or stopped.startswith("diverged")


def has_come_to_its_end(folder: Path) -> bool:
    """Whether the run in this folder is complete: its model was trained to its end, and no other was begun there."""
    model = folder / MODEL
    begun = any((folder / name).is_dir() for name in (CHECKPOINTS, UNFINISHED))
    return model.is_file() and not begun and not _is_unfinished(model)


def _is_unfinished(model: Path) -> bool:
    try:
        return _ended_early(read_card(model).training.stopped)
    except LikelyError:
        return False


@dataclass(frozen=True)
class _Kept:
    """A watcher beside whom the records of the run itself are written to its folder."""

    watcher: Watcher
    folder: RunFolder
    settings: dict[str, Any]

    def say(self, message: str) -> None:
        self.watcher.say(message)

    def loading(self, what: str, done: int, total: int | None) -> None:
        self.watcher.loading(what, done, total)

    def record(self, record: Record, fold: str = "") -> None:
        self.watcher.record(record, fold)
        if not fold:
            self.folder.begin(self.settings)
            self.folder.append_history(record.to_json())


def learn(
    dataset: Dataset,
    config: RunConfig,
    watcher: Watcher | None = None,
    *,
    targets: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    command: str = "",
    overrides: Overrides = NO_OVERRIDES,
    resumption: Resumption | None = None,
    lengths: Lengths | None = None,
) -> Learned:
    """Train on the training part and calibrate on rows held out from it; the test part is not used.

    Args:
        dataset: its training part is learned from.
        config: what to do.
        watcher: sees messages and records.
        targets: label distributions (n, k) in place of certain labels.
        weights: one non-negative number per training row.
        command: what the user typed, for the card.
        overrides: a network, an optimizer or augmentations that have no name in a configuration.
        resumption: where checkpoints are kept, and whether to go on from those that are there; None keeps none.
        lengths: what the clock decided in a run of these settings, to be done again; None asks it.
    """
    remarks = Remarks(watcher or Silent())
    if config.init_keep != "all" and config.init_from is None:
        raise ConfigError(
            f"init_keep must come with init_from, the file to start from; got init_keep={config.init_keep!r} alone. "
            "Omit it, or try init_from=FILE."
        )
    start = None if config.init_from is None else read_start(config.init_from, config.init_keep)
    if start is not None:
        check_columns(start, dataset)
        if dataset.labels:
            dataset, targets = with_old_labels(dataset, targets, start, remarks)
        overrides = replace(overrides, start=replace(start, new_head=start.labels not in (None, dataset.labels)))
    check_events(config.events, dataset.labels)
    if decides(config, overrides, dataset):
        config = config.replace(network=MIXTURE)
    if config.network == MIXTURE:
        refuse_for_mixture(config, overrides, images=dataset.train.X.ndim > 2)
    elif config.extrapolate:
        raise ConfigError(
            "extrapolate must come with a mixture, whose numbers alone have limits; got one network, which has none. "
            "Omit extrapolate."
        )

    journal = journal_of(
        resumption,
        config.checkpoint_every,
        lambda: basis_of(dataset, config, overrides, targets, weights, lengths),
        remarks.say,
        lengths,
    )

    # Split: some rows are held out before anything is fitted, or every row once, in folds.
    rows, chosen = gather_rows(dataset, config, targets, weights, remarks)
    can_hold_out = True
    if start is not None:
        chosen, can_hold_out = rows_to_hold_out(start, rows, chosen, dataset, config, remarks)

    # Descend: from pixels, or from features of a backbone.
    if config.tune == "all":
        from likely.training.tune_all import refuse_tuning  # it loads torch

        custom = overrides.network is not None or overrides.loss is not None
        refuse_tuning(rows, custom=custom, can_hold_out=can_hold_out)
    if overrides.network is None:
        rows = with_features(rows, config, sum(map(len, dataset.parts.values())), remarks, start)
        rows = with_flipped(rows, config, remarks.watcher)

    in_folds = can_hold_out and chosen is None and rows.are_few
    refuse_members(config, overrides, rows, folds=in_folds)

    def descend(job: Job) -> TrainingOutcome:
        if not can_hold_out:
            return without_held_out(job)
        if job.config.network == MIXTURE:
            with blas_threads_for(rows.X):
                return mix(job, chosen)
        return cross_validate(job) if in_folds else hold_out(job, chosen)

    watcher = HoursAhead(remarks.watcher, config)
    job = Job(rows, config, dataset.hflip, overrides, watcher, journal=journal)
    if config.tune == "all":
        from likely.training.tune_all import tune_all

        rows, outcome = tune_all(job, heads(start), chosen, remarks)
    else:
        outcome = descend(job) if rows.backbone is None else choose_head(job, heads(start), descend)
    journal.close(now=outcome.trained.stopped in SIGNALS)
    if rows.flipped is not None and outcome.calibration is not None:
        remarks.note(about_flipped(outcome.trained.plan))
    for note in outcome.notes:
        remarks.warn(note, note=True)
    if (epochs := outcome.trained.passes) < 0.99 * (config.epochs or 0) and outcome.trained.stopped in WHOLE:
        remarks.note(f"Trained for {epochs:.3g} of at most {config.epochs:g} epochs: held-out loss was lowest there")

    # Calibrate.
    outcome, calibrated = calibrate(outcome, rows, config, remarks)
    warn_of_limits(outcome, rows, dataset.labels, can_hold_out, remarks)

    # Keep what answers, and what it rests on.
    trained_on = take_rows(rows.X, outcome.index)
    hashes = hashes_to_know_again(trained_on)
    if start is not None and start.trained_on is not None:
        hashes = np.union1d(hashes, start.trained_on)
    # The labels of a val part may be as frequent as its maker pleased.
    learned_from = rows if chosen is None else replace(rows, Y=rows.Y[: len(dataset.train)])
    card = make_card(dataset.with_notes(*remarks.notes), config, outcome, calibrated, command, learned_from)
    predictor = make_predictor(
        card,
        outcome.trained.engine.state(),
        {
            **calibrated.arrays,
            **backbone_arrays(rows.backbone),
            **stand_in_arrays(dataset, trained_on),
            **({} if config.private else {SKETCH: row_sketch(hashes)}),
        },
        config.device,
        trained_on=hashes,
        network=overrides.network,
    )
    if never := predictor.never_unfamiliar:
        remarks.warn(never) if rows.task.warns_if_never_unfamiliar else remarks.say(f"Warning: {never}")
    all_rows_known = start is None or not start.sketched
    return Learned(predictor, outcome, rows, journal.lengths, tuple(remarks.warnings), all_rows_known)
