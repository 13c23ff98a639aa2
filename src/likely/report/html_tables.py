"""The parts of the report that are tables of numbers: headline figures, confusion matrix, classes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from likely.metrics.evaluation import ClassFigures, Evaluation
from likely.metrics.intervals import Estimate
from likely.report.statements import about_classes

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
class ClassTable:
    """What the classes say, and each with its number; of many the hardest first, then the `rest`."""

    about: str
    rows: list[tuple[int, ClassFigures]]
    rest: list[tuple[int, ClassFigures]]


def headlines(evaluation: Evaluation, n_classes: int, noun: str) -> list[Headline]:
    """The figures that have a title, where they are known."""
    guess = f"{math.log(n_classes):.3f}" if n_classes else ""
    made: list[Headline] = []
    for figure, found in evaluation.figures():
        if figure.title and isinstance(found, Estimate) and not math.isnan(found.value):
            value, low, high = (_digits(number, figure.is_share) for number in (found.value, found.low, found.high))
            interval = "" if math.isnan(found.low) else f"{low} to {high}"
            made.append(
                Headline(
                    figure.title, value, interval, figure.meaning.format(kind=evaluation.kind, noun=noun, guess=guess)
                )
            )
    return made


def confusion_rows(confusion: np.ndarray, labels: Sequence[str]) -> list[tuple[str, list[tuple[int, str]]]]:
    """Each label with its counts, and a shade of each: 0 to 0.6, by the share of the row."""
    # The square root keeps rare confusions visible beside the diagonal; the ceiling keeps the numbers legible.
    shades = 0.6 * np.sqrt(confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1))
    rows = zip(labels, confusion.tolist(), shades.tolist(), strict=True)
    return [(label, [(n, f"{shade:.3f}") for n, shade in zip(*row, strict=True)]) for label, *row in rows]


def class_table(per_class: Sequence[ClassFigures]) -> ClassTable:
    """Precision, recall and F1 of each class; of many classes the hardest first, then the rest."""
    rows = list(enumerate(per_class, start=1))
    scored = [entry for _, entry in rows if entry.support > 0 and not math.isnan(entry.f1)]
    about = about_classes([(entry.label, entry.f1) for entry in scored])
    if len(rows) <= MANY_CLASSES:
        return ClassTable(about, rows, [])
    rows.sort(key=lambda row: math.inf if row[1].support == 0 or math.isnan(row[1].f1) else row[1].f1)
    return ClassTable(about, rows[:HARDEST], rows[HARDEST:])


def _digits(value: float, in_percent: bool) -> str:
    if in_percent:
        return f"{value:.2%}"
    return f"{value:.4f}" if abs(value) < 10 else f"{value:,.5g}" if abs(value) < 1e5 else f"{value:.4g}"
