"""Tables of every format as columns of numbers, texts, moments or bytes."""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from likely.data.classes import listed
from likely.data.tables.column_options import USUAL, ColumnOptions, Mark
from likely.data.tables.source_file import PACKED, source_file
from likely.data.tables.suffixes import TEXT, TYPED
from likely.data.tables.text_layout import SEPARATORS
from likely.errors import DataError, nearest, within
from likely.preprocessing.column_reading import ColumnReading

if TYPE_CHECKING:
    from likely.data.tables.sheet import Sheet
    from likely.data.tables.text_cells import TextCells
    from likely.data.tables.written_otherwise import AsWritten

_OF_PLAIN_NUMBERS = (None, ColumnReading("number"), ColumnReading("number", decimal=".,"))


@dataclass(frozen=True)
class Table:
    """Some or all rows of a table.

    Args:
        path: where it came from, for messages.
        columns: by name, each of shape (n,): float64 with NaN where a value is missing, datetime64 with NaT, or
            objects: text, bytes (an image) or None.
        unusable: the columns that can be none of these, and why.
        readings: how the columns were read; images have none.
        wrong: the texts that are no number or moment where one should be, by column and row.
        written: the answers as they are written, or None: objects, shape (n,); None without a column of answers.
        numbers: of the rows in the source, shape (n,); None if none was left out.
        notes: what was decided while reading, a sentence each.
    """

    path: str
    columns: dict[str, np.ndarray]
    unusable: dict[str, str] = field(default_factory=dict[str, str])
    readings: dict[str, ColumnReading] = field(default_factory=dict[str, ColumnReading])
    wrong: dict[str, dict[int, str]] = field(default_factory=dict[str, dict[int, str]])
    written: np.ndarray | None = None
    numbers: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def take(self, rows: np.ndarray) -> "Table":
        """Some of the rows, in the order of these indices, which grows."""
        place = {row: i for i, row in enumerate(rows.tolist())}
        return replace(
            self,
            columns={name: values[rows] for name, values in self.columns.items()},
            wrong={
                name: {place[row]: text for row, text in texts.items() if row in place}
                for name, texts in self.wrong.items()
            },
            written=None if self.written is None else self.written[rows],
            numbers=rows if self.numbers is None else self.numbers[rows],
        )

    def number_of(self, row: int) -> int:
        """The number of a row in the source."""
        return row if self.numbers is None else int(self.numbers[row])

    def column(self, name: str, purpose: str, option: str = "") -> np.ndarray:
        """The column with this name.

        Args:
            name: of the column.
            purpose: what it should hold, for the message.
            option: the option that would name another one.
        Raises:
            DataError: if there is none, listing the columns, or it can't be used.
        """
        if name in self.unusable:
            raise unusable(self.path, name, self.unusable[name])
        if name not in self.columns:
            names = [*self.columns, *self.unusable]
            if len(names) == 1 and name in names[0]:
                raise DataError(
                    f"{self.path} must have its cells separated by commas, semicolons, tabs or |; got the heading "
                    f"{names[0]!r}, which stays one cell. Separate the cells by one of these."
                )
            hint = nearest(name, names)
            choices = "" if hint.startswith("Choose") else f" Its columns are {listed(names, 20)}."
            raise DataError(
                f"{self.path} must have a column {name!r} with {purpose}; got none. {hint}{choices}"
                f"{f' Try {option}.' if option else ''}"
            )
        return self.columns[name]


def is_table(path: str | Path) -> bool:
    """Whether the path ends like a table, packed or not.

    Example:
        >>> is_table("a.CSV"), is_table("a.csv.gz"), is_table("a.png")
        (True, True, False)
    """
    return _suffix(path) in (*TEXT, *TYPED)


def _suffix(path: str | Path) -> str:
    """What says of which format the table is."""
    path = Path(path)
    return (Path(path.stem) if path.suffix.lower() in PACKED else path).suffix.lower()


