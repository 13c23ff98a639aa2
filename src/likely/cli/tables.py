"""Figures with their 95% intervals, and figures by class, as tables for people."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from likely.cli.terminal import padded, printable, width

if TYPE_CHECKING:
    from rich.text import Text

_NAMES = {
    "accuracy": "accuracy",
    "nll": "NLL",
    "brier": "Brier score",
    "ece": "ECE (15 bins)",
    "mse": "MSE",
    "mae": "MAE",
    "r2": "R²",
    "coverage": "interval coverage",
}
_SHARES = {"accuracy", "ece", "coverage", "precision", "recall", "f1"}
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
    return aligned(rows)


def classes_table(per_class: Sequence[Mapping[str, Any]]) -> "Text":
    """One line per class: its label, precision, recall, F1 and number of rows."""
    columns = ("precision", "recall", "f1")
    rows = [["label", "precision", "recall", "F1", "rows"]]
    for entry in per_class:
        shares = [figure_text(column, entry[column]) for column in columns]
        rows.append([printable(entry["label"]), *shares, f"{entry['support']:,}"])
    return aligned(rows, right=True)


def figure_text(name: str, value: float | None) -> str:
    """A figure as people read it: shares in percent, a figure that does not exist as a dash.

    Example:
        >>> figure_text("accuracy", 0.93), figure_text("nll", 0.19123), figure_text("ece", None)
        ('93.00%', '0.1912', '-')
    """
    if value is None:
        return "-"
    return f"{value:.2%}" if name in _SHARES else f"{value:.4g}"


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
