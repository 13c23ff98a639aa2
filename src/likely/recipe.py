"""From data to a model that answers. Read this file first: it is the whole story, top to bottom.

    open -> split -> descend -> calibrate -> evaluate -> Predictor

Rows have one purpose each. From 5,000 rows up, some are held out before anything is fitted: for the temperature, and
for promises that are asked for later. With fewer rows, 5-fold out-of-fold scores choose the length of training and the
temperature, then one fit uses all rows. The test rows choose nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from likely.arrays import one_hot
from likely.config import RunConfig
from likely.data.dataset import Dataset, Part
from likely.data.sources import open_dataset
from likely.data.split import stratified_split
from likely.data.validate import validate
from likely.errors import DataError
from likely.heads import HEADS
from likely.held_out import cross_validate, hold_out
from likely.learning.descent import Record
from likely.metrics import classification_metrics, regression_metrics
from likely.predictor import ClassifierPredictor, RegressorPredictor, make_predictor
from likely.presets import SMALL
from likely.provenance import make_card
from likely.runs import METRICS, MODEL, RunFolder
from likely.training import Rows, held_out_figures
from likely.trust.temperature import apply_temperature, fit_temperature

_TEST_SHARE = 0.2


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
    """A model that was just trained, and how its training went."""

    predictor: ClassifierPredictor | RegressorPredictor
    history: list[Record]
    stopped: str


@dataclass(frozen=True)
class Run:
    """A finished run and its folder; `answers` are the probabilities (or numbers) for the test rows."""

    folder: Path
    dataset: Dataset
    predictor: ClassifierPredictor | RegressorPredictor
    metrics: dict[str, Any]
    answers: np.ndarray
    stopped: str

    @property
    def card(self) -> dict[str, Any]:
        """The model's card as plain JSON values."""
        return self.predictor.card.to_json()


def fit(config: RunConfig, watcher: Watcher | None = None, command: str = "") -> Run:
    """Learn from the data that the configuration names, judge on its test part, and write a run folder.

    Raises:
        OutputError: if the run folder cannot be written; before any training.
        DataError: if the data cannot be learned from.
        DivergenceError: if the loss became NaN before there was anything to keep.
    """
    watcher = watcher or Silent()
    dataset = open_data(config, watcher)
    folder = RunFolder(config.out, dataset.name, overwrite=config.overwrite)
    folder.start(config.to_json())
    try:
        learned = learn(
            dataset, config, watcher, command=command, on_record=lambda record: folder.append_history(record.to_json())
        )
    except BaseException:
        folder.discard_unless_begun()
        raise
    assert dataset.test is not None
    figures, answers = judge(learned.predictor, dataset.test)
    predictor = learned.predictor.with_metrics(figures)
    predictor.save(folder.path / MODEL)
    folder.write_json(METRICS, figures)
    return Run(folder.path, dataset, predictor, figures, answers, learned.stopped)


def open_data(config: RunConfig, watcher: Watcher | None = None) -> Dataset:
    """The data set that the configuration names, with a test part: its own, or a fifth of its rows, drawn."""
    watcher = watcher or Silent()
    dataset = open_dataset(config.data, config.data_folder, watcher.loading, image_size=config.image_size)
    if config.task not in ("auto", dataset.task):
        dataset = _as_task(dataset, config.task)
    if dataset.test is None:
        strata = dataset.train.y if dataset.task == "classification" else np.zeros(len(dataset.train), np.int64)
        rng = np.random.default_rng(config.seed)
        test, rest = stratified_split(strata, [max(1, round(_TEST_SHARE * len(strata)))], rng)
        note = f"no test part of its own: {len(test)} rows drawn with seed {config.seed}"
        dataset = replace(
            dataset, train=dataset.train.take(rest), test=dataset.train.take(test), notes=(*dataset.notes, note)
        )
    validate(dataset)
    assert dataset.test is not None
    what = f", {len(dataset.labels)} labels" if dataset.labels else ""
    watcher.say(
        f"{dataset.name}: {len(dataset.train):,} training and {len(dataset.test):,} test rows{what}, "
        f"from {dataset.found_at}"
    )
    return dataset


def learn(
    dataset: Dataset,
    config: RunConfig,
    watcher: Watcher | None = None,
    *,
    targets: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    command: str = "",
    on_record: Callable[[Record], None] | None = None,
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
    """
    watcher = watcher or Silent()
    rows = Rows(
        dataset.train.X,
        targets if targets is not None else _targets(dataset, config.dtype),
        weights,
        dataset.task == "classification",
    )

    def record(record: Record, fold: str = "") -> None:
        watcher.record(record, fold)
        if on_record is not None and not fold:
            on_record(record)

    hold_rows = hold_out if len(rows) >= SMALL else cross_validate
    trained, splits, calibration, thresholds = hold_rows(rows, config, dataset.mirror, watcher.say, record)

    temperature, residuals, figures = None, None, None
    if rows.classifies and calibration is not None:
        log_probs = np.asarray(HEADS[trained.plan.head].log_probs(calibration.scores), dtype=np.float64)
        temperature = fit_temperature(log_probs, calibration.Y, calibration.weights)
        calibrated = apply_temperature(log_probs, temperature)
        figures = {"n": len(calibrated), **held_out_figures(calibrated, calibration.Y, "softmax", True)}
        watcher.say(f"Temperature {temperature:.3f}, fitted on {len(calibrated):,} held-out rows")
    elif rows.classifies:
        watcher.say("Too few rows per class to hold any out: the model is not calibrated")
    if not rows.classifies and thresholds is not None and rows.Y.shape[1] == 1:
        residuals = np.abs(thresholds.Y - thresholds.scores)[:, 0]
    card = make_card(dataset, config, trained, splits, temperature, figures, command)
    predictor = make_predictor(card, trained.engine.state(), residuals, config.device)
    return Learned(predictor, trained.history, trained.stopped)


def judge(predictor: ClassifierPredictor | RegressorPredictor, part: Part) -> tuple[dict[str, Any], np.ndarray]:
    """The figures of a model on rows that it was not trained on, and its answers: probabilities, or numbers."""
    if isinstance(predictor, ClassifierPredictor):
        answers = predictor.predict_proba(part.X)
        return classification_metrics(answers, part.y, predictor.card.labels), answers
    answers = predictor.predict(part.X)
    low = high = None
    if predictor.has_intervals:
        low, high = predictor.predict_interval(part.X).T
    return regression_metrics(part.y, answers, low, high), answers


def _targets(dataset: Dataset, dtype: str) -> np.ndarray:
    y = dataset.train.y
    if dataset.task == "classification":
        return one_hot(y, len(dataset.labels), dtype)
    return y.reshape(len(y), -1).astype(dtype)


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
        name: None if part is None else Part(part.X, lookup[part.y], part.paths)
        for name, part in (("train", dataset.train), ("test", dataset.test))
    }
    return replace(dataset, task="regression", labels=(), **parts)
