"""The rows that a model is evaluated on, with the columns that it learned from: found by name, for each model."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from likely.data.dataset import Dataset, Part
from likely.data.images.decode import ImageForm
from likely.data.images.decode_many import Reading, load_images
from likely.data.images.image_table import find_in_table
from likely.data.images.paths_and_globs import Found
from likely.data.tables.encode import encode
from likely.data.tables.read_sheet import read_sheet
from likely.data.tables.read_table import table_of_sheet, table_with_readings
from likely.data.tables.split_column import read_split
from likely.data.tables.table import Table
from likely.errors import DataError
from likely.model import Predictor
from likely.preprocessing.columns import Column


def in_columns_of(predictor: Predictor, dataset: Dataset, rows: Part, read_by: Predictor | None = None) -> Part:
    """The same rows in the columns of this model, whatever model's columns the data set was read with.

    The rows of a table are read again where the columns differ: the other model may know other columns, or number the
    categories differently. Rows of numbers whose columns have names are put into the model's order. Images in files are
    read again where the other model, `read_by`, reads them otherwise. A DataError if a column is not there.
    """
    if predictor.image_form is not None:
        same = read_by is None or read_by.image_form == predictor.image_form
        return rows if same else _images_again(predictor.image_form, dataset, rows)
    columns = predictor.columns
    if columns == dataset.columns:
        return rows
    if rows.numbers is not None:
        return _read_again(predictor, dataset, rows)
    names = [] if columns is None else [column.name for column in columns]
    if dataset.features is None or sorted(names) != sorted(dataset.features):
        return rows  # the number of columns is checked when the rows are answered
    return replace(rows, X=rows.X[:, [dataset.features.index(name) for name in names]])


def _images_again(form: ImageForm, dataset: Dataset, rows: Part) -> Part:
    """The same images; arrays, which have no file, as they are."""
    if rows.paths is not None:
        found = [Found(path, Path(path)) for path in rows.paths]
    elif dataset.image is not None and rows.numbers is not None:
        table = table_of_sheet(read_sheet(dataset.found_at, dataset.options))
        found = find_in_table(table.take(rows.numbers), dataset.image)
    else:
        return rows
    sources = [one.source for one in found if one.source is not None]
    return replace(rows, X=load_images(sources, [one.name for one in found], Reading(form=form)).X)


def by_position(predictor: Predictor, table: Table, others: Collection[str | None] = ()) -> tuple[Column, ...]:
    """The table's columns but for `others`, for a model that knows no names; a DataError if there are not as many."""
    columns = tuple(Column(name) for name in table.columns if name not in others)
    d = predictor.preprocessor.shape[0]
    if len(columns) != d:
        besides = " besides the labels" if others else ""
        raise DataError(
            f"{table.path} must have {d} columns of numbers{besides}, in the order of training; got {len(columns)}. "
            "The model was trained without column names. Try a table with only these columns."
        )
    return columns


def _read_again(predictor: Predictor, dataset: Dataset, rows: Part) -> Part:
    sheet = read_sheet(dataset.found_at, dataset.options)
    columns = predictor.columns
    if not columns:
        table = table_of_sheet(sheet)
        columns = by_position(predictor, table, (dataset.label, read_split(table, to_learn=False).column))
    assert rows.numbers is not None
    table = table_with_readings(sheet, {column.table_column: column.how_read for column in columns})
    encoded = encode(table.take(rows.numbers), columns, gaps=True)
    if encoded.refused:
        raise DataError(f"{table.path}: {encoded.refused[min(encoded.refused)]}")
    return replace(rows, X=encoded.X)
