"""What a check found, for people: the data in a table, then each kind of fault with its first places."""

from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from likely.cli.terminal import aligned, console, padded, printable, styled
from likely.data.check import Checked, Finding, Place
from likely.data.tables.explain_columns import explained
from likely.preprocessing.columns import Column

_GROUPS, _MEMBERS, _CLASSES, _COLUMNS = 4, 4, 30, 40
_STYLES = {"error": "bold red", "warning": "bold yellow", "note": "bold"}
_INDENT = " " * 9


def print_checked(checked: Checked, page: Path | None) -> None:
    """Print it to standard output, with the page where one was written, and what to do next."""
    screen, findings = console(), checked.findings
    screen.print(_headline(checked))
    if checked.rows is not None:
        screen.print(_counts(checked))
        if checked.rows.dataset.columns is not None:
            screen.print(_columns(checked.rows.dataset.columns))
        for note in checked.rows.dataset.notes:
            screen.print(printable(note))
    for finding in findings:
        screen.print("\n", _described(finding), sep="")
    if page is not None:
        screen.print(f"\nPage    {printable(page)}")
    elif findings:
        screen.print("\nTry     --out FOLDER for a page with everything, or --json")
    if findings.fit_would_work and checked.dataset is not None and checked.dataset.labels:
        screen.print(f"{'' if findings else chr(10)}Try     --labels to find labels that are probably wrong")


def _headline(checked: Checked) -> Text:
    verdict = "can be learned from" if checked.findings.fit_would_work else "can't be learned from as it is"
    shape = " x ".join(str(size) for size in checked.shape or ())
    kind = "images of" if checked.shape is not None and len(checked.shape) > 1 else "numbers per row:"
    what = f": {checked.dataset.task}, {kind} {shape}" if checked.dataset is not None and shape else ""
    return styled((f"{printable(checked.name)} {verdict}", "bold"), what)


def _counts(checked: Checked) -> Text:
    rows = checked.rows
    assert rows is not None
    counts, labels = rows.class_counts(), rows.dataset.labels
    table = [["", *rows.parts], ["all rows", *(f"{len(part):,}" for part in rows.parts.values())]]
    table += [
        [printable(label), *(f"{of_part[label]:,}" for of_part in counts.values())] for label in labels[:_CLASSES]
    ]
    return aligned(table, right=True).append_text(_more(len(labels) - _CLASSES, " classes"))


def _columns(columns: Sequence[Column]) -> Text:
    found = explained(columns)
    text = aligned([["column", "taken for", "how"], *([*map(printable, column)] for column in found[:_COLUMNS])])
    return text.append_text(_more(len(found) - _COLUMNS, " columns"))


def _described(finding: Finding) -> Text:
    lines = [styled((padded(finding.severity, len(_INDENT)), _STYLES[finding.severity]), printable(finding.message))]
    if finding.advice:
        lines.append(styled((_INDENT + printable(finding.advice), "dim")))
    between = " = " if finding.alike else ", "
    lines += [Text(f"{_INDENT}  {_group(group, between)}") for group in finding.groups[:_GROUPS]]
    return Text("\n").join(lines).append_text(_more(len(finding.groups) - _GROUPS, "", _INDENT))


def _more(n: int, what: str, indent: str = "") -> Text:
    """A line about what is not shown, if there is any."""
    return Text(f"\n{indent}  ... and {n:,} more{what}" if n > 0 else "", style="dim")


def _group(group: Sequence[Place], between: str) -> str:
    more = f"{between}{len(group) - _MEMBERS:,} more" if len(group) > _MEMBERS else ""
    return printable(between.join(_named(place) for place in group[:_MEMBERS])) + more


def _named(place: Place) -> str:
    name = place.name  # a path says its class by itself, where folders are classes
    if place.kind == "row":
        name = f"{place.part} row {name}{f' ({place.label})' if place.label else ''}"
    return f"{name}: {place.detail}" if place.detail else name
