"""From data to a model that answers. Read this file first: it is the whole story, top to bottom.

    open -> split -> descend -> calibrate -> evaluate -> Predictor

Rows have one purpose each. From 5,000 rows up, some are held out before anything is fitted: for the temperature, and
for promises that are asked for later. With fewer rows, 5-fold out-of-fold scores choose the length of training and the
temperature, then one fit uses all rows. The test rows choose nothing.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from likely.arrays import one_hot
from likely.config import RunConfig
from likely.data.classes import check_events, class_weights, listed
from likely.data.corrections import apply_corrections
from likely.data.dataset import Dataset, Part
from likely.data.groups import one_row_per_group, shared_with, with_copies_grouped
from likely.data.hashes import hashes_to_know_again, row_codes, row_sketch
from likely.data.inspect import check_dataset
from likely.data.sources import open_dataset
from likely.data.test_part import with_test_part
from likely.data.validate import validate
from likely.errors import ConfigError, DataError
from likely.metrics import at_labels, classification_metrics, regression_metrics
from likely.metrics.scores import FLOOR
from likely.model import ClassifierPredictor, RegressorPredictor, make_predictor
from likely.model.card import SKETCH
from likely.model.held_out_arrays import CODES, described, familiarity_arrays, held_out_arrays, residual_arrays
from likely.model.regressor_predictor import USUAL_COVERAGE
from likely.model.run_folder import METRICS, MODEL, RunFolder
from likely.model.start import Start, read_start
from likely.model.transfer import check_columns, in_old_labels
from likely.preprocessing.stored_rows import join_rows, take_rows
from likely.training.cross_validate import cross_validate
from likely.training.descent import Record
from likely.training.evaluate import false_alarms, promises_kept
from likely.training.failure import nothing_learned
from likely.training.fit_familiarity import fit_familiarity
from likely.training.held_out_scores import LEAST, HeldOutScores, Outcome, counted_by_weight
from likely.training.hold_out import LEAST_VAL, hold_out, unseen_rows, without_held_out
from likely.training.plan import NO_OVERRIDES, SMALL, Overrides
from likely.training.provenance import make_card
from likely.training.train import Rows, Trained, held_out_figures
from likely.trust.bias_corrected import Calibration, fit_calibration
from likely.trust.error_scale import better_scale, error_scale, fit_error_scale
from likely.trust.temperature import FLATTEST, SHARPEST
from likely.trust.ties import number_slack

HEADLINE = ("n", "accuracy", "nll", "mse", "mae", "r2")
"""The figures that are given a second time, without the rows that a model was trained on."""


class Watcher(Protocol):
    """Whoever wants to see how a run goes."""

    def say(self, message: str) -> None:
        """Take a sentence for people."""
        ...

    def record(self, record: Record, fold: str = "") -> None:
        """Take a record of the loop: of the fold that is named, or of the run itself."""
        ...

    def loading(self, what: str, done: int, total: int | None) -> None:
        """Take the progress of fetching `what`, in bytes."""
        ...


class Silent:
    """A watcher that looks away."""

    def say(self, message: str) -> None:
        """Do nothing."""

    def record(self, record: Record, fold: str = "") -> None:
        """Do nothing."""

    def loading(self, what: str, done: int, total: int | None) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class Learned:
    """A model that was just trained, how its training went, and what whoever uses it should know."""

    predictor: ClassifierPredictor | RegressorPredictor
    history: list[Record]
    stopped: str
    warnings: tuple[str, ...] = ()
    all_rows_known: bool = True


class Judgement(NamedTuple):
    """The figures of a model on rows, its answers (probabilities, or numbers), and their familiarity, if known."""

    figures: dict[str, Any]
    answers: np.ndarray
    familiarity: np.ndarray | None = None


@dataclass(frozen=True)
class Run:
    """A finished run, its folder, and what came of its test rows."""

    folder: Path
    dataset: Dataset
    predictor: ClassifierPredictor | RegressorPredictor
    judgement: Judgement
    stopped: str

    @property
    def metrics(self) -> dict[str, Any]:
        """The figures on the test rows."""
        return self.judgement.figures

    @property
    def answers(self) -> np.ndarray:
        """The probabilities, or numbers, for the test rows."""
        return self.judgement.answers

    @property
    def card(self) -> dict[str, Any]:
        """The model's card as plain JSON values."""
        return self.predictor.card.to_json()


