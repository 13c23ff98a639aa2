"""The data set that a configuration names, ready to be learned from: corrected, checked, with a test part."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from likely.config import RunConfig
from likely.data.check import check_dataset
from likely.data.corrections import apply_corrections
from likely.data.dataset import Dataset
from likely.data.groups import n_unrelated, one_row_per_group, with_copies_grouped
from likely.data.images.decode import ImageForm
from likely.data.sources import open_configured
from likely.data.test_part import share_to_draw, with_test_part
from likely.data.validate import validate
from likely.errors import DataError
from likely.preprocessing.column_reading import ColumnReading
from likely.preprocessing.columns import Column
from likely.training.watcher import Silent, Watcher


def open_data(
    config: RunConfig,
    watcher: Watcher | None = None,
    *,
    form: ImageForm | None = None,
    columns: Sequence[Column] | None = None,
    label_reading: ColumnReading | None = None,
    n_test: int | None = None,
) -> Dataset:
    """The data set that the configuration names, with its test part, or some of its rows as one (`share_to_draw`).

    Labels are corrected before anything is drawn, so that the numbers of rows are those of the source. With the form of
    a model's images, or its columns and the reading of its answers, files are read as they say; so many test rows are
    drawn as it had (`n_test`).
    """
    watcher = watcher or Silent()
    dataset = open_configured(
        config, watcher.loading, form=form, columns=columns, label_reading=label_reading, to_learn=columns is None
    )
    if config.corrections is not None:
        dataset = apply_corrections(dataset, config.corrections)
    for note in dataset.notes:
        watcher.say(note)
    if config.task not in ("auto", dataset.task):
        dataset = _as_task(dataset, config.task)
    validate(dataset, to_learn=columns is None)
    declared = dataset.train.groups is not None
    said = len(dataset.notes)
    dataset = with_copies_grouped(dataset)
    for note in dataset.notes[said:]:
        watcher.say(note)
    if declared and dataset.test is not None:
        dataset = replace(dataset, test=one_row_per_group(dataset.test, config.seed))
    share = share_to_draw(dataset, config.test_share, goes_on=config.init_from is not None)
    if n_test is not None:
        share = n_test / (len(dataset.train) if dataset.train.order is not None else n_unrelated(dataset.train))
    drawn = with_test_part(dataset, config.seed, share)
    for note in drawn.notes[len(dataset.notes) + 1 :]:  # the next sentence says how many were drawn
        watcher.say(f"Warning: {note}")
    dataset, test = drawn, "no"
    if dataset.test is not None:
        test = f"{len(dataset.test):,}"
    if dataset.test is not None and dataset.test_last is not None:
        watcher.say(
            f"Test rows: {len(dataset.test):,} of {len(dataset.train) + len(dataset.test):,}, the latest by column "
            f"{dataset.test_last!r}. Held-out rows are drawn at random from the others, so their guarantees do not "
            "cover later rows"
        )
    what = f", {len(dataset.labels)} labels" if dataset.labels else ""
    val = f", {len(dataset.val):,} val" if dataset.val is not None else ""
    watcher.say(
        f"{dataset.name}: {len(dataset.train):,} training{val} and {test} test rows{what}, from {dataset.found_at}"
    )
    return dataset


def look_over(dataset: Dataset, watcher: Watcher) -> Dataset:
    """The data set with notes of what is wrong with it, as far as that shows at once: `likely check` looks longer."""
    found = check_dataset(dataset, quick=True).of("error", "warning")
    for finding in found:
        watcher.say(f"Warning: {finding.message}")
    if found:
        watcher.say("For details: likely check")
    return dataset.with_notes(*(finding.message for finding in found))


def _as_task(dataset: Dataset, task: Literal["classification", "regression"]) -> Dataset:
    if task == "classification":
        raise DataError(
            f"{dataset.name} must have labels for classification; got numeric targets. Try --task regression."
        )
    try:
        values = [float(label) for label in dataset.labels]
    except ValueError:
        raise DataError(
            f"{dataset.name} must have numeric targets for regression; got labels such as {dataset.labels[0]!r}. Try "
            "--task classification."
        ) from None
    lookup = np.array(values)
    parts = {
        name: None if part is None else replace(part, y=lookup[part.y])
        for name, part in (("train", dataset.train), ("val", dataset.val), ("test", dataset.test))
    }
    return replace(dataset, task="regression", labels=(), **parts)
