"""The parts of the report that are tables of numbers: headline figures, confusion matrix, classes."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from likely.report.statements import about_classes, printable

MANY_CLASSES = 60
"""Above so many classes the per-class table shows the hardest only, and the rest when asked."""

HARDEST = 24

# name in the metrics: (name on the page, in percent?, what it means)
_HEADLINES: dict[str, tuple[str, bool, str]] = {
    "accuracy": ("Accuracy", True, "share of test {noun}s named correctly"),
    "nll": ("Log loss (NLL)", False, "nats per {noun}; 0 is perfect, {guess} is guessing"),
    "brier": ("Brier score", False, "squared distance of the probabilities from the truth; 0 is perfect"),
    "ece": ("Calibration error (ECE)", True, "mean gap between confidence and accuracy, debiased; 0 is perfect"),
    "mse": ("Mean squared error (MSE)", False, "in squared units of the target; 0 is perfect"),
    "mae": ("Mean absolute error (MAE)", False, "in units of the target; 0 is perfect"),
    "r2": ("R²", False, "1 is perfect, 0 is no better than the mean"),
    "coverage": ("Interval coverage", True, "share of true values inside their interval"),
}
# What the ECE is compared with is no headline of its own, and promises have sections.
_BESIDE = ("seen", "ece_floor", "ece_mass", "ece_classwise", "familiarity", "selective", "events")


def headlines(metrics: Mapping[str, Any], n_classes: int, noun: str) -> list[dict[str, str]]:
    """The known figures first, then any other that has a value and an interval."""
    known = [name for name in _HEADLINES if name in metrics]
    others = [n for n in metrics if n not in (*_HEADLINES, *_BESIDE) and isinstance(metrics[n], Mapping)]
    guess = f"{math.log(n_classes):.3f}" if n_classes else ""
    shown: list[dict[str, str]] = []
    for name in known + others:
        value, low, high = _interval(metrics[name])
        if value is None:
            continue
        label, in_percent, meaning = _HEADLINES.get(name, (printable(name), False, ""))
        interval = "" if low is None or high is None else f"{_digits(low, in_percent)} to {_digits(high, in_percent)}"
        meaning = meaning.format(noun=noun, guess=guess)
        shown.append({"label": label, "value": _digits(value, in_percent), "interval": interval, "meaning": meaning})
    return shown


def confusion_rows(confusion: np.ndarray, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Counts with a shade each: 0 to 0.6, by the share of the row."""
    rows: list[dict[str, Any]] = []
    for label, counts in zip(labels, confusion, strict=True):
        total = max(int(counts.sum()), 1)
        # The square root keeps rare confusions visible beside the diagonal; the ceiling keeps the numbers legible.
        cells = [{"count": int(c), "shade": f"{0.6 * math.sqrt(c / total):.3f}"} for c in counts]
        rows.append({"label": label, "cells": cells})
    return rows


def class_rows(per_class: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Precision, recall and F1 of each class; of many classes the hardest first, the rest apart."""
    rows: list[dict[str, Any]] = []
    scored: list[tuple[str, float]] = []
    for number, entry in enumerate(per_class, start=1):
        values = {key: _interval(entry.get(key))[0] for key in ("precision", "recall", "f1")}
        label, support, f1 = printable(entry.get("label", number)), int(entry.get("support") or 0), values["f1"]
        defined = f1 is not None and support > 0
        if f1 is not None and defined:
            scored.append((label, f1))
        row: dict[str, Any] = {"number": number, "label": label, "support": support}
        row |= {key: "–" if value is None else f"{value:.3f}" for key, value in values.items()}
        rows.append(row | {"order": f1 if defined else math.inf, "bar": f"{100 * (f1 or 0):.1f}"})
    about = about_classes(scored)
    if len(rows) <= MANY_CLASSES:
        return {"about": about, "rows": rows, "rest": []}
    rows.sort(key=lambda row: row["order"])
    return {"about": about, "rows": rows[:HARDEST], "rest": rows[HARDEST:]}


def _interval(entry: Any) -> tuple[float | None, float | None, float | None]:
    if isinstance(entry, Mapping):
        return _number(entry.get("value")), _number(entry.get("low")), _number(entry.get("high"))
    return _number(entry), None, None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float | np.number) and math.isfinite(value) else None


def _digits(value: float, in_percent: bool) -> str:
    if in_percent:
        return f"{value:.2%}"
    return f"{value:.4f}" if abs(value) < 10 else f"{value:,.5g}" if abs(value) < 1e5 else f"{value:.4g}"
