"""How a table in a text file is laid out: its separator, where its heading stands, how many cells a row has.

It is decided from the beginning of the file, with quotes counted. The separator is the character with which most rows
have one number of cells; where several fit, the one that leaves the fewest others inside the cells.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from likely.errors import DataError

SEPARATORS = ";\t|,"
"""What may stand between two cells; where nothing else decides, the first of them."""

_ROWS, _CELLS = 500, 5_000  # from the beginning that are looked at


@dataclass(frozen=True)
class Layout:
    """Where the cells of a text stand.

    Args:
        separator: between two cells.
        names: of the columns.
        skipped: how many lines stand before the first row.
        trailing: whether a separator ends every row, so that each has one more cell, which is empty.
        notes: what was decided, a sentence each.
    """

    separator: str
    names: tuple[str, ...]
    skipped: int
    trailing: bool = False
    notes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many cells a row has."""
        return len(self.names) + self.trailing


def layout_of(text: str, where: str, *, separators: str = SEPARATORS, header: bool = True) -> Layout:
    r"""The layout of a text.

    Args:
        text: the beginning of a file, in whole lines.
        where: what to call the file in messages.
        separators: which characters may separate cells.
        header: whether the first row holds the names of the columns; without one they are "column 1", "column 2", ...
    Raises:
        DataError: if there is no heading, or one that gives two columns one name.
    Example:
        >>> layout_of('"a;b",c\n1,2\n3,4\n', "x.csv").names
        ('a;b', 'c')
        >>> found = layout_of("sep=;\n\n# of the laboratory\na;b;\n1,5;2;\n", "x.csv")
        >>> found.separator, found.names, found.skipped, found.trailing
        (';', ('a', 'b'), 4, True)
    """
    lines, skipped, notes = list(io.StringIO(text, newline="")), 0, list[str]()
    if lines and lines[0].lower().startswith("sep=") and len(lines[0].strip("\r\n")) == 5:
        separators, skipped = lines[0][4], 1
        notes.append(f"Line 1 says that {separators!r} separates cells.")
    comments = list[int]()
    while skipped < len(lines) and (not lines[skipped].strip() or lines[skipped].startswith("#")):
        if lines[skipped].strip():
            comments.append(skipped)
        skipped += 1
    separator, rows = _best(lines[skipped:], separators)
    width = _usual([cells for _, cells in rows])
    if len(separators) == 1 and width < 2 and len(rows) > 1:
        other, others = _best(lines[skipped:], SEPARATORS)
        if _usual([cells for _, cells in others]) > 1:
            raise DataError(
                f"{where} must have its cells separated as its first line says; got {lines[0].strip()!r} above rows "
                f"that {other!r} separates. Remove line 1."
            )
    # A heading and rows may begin with #, too; a comment has another number of cells.
    while comments and [len(cells) for _, cells in _rows([lines[comments[-1]]], separator)] == [width]:
        skipped = comments.pop()
        rows = _rows(lines[skipped:], separator)
    notes += [f"Line {line + 1} is a comment, and skipped." for line in comments]
    titles = titles_above([cells for _, cells in rows], width)
    notes += [
        f"Line {skipped + line} is a title, and skipped: {separator.join(cells)[:60].strip(separator + ' ')!r}."
        for line, cells in rows[:titles]
        if any(map(str.strip, cells))
    ]
    rows = rows[titles:]
    if not rows or not any(cell.strip() for cell in rows[0][1]):
        raise DataError(f"{where} must begin with the names of its columns; got an empty first line. Add a heading.")
    (line, heading), body = rows[0], [cells for _, cells in rows[1:]]
    if not header:
        names = [f"column {i}" for i in range(1, width + 1)]
        return Layout(separator, tuple(names), skipped + line - 1, False, tuple(notes))
    names = [name.strip() for name in heading]
    ended = bool(body) and all(len(cells) == width and not cells[-1].strip() for cells in body)
    trailing = ended and width > 1 and (len(names) == width - 1 or (len(names) == width and not names[-1]))
    if trailing:
        names = names[: width - 1]
        notes.append(f"A separator, {separator!r}, ends every row: it is no further column.")
    for i in range(1, len(names)):
        if not names[i] and (name := f"column {i + 1}") not in names:
            names[i] = name
            notes.append(f"{name.capitalize()} has no name in the heading, and is called {name!r}.")
    _check_names(names, where)
    if all(map(_is_number, names)):
        notes.append(
            "The first row holds nothing but numbers, and gives the columns their names (--no-header: it is a row)."
        )
    return Layout(separator, tuple(names), skipped + line, trailing, tuple(notes))


def _best(lines: Sequence[str], separators: str) -> tuple[str, list[tuple[int, list[str]]]]:
    """The separator that fits best, and the rows that it makes."""
    return max((_score(lines, s, separators) for s in separators), key=lambda found: found[0])[1:]


def _score(
    lines: Sequence[str], separator: str, others: str
) -> tuple[tuple[float, float, int], str, list[tuple[int, list[str]]]]:
    """How well a separator fits, with the rows that it makes."""
    rows = _rows(lines, separator)
    width = _usual([cells for _, cells in rows])
    if width < 2:
        return (0.0, 0.0, separator == ","), separator, rows
    fits = sum(len(cells) == width for _, cells in rows) / len(rows)
    cells = list(islice((cell for _, cells in rows[1:] for cell in cells), _CELLS))
    clean = sum(not any(other in cell for other in others) for cell in cells) / max(1, len(cells))
    return (round(fits, 2), clean, -others.index(separator)), separator, rows


def _rows(lines: Sequence[str], separator: str) -> list[tuple[int, list[str]]]:
    """The first rows that are not empty, as far as they can be read, each with the number of its last line."""
    reader = csv.reader(iter(lines), delimiter=separator, skipinitialspace=True)
    return list(islice(((reader.line_num, cells) for cells in _until_error(reader) if cells), _ROWS))


def _until_error(reader: "Iterator[list[str]]") -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error:
        return


def _usual(rows: Sequence[Sequence[str]]) -> int:
    """The number of cells that most rows have."""
    counts = Counter(map(len, rows))
    return max(counts, key=lambda width: (counts[width], width), default=0)


def titles_above(rows: Sequence[Sequence[str]], width: int) -> int:
    """How many of the first rows, four at most, are one text or empty, above a row that looks like a heading."""
    for n, cells in enumerate(rows[: min(5, len(rows) - 1)]):
        if not _is_title(cells, width):
            looks = len(cells) == width and not any(map(_is_number, cells))
            return n if looks and len(rows) > n + 1 else 0
    return 0


def _is_title(cells: Sequence[str], width: int) -> bool:
    short = len(cells) < width or (width > 2 and bool(cells[0].strip()))
    filled = sum(bool(cell.strip()) for cell in cells)
    return filled == 0 or (short and filled == 1)


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def _check_names(names: Sequence[str], where: str) -> None:
    if len(set(names)) < len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise DataError(
            f"The columns of {where} must have different names; got {twice!r} twice. Which one is meant can't be told. "
            "Rename one, or try --no-header if the first row is no heading."
        )
