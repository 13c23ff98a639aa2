"""The parts of the report that are tables of numbers: headline figures, confusion matrix, classes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from likely.metrics.evaluation import ClassFigures, Evaluation
from likely.metrics.intervals import Estimate
from likely.report.statements import about_classes, printable

MANY_CLASSES = 60
"""Above so many classes the per-class table shows the hardest only, and the rest when asked."""

HARDEST = 24


@dataclass(frozen=True)
class Headline:
    """A figure at the top of the page."""

    label: str
    value: str
    interval: str
    meaning: str


@dataclass(frozen=True)
class Cell:
    """A number of the confusion matrix, and how dark it stands, from 0 to 0.6."""

    count: int
    shade: str


@dataclass(frozen=True)
class ConfusionRow:
    """The answers to the rows of one true label."""

    label: str
    cells: list[Cell]


@dataclass(frozen=True)
class ClassRow:
    """One class; the hardest has the lowest `order`, and `bar` is F1 in percent."""

    number: int
    label: str
    support: int
    precision: str
    recall: str
    f1: str
    order: float
    bar: str


@dataclass(frozen=True)
class ClassTable:
    """The classes, and what they say; of many the hardest first, the `rest` apart."""

    about: str
    rows: list[ClassRow]
    rest: list[ClassRow]


def headlines(evaluation: Evaluation, n_classes: int, noun: str) -> list[Headline]:
    """The figures that have a title, as far as they are known."""
    guess = f"{math.log(n_classes):.3f}" if n_classes else ""
    return [
        Headline(
            figure.title,
            _digits(found.value, figure.is_share),
            ""
            if math.isnan(found.low)
            else " to ".join(_digits(end, figure.is_share) for end in (found.low, found.high)),
            figure.meaning.format(noun=noun, guess=guess),
        )
        for figure, found in evaluation.figures()
        if figure.title and isinstance(found, Estimate) and not math.isnan(found.value)
    ]


def confusion_rows(confusion: np.ndarray, labels: Sequence[str]) -> list[ConfusionRow]:
    """Counts with a shade each: 0 to 0.6, by the share of the row."""
    rows: list[ConfusionRow] = []
    for label, counts in zip(labels, confusion.tolist(), strict=True):
        total = max(sum(counts), 1)
        # The square root keeps rare confusions visible beside the diagonal; the ceiling keeps the numbers legible.
        rows.append(ConfusionRow(label, [Cell(c, f"{0.6 * math.sqrt(c / total):.3f}") for c in counts]))
    return rows


def class_table(per_class: Sequence[ClassFigures]) -> ClassTable:
    """Precision, recall and F1 of each class; of many classes the hardest first, the rest apart."""
    rows: list[ClassRow] = []
    scored: list[tuple[str, float]] = []
    for number, entry in enumerate(per_class, start=1):
        label, f1 = printable(entry.label), entry.f1
        defined = not math.isnan(f1) and entry.support > 0
        if defined:
            scored.append((label, f1))
        rows.append(
            ClassRow(
                number,
                label,
                entry.support,
                precision=_known(entry.precision),
                recall=_known(entry.recall),
                f1=_known(f1),
                order=f1 if defined else math.inf,
                bar=f"{100 * (0 if math.isnan(f1) else f1):.1f}",
            )
        )
    about = about_classes(scored)
    if len(rows) <= MANY_CLASSES:
        return ClassTable(about, rows, [])
    rows.sort(key=lambda row: row.order)
    return ClassTable(about, rows[:HARDEST], rows[HARDEST:])


def _known(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def _digits(value: float, in_percent: bool) -> str:
    if in_percent:
        return f"{value:.2%}"
    return f"{value:.4f}" if abs(value) < 10 else f"{value:,.5g}" if abs(value) < 1e5 else f"{value:.4g}"
