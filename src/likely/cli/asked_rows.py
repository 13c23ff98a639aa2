"""The rows of the table that `likely predict` is asked about, each as the model takes it or with an error."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from likely.cli.asked import Asked, image_read
from likely.cli.evaluating import about_later_rows
from likely.cli.matching import by_position
from likely.cli.terminal import complain
from likely.config import RunConfig
from likely.data.images.image_table import find_in_table, image_column
from likely.data.tables.column_options import ColumnOptions
from likely.data.tables.encode import Unknown, about_unknown, encode
from likely.data.tables.read_table import table_pieces
from likely.data.tables.table import Table
from likely.errors import DataError
from likely.model import Predictor
from likely.model.stand_ins import about_gaps
from likely.preprocessing.column_reading import ColumnReading


def rows_asked(predictor: Predictor, path: str, how: RunConfig, *, raw: bool) -> Iterator[Asked]:
    """The rows of a table, numbered from 0; what the model does not know in them is told at the end.

    For a model of images `how.image` is their column; None takes that of training, or looks for one. `raw` leaves out
    the data set's conversion of photographs.

    Raises:
        DataError, MissingExtraError: as `table_pieces`; or if a column that the model needs is not there.
    """
    unknown: dict[str, Unknown] = {}
    later, gaps = Counter[str](), Counter[str]()
    n = 0
    readings = {column.table_column: column.how_read for column in predictor.columns or ()}
    others = ColumnReading("category") if predictor.image_shape else ColumnReading("number", decimal=".,")
    for piece in table_pieces(path, readings, None if readings else others, ColumnOptions.of(how)):
        if predictor.image_shape is not None:
            column = _image_column(predictor, piece, how.image)
            for row, found in enumerate(find_in_table(piece, column, n), start=n):
                yield row, image_read(predictor, found, raw=raw)
        else:
            columns = by_position(predictor, piece) if predictor.columns is None else predictor.columns
            encoded = encode(piece, columns, n, gaps=predictor.fills_gaps)
            refused = predictor.too_large(encoded.X, n, [column.name for column in columns]) | encoded.refused
            for row in range(len(piece)):
                yield n + row, refused[row] if row in refused else encoded.X[row]
            for name, texts in encoded.unknown.items():
                before = unknown.get(name)
                unknown[name] = texts if before is None else before._replace(rows=before.rows + texts.rows)
            later.update(predictor.later_than_training(encoded.X))
            gaps.update(predictor.gaps_by_column(np.delete(encoded.X, list(refused), axis=0)))
        n += len(piece)
    if n == 0:
        raise DataError(f"{path} must have rows; got a header only.")
    for name, texts in unknown.items():
        complain(f"warning: {about_unknown(name, texts, n)}")
    for sentence in about_gaps(gaps, n):
        complain(f"warning: {sentence}")
    for sentence in about_later_rows(later, n):
        complain(sentence)


def _image_column(predictor: Predictor, table: Table, image: str | None) -> str:
    stored = predictor.card.data.image
    if image is None and stored in table.columns:
        image = stored
    found, _ = image_column(table, image, exclude=predictor.card.data.label)
    if found is None:
        names = ", ".join(map(repr, [*table.columns, *table.unusable][:20]))
        raise DataError(
            f"{table.path} must have a column of images; got none that holds paths or bytes of images. Its columns "
            f"are {names}. Try --image COLUMN."
        )
    return found
