"""Answers on standard output as they come: a table for people, JSON or CSV for machines.

A writer holds one answer at a time, so that a folder of a million images needs no more memory than one image.
"""

import csv
import io
import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

from likely.cli.answers import Failure, Number, Outcome, called, most_probable
from likely.cli.questions import NOTHING, Promises
from likely.cli.terminal import bar, can_print_blocks, console, padded, percent, printable, styled, width
from likely.data.tables.spreadsheet import never_a_formula
from likely.metrics.numerals import resolved
from likely.trust.familiarity import UNFAMILIAR

if TYPE_CHECKING:
    from rich.text import Text

ANSWER_COLUMNS = ("label", "probability", "set", "abstained", "familiarity")
"""The columns of an answer, before those of its probabilities."""

NUMBER_COLUMNS = ("low", "high", "familiarity", "outside_range")
"""The columns of a predicted number, after those of the number itself."""


class Writer(Protocol):
    """Takes outcomes one by one."""

    def write(self, outcome: Outcome) -> None:
        """Take the next one."""
        ...

    def close(self) -> None:
        """Write what comes after the last one."""
        ...


class TableWriter:
    """The most probable labels of each image with bars, and the events that were asked about; or numbers.

    Args:
        top: how many labels are shown.
        promises: what was asked for.
        spreads: how far the numbers of each target lie apart, which decides how many digits are shown.
    """

    def __init__(self, top: int, promises: Promises = NOTHING, spreads: Sequence[float] = ()) -> None:
        self._top, self._promises = top, promises
        self._spreads = spreads
        self._screen = console()
        self._blocks = can_print_blocks()

    def write(self, outcome: Outcome) -> None:
        """A heading and a few lines; failures are told on standard error instead."""
        if isinstance(outcome, Failure):
            return
        heading = styled((printable(called(outcome.name)), "bold"))
        if isinstance(outcome, Number):
            self._screen.print(self._number(heading, outcome))
            return
        probabilities, events = outcome.probabilities, outcome.events
        if outcome.given is not None:
            probabilities, events = outcome.given.probabilities, outcome.given.events
            condition = printable(", ".join(outcome.given.labels))
            heading.append(f"  given {condition}: P(given) = {percent(outcome.given.probability)}", style="dim")
        if outcome.familiarity is not None and outcome.familiarity <= UNFAMILIAR:
            heading.append(f"  unfamiliar (p = {outcome.familiarity:.2g})", style="bold yellow")
        if outcome.abstained and self._promises.error_was_asked:
            heading.append("  no answer: confidence too low", style="bold yellow")
        self._screen.print(heading)
        ranked = sorted(probabilities.items(), key=lambda item: -item[1])[: self._top]
        lines = [(printable(label), p, "cyan") for label, p in ranked]
        lines += [(f"P({printable(name)})", p, "magenta") for name, p in events.items()]
        columns = max(width(name) for name, _, _ in lines)
        for name, p, color in lines:
            share = bar(p, blocks=self._blocks)
            self._screen.print(styled(f"  {padded(name, columns)}  {percent(p):>7}  ", (share, color)))
        if outcome.set is not None and (self._promises.coverage_was_asked or len(outcome.set) > 1):
            labels = printable(", ".join(outcome.set))
            self._screen.print(styled((f"  {percent(self._promises.coverage or 0)} set: ", "dim"), labels))

    def _number(self, heading: "Text", outcome: Number) -> "Text":
        """The heading of a number: the number, its interval, and whether it is extrapolated."""
        spreads = self._spreads or [0.0] * len(outcome.prediction)
        heading.append("  " + "  ".join(map(resolved, outcome.prediction, spreads)))
        if self._promises.coverage_was_asked and outcome.low is not None and outcome.high is not None:
            low, high = (resolved(end, spreads[0]) for end in (outcome.low, outcome.high))
            heading.append(f"  {percent(self._promises.coverage or 0)} interval: {low} to {high}", style="dim")
        if outcome.familiarity is not None and outcome.familiarity <= UNFAMILIAR:
            heading.append(f"  unfamiliar (p = {outcome.familiarity:.2g})", style="bold yellow")
        if outcome.outside_range:
            heading.append("  outside the range of the training targets", style="bold yellow")
        return heading

    def close(self) -> None:
        """Nothing comes after the last answer."""


class JsonWriter:
    """One JSON list, an element per line; ASCII, so that every terminal, pipe and file name is safe."""

    def __init__(self) -> None:
        self._before = "["

    def write(self, outcome: Outcome) -> None:
        """One element."""
        sys.stdout.write(f"{self._before}\n{json.dumps(outcome.to_json(), allow_nan=False)}")
        self._before = ","

    def close(self) -> None:
        """The end of the list."""
        sys.stdout.write("[]\n" if self._before == "[" else "\n]\n")


Cell: TypeAlias = str | float | bool | list[str] | None
"""What stands in a column of one answer."""


class Columns:
    """The columns of a table of answers: what was asked, the answer, an error, then a column per label and event.

    Under a condition, P(given) and the conditional probabilities follow, in columns like "Shirt given".

    Args:
        about: what the answers are about, "image" or "row".
        answer: the names of the answer's columns.
        probabilities: the labels and events.
        given: whether there is a condition.
    """

    def __init__(self, about: str, answer: Iterable[str], probabilities: Iterable[str], *, given: bool = False) -> None:
        self.answer = list(answer)
        names = list(probabilities)
        under = ["P(given)", *(f"{name} given" for name in names)] if given else []
        self.numbers = [*names, *under]
        self.names = [about, *self.answer, "error", *self.numbers]

    def cells(self, outcome: Outcome) -> list[Cell]:
        """A value per column, None where there is none."""
        cells: list[Cell]
        if isinstance(outcome, Failure):
            cells = [outcome.name, *[None] * len(self.answer), outcome.error]
        elif isinstance(outcome, Number):
            cells = [outcome.name, *outcome.prediction]
            cells += [outcome.low, outcome.high, outcome.familiarity, outcome.outside_range, None]
        else:
            label = most_probable(outcome.probabilities)
            cells = [outcome.name, label, outcome.probabilities[label]]
            cells += [outcome.set, outcome.abstained, outcome.familiarity, None]
            cells += [*outcome.probabilities.values(), *outcome.events.values()]
            if (given := outcome.given) is not None:
                cells += [given.probability, *given.probabilities.values(), *given.events.values()]
        return [*cells, *[None] * (len(self.names) - len(cells))]


class CsvWriter:
    """One line per answer; the labels of a set stand in one cell, apart by semicolons."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._line(columns.names)

    def write(self, outcome: Outcome) -> None:
        """One line."""
        self._line(self._columns.cells(outcome))

    def close(self) -> None:
        """Nothing comes after the last line."""

    def _line(self, cells: Iterable[Cell]) -> None:
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow([_text(cell) for cell in cells])
        sys.stdout.write(line.getvalue())


def _text(value: Cell) -> str:
    """A value in one cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return _cell("; ".join(value))
    return _cell(value) if isinstance(value, str) else repr(value)


def _cell(text: str) -> str:
    """The text on one line, and never a formula."""
    return printable(never_a_formula(text))