def fit(
    config: RunConfig, watcher: Watcher | None = None, command: str = "", overrides: Overrides = NO_OVERRIDES
) -> Run:
    """Learn from the data that the configuration names, judge on its test part, and write a run folder.

    Args:
        config: what to do.
        watcher: sees messages and records.
        command: what the user typed, for the card.
        overrides: a network, an optimizer or augmentations that have no name in a configuration.
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
            f"init_from must lie outside the run folder; got {start} in {out}, whose files are replaced. "
            "Try another out."
        )
    folder = RunFolder(config.out, dataset.name, overwrite=config.overwrite)
    # A run made again from its own config.json must ask anew before it replaces anything.
    settings = config.replace(overwrite=False).to_json()

    def keep(record: Record) -> None:
        folder.begin(settings)
        folder.append_history(record.to_json())

    try:
        learned = learn(dataset, config, watcher, command=command, on_record=keep, overrides=overrides)
    except BaseException:
        folder.discard_unless_begun()
        raise
    folder.begin(settings)
    assert dataset.test is not None
    judgement = judge(learned.predictor, dataset.test, shared_with(dataset.test, (dataset.train, dataset.val)))
    predictor = learned.predictor.with_metrics(judgement.figures)
    predictor.save(folder.path / MODEL)
    if predictor.trained_on is not None and learned.all_rows_known:
        folder.write_row_hashes(predictor.trained_on)
    folder.write_json(METRICS, judgement.figures)
    return Run(folder.path, dataset, predictor, judgement, learned.stopped)


def open_data(config: RunConfig, watcher: Watcher | None = None) -> Dataset:
    """The data set that the configuration names, with a test part: its own, or a fifth of its rows, drawn.

    Labels are corrected before anything is drawn, so that the numbers of rows are those of the source.
    """
    watcher = watcher or Silent()
    dataset = open_dataset(
        config.data,
        config.data_folder,
        watcher.loading,
        image_size=config.image_size,
        skip_bad=config.skip_bad,
        test_last=config.test_last,
        label=config.label,
        image=config.image,
        group=config.group,
        group_by_folder=config.group_by_folder,
        task=config.task,
    )
    if config.corrections is not None:
        dataset = apply_corrections(dataset, config.corrections)
    for note in dataset.notes:
        watcher.say(note)
    if config.task not in ("auto", dataset.task):
        dataset = _as_task(dataset, config.task)
    validate(dataset)
    declared = dataset.train.groups is not None
    said = len(dataset.notes)
    dataset = with_copies_grouped(dataset)
    for note in dataset.notes[said:]:
        watcher.say(note)
    if declared and dataset.test is not None:
        dataset = replace(dataset, test=one_row_per_group(dataset.test, config.seed))
    drawn = with_test_part(dataset, config.seed)
    for note in drawn.notes[len(dataset.notes) + 1 :]:  # the next sentence says how many were drawn
        watcher.say(f"Careful: {note}")
    dataset = drawn
    assert dataset.test is not None
    if dataset.test_last is not None:
        watcher.say(
            f"Test rows: {len(dataset.test):,} of {len(dataset.train) + len(dataset.test):,}, the latest by column "
            f"{dataset.test_last!r}. Rows to hold out are drawn at random from the others: what they promise is not "
            "for later rows"
        )
    what = f", {len(dataset.labels)} labels" if dataset.labels else ""
    val = f", {len(dataset.val):,} val" if dataset.val is not None else ""
    watcher.say(
        f"{dataset.name}: {len(dataset.train):,} training{val} and {len(dataset.test):,} test rows{what}, "
        f"from {dataset.found_at}"
    )
    return dataset


def look_over(dataset: Dataset, watcher: Watcher) -> Dataset:
    """The data set with notes of what is wrong with it, as far as that shows at once: `likely check` looks longer."""
    found = check_dataset(dataset, quick=True).of("error", "warning")
    for finding in found:
        watcher.say(f"Careful: {finding.message}")
    if found:
        watcher.say("More on that: likely check")
    return dataset.with_notes(*(finding.message for finding in found))


def learn(
    dataset: Dataset,
    config: RunConfig,
    watcher: Watcher | None = None,
    *,
    targets: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    command: str = "",
    on_record: Callable[[Record], None] | None = None,
    overrides: Overrides = NO_OVERRIDES,
) -> Learned:
    """Train on the training part and calibrate on rows held out from it; the test part is not looked at.

    Args:
        dataset: its training part is learned from.
        config: what to do.
        watcher: sees messages and records.
        targets: label distributions (n, k) in place of certain labels.
        weights: one non-negative number per training row.
        command: what the user typed, for the card.
        on_record: takes each record of the final training as it comes.
        overrides: a network, an optimizer or augmentations that have no name in a configuration.
    """
    watcher = watcher or Silent()
    warned: list[str] = []

    def careful(message: str) -> None:
        warned.append(message)
        watcher.say(message)

    start = None if config.init_from is None else read_start(config.init_from, config.init_keep)
    if start is not None:
        check_columns(start, dataset)
        if dataset.task == "classification":
            dataset, targets = _with_old_labels(dataset, targets, start, careful)
        overrides = replace(overrides, start=replace(start, new_head=start.labels not in (None, dataset.labels)))
    classifies = dataset.task == "classification"
    Y = targets if targets is not None else _targets(dataset, dataset.train, config.dtype)
    class_weight = class_weights(config.class_weight, dataset.labels, Y, weights) if classifies else None
    rows = Rows(dataset.train.X, Y, weights, classifies, class_weight, dataset.columns, dataset.train.groups)
    chosen = None
    if dataset.val is not None:
        X = join_rows(dataset.train.X, dataset.val.X)
        rows = replace(rows, X=X, Y=np.concatenate([Y, _targets(dataset, dataset.val, config.dtype)]))
        known = shared_with(dataset.val, (dataset.train,))
        if rows.groups is not None and dataset.val.groups is not None:
            rows = replace(rows, groups=np.concatenate([rows.groups, dataset.val.groups]))
        if known.any():
            watcher.say(
                f"{known.sum():,} rows of the val part are copies of training rows, or related to some: they are "
                "learned from, and calibrate nothing"
            )
        new = np.flatnonzero(~known)
        n_new = len(new) if dataset.val.groups is None else len(np.unique(dataset.val.groups[new]))
        if n_new >= LEAST_VAL:
            chosen = len(dataset.train) + new
        else:
            watcher.say(
                f"The val part has {n_new} rows, fewer than the {LEAST_VAL} that a calibration needs: they "
                "are learned from, and rows are held out as without a val part"
            )
    check_events(config.events, dataset.labels)
    seen: np.ndarray | None = None
    how = ""
    if start is not None:
        seen, how = start.seen(rows.X, dataset.sha256 if start.data else "", dataset.equal_by_chance)
        if how == "unknown" and not seen.any():
            note = f"Held-out rows are taken to be new to {start.path}, whose training rows are not known"
            dataset = dataset.with_notes(note)
            watcher.say(note)

    def record(record: Record, fold: str = "") -> None:
        watcher.record(record, fold)
        if on_record is not None and not fold:
            on_record(record)

    refused = ""
    if start is not None and seen is not None and seen.any():
        related = seen if rows.groups is None else np.isin(rows.groups, rows.groups[seen])
        chosen = unseen_rows(related, chosen, start.n_held_out, config)
        note = f"{start.path} was trained on {seen.sum():,} of these {len(rows):,} rows"
        if how == "sketched":
            note = (
                f"{start.path} was trained on some of these rows; its run folder, which says on which, is not beside it"
            )
        if chosen is None:
            refused = "no others are left that could be held out: the model is not calibrated, and promises nothing"
            note = f"{note}, and {refused}. Try calibrate with new rows"
        else:
            note = f"{note}: {len(chosen):,} that it has not seen are held out, and all guarantees rest on them"
        dataset = dataset.with_notes(note)
        careful(note)
        if dataset.test is not None and (n := int(start.seen(dataset.test.X, "", dataset.equal_by_chance)[0].sum())):
            note = (
                f"{start.path} was trained on test rows ({'some' if start.sketched else f'{n:,}'}): figures flatter it"
            )
            dataset = dataset.with_notes(note)
            careful(note)

    if refused:
        outcome = without_held_out(rows, config, dataset.hflip, watcher.say, record, overrides)
    elif chosen is None and rows.n_groups < SMALL:
        outcome = cross_validate(rows, config, dataset.hflip, watcher.say, record, overrides)
    else:
        outcome = hold_out(rows, config, dataset.hflip, watcher.say, record, overrides, chosen)
    dataset = dataset.with_notes(*outcome.notes)
    for note in outcome.notes:
        careful(note)
    trained, calibration = outcome.trained, outcome.calibration
    thresholds = counted_by_weight(outcome.thresholds, rows.weights, config.seed)
    if weights is not None and outcome.thresholds is not None:
        kept, of = 0 if thresholds is None else len(thresholds.Y), len(outcome.thresholds.Y)
        note = (
            f"Weights: the guarantees are for new rows that come in proportion to their weight. They rest on {kept:,} "
            f"of {of:,} held-out rows, each kept with probability weight / largest weight."
        )
        dataset = dataset.with_notes(note)
        outcome = replace(outcome, splits=outcome.splits.model_copy(update={"thresholds": kept}))
        watcher.say(note)

    fitted, figures, doubt = None, None, None
    held_out: dict[str, np.ndarray] = {}
    if rows.classifies and calibration is not None:
        log_probs = calibration.log_probs(trained.plan.head)
        fitted = fit_calibration(log_probs, calibration.Y, calibration.weights)
        calibrated = fitted.apply(log_probs)
        judged = held_out_figures(calibrated, calibration.Y, "softmax", True, stated=calibration.stated)
        figures = {"n": len(calibrated), **judged}
        doubt = _nothing_learned(calibration, trained, config, log_probs, fitted)
        biases = "" if fitted.biases is None else " and a bias per class"
        watcher.say(f"Temperature {fitted.temperature:.3f}{biases}, fitted on {len(calibrated):,} held-out rows")
        without = int((calibration.unseen & (calibration.Y > 0)).any(axis=1).sum())
        if without:
            watcher.say(
                f"{without:,} of the held-out rows have a label that their network was never shown: they count as "
                "wrong answers, and no set holds them"
            )
        if thresholds is not None and thresholds.index is not None:
            kept = thresholds.log_probs(trained.plan.head)
            promised = held_out_arrays(log_probs, kept, thresholds.Y, fitted, thresholds.stated)
            held_out = promised | familiarity_arrays(fit_familiarity(rows, outcome, config.seed))
            held_out[CODES] = row_codes(take_rows(rows.X, thresholds.index))
    elif rows.n_groups < LEAST and chosen is None and not refused:
        units = "rows" if rows.groups is None else "groups of related rows"
        missing = (
            "the model is not calibrated, and promises no sets, no bound on its errors and no familiarity"
            if rows.classifies
            else "the model promises no intervals and no familiarity"
        )
        careful(f"{rows.n_groups} {units} are too few to hold any out, which takes {LEAST}: {missing}")
    elif thresholds is not None and len(thresholds.Y):
        held_out = _residuals(rows, replace(outcome, thresholds=thresholds)) if rows.Y.shape[1] == 1 else {}
        held_out |= familiarity_arrays(fit_familiarity(rows, outcome, config.seed))
        doubt = _nothing_learned(thresholds, trained, config)
    if doubt is not None:
        dataset = dataset.with_notes(doubt)
        warned.append(doubt)
        watcher.say(f"Careful: {doubt}")
    if rows.classifies:
        held = np.flatnonzero((rows.Y.sum(axis=0) > 0) & (trained.stated > 0))
        if len(held):
            note = (
                f"The held-out rows are all that there are of {len(held)} labels: "
                f"{listed([dataset.labels[i] for i in held])}. They can hardly be answered"
            )
            dataset = dataset.with_notes(note)
            careful(note)
    if trained.stopped.startswith("diverged"):
        careful(f"Training {trained.stopped}: the model is the best state before that. Try a smaller learning rate")
    # The labels of a val part may be as frequent as its maker pleased.
    learned_from = rows if chosen is None else replace(rows, Y=Y)
    card = make_card(dataset, config, trained, outcome.splits, fitted, figures, command, learned_from)
    hashes = hashes_to_know_again(take_rows(rows.X, outcome.index))
    if start is not None and start.trained_on is not None:
        hashes = np.union1d(hashes, start.trained_on)
    held_out[SKETCH] = row_sketch(hashes)
    predictor = make_predictor(
        card, trained.engine.state(), held_out, config.device, trained_on=hashes, network=overrides.network
    )
    if never := predictor.never_unfamiliar:
        careful(never) if rows.classifies else watcher.say(f"Careful: {never}")
    all_rows_known = start is None or not start.sketched
    return Learned(predictor, trained.history, trained.stopped, tuple(warned), all_rows_known)


def _with_old_labels(
    dataset: Dataset, targets: np.ndarray | None, start: Start, careful: Callable[[str], None]
) -> tuple[Dataset, np.ndarray | None]:
    """The data set in the labels of the start; what becomes of labels that only one of them has is said."""
    kept, targets = in_old_labels(dataset, targets, start)
    absent = [label for label in start.labels or () if label not in dataset.labels]
    if start.card is not None and absent and len(kept.labels) > len(dataset.labels):
        careful(
            f"No row has a label of {listed(absent)}, which {start.path} knows: they are kept, and get less probable "
            "with every step. Try rows of all labels, or init_keep='parameters' to drop them"
        )
    elif start.card is not None and absent and len(absent) < len(start.labels or ()):
        careful(
            f"There are labels that {start.path} does not know, so that the last layer begins anew: {listed(absent)}, "
            "which it knows, can no longer be answered. Try rows of all labels"
        )
    elif start.card is not None and absent and start.network == "linear":  # it has no other layer
        careful(
            f"Nothing could be taken over from {start.path}: it knows the labels {listed(absent)}, none of which is "
            f"among {listed(dataset.labels)}, and its one layer begins anew. Try the same labels, or another network"
        )
    return kept, targets


def judge(predictor: ClassifierPredictor | RegressorPredictor, part: Part, seen: np.ndarray | None = None) -> Judgement:
    """What came of a model on rows that it was not trained on.

    Args:
        predictor: the model.
        part: the rows.
        seen: which of them it was trained on all the same, or on copies of them: booleans (n,). Then `figures["seen"]`
            says how many, and what the headline figures are without them.
    """
    judgement = _judge(predictor, part)
    if seen is None or not seen.any():
        return judgement
    others = np.flatnonzero(~seen)
    without = _headline(predictor, judgement.answers[others], part.y[others]) if len(others) else None
    found = {"n": int(seen.sum()), "without": without}
    return judgement._replace(figures={**judgement.figures, "seen": found})


def _headline(
    predictor: ClassifierPredictor | RegressorPredictor, answers: np.ndarray, y: np.ndarray
) -> dict[str, Any]:
    """The figures that a report begins with."""
    if isinstance(predictor, ClassifierPredictor):
        figures = classification_metrics(answers, y, predictor.card.labels)
    else:
        figures = regression_metrics(y, answers)
    return {name: figures[name] for name in HEADLINE if name in figures}


def _judge(predictor: ClassifierPredictor | RegressorPredictor, part: Part) -> Judgement:
    if isinstance(predictor, ClassifierPredictor):
        log_probs, familiarity = predictor.examine(part.X)
        answers = np.exp(log_probs)
        figures = classification_metrics(answers, part.y, predictor.card.labels)
        kept = promises_kept(predictor, log_probs, familiarity, part.y)
        return Judgement({**figures, **kept}, answers, familiarity)
    found = predictor.examine(part.X, USUAL_COVERAGE if predictor.can_cover(USUAL_COVERAGE) else None)
    low, high = (None, None) if found.intervals is None else found.intervals.T
    figures = regression_metrics(part.y, found.predictions, low, high)
    if found.familiarity is not None and predictor.can_alarm:
        figures["familiarity"] = false_alarms(found.familiarity)
    if found.outside is not None:
        figures["outside_range"] = int(found.outside.sum())
    return Judgement(figures, found.predictions, found.familiarity)


def _nothing_learned(
    part: HeldOutScores,
    trained: Trained,
    config: RunConfig,
    log_probs: np.ndarray | None = None,
    fitted: Calibration | None = None,
) -> str | None:
    """A note if these held-out rows cost no less than knowing nothing; with `log_probs` and what calibrates them."""
    at_bound, numbers, which = False, 0, np.arange(len(part.Y))
    if log_probs is None or fitted is None:
        losses = np.square(part.scores - part.Y).sum(axis=1)
    else:
        # A row whose own label is masked or was never shown costs the floor, which says nothing of the others.
        at_label = at_labels(np.maximum(fitted.apply(log_probs), math.log(FLOOR)), part.Y)
        which = np.flatnonzero((at_label > math.log(FLOOR) / 2) & ~(part.unseen & (part.Y > 0)).any(axis=1))
        losses = -at_label
        numbers = 1 if fitted.biases is None else len(fitted.biases)
        at_bound = not SHARPEST * 1.001 < fitted.temperature < FLATTEST / 1.001
    if not len(which):
        return None
    return nothing_learned(
        losses[which],
        part.Y[which],
        None if part.weights is None else part.weights[which],
        "squared_error" if fitted is None else "cross_entropy",
        fitted=numbers,
        at_bound=at_bound,
        rate=config.learning_rate,
        usual=trained.plan.usual_rate,
        steps=None if config.epochs is None or not trained.history else trained.history[-1].step,
    )


def _residuals(rows: Rows, outcome: Outcome) -> dict[str, np.ndarray]:
    """What a regressor's intervals rest on.

    The scale of errors is fitted to the calibration rows, or to training rows where that fits the calibration rows
    better, and the quantiles are of the rows for thresholds, of which it knows nothing: the coverage is guaranteed.
    Out of fold all are the same rows; then each is measured by a scale that was fitted without it.
    """
    trained, kept = outcome.trained, outcome.thresholds
    out_of_fold = outcome.splits.method == "cross-validation"
    others = kept if out_of_fold else outcome.calibration
    assert kept is not None
    assert others is not None

    def inputs(part: HeldOutScores) -> np.ndarray | None:
        at = part.index
        return None if at is None else described(trained.inference.preprocessor, take_rows(rows.X, at))

    predictions = kept.scores[:, 0]
    errors, at = others.Y[:, 0] - others.scores[:, 0], inputs(others)
    fitted = fit_error_scale(errors, others.scores[:, 0], at)
    arrays, scale = fitted.arrays, fitted.without
    if not out_of_fold:
        if at is not None:
            arrays = better_scale(fitted, _scale_in_training(rows, outcome), errors, others.scores[:, 0], at)
        scale = error_scale(arrays, predictions, inputs(kept))
    dtype = trained.inference.preprocessor.dtype
    slack = number_slack(predictions, float(trained.target_mean[0]), float(trained.target_scale[0]), dtype)
    return residual_arrays(kept.Y[:, 0] - predictions, slack, scale, arrays)


def _scale_in_training(rows: Rows, outcome: Outcome) -> dict[str, np.ndarray]:
    """The scale of errors among rows that the network was trained on."""
    trained = outcome.trained
    some = np.random.default_rng(0).permutation(outcome.index)[:SMALL]
    X = take_rows(rows.X, some)
    scores = trained.scores(X)[:, 0]
    return fit_error_scale(rows.Y[some, 0] - scores, scores, described(trained.inference.preprocessor, X)).arrays


def _targets(dataset: Dataset, part: Part, dtype: str) -> np.ndarray:
    y = part.y
    if dataset.task == "classification":
        return one_hot(y, len(dataset.labels), dtype)
    # Whatever the network computes in: a time stamp is large beside what varies of it.
    return y.reshape(len(y), -1).astype(np.float64)


def _as_task(dataset: Dataset, task: Literal["classification", "regression"]) -> Dataset:
    if task == "classification":
        raise DataError(
            f"{dataset.name} must have labels to be classified; got numbers as answers. Try --task regression."
        )
    try:
        values = [float(label) for label in dataset.labels]
    except ValueError:
        raise DataError(
            f"{dataset.name} must have numbers as answers for regression; got labels such as {dataset.labels[0]!r}. "
            "Try --task classification."
        ) from None
    lookup = np.array(values)
    parts = {
        name: None if part is None else replace(part, y=lookup[part.y])
        for name, part in (("train", dataset.train), ("val", dataset.val), ("test", dataset.test))
    }
    return replace(dataset, task="regression", labels=(), **parts)
