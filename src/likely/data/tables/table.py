"""Tables: CSV, TSV and Parquet, read in pieces, with columns of numbers, of text, or of bytes."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from likely.data.stdin import open_stdin
from likely.data.tables.csv_reader import csv_pieces
from likely.data.tables.parquet_reader import parquet_pieces
from likely.errors import DataError, nearest

SUFFIXES = (".csv", ".tsv", ".parquet", ".pq")


@dataclass(frozen=True)
class Table:
    """Some or all rows of a table.

    Args:
        path: where it came from, for messages.
        columns: by name, each of shape (n,): float64 with NaN where a value is missing, or objects: text, bytes (an
            image) or None.
        unusable: the columns whose type can be none of these, and their type.
    """

    path: str
    columns: dict[str, np.ndarray]
    unusable: dict[str, str] = field(default_factory=dict[str, str])

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
            listed = ", ".join(repr(column) for column in names[:20]) + (", ..." if len(names) > 20 else "")
            choices = "" if hint.startswith("Choose") else f" Its columns are {listed}."
            raise DataError(
                f"{self.path} must have a column {name!r} with {purpose}; got none. {hint}{choices}"
                f"{f' Try {option}.' if option else ''}"
            )
        return self.columns[name]


def is_table(path: str | Path) -> bool:
    """Whether the path ends like a table."""
    return Path(path).suffix.lower() in SUFFIXES


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


def table_pieces(path: str | Path, *, text: Collection[str] = ()) -> Iterator[Table]:
    """The table, some thousand rows at a time.

    Args:
        path: a file as for `read_table`, or "-" for the standard input: Parquet, or text with commas, semicolons, tabs.
        text: columns to be read as text even if they hold only numbers; in pieces, another column may be numbers in one
            and text in the next.
    Raises:
        DataError, MissingExtraError: as `read_table`.
    """
    suffix = Path(path).suffix.lower()
    if str(path) == "-":
        stream, is_parquet = open_stdin()
        name = "The standard input"
        pieces = parquet_pieces(stream, name) if is_parquet else csv_pieces(stream, name, ",;\t", text)
    elif suffix in (".parquet", ".pq"):
        pieces = parquet_pieces(Path(path), str(path))
    else:
        pieces = csv_pieces(Path(path), str(path), "\t" if suffix == ".tsv" else ",;", text)
    for columns, others in pieces:
        yield Table(str(path), {c: as_texts(v) if c in text else v for c, v in columns.items()}, others)


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
