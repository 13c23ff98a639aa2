"""A table whose column names or holds pictures: paths beside the table, or the bytes of picture files."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from likely.data.answers import SHOWN
from likely.data.dataset import Dataset, Part
from likely.data.find import SUFFIXES, Found
from likely.data.picture import picture_shape, read_picture
from likely.data.progress import Progress
from likely.data.table import Table
from likely.data.table_split import Split
from likely.errors import DataError, PictureError

_LOOKED_AT = 100


def picture_column(table: Table, picture: str | None, exclude: str | None = None) -> tuple[str | None, list[str]]:
    """The column with pictures, and what to say of it; None where the table has none.

    Args:
        table: the table.
        picture: the column that was asked for; None looks for the one column that holds bytes, or text of which the
            first hundred all end like pictures.
        exclude: a column that is something else.
    Raises:
        DataError: if the column that was asked for is not there or holds numbers, or several could be meant.
    """
    if picture is not None:
        values = table.column(picture, "pictures", "--picture COLUMN")
        if values.dtype != object:
            raise DataError(
                f"Column {picture!r} of {table.path} must hold paths or bytes of pictures; got numbers. "
                "Try --picture with another column."
            )
        return picture, []
    found = [name for name, values in table.columns.items() if name != exclude and _holds_pictures(values)]
    if len(found) > 1:
        raise DataError(
            f"{table.path} must have one column of pictures; got {', '.join(map(repr, found))}. Try --picture COLUMN."
        )
    if not found:
        return None, []
    return found[0], [f"Column {found[0]!r} is taken for the pictures (--picture COLUMN takes another)."]


def open_pictures(
    table: Table,
    picture: str,
    dataset: Dataset,
    split: Split,
    *,
    image_size: int | None = None,
    skip_bad: bool = False,
    progress: Progress | None = None,
) -> Dataset:
    """The data set with the pictures of its table as rows.

    Args:
        table: the table.
        picture: the column that holds the pictures.
        dataset: everything else about it; its training part has the answers of all rows.
        split: the rows of its parts.
        image_size: resize pictures to this height and width.
        skip_bad: leave out pictures that can't be read.
        progress: told how many have been read.
    Raises:
        DataError: if a row has no picture or one that leaves the table's folder, a picture can't be read, or there are
            several sizes without `image_size`.
    """
    rows = split.train if split.test is None else np.concatenate([split.train, split.test])
    found = find_in_table(table, picture)
    missing = [found[row].error for row in rows.tolist() if found[row].source is None]
    if missing and not skip_bad:
        more = f"\n(and {len(missing) - SHOWN} more)" if len(missing) > SHOWN else ""
        lines = [f"{len(missing):,} rows of {table.path} name no picture:", *map(str, missing[:SHOWN])]
        raise DataError(str(missing[0]) if len(missing) == 1 else "\n".join(lines) + more)
    rows = np.array([row for row in rows.tolist() if found[row].source is not None], dtype=np.int64)
    chosen = [source for row in rows.tolist() if (source := found[row].source) is not None]
    names = [found[row].name for row in rows.tolist()]
    X, kept, skipped = _load(chosen, names, image_size, skip_bad=skip_bad, progress=progress)
    y = dataset.train.y[rows[kept]]
    n_train = int(np.isin(rows[kept], split.train).sum())
    paths = [names[i] for i in kept.tolist()] if all(isinstance(s, Path) for s in chosen) else None
    train = Part(X[:n_train], y[:n_train], None if paths is None else paths[:n_train])
    test = None
    if split.test is not None:
        test = Part(X[n_train:], y[n_train:], None if paths is None else paths[n_train:])
    skipped = len(missing) + len(skipped)
    notes = [f"{skipped:,} pictures that can't be read were left out."] if skipped else []
    return replace(dataset, train=train, test=test, picture=picture, notes=(*dataset.notes, *notes))


def find_in_table(table: Table, picture: str, first_row: int = 0) -> list[Found]:
    """The picture of each row, or why there is none.

    Paths are meant from the table's folder. One that leaves it, also through .. or a link, is refused: a table from
    a stranger must not make pictures of other files.

    Args:
        table: the table.
        picture: the column that holds paths or bytes.
        first_row: the number of the table's first row, for names.
    """
    folder = Path(table.path).parent if table.path != "-" else Path()
    inside, found = folder.resolve(), list[Found]()
    for row, value in enumerate(table.columns[picture].tolist(), start=first_row):
        where = f"Row {row} of {table.path}, column {picture!r},"
        if isinstance(value, bytes):
            found.append(Found(f"{table.path}, row {row}", value))
        elif not isinstance(value, str):
            found.append(Found(where, error=f"{where} must name a picture; got nothing. Fill it in or drop the row."))
        elif "\0" in value or not (folder / value).resolve().is_relative_to(inside):
            error = (
                f"{where} must name a picture in the table's folder; got {value!r}, which leaves it. Other files are "
                "never read. Try to put the table beside the pictures."
            )
            found.append(Found(where, error=error))
        else:
            found.append(Found(str(folder / value), folder / value))
    return found


def _load(
    sources: Sequence[Path | bytes],
    names: Sequence[str],
    image_size: int | None,
    *,
    skip_bad: bool,
    progress: Progress | None,
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Pictures of one shape, the numbers of those that could be read, and why the others could not."""
    shapes: dict[int, tuple[int, ...]] = {}
    errors: list[str] = []
    for i, (source, name) in enumerate(zip(sources, names, strict=True)):
        try:
            shapes[i] = picture_shape(source, name=name)
        except PictureError as error:
            errors.append(str(error))
    if not shapes or (errors and not skip_bad):
        raise DataError("\n".join(["Some pictures can't be read:", *errors[:SHOWN]]))
    first = next(iter(shapes))
    other = next((i for i, shape in shapes.items() if shape[:2] != shapes[first][:2]), None)
    if other is not None and image_size is None:
        raise DataError(
            f"Pictures must have one size; got {shapes[first][:2]} in {names[first]} and {shapes[other][:2]} in "
            f"{names[other]}. The network has one input per pixel. Try --image-size {min(shapes[first][:2])} to resize."
        )
    size = shapes[first][:2] if image_size is None else (image_size, image_size)
    shape = size if all(len(shape) == 2 for shape in shapes.values()) else (*size, 3)
    X = np.empty((len(shapes), *shape), dtype=np.uint8)
    for n, i in enumerate(shapes):
        X[n] = read_picture(sources[i], shape=shape, name=names[i])
        if progress is not None:
            progress("pictures", n + 1, len(shapes))
    return X, np.array(list(shapes)), errors


def _holds_pictures(values: np.ndarray) -> bool:
    if values.dtype != object:
        return False
    first = [value for value in values.tolist() if value is not None][:_LOOKED_AT]
    return bool(first) and all(isinstance(v, bytes) or Path(v).suffix.lower() in SUFFIXES for v in first)
