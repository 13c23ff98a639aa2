"""Figures with their 95% intervals, and figures by class, as tables for people."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from likely.cli.terminal import padded, printable, width

if TYPE_CHECKING:
    from rich.text import Text

    from likely.metrics import Difference

_NAMES = {
    "accuracy": "accuracy",
    "nll": "NLL",
    "brier": "Brier score",
    "ece": "ECE (15 bins)",
    "ece_plugin": "  as counted",
    "ece_floor": "  if calibrated",
    "calibration_p": "  p-value of calibrated",
    "ece_mass": "ECE (equal mass)",
    "ece_classwise": "ECE (classwise)",
    "mse": "MSE",
    "mae": "MAE",
    "r2": "R²",
    "coverage": "interval coverage",
}
_SHARES = {"accuracy", "coverage", "precision", "recall", "f1", "frequency"}
_SHARES |= {"ece", "ece_plugin", "ece_floor", "ece_mass", "ece_classwise"}
_UNITS = {"nll": " nats"}


def figures_table(metrics: Mapping[str, Any]) -> "Text":
    """One line per figure: its name, value and interval."""
    rows = [["", f"n = {metrics['n']:,}", "95% interval"]]
    # A model file keeps the figures in alphabetical order; people want the most telling one first.
    order = list(_NAMES)
    for name, figure in sorted(
        metrics.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order)
    ):
        if isinstance(figure, dict) and "value" in figure:
            ends = [figure_text(name, figure[end]) for end in ("low", "high")]
            rows.append(
                [_NAMES.get(name, name), figure_text(name, figure["value"]) + _UNITS.get(name, ""), " to ".join(ends)]
            )
        elif name in _NAMES and not isinstance(figure, dict):
            rows.append([_NAMES[name], figure_text(name, figure), ""])
    return aligned(rows)


def without_seen(seen: Mapping[str, Any]) -> str:
    """The figures without the rows that the model was trained on, in a sentence.

    Example:
        >>> without_seen({"n": 2, "without": None})
        'The model was trained on all of these rows.'
    """
    figures = seen["without"]
    if figures is None:
        return "The model was trained on all of these rows."
    texts = [
        f"{_NAMES[name]} {figure_text(name, figure['value'])}{_UNITS.get(name, '')} "
        f"({figure_text(name, figure['low'])} to {figure_text(name, figure['high'])})"
        for name, figure in figures.items()
        if name != "n"
    ]
    return f"Without the {seen['n']:,} rows that the model was trained on: n = {figures['n']:,}, {', '.join(texts)}"


def promises_table(metrics: Mapping[str, Any]) -> "Text | None":
    """What the model promised and what came of it on these rows; None where it promises nothing."""
    rows = [["promise", "reached on these rows", "95% interval", ""]]

    def line(promise: str, share: Mapping[str, float | None], note: str) -> None:
        value, low, high = (figure_text("coverage", share[key]) for key in ("value", "low", "high"))
        rows.append([promise, value, f"{low} to {high}", note])

    for entry in metrics.get("sets", ()):
        line(f"sets hold the truth: {entry['coverage']:.1%}", entry["covered"], f"{entry['size']['value']:.2f} labels")
    for entry in metrics.get("abstention", ()):
        answered = f"{entry['answered']['value'] or 0:.1%} answered"
        line(f"error rate: at most {entry['max_error']:.0%}", entry["error"], answered)
    if "familiarity" in metrics:
        entry = metrics["familiarity"]
        line(f"false alarms: {entry['alarm']:.0%}", entry["rate"], "called unfamiliar")
    return aligned(rows) if len(rows) > 1 else None


def events_table(events: Mapping[str, Any]) -> "Text":
    """One line per named event: how often it happens, and how well its probability says so."""
    rows = [["event", "frequency", "NLL", "ECE", "95% interval", "p-value of calibrated"]]
    for name, entry in events.items():
        texts = [figure_text(key, entry[key]["value"]) for key in ("frequency", "nll", "ece")]
        ends = " to ".join(figure_text("ece", entry["ece"][end]) for end in ("low", "high"))
        # Figures of version 0.1.0, kept in a model file, have no p-value.
        rows.append([printable(name), *texts, ends, figure_text("calibration_p", entry.get("calibration_p"))])
    return aligned(rows, right=True)


def classes_table(per_class: Sequence[Mapping[str, Any]]) -> "Text":
    """One line per class: its label, precision, recall, F1 and number of rows; too few rows to tell get a star."""
    columns = ("precision", "recall", "f1")
    few = [bool(entry.get("too_few")) for entry in per_class]
    rows = [["label", "precision", "recall", "F1", "rows"]]
    for entry, star in zip(per_class, few, strict=True):
        shares = [figure_text(column, entry[column]) for column in columns]
        rows.append(
            [printable(entry["label"]), *shares, f"{entry['support']:,}{'*' if star else ' ' if any(few) else ''}"]
        )
    table = aligned(rows, right=True)
    return table.append("\n  * too few examples to tell", style="dim") if any(few) else table


def figure_text(name: str, value: float | None) -> str:
    """A figure as people read it: shares in percent, a figure that does not exist as a dash.

    Example:
        >>> figure_text("accuracy", 0.93), figure_text("nll", 0.19123), figure_text("ece", None)
        ('93.00%', '0.1912', '-')
    """
    if value is None:
        return "-"
    return f"{value:.2%}" if name in _SHARES else f"{value:.4g}"


def differences_table(differences: "Mapping[str, Difference]") -> "Text":
    """One line per figure of two models: both values, second - first, and the interval of that difference."""
    rows = [["", "first", "second", "second - first", "95% interval"]]
    for name, found in differences.items():
        values = [figure_text(name, _known(value)) for value in (found.first, found.second)]
        unit = " points" if name in _SHARES else _UNITS.get(name, "")
        change, *ends = [_signed(name, value) for value in (found.value, found.low, found.high)]
        rows.append([_NAMES[name], *values, change + unit, " to ".join(ends)])
    return aligned(rows)


def conclusions_table(differences: "Mapping[str, Difference]") -> "Text":
    """One sentence per figure: what may be concluded from it."""
    rows = [["by", "conclusion"], *([_NAMES[name], found.conclusion] for name, found in differences.items())]
    return aligned(rows)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _signed(name: str, value: float) -> str:
    if not math.isfinite(value):
        return "-"
    return f"{100 * value:+.2f}" if name in _SHARES else f"{value:+.4g}"


def aligned(rows: Sequence[Sequence[str]], *, right: bool = False) -> "Text":
    """Rows of cells in columns, the first row as a heading; `right` aligns all but the first column there."""
    from rich.text import Text

    columns = [max(width(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines: list[Text] = []
    for number, row in enumerate(rows):
        cells = [
            " " * (columns[i] - width(cell)) + cell if right and i else padded(cell, columns[i])
            for i, cell in enumerate(row)
        ]
        lines.append(Text("  " + "  ".join(cells).rstrip(), style="" if number else "dim"))
    return Text("\n").join(lines)
