"""Which rows a model is evaluated on, in the model's own columns and classes: for evaluate, compare and calibrate."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path

import numpy as np

from likely.cli.matching import in_columns_of
from likely.config import RunConfig
from likely.data.dataset import Dataset, Part, without_folders
from likely.data.sources import open_configured
from likely.data.tables.spelled_otherwise import spelled_otherwise
from likely.errors import DataError, nearest
from likely.metrics.classification import evaluate_classification
from likely.metrics.regression import evaluate_regression
from likely.model import Predictor
from likely.model.card import Card
from likely.model.run_folder import read_held_out
from likely.preprocessing.column_reading import ColumnReading
from likely.training.evaluate import Evaluated
from likely.training.evaluate_held_out import learned_from
from likely.training.open_data import open_data
from likely.training.watcher import Watcher


def open_for_evaluation(
    predictor: Predictor, asked: RunConfig, watcher: Watcher, said: Collection[str] = ()
) -> Dataset:
    """The data set; if it is the one that the model was made from, with the same test rows, drawn or declared.

    Without a column for answers or images that of training is taken; without one for groups that of training only if
    the data are those that the model was made from. The watcher has seen the notes in `said`.
    """
    card = predictor.card
    asked = asked.replace(
        task=card.task,
        seed=card.training.seed,
        label=asked.label or card.data.label,
        image=asked.image or card.data.image,
    )
    form = predictor.image_form
    stored = card.data.label_reading if asked.label == card.data.label else None
    reading = None if stored is None else ColumnReading.from_json(stored)
    source = open_configured(
        asked, watcher.loading, form=form, columns=predictor.columns, label_reading=reading, to_learn=False
    )
    if source.label is not None or asked.skip_bad:
        for note in source.notes:
            if note not in said:
                watcher.say(note)
    may_be_its_own = source.test is None and len(source.train) == _rows_of_source(predictor)
    if may_be_its_own or source.task != card.task:
        config = asked.replace(test_last=card.data.test_last)
        if may_be_its_own:
            config = config.replace(group=card.data.group, group_by_folder=card.data.group_by_folder)
        try:
            n_test = card.splits.test + (card.data.left_out if card.data.test_last is not None else 0)
            drawn = open_data(config, form=form, columns=predictor.columns, label_reading=reading, n_test=n_test)
        except DataError:
            if card.data.test_last is None:
                raise
            return source  # a table of other rows, without that column
        if source.task != card.task or drawn.sha256 == card.data.sha256:
            source = drawn
    return source


def chosen_rows(dataset: Dataset, part: str | None, watcher: Watcher) -> Part:
    """The part that was asked for; by default the test part, or all rows where there is none."""
    if part == "test" and dataset.test is None:
        raise DataError(f"{dataset.name} must have a test part; got only one part. Try without --part.")
    rows = dataset.train if part == "train" or dataset.test is None else dataset.test
    watcher.say(f"{dataset.name}: {len(rows):,} rows, from {dataset.found_at}")
    return rows


def in_terms_of(predictor: Predictor, dataset: Dataset, rows: Part, read_by: Predictor | None = None) -> Part:
    """The same rows in the model's classes and columns (see `in_columns_of`); a DataError if it lacks one of them."""
    labels = predictor.card.labels
    same = spelled_otherwise((label for label in dataset.labels if label not in labels), labels)
    unknown = [label for label in dataset.labels if label not in labels and label not in same]
    if unknown:
        raise DataError(
            f"The labels of {dataset.name} must be labels of the model; got {unknown[0]!r}"
            f"{f' and {len(unknown) - 1} more' if len(unknown) > 1 else ''}. {nearest(unknown[0], labels)}"
        )
    if labels and dataset.labels != labels:
        numbers = np.array([labels.index(same.get(label, label)) for label in dataset.labels])
        rows = replace(rows, y=numbers[rows.y])
    return in_columns_of(predictor, dataset, rows, read_by)


def trained_on(predictor: Predictor, own: Dataset, tested: Dataset, rows: Part, in_its_terms: Part) -> np.ndarray:
    """Which of the rows the model learned from, or equal ones: booleans (n,).

    By the hashes in its run folder; where those tell nothing, all rows if they are the data that it was made from, but
    not its test part.

    Args:
        predictor: the model.
        own: the data set as `open_for_evaluation` for this model, with its own test rows.
        tested: the one that the rows are a part of: the same, or one in which other test rows were drawn.
        rows, in_its_terms: the rows, and the same in the model's own columns.
    """
    card = predictor.card
    seen = predictor.seen_in_training(in_its_terms.X)
    if seen is not None and (seen.any() or card.data.equal_by_chance == 0):
        return seen
    if own.sha256 == card.data.sha256:
        is_trained_on = rows is not tested.test or own.sha256 != tested.sha256
    else:
        # Labels that were corrected for training change the hash; then name and number of rows have to do.
        same = without_folders(own.name) == without_folders(card.data.name) and len(own.train) in (
            card.data.rows,
            _rows_of_source(predictor),
        )
        is_trained_on = same and rows is not tested.test
    return np.full(len(rows), is_trained_on)


def out_of_fold(paths: Sequence[str], cards: Sequence[Card], dataset: Dataset) -> list[Evaluated] | None:
    """What each model answered out of fold to the same rows of the data that all were made from.

    None where one was made from others, or had a test part, or its run folder does not lie beside it.
    """
    kept = [read_held_out(Path(path) if Path(path).is_dir() else Path(path).parent) for path in paths]
    arrays = [each for each in kept if each is not None]
    own = dataset.test is None and all(card.data.sha256 == dataset.sha256 for card in cards)
    if not own or len(arrays) < len(paths):
        return None
    index = reduce(np.intersect1d, [each["index"] for each in arrays])
    part = learned_from(dataset).take(index)
    found = list[Evaluated]()
    for card, each in zip(cards, arrays, strict=True):
        answers = each["answers"][np.searchsorted(each["index"], index)]
        figures = (
            evaluate_classification(answers, part.y, card.labels)
            if card.labels
            else evaluate_regression(part.y, answers)
        )
        found.append(Evaluated(replace(figures, rows="out-of-fold"), part, answers, None, index))
    return found


def _rows_of_source(predictor: Predictor) -> int:
    """How many rows the source had before a test part was drawn from them."""
    card = predictor.card
    return card.data.rows + card.data.left_out + card.splits.test


def flattered(who: str, seen: int, of: int) -> str:
    """What to say where a model is evaluated on rows that it was trained on.

    Example:
        >>> flattered("the model", 3, 10)
        'warning: the model was trained on 3 of these 10 rows, so the figures flatter it'
    """
    return f"warning: {who} was trained on {seen:,} of these {of:,} rows, so the figures flatter it"


def about_later_rows(later: Mapping[str, int], n: int) -> list[str]:
    """A sentence for each column by which some of n rows are later than all that the model learned from."""
    return [
        f"warning: Column {name!r} is later than all training rows in {count:,} of {n:,} rows; sets, error bounds and "
        "familiarity assume rows like those of training"
        for name, count in later.items()
    ]


def check_comparable(first: Card, second: Card) -> None:
    """Refuse two models that do not answer the same question."""
    if first.task != second.task:
        raise DataError(f"Two models must have the same task to be compared; got {first.task} and {second.task}.")
    for side, mine, other in (("first", first, second), ("second", second, first)):
        if alone := [label for label in mine.labels if label not in other.labels]:
            raise DataError(
                f"Two models must have the same labels to be compared; got {alone[0]!r} in the {side} model only. Try "
                "models of the same data."
            )
