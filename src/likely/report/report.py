"""The report of a run: one HTML file that explains itself, loads nothing and runs no script.

`statements.py` says in a sentence what the numbers mean, `html_tables.py` and `plots.py` show them, `examples.py`
picks the test rows to look at, `origin.py` tells how the model was made, and `template.html` sets the page. Every text
that comes from data passes through the escaping of the template or of an XML writer.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup

from likely import metrics
from likely.metrics.numerals import counted, resolved
from likely.report import examples, html_tables, origin, plots, statements
from likely.report.disagreement_section import disagreement_section
from likely.report.page import template
from likely.report.promise_sections import promise_sections
from likely.report.report_data import ReportData

N_EXAMPLES = 24
N_PAIRS = 10
N_ERRORS = 20
TABLE_CLASSES = 20
"""Up to so many classes the confusion matrix is a table of numbers; above, an image."""

_HOW_TRAINING = "Line: training loss, averaged over short stretches; band: its range."
_HOW_BOTH = (
    "Solid line: training loss, averaged over short stretches; band: its range. Dashed with dots: loss on rows held "
    "out from training. The two are comparable only if training does not augment its inputs or smooth its labels."
)
_HOW_ACCURACY = "Share of rows held out from training that were named correctly while training went on."
_HOW_ERRORS = "Mean squared error on rows held out from training while it went on."


def render(data: ReportData) -> str:
    """The report as HTML text; the same data give the same text."""
    parts = _regression(data) if data.is_regression else _classification(data)
    return template("template.html").render(
        title=data.title,
        noun=data.noun,
        which=data.kind,
        n=len(data.y),
        is_regression=data.is_regression,
        later=origin.later_rows(data.card, data.noun),
        headlines=html_tables.headlines(data.evaluation, len(data.labels), data.noun),
        byline=origin.byline(data.card),
        calibration=origin.calibration(data.card),
        curves=_curves(data.history),
        no_curves=_no_curves(data),
        origin=origin.groups(data.card),
        command=data.card.training.command,
        why=data.why,
        how_why=data.how_why,
        **parts,
    )


def _classification(data: ReportData) -> dict[str, object]:
    labels, y, probs, noun = data.labels, data.y.astype(np.int64), data.probs, data.noun
    doubt = statements.entropies(probs)
    bins = statements.make_bins(metrics.reliability_bins(probs, y))
    about_bins = statements.about_reliability(bins, noun)
    confusion = metrics.confusion_matrix(probs, y)
    n, right = len(y), int((probs.argmax(axis=1) == y).sum())
    return {
        "lead": _lead(data, f"Of {counted(n, f'{data.kind} {noun}')}", f"it named {right:,} correctly."),
        "bins": bins,
        "about_bins": about_bins,
        "reliability": Markup(plots.reliability_diagram(bins, noun, f"Reliability diagram. {about_bins}")),
        "confusion": _confusion(confusion, labels, noun),
        "pairs": [
            {"truth": labels[i], "answer": labels[j], "times": times, "of": of}
            for i, j, times, of in statements.confused_pairs(confusion, N_PAIRS)
        ],
        "wrong": [examples.make_card(data, i) for i in examples.most_confidently_wrong(y, probs, N_EXAMPLES)],
        "about_wrong": statements.about_wrong(y, probs, noun),
        "unsure": [examples.make_card(data, i) for i in examples.least_certain(doubt, N_EXAMPLES)],
        "about_unsure": statements.about_uncertain(y, probs, doubt, noun),
        "classes": html_tables.class_table(data.evaluation.per_class),
        "about_floor": statements.about_floor(data.evaluation, noun),
        "sections": [*promise_sections(data), *disagreement_section(data), *data.importance],
    }


def _lead(data: ReportData, rows: str, outcome: str) -> str:
    """The first sentence, which does not call rows unseen that were seen."""
    known = data.evaluation.how or statements.about_seen(data.evaluation.seen, data.noun)
    unseen = "" if known else f" that {'the model' if outcome else 'it'} had never seen"
    return f"{rows}{unseen}{f', {outcome}' if outcome else '.'} {known}".rstrip()


def _regression(data: ReportData) -> dict[str, object]:
    y, predicted = data.y.astype(np.float64), data.probs[:, 0].astype(np.float64)
    residuals = predicted - y
    about_fit, about_residuals = statements.about_fit(y, predicted), statements.about_residuals(y, predicted)
    largest = np.argsort(-np.abs(residuals), kind="stable")[:N_ERRORS]
    spread = float(y.std())
    return {
        "lead": _lead(data, f"The model was evaluated on {counted(len(y), f'{data.kind} {data.noun}')}", ""),
        "about_fit": about_fit,
        "scatter": Markup(plots.prediction_scatter(y, predicted, f"Predicted against true values. {about_fit}")),
        "about_residuals": about_residuals,
        "sections": data.importance,
        "residuals": Markup(plots.residual_histogram(residuals, f"Histogram of the errors. {about_residuals}")),
        "errors": [
            {
                "name": data.name(i),
                "truth": resolved(float(y[i]), spread),
                "predicted": resolved(float(predicted[i]), spread),
                "error": f"{residuals[i]:+.4g}",
            }
            for i in largest
        ],
    }


def _curves(history: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """Each figure of learning with its sentence and how to read it; none of a single record."""
    if len(history) < 2:
        return []
    training = statements.curve(history, "loss")
    held_out, accuracy = (statements.curve(history, "held_out", key) for key in ("nll", "accuracy"))
    errors = statements.curve(history, "held_out", "mse")
    panels: list[tuple[str, str, str]] = []
    if errors:
        # Training standardizes the targets, so that the two losses have different units and no common axis.
        about = statements.about_loss([], errors)
        panels.append((about, plots.loss_curve([], errors, f"Learning curve. {about}", "errors"), _HOW_ERRORS))
    if training or held_out:
        about = statements.about_loss(training, held_out)
        how = _HOW_BOTH if held_out else _HOW_TRAINING
        panels.append((about, plots.loss_curve(training, held_out, f"Learning curve. {about}"), how))
    if accuracy:
        about = statements.about_accuracy(accuracy)
        panels.append((about, plots.accuracy_curve(accuracy, f"Held-out accuracy. {about}"), _HOW_ACCURACY))
    return [{"about": about, "figure": Markup(svg), "how": how} for about, svg, how in panels]


def _no_curves(data: ReportData) -> str:
    why = data.card.network.settings.get("why")
    if isinstance(why, str):  # of a mixture
        return f"The mean of several models answers; each was trained by itself. {why}."
    return "No record of the training came with this model."


def _confusion(confusion: np.ndarray, labels: Sequence[str], noun: str) -> dict[str, object]:
    about = statements.about_confusion(confusion, labels, noun)
    if len(labels) <= TABLE_CLASSES:
        return {"about": about, "rows": html_tables.confusion_rows(confusion, labels), "image": "", "together": 1}
    svg, together = plots.confusion_image(confusion, f"Confusion matrix of {len(labels)} classes. {about}")
    return {"about": about, "rows": None, "image": Markup(svg), "together": together}
