"""A table of corrected labels: written for people to edit, read again by the next training.

One line per doubtful row: which row, the label given, the label suggested, and the label to use. Only the last column
changes anything, and it starts as the given one.
"""

import csv
import io
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from likely.atomic import StrPath, write_text
from likely.config.pipes import refuse_pipes
from likely.data.dataset import Dataset
from likely.data.tables.spreadsheet import never_a_formula
from likely.errors import DataError, nearest


@dataclass(frozen=True)
class Correction:
    """A training row, its given label, another one that was suggested, and the one to use; classes 0..k-1."""

    row: int
    given: int
    suggested: int
    label: int


def write_corrections(path: StrPath, dataset: Dataset, corrections: Iterable[Correction]) -> None:
    """Write the table as CSV, whole or not at all, or raise an OutputError.

    Rows are named by their file, relative to the folder of the data, or by their number in the training part, from 0.
    Names and labels that a spreadsheet would take for a formula start with an apostrophe.
    """
    column, names = row_names(dataset)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow([column, "given", "suggested", "label"])
    for correction in corrections:
        classes = (correction.given, correction.suggested, correction.label)
        writer.writerow([_cell(names[correction.row]), *(_cell(dataset.labels[c]) for c in classes)])
    write_text(path, table.getvalue())


def apply_corrections(dataset: Dataset, path: StrPath) -> Dataset:
    """The data set with the labels of its training part that the table's last column says, and a note of it.

    A DataError names the line if the file is no such table, or names a row, label or given label that the data lack.
    """
    if dataset.task != "classification":
        raise DataError(f"{dataset.name} must have labels to be corrected; got numeric targets.")
    column, names = row_names(dataset)
    index, classes = _by_cell(names), _by_cell(dataset.labels)
    y, seen = dataset.train.y.copy(), dict[int, int]()
    for line, cells in _lines(Path(path), column):
        where = f"{path}, line {line}"
        row = index.get(cells[column])
        if row is None:
            of = "a training image" if column == "path" else f"a training row, 0 to {len(names) - 1}"
            raise DataError(f"{where}: {column} must be {of} of {dataset.name}; got {cells[column]!r}.")
        if row in seen:
            raise DataError(f"{where}: each row must appear once; got {cells[column]!r} again, as in line {seen[row]}.")
        seen[row] = line
        for name in ("given", "label"):
            if cells[name] not in classes:
                hint = nearest(cells[name], dataset.labels)
                raise DataError(f"{where}: {name} must be a label of {dataset.name}; got {cells[name]!r}. {hint}")
        given = int(dataset.train.y[row])
        if classes[cells["given"]] != given:
            raise DataError(
                f"{where}: given must be the label in the data, {dataset.labels[given]!r}; got {cells['given']!r}. The "
                "table was made from other data. Try likely check again."
            )
        y[row] = classes[cells["label"]]
    changed = int((y != dataset.train.y).sum())
    note = f"Labels of {changed:,} training rows were corrected by {Path(path).name}."
    return replace(dataset, train=replace(dataset.train, y=y)).with_notes(note)


def row_names(dataset: Dataset) -> tuple[str, list[str]]:
    """What the rows of the training part are called: the name of the column, "path" or "row", and a name each."""
    paths = dataset.train.paths
    if paths is None:
        return "row", [str(i) for i in range(len(dataset.train))]
    return "path", [relative_path(path, dataset.found_at) for path in paths]


def relative_path(path: str, folder: str) -> str:
    """The path as seen from the folder, if it lies inside, with slashes."""
    there = Path(path)
    return (there.relative_to(folder) if folder and there.is_relative_to(folder) else there).as_posix()


def _lines(path: Path, column: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The number and the cells of each line after the heading; empty lines are passed over."""
    refuse_pipes(path)
    try:
        # utf-8-sig: spreadsheets put a mark before the first column's name.
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise DataError(f"A table of corrections must be a readable text file; got {path}: {reason}.") from None
    heading = text.partition("\n")[0]
    # Where the comma separates decimals, spreadsheets separate columns by semicolons.
    delimiter = max(",;\t", key=heading.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        missing = [name for name in (column, "given", "label") if name not in header]
        if missing:
            raise DataError(
                f"{path} must have the columns {column}, given, suggested and label; got no column {missing[0]!r}. "
                "Try the corrections.csv of likely check."
            )
        for cells in filter(any, reader):
            line, n = reader.line_num, len(cells)
            if n != len(header):
                raise DataError(f"{path}, line {line}: a line must have {len(header)} cells; got {n}.")
            yield line, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num} must be CSV; got: {error}.") from None


def _by_cell(texts: Sequence[str]) -> dict[str, int]:
    """The number of each text under what may stand for it: its cell, itself, or itself behind an apostrophe."""
    spellings: tuple[Callable[[str], str], ...] = (lambda text: f"'{text}", str, _cell)
    return {spelled(text): i for spelled in spellings for i, text in enumerate(texts)}


def _cell(text: str) -> str:
    """The text as the file holds it: in UTF-8, without control characters that a terminal heeds, never a formula."""
    plain = "".join(repr(c)[1:-1] if unicodedata.category(c) == "Cc" and c not in "\t\n" else c for c in text)
    return never_a_formula(plain.encode("utf-8", errors="backslashreplace").decode("utf-8"))
