"""Tables of every format, read in pieces, with columns of numbers, of text, or of bytes."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from likely.data.classes import listed
from likely.data.tables.source_file import PACKED, source_file
from likely.data.tables.suffixes import TEXT, TYPED
from likely.data.tables.text_layout import SEPARATORS
from likely.errors import DataError, nearest

if TYPE_CHECKING:
    from likely.data.tables.sheet import Sheet


@dataclass(frozen=True)
class Table:
    """Some or all rows of a table.

    Args:
        path: where it came from, for messages.
        columns: by name, each of shape (n,): float64 with NaN where a value is missing, or objects: text, bytes (an
            image) or None.
        unusable: the columns whose type can be none of these, and their type.
        notes: what was decided while reading, a sentence each.
    """

    path: str
    columns: dict[str, np.ndarray]
    unusable: dict[str, str] = field(default_factory=dict[str, str])
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

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


def read_table(path: str | Path, *, text: Collection[str] = ()) -> Table:
    """The whole table.

    A column of CSV or TSV holds numbers if every cell that is not missing is one; Parquet declares what it holds. Empty
    cells and the usual texts for nothing (NA, NaN, null, None, ?, ...) are missing in both.

    Args:
        path: a file that ends in .csv, .tsv, .parquet or .pq.
        text: columns to be read as text even if they hold only numbers.
    Raises:
        DataError: if the file can't be read, is not UTF-8, has no rows, rows of different lengths, or a column name
            twice; the message says where.
        MissingExtraError: if it is Parquet and pyarrow is not installed.
    """
    as_text = set(text)
    while True:
        # A column that turns out to hold text after its beginning was read as numbers is read again: "007" is not 7.
        parts: dict[str, list[np.ndarray]] = {}
        late, others, n = set[str](), dict[str, str](), 0
        for piece in table_pieces(path, text=as_text):
            others = piece.unusable
            n += len(piece)
            for name, values in piece.columns.items():
                earlier = parts.setdefault(name, [])
                if earlier and earlier[0].dtype != values.dtype:
                    late.add(name)
                elif name not in late:
                    earlier.append(values)
        if not late:
            break
        as_text |= late
    if n == 0:
        raise DataError(f"{path} must have rows; got none below its heading. Check that the table was written out.")
    return Table(str(path), {name: np.concatenate(arrays) for name, arrays in parts.items()}, others)


def table_pieces(
    path: str | Path, *, text: Collection[str] = (), encoding: str | None = None, header: bool = True
) -> Iterator[Table]:
    """The table, some thousand rows at a time.

    Args:
        path: a file as for `read_table`, or "-" for the standard input: Parquet, or text.
        text: columns to be read as text even if they hold only numbers; in pieces, another column may be numbers in one
            and text in the next.
        encoding: of a text; None takes UTF-8.
        header: whether the first row of a text holds the names of the columns.
    Raises:
        DataError, MissingExtraError: as `read_table`.
    """
    from likely.data.tables.column_values import text_values, typed_values

    for sheet in sheets(path, encoding=encoding, header=header):
        columns, others = dict[str, np.ndarray](), dict[str, str]()
        for column in sheet.frame.iter_columns():
            as_text = column.name in text
            if sheet.separator is not None:
                columns[column.name] = text_values(column, as_text=as_text, decimal_commas=sheet.separator == ";")
            elif (values := typed_values(column)) is not None:
                columns[column.name] = as_texts(values) if as_text else values
            else:
                others[column.name] = str(column.dtype)
        yield Table(str(path), columns, others, sheet.notes)


def sheets(path: str | Path, *, encoding: str | None = None, header: bool = True) -> "Iterator[Sheet]":
    """The table as its source holds it, some thousand rows at a time; arguments and errors as of `table_pieces`."""
    from likely.data.tables.text_file import text_pieces
    from likely.data.tables.typed_file import typed_pieces

    where, suffix = ("The standard input", "") if str(path) == "-" else (str(path), _suffix(path))
    with source_file(path, encoding) as file:
        if not suffix and file.read_bytes()[:4] == b"PAR1":
            suffix = ".parquet"
        if suffix in TYPED:
            yield from typed_pieces(file, where, suffix)
        else:
            separators = "\t" if suffix == ".tsv" else SEPARATORS
            yield from text_pieces(file, where, separators=separators, header=header)


def missing(values: np.ndarray) -> np.ndarray:
    """Which values are missing: booleans (n,)."""
    if values.dtype == object:
        return np.array([value is None for value in values], dtype=bool)
    return np.isnan(values)


def as_texts(values: np.ndarray) -> np.ndarray:
    """The values as text or None; whole numbers without a decimal point.

    Example:
        >>> as_texts(np.array([1.0, 2.5, np.nan])).tolist()
        ['1', '2.5', None]
    """
    if values.dtype == object:
        return values
    texts = [None if v != v else str(int(v)) if v.is_integer() else repr(v) for v in values.tolist()]
    return np.array(texts, dtype=object)


def unusable(path: object, name: str, kind: str) -> DataError:
    """What to say of a column whose type is not one to learn from."""
    return DataError(
        f"Column {name!r} of {path} must hold numbers, text, true and false, or images as bytes; got {kind}. "
        "Nothing says how to learn from that. Cast it, or leave the column out."
    )
