"""The one table of figures: what each is called, how it is written, and which way is better.

The terminal, the report, the card and comparisons all read it; the names are those of `Evaluation` and of JSON.
"""

from dataclasses import dataclass
from typing import Literal

from likely.metrics.intervals import Estimate


@dataclass(frozen=True)
class Figure:
    """A figure as people meet it.

    Its name is that in `Evaluation` and in JSON, its label that in tables; shares ("%") are written in percent. A title
    is a headline of the report and the card, where `meaning` says what it tells: {kind} {noun} is what one row is
    called, {guess} the log loss of guessing.
    """

    name: str
    label: str
    unit: Literal["", "%", "nats"] = ""
    better: Literal["lower", "higher"] = "lower"
    title: str = ""
    meaning: str = ""

    @property
    def is_share(self) -> bool:
        """Whether it is written in percent."""
        return self.unit == "%"

    def text(self, value: float) -> str:
        """The number as people read it; a dash where it does not exist.

        Example:
            >>> FIGURES["accuracy"].text(0.93), FIGURES["nll"].text(0.19123), FIGURES["ece"].text(float("nan"))
            ('93.00%', '0.1912', '-')
        """
        return "-" if value != value else f"{value:.2%}" if self.is_share else f"{value:.4g}"

    def with_unit(self, value: float) -> str:
        """The same with its unit: "0.1912 nats"."""
        return self.text(value) if self.is_share else f"{self.text(value)} {self.unit}".rstrip()

    def interval(self, figure: Estimate) -> str:
        """The ends of the interval: "0.1 to 0.2"."""
        return f"{self.text(figure.low)} to {self.text(figure.high)}"


_BRIER = "squared distance of the probabilities from the truth; 0 is perfect"
_COVERAGE = "share of true values inside their interval"
_ECE = "mean gap between confidence and accuracy, debiased; 0 is perfect"
_ALL = (
    Figure("accuracy", "accuracy", "%", "higher", "Accuracy", "share of {kind} {noun}s named correctly"),
    Figure("nll", "NLL", "nats", "lower", "Log loss (NLL)", "nats per {noun}; 0 is perfect, {guess} is guessing"),
    Figure("brier", "Brier score", "", "lower", "Brier score", _BRIER),
    Figure("ece", "ECE (15 bins)", "%", "lower", "Calibration error (ECE)", _ECE),
    Figure("ece_plugin", "  as counted", "%"),
    Figure("ece_floor", "  if calibrated", "%"),
    Figure("calibration_p", "  p-value of calibrated", better="higher"),
    Figure("ece_mass", "ECE (equal mass)", "%"),
    Figure("ece_classwise", "ECE (classwise)", "%"),
    Figure("mse", "MSE", "", "lower", "Mean squared error (MSE)", "in squared units of the target; 0 is perfect"),
    Figure("mae", "MAE", "", "lower", "Mean absolute error (MAE)", "in units of the target; 0 is perfect"),
    Figure("r2", "R²", "", "higher", "R²", "1 is perfect, 0 is no better than the mean"),
    Figure("coverage", "interval coverage", "%", "higher", "Interval coverage", _COVERAGE),
    Figure("frequency", "frequency", "%"),
    Figure("precision", "precision", "%", "higher"),
    Figure("recall", "recall", "%", "higher"),
    Figure("f1", "F1", "%", "higher"),
)
FIGURES = {figure.name: figure for figure in _ALL}
