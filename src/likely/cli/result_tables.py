"""Figures with their 95% intervals, and figures by class, as tables for people."""

import math
from collections.abc import Mapping, Sequence

from rich.text import Text

from likely.cli.terminal import aligned, printable
from likely.metrics.catalog import FIGURES, Figure
from likely.metrics.comparison import Difference
from likely.metrics.evaluation import ClassFigures, Evaluation, EventFigures, Seen
from likely.metrics.intervals import Estimate

_SHARE = FIGURES["frequency"]


def figures_table(evaluation: Evaluation) -> Text:
    """One line per figure: its name, value and interval."""
    rows = [["", f"n = {evaluation.n:,}", "95% interval"]]
    for figure, found in evaluation.figures():
        if isinstance(found, Estimate):
            rows.append([figure.label, figure.with_unit(found.value), figure.interval(found)])
        else:
            rows.append([figure.label, figure.text(found), ""])
    return aligned(rows)


def without_seen(seen: Seen) -> str:
    """The figures without the rows that the model was trained on, in a sentence.

    Example:
        >>> without_seen(Seen(2, None))
        'The model was trained on all of these rows.'
    """
    others = seen.without
    if others is None:
        return "The model was trained on all of these rows."
    texts = [
        f"{figure.label} {figure.with_unit(found.value)} ({figure.interval(found)})"
        for figure, found in others.figures()
        if isinstance(found, Estimate)
    ]
    return f"Without the {seen.n:,} rows that the model was trained on: n = {others.n:,}, {', '.join(texts)}"


def promises_table(evaluation: Evaluation) -> Text | None:
    """The guarantees of the model and how they held on these rows; None where there is none."""
    rows = [["promise", "reached on these rows", "95% interval", ""]]

    def line(promise: str, share: Estimate, note: str) -> None:
        rows.append([promise, _SHARE.text(share.value), _SHARE.interval(share), note])

    for entry in evaluation.sets:
        line(f"sets hold the truth: {entry.coverage:.1%}", entry.covered, f"{entry.size.value:.2f} labels")
    for entry in evaluation.abstention:
        line(f"error rate: at most {entry.max_error:.0%}", entry.error, f"{entry.answered.value:.1%} answered")
    if (alarms := evaluation.familiarity) is not None:
        line(f"false alarms: {alarms.alarm:.0%}", alarms.rate, "called unfamiliar")
    return aligned(rows) if len(rows) > 1 else None


def events_table(events: Mapping[str, EventFigures]) -> Text | None:
    """One line per named event: its frequency, and how well its probability is calibrated; None without events."""
    if not events:
        return None
    frequency, nll, ece, p = (FIGURES[name] for name in ("frequency", "nll", "ece", "calibration_p"))
    rows = [["event", "frequency", "NLL", "ECE", "95% interval", p.label.strip()]]
    for name, entry in events.items():
        figures = ((frequency, entry.frequency), (nll, entry.nll), (ece, entry.ece))
        texts = [figure.text(found.value) for figure, found in figures]
        # Figures of version 0.1.0, kept in a model file, have no p-value.
        p_value = math.nan if entry.calibration_p is None else entry.calibration_p
        rows.append([printable(name), *texts, ece.interval(entry.ece), p.text(p_value)])
    return aligned(rows, right=True)


def classes_table(per_class: Sequence[ClassFigures]) -> Text | None:
    """One line per class: its label, precision, recall, F1 and number of rows; too few rows to tell get a star."""
    if not per_class:
        return None
    any_few = any(entry.too_few for entry in per_class)
    rows = [["label", "precision", "recall", "F1", "rows"]]
    for entry in per_class:
        star = "*" if entry.too_few else " " if any_few else ""
        shares = [_SHARE.text(share) for share in (entry.precision, entry.recall, entry.f1)]
        rows.append([printable(entry.label), *shares, f"{entry.support:,}{star}"])
    table = aligned(rows, right=True)
    return table.append("\n  * too few examples to tell", style="dim") if any_few else table


def differences_table(differences: Mapping[str, Difference]) -> Text:
    """One line per figure of two models: values, second - first, and its interval; then what may be concluded."""
    rows = [["", "first", "second", "second - first", "95% interval"]]
    for name, found in differences.items():
        figure = FIGURES[name]
        values = [figure.text(value) for value in (found.first, found.second)]
        unit = "points" if figure.is_share else figure.unit
        change, *ends = [_signed(figure, value) for value in (found.value, found.low, found.high)]
        rows.append([figure.label, *values, f"{change} {unit}".rstrip(), " to ".join(ends)])
    conclusions = [[FIGURES[name].label, found.conclusion] for name, found in differences.items()]
    return Text("\n\n").join([aligned(rows), aligned([["by", "conclusion"], *conclusions])])


def _signed(figure: Figure, value: float) -> str:
    if not math.isfinite(value):
        return "-"
    return f"{100 * value:+.2f}" if figure.is_share else f"{value:+.4g}"
