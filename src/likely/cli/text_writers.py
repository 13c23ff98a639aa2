"""Answers for people: a line for each row of a table, or a few lines with bars."""

import statistics
from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from likely.cli.answers import NOT_GUARANTEED, Answer, Failure, Number, Outcome, Writer, called, most_probable
from likely.cli.questions import Promises
from likely.cli.terminal import bar, can_print_blocks, console, padded, printable, styled
from likely.metrics.numerals import percent, resolved
from likely.trust.familiarity import is_unfamiliar

_TOGETHER = 500
_FINEST = 1e-6  # of the spread of a model's targets: what differs by less is rounding


class LineWriter(Writer):
    """One line per answer: the label, its probability, those of the events, and the set; or numbers and an interval.

    Some hundred lines are printed together, so that their columns are aligned, and numbers have as many digits as
    distinguish the first of them. `spreads` are the standard deviations of the training targets.
    """

    def __init__(self, promises: Promises, spreads: Sequence[float] = ()) -> None:
        self._promises = promises
        self._spreads, self._digits_are_known = spreads, False
        self._waiting: list[Answer | Number] = []
        self._widths: list[int] = []
        self._screen = console()

    def write(self, outcome: Outcome) -> None:
        """Keep it until there are enough; failures are told on standard error instead."""
        if not isinstance(outcome, Failure):
            self._waiting.append(outcome)
            if len(self._waiting) == _TOGETHER:
                self.close()

    def close(self) -> None:
        """Print what is left."""
        if not self._waiting:
            return
        numbers = [outcome.prediction for outcome in self._waiting if isinstance(outcome, Number)]
        if numbers and not self._digits_are_known:
            self._spreads, self._digits_are_known = _finer(self._spreads, numbers), True
        lines = [[printable(called(o.name)), *_cells(o, self._spreads)] for o in self._waiting]
        known = self._widths or [0] * len(lines[0])
        columns = zip(*lines, strict=True)
        self._widths = [max(w, *map(cell_len, column)) for w, column in zip(known, columns, strict=True)]
        for outcome, cells in zip(self._waiting, lines, strict=True):
            texts = 2 if isinstance(outcome, Answer) else 1  # a name, and a label; what follows are numbers
            name, *others = [padded(cell, self._widths[i], right=i >= texts) for i, cell in enumerate(cells)]
            line = styled((name, "bold"), "".join(f"  {cell}" for cell in others))
            if isinstance(outcome, Number):
                _add_interval(line, outcome, self._promises, self._spreads)
            elif outcome.set is not None:
                line.append(f"  {percent(self._promises.coverage or 0, 2)} set: ", style="dim")
                line.append(printable(", ".join(outcome.set)))
            _add_warnings(line, outcome, self._promises)
            self._screen.print(line)
        self._waiting = []


class BarWriter(Writer):
    """The `top` most probable labels of each image with bars, and the events that were asked about; or numbers."""

    def __init__(self, top: int, promises: Promises, spreads: Sequence[float] = ()) -> None:
        self._top, self._promises, self._spreads = top, promises, spreads
        self._screen, self._blocks = console(), can_print_blocks()

    def write(self, outcome: Outcome) -> None:
        """A heading and a few lines; failures are told on standard error instead."""
        if isinstance(outcome, Failure):
            return
        heading = styled((printable(called(outcome.name)), "bold"))
        if isinstance(outcome, Number):
            heading.append("".join(f"  {cell}" for cell in _cells(outcome, self._spreads)))
            if self._promises.coverage_was_asked:
                _add_interval(heading, outcome, self._promises, self._spreads)
        elif outcome.given is not None:
            condition = printable(", ".join(outcome.given.labels))
            heading.append(f"  given {condition}: P(given) = {percent(outcome.given.probability, 2)}", style="dim")
        _add_warnings(heading, outcome, self._promises)
        self._screen.print(heading)
        if isinstance(outcome, Answer):
            self._bars(outcome)

    def _bars(self, outcome: Answer) -> None:
        probabilities, events = _asked(outcome)
        ranked = sorted(probabilities.items(), key=lambda item: -item[1])[: self._top]
        lines = [(printable(label), p, "cyan") for label, p in ranked]
        lines += [(f"P({printable(name)})", p, "magenta") for name, p in events.items()]
        columns = max(cell_len(name) for name, _, _ in lines)
        for name, p, color in lines:
            share = bar(p, blocks=self._blocks)
            self._screen.print(styled(f"  {padded(name, columns)}  {percent(p, 2):>7}  ", (share, color)))
        if outcome.set is not None and (self._promises.coverage_was_asked or len(outcome.set) > 1):
            labels = printable(", ".join(outcome.set))
            self._screen.print(styled((f"  {percent(self._promises.coverage or 0, 2)} set: ", "dim"), labels))


def _asked(answer: Answer) -> tuple[dict[str, float], dict[str, float]]:
    """The probabilities of labels and events: those under the condition, if there is one."""
    given = answer.given
    return (answer.probabilities, answer.events) if given is None else (given.probabilities, given.events)


def _cells(outcome: Answer | Number, spreads: Sequence[float]) -> list[str]:
    """The numbers that were predicted, or the most probable label and the probabilities."""
    if isinstance(outcome, Number):
        return list(map(resolved, outcome.prediction, spreads or [0.0] * len(outcome.prediction)))
    probabilities, events = _asked(outcome)
    label = most_probable(probabilities)
    shares = [f"P({printable(name)}) = {percent(p, 2):>7}" for name, p in events.items()]
    if outcome.given is not None:
        shares.append(f"P(given) = {percent(outcome.given.probability, 2):>7}")
    return [printable(label), percent(probabilities[label], 2), *shares]


def _add_interval(line: Text, number: Number, promises: Promises, spreads: Sequence[float]) -> None:
    if number.low is not None and number.high is not None:
        low, high = (resolved(end, spreads[0] if spreads else 0.0) for end in (number.low, number.high))
        line.append(f"  {percent(promises.coverage or 0, 2)} interval: {low} to {high}", style="dim")


def _add_warnings(line: Text, outcome: Answer | Number, promises: Promises) -> None:
    """Why an answer should be used with care."""
    warnings = []
    if is_unfamiliar(outcome.familiarity):
        warnings.append(f"unfamiliar (p = {outcome.familiarity:.2g})")
    if NOT_GUARANTEED in outcome.missing.values():
        warnings.append("a value is missing: no guarantee")
    if isinstance(outcome, Answer):
        if outcome.abstained and promises.error_was_asked:
            warnings.append("no answer: confidence too low")
    elif outcome.outside_range:
        warnings.append("outside the range of the training targets")
    line.append("".join(f"  {warning}" for warning in warnings), style="bold yellow")


def _finer(spreads: Sequence[float], predictions: Sequence[Sequence[float]]) -> list[float]:
    """The spread of the predictions of each target, or of its training targets where that is smaller."""
    found = [statistics.pstdev(values) for values in zip(*predictions, strict=True)]
    known = spreads or found
    return [min(target, max(of, _FINEST * target)) if of else target for target, of in zip(known, found, strict=True)]