def read_sheet(
    path: str | Path, options: ColumnOptions = USUAL, as_text: Callable[[str], bool] = lambda _: True
) -> "Sheet":
    """The whole table as its source holds it.

    Args:
        path: a file that `is_table`, or "-" for the standard input: Parquet, or text.
        options: its encoding and heading.
        as_text: which columns of text stay text, even if they hold nothing but plain numbers.
    Raises:
        DataError: if the file can't be read, is not UTF-8, has no rows, rows of different lengths, or a column name
            twice; the message says where.
        MissingExtraError: if it is Excel and fastexcel is not installed.
    """
    import polars as pl

    pieces = list(_sheets(path, options, as_text))
    if not sum(map(len, pieces)):
        raise DataError(f"{path} must have rows; got none below its heading. Check that the table was written out.")
    if len(pieces) == 1:
        return pieces[0]
    try:
        return pieces[0].with_frame(pl.concat([piece.frame for piece in pieces]))
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path} must have columns of one type throughout; got: {error}.") from None


def read_table(path: str | Path, options: ColumnOptions = USUAL, label: str | None = None) -> Table:
    """The whole table, whose columns are what `likely.data.tables.decide` decides; arguments as of the others here."""
    return table_of_sheet(read_sheet(path, options, texts_of(options, label)), options, label)


def texts_of(
    options: ColumnOptions, label: str | None, stored: Mapping[str, ColumnReading] = MappingProxyType({})
) -> Callable[[str], bool]:
    """The columns whose texts are asked for, even if they are numbers.

    These are the answers, what is to be a category, and what a model has stored another reading of.
    """
    named = {label, *options.categories, *(n for n, reading in stored.items() if reading != ColumnReading("number"))}
    return lambda name: options.missing is not None or name in named or (options.decimal is not None and name in stored)


def table_of_sheet(
    sheet: "Sheet",
    options: ColumnOptions = USUAL,
    label: str | None = None,
    stored: Mapping[str, ColumnReading] = MappingProxyType({}),
) -> Table:
    """The columns of a whole sheet; those that a model has stored a reading of are read so, and not decided anew."""
    from likely.data.tables.decide import decide

    sheet = sheet.with_numbers(texts_of(options, label, stored))
    names = set(sheet.names)
    stored = {name: options.applied_to(reading) for name, reading in stored.items() if name in names}
    decided = decide(sheet, options, label, leave_out=stored)
    table = table_with_readings(
        sheet,
        {**{name: found.reading for name, found in decided.items()}, **stored},
        {name: found.values for name, found in decided.items() if found.values is not None},
        options.mark,
    )
    reasons = {name: found.reason for name, found in decided.items() if found.reason}
    notes = [*sheet.notes, *(note for found in decided.values() for note in found.notes)]
    written = None
    if label in table.columns and label in table.readings:
        from likely.data.tables.column_values import read_values

        marks = table.readings[label].missing
        as_written = ColumnReading("category", missing=marks)
        known = table.readings[label] == as_written
        written = table.columns[label] if known else read_values(sheet.frame[label], as_written)[0]
    unusable_ = {name: reasons.get(name, kind) for name, kind in table.unusable.items()}
    return replace(table, unusable=unusable_, notes=tuple(notes), written=written)


def table_pieces(
    path: str | Path,
    readings: Mapping[str, ColumnReading],
    others: ColumnReading | None = None,
    options: ColumnOptions = USUAL,
) -> Iterator[Table]:
    """The columns that have a reading, or hold images, some thousand rows at a time.

    Args:
        path: as of `read_sheet`.
        readings: by name, such as a model stores them.
        others: the reading of all other columns; None leaves them out.
        options: its encoding and heading.
    """
    from likely.data.tables.text_cells import TextCells
    from likely.data.tables.text_file import plain_columns, text_pieces
    from likely.data.tables.written_otherwise import written_in

    with _opened(path, options) as source:
        if isinstance(source, TextCells):
            plain = plain_columns(source, lambda name: readings.get(name, others) not in _OF_PLAIN_NUMBERS)
            pieces = partial(text_pieces, source, plain)
        else:
            pieces = source
        first = list(islice(pieces(), 2))
        readings = {**({} if others is None else dict.fromkeys(first[0].names, others)), **readings}
        written = written_in(pieces, readings) if len(first) > 1 else None  # one piece is the whole table
        for sheet in pieces() if len(first) > 1 else first:
            yield table_with_readings(sheet, readings, written=written)


