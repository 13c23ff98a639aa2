"""What `likely predict` is asked about: pictures, or rows of a table, each as the model takes it or with an error."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

import typer

from likely.cli.answers import Name
from likely.cli.evaluating import about_later_rows
from likely.cli.terminal import complain
from likely.data.images.decode import read_picture
from likely.data.images.find import Found, find_pictures
from likely.errors import DataError, PictureError

if TYPE_CHECKING:
    import numpy as np

    from likely.data.tables.table import Table
    from likely.model import Predictor
    from likely.preprocessing.columns import Column

Asked: TypeAlias = "tuple[Name, np.ndarray | str]"
"""What to call it, and a row for the model, or why there is none."""


def table_among(predictor: "Predictor", arguments: Sequence[str]) -> str | None:
    """The table that is asked about, alone; None where pictures are.

    Raises:
        DataError: if the model can't answer pictures.
        typer.BadParameter: if there is a table and something else.
    """
    from likely.data.tables.table import is_table

    tables = [a for a in arguments if is_table(a) or (a == "-" and predictor.picture_shape is None)]
    if tables and len(arguments) > 1:
        raise typer.BadParameter(f"A table must stand alone; got {len(arguments)} arguments.", param_hint="PICTURE")
    if not tables and predictor.picture_shape is None:
        raise DataError(
            f"The model must be one of pictures to answer {arguments[0]}; got one of rows with "
            f"{predictor.normalization.shape[0]} columns. Try a table: .csv, .tsv, .parquet, or - for standard input."
        )
    return tables[0] if tables else None


def pictures_asked(predictor: "Predictor", arguments: Sequence[str], *, raw: bool) -> Iterator[Asked]:
    """The pictures that the arguments mean."""
    search = find_pictures(arguments)
    if about := search.about_others():
        complain(f"note: {about}")
    for found in search.found:
        yield found.name, _read(predictor, found, raw=raw)


def rows_asked(predictor: "Predictor", path: str, *, picture: str | None, raw: bool) -> Iterator[Asked]:
    """The rows of a table, numbered from 0; what the model does not know in them is told at the end.

    Args:
        predictor: the model.
        path: the table, or "-" for the standard input.
        picture: the column with pictures, for a model of pictures; None takes that of training, or looks for one.
        raw: leave out the data set's conversion of photographs.
    Raises:
        DataError, MissingExtraError: as `table_pieces`; or if a column that the model needs is not there.
    """
    from likely.data.images.image_table import find_in_table
    from likely.data.tables.encode import encode
    from likely.data.tables.table import table_pieces

    unknown: dict[str, int] = {}
    later: dict[str, int] = {}
    n = 0
    text = {column.name for column in predictor.columns or () if column.categories is not None}
    for piece in table_pieces(path, text=text):
        if predictor.picture_shape is not None:
            column = _picture_column(predictor, piece, picture)
            for row, found in enumerate(find_in_table(piece, column, n), start=n):
                yield row, _read(predictor, found, raw=raw)
        else:
            columns = _columns(predictor, piece)
            encoded = encode(piece, columns, n)
            refused = predictor.too_large(encoded.X, n, [column.name for column in columns]) | encoded.refused
            for row in range(len(piece)):
                yield n + row, refused[row] if row in refused else encoded.X[row]
            for name, count in encoded.unknown.items():
                unknown[name] = unknown.get(name, 0) + count
            for name, count in predictor.later_than_training(encoded.X).items():
                later[name] = later.get(name, 0) + count
        n += len(piece)
    if n == 0:
        raise DataError(f"{path} must have rows to answer; got none below its heading.")
    for name, count in unknown.items():
        complain(
            f"warning: Column {name!r} holds a category that the model does not know in {count:,} of {n:,} rows: taken "
            "as missing"
        )
    for sentence in about_later_rows(later, n):
        complain(sentence)


def _columns(predictor: "Predictor", table: "Table") -> "tuple[Column, ...]":
    """The model's columns; the table's own, in their order, where the model learned from numbers without names."""
    from likely.preprocessing.columns import Column

    if predictor.columns is not None:
        return predictor.columns
    d = predictor.normalization.shape[0]
    if len(table.columns) != d:
        raise DataError(
            f"{table.path} must have {d} columns of numbers, in the order of training; got {len(table.columns)}. The "
            "model knows no names of columns. Try a table of just these."
        )
    return tuple(Column(name) for name in table.columns)


def _picture_column(predictor: "Predictor", table: "Table", picture: str | None) -> str:
    from likely.data.images.image_table import picture_column

    stored = predictor.card.data.picture
    if picture is None and stored in table.columns:
        picture = stored
    found, _ = picture_column(table, picture, exclude=predictor.card.data.label)
    if found is None:
        names = ", ".join(map(repr, [*table.columns, *table.unusable][:20]))
        raise DataError(
            f"{table.path} must have a column of pictures; got none that holds paths or bytes of pictures. Its columns "
            f"are {names}. Try --picture COLUMN."
        )
    return found


def _read(predictor: "Predictor", found: Found, *, raw: bool) -> "np.ndarray | str":
    shape = predictor.picture_shape
    if found.source is None or shape is None:
        return found.error or "There is nothing to read."
    name = "The standard input" if found.name == "-" else found.name
    try:
        return read_picture(found.source, shape=shape, conversion=predictor.card.conversion, raw=raw, name=name)
    except PictureError as error:
        return str(error)
