"""A table whose column names or holds images: paths beside the table, or the bytes of image files."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from likely.data.classes import listed
from likely.data.dataset import Dataset
from likely.data.images.decode_many import Reading
from likely.data.images.files_by_name import FilesByName
from likely.data.images.image_parts import read_parts
from likely.data.images.paths_and_globs import SUFFIXES, Found
from likely.data.tables.split_column import Split
from likely.data.tables.table import Table
from likely.errors import DataError

_LOOKED_AT = 100
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_NAMES_OF_FILES = re.compile("image|img|file|path|photo|picture|(^|_)id$", re.IGNORECASE)


def image_column(table: Table, image: str | None, exclude: str | None = None) -> tuple[str | None, list[str]]:
    """The column with images, and what to say of it; None where the table has none.

    Args:
        image: the column that was asked for; None looks for the one column that holds bytes, or text of which the
            first hundred all end like images, or whose name speaks of files and that names some without their suffix.
        exclude: a column that is something else.
    Raises:
        DataError: if the column that was asked for is not there or holds numbers, or several could be meant.
    """
    files = FilesByName(_folder(table))
    if image is not None:
        values = table.column(image, "images", "--image COLUMN")
        if values.dtype != object or _numbers_without_files(values, files):
            raise DataError(
                f"Column {image!r} of {table.path} must hold paths or bytes of images; got numbers. "
                "Try --image with another column."
            )
        return image, []
    found = [name for name, values in table.columns.items() if name != exclude and _holds_images(name, values, files)]
    if len(found) > 1:
        names = ", ".join(map(repr, found))
        raise DataError(f"{table.path} must have one column of images; got {names}. Try --image COLUMN.")
    if not found:
        return None, []
    return found[0], [f"Column {found[0]!r} is used for the images (--image COLUMN to use another)."]


def open_images(table: Table, image: str, dataset: Dataset, split: Split, how: Reading) -> Dataset:
    """The data set, whose training part has the answers of all rows, with the images in its column `image` as rows.

    A DataError if a row has no image or one that leaves the table's folder, or as `load_images`.
    """
    rows = np.concatenate(list(split.rows.values()))
    part_of = [part for part, index in split.rows.items() for _ in index]
    found = find_in_table(table, image)
    read = read_parts([found[row] for row in rows.tolist()], part_of, dataset.train.take(rows), how)
    notes = (*_found_by_name(table, image, found), *read.notes)
    return replace(dataset, **read.parts, image=image, conversion=read.conversion).with_notes(*notes)


def find_in_table(table: Table, image: str, first_row: int = 0) -> list[Found]:
    """The image of each row, or why there is none.

    Paths are meant from the table's folder, and looked up as `FilesByName` does. One that leaves it, also through .. or
    a link, is refused: a table from a stranger must not make images of other files. The first row is called
    `first_row`.
    """
    folder = _folder(table)
    inside, files = folder.resolve(), FilesByName(folder)

    def image_of(row: int, value: object) -> Found:
        if isinstance(value, bytes):
            return Found(f"{table.path}, row {row}", value)
        where = f"Row {row} of {table.path}, column {image!r},"
        if not isinstance(value, str):
            return Found(where, error=f"{where} must name an image; the cell is empty. Fill it in or drop the row.")
        named = [] if "\0" in value else files.find(value) or [folder / value]
        if not named or any(not path.resolve().is_relative_to(inside) for path in (folder / value, *named)):
            error = (
                f"{where} must name an image inside the table's folder; got {value!r}, which is outside. Other files "
                "are never read. Try putting the table next to the images."
            )
            return Found(where, error=error)
        if len(named) > 1:
            error = (
                f"{where} must name one image; got {value!r}, which may be {listed(list(map(str, named)))}. Write the "
                "path from the table's folder, with its suffix."
            )
            return Found(where, error=error)
        return Found(str(named[0]), named[0])

    return [image_of(row, value) for row, value in enumerate(table.columns[image].tolist(), start=first_row)]


def _found_by_name(table: Table, image: str, found: list[Found]) -> list[str]:
    """A sentence about the images that are not where their cells say, but were found by name."""
    folder = _folder(table)
    pairs = [
        (value, one.name)
        for value, one in zip(table.columns[image].tolist(), found, strict=True)
        if isinstance(value, str) and one.source is not None and one.name != str(folder / value)
    ]
    return [f"{len(pairs):,} of {len(found):,} images were found by name: {v!r} is {n}." for v, n in pairs[:1]]


def _folder(table: Table) -> Path:
    return Path() if table.path == "-" else Path(table.path).parent


def _numbers_without_files(values: np.ndarray, files: FilesByName) -> bool:
    """Whether all texts are numbers, of which the first hundred name no file."""
    texts = [value for value in values.tolist() if value is not None]
    numbers = all(isinstance(text, str) and _NUMBER.fullmatch(text) for text in texts)
    return numbers and not any(files.find(text) for text in texts[:_LOOKED_AT])


def _holds_images(name: str, values: np.ndarray, files: FilesByName) -> bool:
    if values.dtype != object:
        return False
    first = [value for value in values.tolist() if value is not None][:_LOOKED_AT]
    if not first or all(isinstance(v, bytes) or Path(v).suffix.lower() in SUFFIXES for v in first):
        return bool(first)
    return bool(_NAMES_OF_FILES.search(name)) and all(isinstance(v, str) and v and files.find(v) for v in first)