def table_with_readings(
    sheet: "Sheet",
    readings: Mapping[str, ColumnReading | None],
    known: Mapping[str, np.ndarray] = MappingProxyType({}),
    decimal: Mark = "",
    written: Mapping[str, "AsWritten"] | None = None,
) -> Table:
    """The columns of a sheet that have a reading, or hold images.

    Args:
        sheet: some or all rows.
        readings: by name.
        known: values that have been read.
        decimal: what stands before decimals; "" where the rows tell it.
        written: how the columns are written that are not as their readings say; None where the rows tell it.
    """
    from likely.data.tables.column_values import can_be_read, images_of
    from likely.data.tables.decide import decimal_of
    from likely.data.tables.written_otherwise import AsWritten, read_as_written

    columns, wrong, others = dict[str, np.ndarray](), dict[str, dict[int, str]](), dict[str, str]()
    sheet = sheet.with_numbers(lambda name: name in known or readings.get(name) != ColumnReading("number"))
    if (
        not decimal
        and written is None
        and any(r is not None and r.kind != "category" for name, r in readings.items() if name not in known)
    ):
        decimal = decimal_of(sheet)
    for name in sheet.names:
        if name in known or name in sheet.numbers:
            if name in readings:
                columns[name] = known[name] if name in known else sheet.numbers[name]
            continue
        column, reading = sheet.frame.get_column(name), readings.get(name)
        if (images := images_of(column)) is not None:
            columns[column.name] = images
        elif reading is not None and can_be_read(column.dtype, reading):
            if written is None:
                columns[column.name], texts = read_as_written(column, reading, decimal)
            else:
                columns[column.name], texts = written.get(name, AsWritten(reading)).read(column)
            if texts:
                wrong[column.name] = texts
        elif column.name in readings:
            others[column.name] = str(column.dtype)
    used = {name: reading for name, reading in readings.items() if reading is not None}
    return Table(sheet.where, columns, others, used, wrong, notes=sheet.notes)


def _sheets(path: str | Path, options: ColumnOptions, as_text: Callable[[str], bool]) -> "Iterator[Sheet]":
    """The table as its source holds it, some thousand rows at a time, or all rows of a text."""
    from likely.data.tables.text_cells import TextCells
    from likely.data.tables.text_file import read_text

    with _opened(path, options) as source:
        yield from iter([read_text(source, as_text, options.mark)]) if isinstance(source, TextCells) else source()


@contextmanager
def _opened(path: str | Path, options: ColumnOptions) -> "Generator[TextCells | Callable[[], Iterator[Sheet]]]":
    """A text, or what gives the rows of other formats as often as it is called."""
    from likely.data.tables.text_cells import TextCells
    from likely.data.tables.typed_file import typed_pieces

    where, suffix = ("The standard input", "") if str(path) == "-" else (str(path), _suffix(path))
    with source_file(path, options.encoding) as file:
        if not suffix:
            with file.open("rb") as stream:
                suffix = ".parquet" if stream.read(4) == b"PAR1" else suffix
        if suffix in TYPED:
            yield partial(typed_pieces, file, where, suffix, header=options.header)
        else:
            yield TextCells(file, where, "\t;|," if suffix == ".tsv" else SEPARATORS, options.header)


def refuse_unusable(table: Table) -> None:
    """Refuse a table with a column whose type is not one to learn from; a column that a note names is not learned from.

    Raises:
        DataError: naming the first.
    """
    for name, kind in table.unusable.items():
        if not kind.startswith(("dates", "times")):
            raise unusable(table.path, name, kind)


def unusable(path: object, name: str, kind: str) -> DataError:
    """What to say of a column whose type is not one to learn from."""
    return DataError(
        f"Column {name!r} of {within(path)} must hold numbers, text, dates, true and false, or images as bytes; got "
        f"{kind}. Nothing says how to learn from that. Cast it, or try --ignore {name} (ignore= in Python)."
    )
