"""What people see: text from files made harmless, columns of equal width, bars, numbers.

Labels, file names and messages come from untrusted files. They are printed as plain text, never as markup, with control
characters (which could move the cursor or change colors) written as escapes.
"""

import json
import sys
from collections.abc import Sequence
from unicodedata import category

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

_JOINERS = "\u200c\u200d"
_EIGHTHS = "▏▎▍▌▋▊▉█"


def printable(text: object) -> str:
    r"""The text on one line, with everything that would not print as itself written as an escape.

    Example:
        >>> print(printable("a\x1b[31mred\nline"))
        a\x1b[31mred\nline
    """
    return "".join(
        c if c.isprintable() or c in _JOINERS or category(c) == "Zs" else c.encode("unicode_escape").decode()
        for c in str(text)
    )


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise  # rich would end the program here; whether that is a failure is the command's to say


def console(*, error: bool = False) -> Console:
    """Standard output, or standard error: colors on a terminal (not with NO_COLOR), plain text elsewhere."""
    return _Console(stderr=error, markup=False, highlight=False, emoji=False, soft_wrap=True)


def print_json(document: object, indent: int | None = None) -> None:
    """A JSON document on standard output."""
    typer.echo(json.dumps(document, allow_nan=False, indent=indent))


def complain(message: str) -> None:
    """A message on standard error; the part before the first colon is colored."""
    kind, colon, rest = message.partition(":")
    color = {"error": "bold red", "warning": "bold yellow"}.get(kind, "")
    lines = "\n".join(printable(line) for line in (colon + rest).split("\n"))
    console(error=True).print(Text.assemble((kind, color), lines))


def padded(text: str, columns: int, *, right: bool = False) -> str:
    """The text, filled up with spaces; `right` aligns it there. Chinese, Japanese and Korean characters take two."""
    spaces = " " * max(0, columns - cell_len(text))
    return spaces + text if right else text + spaces


def bar(share: float, columns: int = 20, *, blocks: bool = True) -> str:
    """A bar of this share of `columns`, in eighths of a column, or in # where blocks cannot be printed.

    Example:
        >>> bar(0.5, 4), bar(0.28, 4), bar(0.5, 4, blocks=False)
        ('██', '█▏', '##')
    """
    if not blocks:
        return "#" * round(share * columns)
    eighths = round(min(max(share, 0.0), 1.0) * columns * 8)
    whole, rest = divmod(eighths, 8)
    return "█" * whole + (_EIGHTHS[rest - 1] if rest else "")


def can_print_blocks() -> bool:
    """Whether standard output's encoding has the characters of `bar`."""
    try:
        _EIGHTHS.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def styled(*parts: str | tuple[str, str]) -> Text:
    """Pieces of text, each alone or with a style; nothing in them is markup."""
    return Text.assemble(*parts)


def aligned(rows: Sequence[Sequence[str]], *, right: bool = False) -> Text:
    """Rows of cells in columns, the first row as a heading; `right` aligns all but the first column there."""
    columns = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    lines = [[padded(cell, columns[i], right=right and i > 0) for i, cell in enumerate(row)] for row in rows]
    heading, *others = (f"  {'  '.join(cells).rstrip()}" for cells in lines)
    return Text("\n").join([Text(heading, style="dim"), *map(Text, others)])
