"""The sections of the report on what can be trusted: events, prediction sets, abstention, familiarity.

Each section is a list of blocks, and each block says in one sentence what to conclude before it shows a figure, a table
or test rows. What a model does not promise is left out, or said in a sentence.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from markupsafe import Markup

from likely.errors import DataError
from likely.metrics import event_reliability
from likely.metrics.evaluation import Range, SetFigures
from likely.metrics.intervals import Estimate
from likely.metrics.numerals import counted, percent
from likely.model import ClassifierPredictor
from likely.report import plots, promise_plots
from likely.report.examples import ExampleCard, make_card
from likely.report.report_data import ReportData, Trust
from likely.report.statements import chance, make_bins
from likely.training.evaluate import MAX_ERRORS, SHARE_ANSWERED, Evaluated, event_mass
from likely.trust.familiarity import UNFAMILIAR

_SHOWN = 12
_PER_SIZE = 4
_SIZES = 5
_EVENTS = 6
_LABELS = 6


@dataclass(frozen=True)
class Row:
    """A test row among others: its image, what is said below it, and whether that is right."""

    card: ExampleCard
    note: str
    right: bool


@dataclass(frozen=True)
class Block:
    """One conclusion with what it rests on."""

    finding: str
    figure: Markup = field(default_factory=Markup)
    how: str = ""
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    cards: Sequence[Row] = ()
    cards_how: str = ""


@dataclass(frozen=True)
class Section:
    """A section of the page."""

    id: str
    title: str
    blocks: Sequence[Block]


def trust_of(predictor: ClassifierPredictor, evaluated: Evaluated) -> Trust:
    """What the model promises of the rows that it was evaluated on."""
    probs = evaluated.answers
    coverage = sets = answered = None
    for asked in (0.95, 0.99):
        try:
            sets, coverage = predictor.sets(probs, asked), asked
        except DataError:
            break
        if (sets.sum(axis=1) > 1).mean() > 0.05:
            break  # larger coverages would only show larger sets
    for asked in MAX_ERRORS:
        try:
            answered = predictor.abstention(asked).answers(probs.max(axis=1))
        except DataError:
            continue
        break
    approximate = predictor.card.splits.method == "cross-validation"
    return Trust(coverage, sets, answered, evaluated.familiarity, approximate, predictor.never_unfamiliar)


def promise_sections(data: ReportData) -> list[Section]:
    """The sections for the test rows of a classifier."""
    if data.trust is None:
        return []
    made = {
        "Events": _events(data),
        "Prediction sets": _sets(data, data.trust),
        "Abstention": _abstention(data, data.trust),
        "Familiarity": _familiarity(data, data.trust),
    }
    return [
        Section(title.split()[-1].lower(), title, found) for title, blocks in made.items() if (found := list(blocks))
    ]


def _interval(figure: Estimate | Range, digits: int = 1) -> str:
    return f"{percent(figure.low, digits)}–{percent(figure.high, digits)}"


def _events(data: ReportData) -> Iterator[Block]:
    events, noun = data.evaluation.events, data.noun
    if not events:
        return
    rows = [
        [
            name,
            ", ".join(entry.labels),
            percent(entry.frequency.value, 2),
            percent(entry.ece.value, 2),
            _interval(entry.ece, 2),
            "" if entry.calibration_p is None else chance(entry.calibration_p),
        ]
        for name, entry in events.items()
    ]
    finding = "The probability of every event agrees with its frequency, as far as these rows can tell."
    p_values = {name: 1.0 if entry.calibration_p is None else entry.calibration_p for name, entry in events.items()}
    if doubtful := [name for name, p in p_values.items() if p <= 0.05 / len(events)]:
        finding = f"P({doubtful[0]}) is further from its frequency than chance explains."
    yield Block(
        finding,
        head=("event", "labels", "frequency", "ECE", "95% interval", "p"),
        rows=rows,
        how="ECE: the mean gap between the probability of an event and its frequency, debiased. p: how often "
        f"calibrated probabilities would have as large a gap by chance on this many {noun}s.",
    )
    for number, (name, entry) in enumerate(list(events.items())[:_EVENTS]):
        mask = np.array([label in entry.labels for label in data.labels])
        mass = event_mass(data.probs, mask)
        bins = make_bins(event_reliability(mass, mask[data.y.astype(np.int64)]))
        mean, frequency = percent(float(mass.mean())), percent(entry.frequency.value)
        about = f"{name}: a mean probability of {mean}, a frequency of {frequency}."
        diagram = plots.reliability_diagram(bins, noun, f"Reliability of an event. {about}", number)
        yield Block(
            about, Markup(diagram), "Dots on the dotted line: the event is as frequent as its probability says."
        )


def about_coverage(entries: Sequence[SetFigures], noun: str, kind: str = "test") -> str:
    """Whether the sets hold the truth as often as was asked for; if less or more often, why."""
    # With 95% intervals one in twenty misses by chance, so only a clear miss is called one.
    for entry in entries:
        asked, covered = percent(entry.coverage), entry.covered
        if covered.high < entry.expected.low:
            return (
                f"At {asked} the sets hold the truth for {percent(covered.value)} of the {kind} {noun}s: less than "
                f"promised, so these {noun}s differ from the held-out ones."
            )
    above = [entry for entry in entries if entry.covered.low > entry.expected.high]
    if not above:
        return f"The sets hold the truth of {kind} {noun}s as often as promised, as far as these rows can tell."
    asked = _listed(percent(entry.coverage) for entry in above)
    reached = _listed(percent(entry.covered.value) for entry in above)
    text = f"At {asked} the sets hold the truth more often than was asked for: for {reached} of the {kind} {noun}s."
    filled = [(entry.expected, entry.empty) for entry in above if entry.empty is not None and entry.empty.share]
    if not filled:
        return f"{text} Ties or a lucky draw of the held-out rows can cause this."
    share = _listed(percent(empty.share) for _, empty in filled)
    without = _listed(percent(empty.covered.value) for _, empty in filled)
    explained = all(empty.covered.low <= expected.high for expected, empty in filled)
    why = "That is" if explained else "In part that is"
    return (
        f"{text} {why} because no set may be empty: {share} of them would be, and get their most probable label. "
        f"With empty sets (allow_empty=True) it would be {without}."
    )


def _listed(texts: Iterable[str]) -> str:
    *first, last = texts
    return f"{', '.join(first)} and {last}" if first else last


def _sets(data: ReportData, trust: Trust) -> Iterator[Block]:
    entries, noun, kind = data.evaluation.sets, data.noun, data.kind
    if not entries:
        yield Block("This model has no prediction sets: there were too few held-out rows.")
        return
    finding = about_coverage(entries, noun, kind)
    approximate = " The guarantee is approximate here: it rests on out-of-fold scores." if trust.approximate else ""
    yield Block(
        finding,
        Markup(promise_plots.coverage_differences(entries, f"Coverage of prediction sets. {finding}")),
        "Dots: coverage reached minus asked for, with the 95% interval of these rows. Bars: where it may lie, "
        f"given how many rows were held out, if sets could stay empty.{approximate}",
        ("asked", "reached", "95% interval", "expected", "labels"),
        [
            [
                percent(entry.coverage),
                percent(entry.covered.value, 2),
                _interval(entry.covered),
                _interval(entry.expected),
                f"{entry.size.value:.2f}",
            ]
            for entry in entries
        ],
    )
    if trust.sets is None or trust.coverage is None:
        return
    sizes = trust.sets.sum(axis=1)
    single, largest = percent(float((sizes == 1).mean())), counted(int(sizes.max()), "label")
    finding = f"At {percent(trust.coverage)}, {single} of the {noun}s need one label; the largest set has {largest}."
    held = trust.sets[np.arange(len(data.y)), data.y.astype(np.int64)]
    cards: list[Row] = []
    for size in np.unique(sizes)[:_SIZES].tolist():
        for i in np.flatnonzero(sizes == size)[:_PER_SIZE].tolist():
            inside = [data.labels[k] for k in np.flatnonzero(trust.sets[i]).tolist()]
            more = f" and {len(inside) - _LABELS} more" if len(inside) > _LABELS else ""
            note = f"{{{', '.join(inside[:_LABELS])}{more}}}"
            cards.append(Row(make_card(data, i), note, bool(held[i])))
    yield Block(
        finding,
        Markup(promise_plots.size_histogram(sizes, noun, f"Sizes of prediction sets. {finding}")),
        f"Number of {kind} {noun}s by set size. Large sets mean that the model cannot tell the labels apart.",
        cards=cards,
        cards_how=f"The first {kind} {noun}s with sets of each size; ✓ the set holds the truth, ✗ it does not.",
    )


def _abstention(data: ReportData, trust: Trust) -> Iterator[Block]:
    selective, noun = data.evaluation.selective, data.noun
    if selective is None:
        return
    wrong, sure = data.probs.argmax(axis=1) != data.y, data.probs.max(axis=1)
    if wrong.any():
        before, after = percent(float(wrong.mean())), percent(selective.error_at[SHARE_ANSWERED])
        most = f"the most confident {SHARE_ANSWERED:.0%} of the {noun}s"
        finding = f"Answering only {most} changes the error from {before} to {after}."
        yield Block(
            finding,
            Markup(promise_plots.risk_coverage(selective, f"Error over share answered. {finding}")),
            f"The error among the answers when only the most confident {noun}s are answered. Area under the curve "
            f"(AURC): {selective.aurc:.4f}; error at 80, 90 and 95% answered: "
            f"{', '.join(percent(error, 2) for error in selective.error_at.values())}.",
        )
    else:
        yield Block(f"No answer to these {noun}s is wrong: abstaining could only take right ones away.")
    if not data.evaluation.abstention:
        out_of_fold = "out-of-fold scores do not come from this network"
        why = out_of_fold if trust.approximate else "there are too few held-out rows"
        yield Block(f"This model has no guaranteed error bound: {why}.")
        return
    best = data.evaluation.abstention[0]
    finding = (
        f"Asked to be wrong in at most {percent(best.max_error)} of its answers, it answers "
        f"{percent(best.answered.value)} of the {noun}s and errs in {percent(best.error.value, 2)}."
    )
    cards: list[Row] = []
    if trust.answered is not None:
        silent = np.flatnonzero(~trust.answered)
        for i in silent[np.argsort(sure[silent], kind="stable")][:_SHOWN].tolist():
            note = f"no answer: a confidence of {percent(float(sure[i]))} is too low"
            cards.append(Row(make_card(data, i), note, not wrong[i]))
    yield Block(
        finding,
        how=(
            "Guaranteed with 95% confidence over the draw of the held-out rows; errors that are not listed cannot be "
            "guaranteed."
        ),
        head=("error at most", "threshold", "answered", "wrong answers", "95% interval"),
        rows=[
            [
                percent(entry.max_error),
                f"{entry.threshold:.3f}",
                percent(entry.answered.value),
                percent(entry.error.value, 2),
                _interval(entry.error, 2),
            ]
            for entry in data.evaluation.abstention
        ],
        cards=cards,
        cards_how=f"The {noun}s that it is least confident about and does not answer; ✓ its guess is right, ✗ wrong.",
    )


def _familiarity(data: ReportData, trust: Trust) -> Iterator[Block]:
    if trust.never_unfamiliar is not None:
        yield Block(f"{trust.never_unfamiliar}.")
        return
    alarms, p, noun, kind = data.evaluation.familiarity, trust.familiarity, data.noun, data.kind
    if alarms is None or p is None:
        return
    finding = (
        f"{percent(alarms.rate.value, 2)} of the {kind} {noun}s are called unfamiliar; {percent(alarms.alarm)} would "
        f"be expected if they came from the same source as the training {noun}s."
    )
    strangest = np.argsort(p, kind="stable")[:_SHOWN].tolist()
    yield Block(
        finding,
        Markup(promise_plots.p_value_histogram(p[~np.isnan(p)], f"Familiarity of {kind} {noun}s. {finding}")),
        f"Familiar {noun}s have p-values that spread evenly (dotted line). Left of {UNFAMILIAR:g} a {noun} is called "
        f"unfamiliar. 95% interval of the rate: {_interval(alarms.rate, 2)}.",
        cards=[
            Row(make_card(data, i), f"p = {p[i]:.2g}{', unfamiliar' if p[i] <= UNFAMILIAR else ''}", True)
            for i in strangest
        ],
        cards_how=f"The {kind} {noun}s least similar to the training data.",
    )
