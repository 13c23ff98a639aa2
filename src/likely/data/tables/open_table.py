"""A table with a column of answers as a data set: rows of numbers and categories, or images that a column holds."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from likely.data.classes import listed
from likely.data.dataset import Dataset, Part, Task
from likely.data.groups import group_numbers
from likely.data.images.decode_many import AS_THEY_ARE, Reading
from likely.data.images.image_table import image_column, open_images
from likely.data.tables.cells import as_texts, missing
from likely.data.tables.column_options import USUAL, ColumnOptions
from likely.data.tables.describe import describe
from likely.data.tables.encode import about_unknown, encode
from likely.data.tables.read_sheet import read_sheet
from likely.data.tables.read_table import table_of_sheet, texts_of
from likely.data.tables.split_column import NAME as SPLIT
from likely.data.tables.split_column import Split, read_split
from likely.data.tables.table import Table, refuse_unusable
from likely.data.tables.targets import Answers, class_ids, read_answers, targets_without_codes
from likely.data.time_order import in_order, may_be_times, time_like
from likely.errors import ConfigError, DataError
from likely.preprocessing.column_reading import ColumnReading
from likely.preprocessing.columns import Column

LABEL_NAMES = ("label", "target", "class", "y", "labels", "classes", "outcome")


def open_table(
    path: Path,
    *,
    label: str | None = None,
    image: str | None = None,
    group: str | None = None,
    task: Literal["auto"] | Task = "auto",
    test_last: str | None = None,
    columns: Sequence[Column] | None = None,
    label_reading: ColumnReading | None = None,
    to_learn: bool = True,
    how: Reading = AS_THEY_ARE,
    options: ColumnOptions = USUAL,
    labeled: "LabeledTable | None" = None,
) -> Dataset:
    """The rows of a table in a file with their answers; what was decided stands in the notes.

    Args:
        path: the file.
        label: the column with the answers; None takes the one called like `LABEL_NAMES`, if there is just one.
        image: the column with paths or bytes of images; None takes one that holds nothing else, if there is one.
        group: the column that says which rows are related: those of one value. It is not learned from.
        task: what the answers are; "auto" decides as `read_answers` does.
        test_last: the column of numbers or dates whose latest rows are to be the test part; it stays what it is
            otherwise, learned from or left out.
        columns: those that a model learned from, to encode the rows as it does; None describes the table's own.
        label_reading: how a model's answers were written; None decides it by these.
        to_learn: whether the rows are to be learned from, or only evaluated on.
        how: images are read.
        options: what was said of the columns.
        labeled: the table, if it has been read to learn from.
    Raises:
        DataError: if a column is not there or not usable, answers are missing, or nothing is left to learn from.
    """
    labeled = labeled or read_labeled_table(
        path,
        label,
        task,
        options,
        columns=columns,
        label_reading=label_reading,
        image=image,
        beside=(group, test_last),
        to_learn=to_learn,
    )
    table, label, answers, split, notes = labeled
    if to_learn:
        check_learned(labeled)
    order = None if test_last is None else _order(table, test_last, label, split)
    if columns is None:
        image, said = image_column(table, image, exclude=label)
        notes += said
    groups = None
    if group is not None:
        if group == label:
            raise DataError(
                f"The groups of {path} must be in a column of their own; got {group!r}, which holds the answers. "
                "Rows of one answer are not related by that. Try --group with another column."
            )
        groups = group_numbers(as_texts(table.column(group, "the groups", "--group COLUMN")).tolist())
    dataset = Dataset(
        str(path),
        answers.task,
        Part(
            answers.y[:, None],
            answers.y,
            order=order,
            numbers=table.numbers if table.numbers is not None else np.arange(len(table)),
            groups=groups,
        ),
        group=group,
        labels=answers.labels,
        label_type=answers.label_type,
        label=label,
        label_reading=table.readings.get(label),
        test_last=test_last,
        found_at=str(path),
        options=options,
        notes=(*notes, *([answers.note] if answers.note else []), *split.notes),
    )
    if image is not None:
        return open_images(table, image, dataset, split, how)
    return _open_rows(table, dataset, split, columns, options, to_learn=to_learn)


def _open_rows(
    table: Table,
    dataset: Dataset,
    split: Split,
    columns: Sequence[Column] | None,
    options: ColumnOptions,
    *,
    to_learn: bool,
) -> Dataset:
    notes: list[str] = []
    if columns is None:
        refuse_unusable(table)
        names = [name for name in table.columns if name not in (dataset.label, dataset.group, split.column)]
        columns, notes = describe(table, names, split.rows["train"], options)
        if not columns:
            raise DataError(
                f"{table.path} must have an input column besides {dataset.label!r}; got none. "
                f"{' '.join((*table.notes, *notes, 'Try a table with more columns.'))}"
            )
    encoded = encode(table, columns, gaps=not to_learn)
    if encoded.refused:
        raise DataError(f"{table.path}: {encoded.refused[min(encoded.refused)]}")
    if to_learn and "test" not in split.rows and dataset.test_last is None:
        others = {name: c for name, c in table.columns.items() if name not in (dataset.label, split.column)}
        notes += _later_rows(others)
    notes += [f"{about_unknown(name, found, len(table))}." for name, found in encoded.unknown.items()]
    everything = replace(dataset.train, X=encoded.X)
    return replace(
        dataset,
        **{p: everything if len(rows) == len(table) else everything.take(rows) for p, rows in split.rows.items()},
        features=tuple(column.name for column in columns),
        columns=tuple(columns),
        notes=(*dataset.notes, *notes, _summary(columns)),
    )


def _later_rows(values: dict[str, np.ndarray]) -> list[str]:
    """A sentence about the columns that look like times: the parts that we draw are from among these rows."""
    seen = dict.fromkeys(values, "")
    seen |= {name: time_like(values[name]) for name in may_be_times(values)}
    return [
        f"Column {name!r} {why}: rows to hold out and to evaluate on are drawn at random from all of these, and can't "
        f"speak for rows that are later (--test-last {shlex.quote(name)} evaluates on the latest)."
        for name, why in seen.items()
        if why
    ]


def _order(table: Table, test_last: str, label: str, split: Split) -> np.ndarray:
    """The values of the column whose latest rows are the test part, as numbers."""
    if "test" in split.rows or test_last == label:
        got = (
            f"the column {label!r} with the answers" if test_last == label else f"test rows by column {split.column!r}"
        )
        raise ConfigError(
            f"test_last must name a column that tells which rows are later, in a table without a test part; got {got}. "
            "Omit test_last, or try another column."
        )
    return in_order(table.column(test_last, "the order of the rows", "--test-last COLUMN"), test_last, table.path)


class LabeledTable(NamedTuple):
    """A table, its column of answers, the answers, the rows of its parts, and what to say of that."""

    table: Table
    label: str
    answers: Answers
    split: Split
    notes: list[str]


def read_labeled_table(
    path: Path,
    label: str | None,
    task: Literal["auto"] | Task,
    options: ColumnOptions = USUAL,
    *,
    columns: Sequence[Column] | None = None,
    label_reading: ColumnReading | None = None,
    image: str | None = None,
    beside: Sequence[str | None] = (),
    to_learn: bool = True,
) -> LabeledTable:
    """The table with its answers and parts; the arguments are those of `open_table`.

    With the columns of a model, others are read only if they hold the answers, say what rows are for, or are `beside`.
    """
    stored = {} if columns is None else {column.table_column: column.how_read for column in columns}
    stays = texts_of(options, label, stored)
    sheet = read_sheet(path, options, lambda n: stays(n) or n == image or (label is None and n.lower() in LABEL_NAMES))
    if image in sheet.names and image not in options.categories:
        options = replace(options, categories=(*options.categories, image))  # numbers may name files, too
    label, notes = _label_column(sheet.names, str(path), label)
    needed = {name for name in (label, *beside) if name is not None}
    if columns is not None and needed <= set(sheet.names):  # else a message lists all
        sheet = sheet.select([name for name in sheet.names if name in {*stored, *needed} or name.lower() == SPLIT])
    if label_reading is not None:
        stored[label] = label_reading
    table = table_of_sheet(sheet, options, label, stored)
    values = table.column(label, "the answers", "--label COLUMN")
    ids = class_ids(values, _where(table, label)) if task == "auto" and columns is None else None
    if ids is not None and image_column(table, image, exclude=label)[0] is not None:
        task = "classification"
        notes.append(ids)
    if label_reading is None and label not in options.numbers:
        values, codes, said = targets_without_codes(values, task, label)
        notes += said
        reading = replace(table.readings[label], codes=codes) if label in table.readings else None
        table = replace(
            table,
            columns={**table.columns, label: values},
            readings={**table.readings, **({label: reading} if reading else {})},
        )
    gone = missing(values)
    for row, text in list(table.wrong.get(label, {}).items())[:1]:
        if 2 * gone.sum() > len(gone):
            raise DataError(
                f"{_where(table, label)} must hold numbers, as in training or as --number says; got {text!r} in row "
                f"{row}, and no number in {gone.sum():,} of {len(gone):,} rows. Try --label with another column."
            )
        notes.append(f"Column {label!r} holds numbers, but {text!r} in row {row}: taken as missing.")
    if gone.any() and 2 * gone.sum() <= len(gone):
        rows = ", ".join(map(str, np.flatnonzero(gone)[:5])) + (", ..." if gone.sum() > 5 else "")
        notes.append(
            f"Column {label!r} has no answer in {gone.sum():,} of {len(gone):,} rows, which are omitted: {rows} "
            "(counted from 0)."
        )
        table = table.take(np.flatnonzero(~gone))
        values = table.columns[label]
    answers = read_answers(values, task, _where(table, label), table.written)
    return LabeledTable(table, label, answers, read_split(table, to_learn=to_learn), [*table.notes, *notes])


def _where(table: Table, label: str) -> str:
    return f"Column {label!r} of {table.path}"


def _label_column(names: Sequence[str], where: str, label: str | None) -> tuple[str, list[str]]:
    """The column with the answers, and what to say where nobody named it."""
    if label is not None:
        return label, []
    found = [name for name in names if name.lower() in LABEL_NAMES]
    if len(found) == 1:
        return found[0], [f"Column {found[0]!r} is used for the labels (--label COLUMN to use another)."]
    got = f"{' and '.join(map(repr, found))}, each of which could be it" if found else "none with a usual name"
    raise DataError(
        f"{where} must have one label column; got {got}. Its columns are {listed(names, 20)}. Try --label COLUMN "
        "(label=... in Python)."
    )


def check_learned(labeled: LabeledTable) -> None:
    """Refuse rows for validation or test whose class has no row to learn from."""
    table, label, answers, split, _ = labeled
    if answers.task == "regression" or split.column is None:
        return
    learned = np.isin(np.arange(len(answers.labels)), answers.y[split.rows["train"]])
    unseen = np.flatnonzero(~learned[answers.y])
    if len(unseen):
        raise DataError(
            f"{_where(table, label)} must have no label in the other rows that the training rows lack; got "
            f"{answers.labels[answers.y[unseen[0]]]!r} in row {unseen[0]} ({len(unseen):,} such rows). A label that "
            "was not trained on cannot be evaluated. Add training rows or remove these."
        )


def _summary(columns: Sequence[Column]) -> str:
    numbers = sum(column.categories is None for column in columns)
    missing = sum(column.missing for column in columns)
    gaps = f"; values are missing in {missing:,}" if missing else ""
    return f"Columns: {numbers:,} of numbers, {len(columns) - numbers:,} of categories{gaps}."
