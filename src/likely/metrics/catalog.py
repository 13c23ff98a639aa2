"""The one table of figures: what each is called, how it is written, and which way is better.

The terminal, the report, the card and comparisons all read it; the names are those of `Evaluation` and of JSON.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from likely.metrics.intervals import Estimate


@dataclass(frozen=True)
class Figure:
    """A figure as people meet it.

    Args:
        name: in `Evaluation` and in JSON.
        label: in tables.
        share: whether it is a share, written in percent.
        unit: what stands behind the number.
        higher_is_better: of two models; False where lower is better.
        title: as a headline of the report and the card; empty where it is none.
        meaning: what a headline says: {noun} is what one row is called, {guess} the log loss of guessing.
    """

    name: str
    label: str
    share: bool = False
    unit: str = ""
    higher_is_better: bool = False
    title: str = ""
    meaning: str = ""

    def text(self, value: float) -> str:
        """The number as people read it; a dash where it does not exist.

        Example:
            >>> FIGURES["accuracy"].text(0.93), FIGURES["nll"].text(0.19123), FIGURES["ece"].text(float("nan"))
            ('93.00%', '0.1912', '-')
        """
        return "-" if value != value else f"{value:.2%}" if self.share else f"{value:.4g}"

    def interval(self, figure: Estimate) -> str:
        """The ends of the interval: "0.1 to 0.2"."""
        return f"{self.text(figure.low)} to {self.text(figure.high)}"


def _table(*figures: Figure) -> Mapping[str, Figure]:
    return {figure.name: figure for figure in figures}


FIGURES = _table(
    Figure(
        "accuracy",
        "accuracy",
        share=True,
        higher_is_better=True,
        title="Accuracy",
        meaning="share of test {noun}s named correctly",
    ),
    Figure(
        "nll",
        "NLL",
        unit=" nats",
        title="Log loss (NLL)",
        meaning="nats per {noun}; 0 is perfect, {guess} is guessing",
    ),
    Figure(
        "brier",
        "Brier score",
        title="Brier score",
        meaning="squared distance of the probabilities from the truth; 0 is perfect",
    ),
    Figure(
        "ece",
        "ECE (15 bins)",
        share=True,
        title="Calibration error (ECE)",
        meaning="mean gap between confidence and accuracy, debiased; 0 is perfect",
    ),
    Figure("ece_plugin", "  as counted", share=True),
    Figure("ece_floor", "  if calibrated", share=True),
    Figure("calibration_p", "  p-value of calibrated", higher_is_better=True),
    Figure("ece_mass", "ECE (equal mass)", share=True),
    Figure("ece_classwise", "ECE (classwise)", share=True),
    Figure(
        "mse",
        "MSE",
        title="Mean squared error (MSE)",
        meaning="in squared units of the target; 0 is perfect",
    ),
    Figure("mae", "MAE", title="Mean absolute error (MAE)", meaning="in units of the target; 0 is perfect"),
    Figure("r2", "R²", higher_is_better=True, title="R²", meaning="1 is perfect, 0 is no better than the mean"),
    Figure(
        "coverage",
        "interval coverage",
        share=True,
        title="Interval coverage",
        meaning="share of true values inside their interval",
        higher_is_better=True,
    ),
    Figure("frequency", "frequency", share=True),
    Figure("precision", "precision", share=True, higher_is_better=True),
    Figure("recall", "recall", share=True, higher_is_better=True),
    Figure("f1", "F1", share=True, higher_is_better=True),
)
