"""The rows that a model is evaluated on, with the columns that it learned from: found by name, for each model."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from likely.data.dataset import Dataset, Part
    from likely.model import Predictor


def in_columns_of(predictor: "Predictor", dataset: "Dataset", rows: "Part") -> "Part":
    """The same rows in the columns of this model, whatever model's columns the data set was read with.

    The rows of a table are read again where the columns differ: the other model may know other columns, or number the
    categories differently. Rows of numbers whose columns have names are put into the model's order.

    Raises:
        DataError: if a column that the model needs is not there.
    """
    from dataclasses import replace

    columns = predictor.columns
    if predictor.image_shape is not None or columns == dataset.columns:
        return rows
    if rows.numbers is not None:
        return _read_again(predictor, dataset, rows)
    names = [] if columns is None else [column.name for column in columns]
    if dataset.features is None or sorted(names) != sorted(dataset.features):
        return rows  # the number of columns is checked when the rows are answered
    return replace(rows, X=rows.X[:, [dataset.features.index(name) for name in names]])


def _read_again(predictor: "Predictor", dataset: "Dataset", rows: "Part") -> "Part":
    from dataclasses import replace

    from likely.data.tables.encode import encode
    from likely.data.tables.split_column import read_split
    from likely.data.tables.table import read_sheet, table_of_sheet, table_with_readings
    from likely.errors import DataError
    from likely.preprocessing.columns import Column

    columns = predictor.columns or ()
    sheet = read_sheet(dataset.found_at, dataset.options)
    if not columns:
        table = table_of_sheet(sheet)
        others = (dataset.label, read_split(table, to_learn=False).column)
        columns = tuple(Column(name) for name in table.columns if name not in others)
        d = predictor.preprocessor.shape[0]
        if len(columns) != d:
            raise DataError(
                f"{table.path} must have {d} columns of numbers besides the labels, in the order of training; got "
                f"{len(columns)}. The model was trained without column names. Try a table with only these columns."
            )
    assert rows.numbers is not None
    table = table_with_readings(sheet, {column.table_column: column.how_read for column in columns})
    encoded = encode(table.take(rows.numbers), columns, gaps=True)
    if encoded.refused:
        raise DataError(f"{table.path}: {encoded.refused[min(encoded.refused)]}")
    return replace(rows, X=encoded.X)
