"""The figures of a model on rows that it was not trained on, as one typed value; docs/files.md explains each part.

JSON is made from it at the edge: `metrics.json`, `likely evaluate --json` and the card of a model hold `to_json()`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from likely.metrics import json_values
from likely.metrics.catalog import FIGURES, Figure
from likely.metrics.intervals import Estimate

_HOW = {
    "out-of-fold": "Each of these rows was answered by models that had not seen it, as the other folds chose and "
    "calibrated them. The model itself has learned from all rows: for it these figures are approximate, and usually a "
    "little pessimistic.",
    "held-out": "Each of these rows was held out from the training and the calibration of the model.",
}


@dataclass(frozen=True)
class ClassFigures:
    """The figures of one class with `support` rows, NaN where 0 is divided by 0; `too_few` of them say little."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int
    too_few: bool = False


@dataclass(frozen=True, kw_only=True)
class EventFigures:
    """The figures of one event's probability; `labels` are those that make up the event."""

    labels: tuple[str, ...] = ()
    n: int
    frequency: Estimate
    nll: Estimate
    brier: Estimate
    ece: Estimate
    ece_plugin: float | None = None
    ece_floor: Estimate
    calibration_p: float | None = None


@dataclass(frozen=True)
class RiskCurve:
    """The error among the answers over the share that is answered, one point per entry."""

    coverage: tuple[float, ...]
    error: tuple[float, ...]


@dataclass(frozen=True)
class Selective:
    """What answering only the most confident rows does: the area under the curve, and the error at shares answered."""

    aurc: float
    error_at: Mapping[float, float]
    curve: RiskCurve


@dataclass(frozen=True)
class Range:
    """Where a number may lie."""

    low: float
    high: float


@dataclass(frozen=True)
class EmptySets:
    """The share of sets that would have been empty and got the most probable label, and the coverage without it."""

    share: float
    covered: Estimate


@dataclass(frozen=True)
class SetFigures:
    """The figures of prediction sets at one coverage that was asked for, and where it is `expected` with 95%.

    `covered` is the share of sets that hold the truth, `size` their mean number of labels, `sizes` how many sets have
    0, 1, ... labels; `empty` is None in files of version 0.1.0.
    """

    coverage: float
    expected: Range
    covered: Estimate
    size: Estimate
    sizes: tuple[int, ...]
    empty: EmptySets | None = None


@dataclass(frozen=True)
class AbstentionFigures:
    """The figures of a bound on the error: the confidence from which rows are answered, the share of rows that are, and
    the error among these answers."""

    max_error: float
    threshold: float
    answered: Estimate
    error: Estimate


@dataclass(frozen=True)
class FalseAlarms:
    """The `rate` of rows that are called unfamiliar at the level `alarm`, which bounds it for familiar rows."""

    alarm: float
    rate: Estimate


@dataclass(frozen=True)
class Seen:
    """How many rows the model knew, and the headline figures `without` them; None if no others are left."""

    n: int
    without: "Evaluation | None"


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What an evaluation on `n` rows says, each figure with its 95% interval; what does not apply is None or empty.

    Of a classifier: the figures from `accuracy` to `ece_classwise`, those of each class (`per_class`), counts of true
    labels (down) and answers (across), and how its guarantees held. Of a regressor: the figures from `mse` to
    `coverage`, and how many answers lie outside the range of the training targets.

    `rows` says where there was no test part: each row was answered by models that had not seen its fold
    ("out-of-fold"), or was held out from the model ("held-out").

    Example:
        >>> found = Evaluation(n=100, accuracy=Estimate(0.9, 0.824, 0.951))
        >>> found.accuracy.value, found.to_json()
        (0.9, {'n': 100, 'accuracy': {'value': 0.9, 'low': 0.824, 'high': 0.951}})
        >>> Evaluation.from_json(found.to_json()) == found
        True
    """

    n: int
    accuracy: Estimate | None = None
    nll: Estimate | None = None
    brier: Estimate | None = None
    ece: Estimate | None = None
    ece_plugin: float | None = None
    ece_floor: Estimate | None = None
    calibration_p: float | None = None
    ece_mass: Estimate | None = None
    ece_classwise: Estimate | None = None
    mse: Estimate | None = None
    mae: Estimate | None = None
    r2: Estimate | None = None
    coverage: Estimate | None = None
    per_class: tuple[ClassFigures, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    selective: Selective | None = None
    sets: tuple[SetFigures, ...] = ()
    abstention: tuple[AbstentionFigures, ...] = ()
    familiarity: FalseAlarms | None = None
    events: Mapping[str, EventFigures] = field(default_factory=dict[str, EventFigures])
    outside_range: int | None = None
    seen: Seen | None = None
    rows: Literal["out-of-fold", "held-out"] | None = None

    @property
    def kind(self) -> str:
        """What its rows are: "test", "out-of-fold" or "held-out" ones."""
        return self.rows or "test"

    @property
    def how(self) -> str:
        """How its rows are new, in sentences, where they are not test rows."""
        return "" if self.rows is None else _HOW[self.rows]

    def figures(self) -> Iterator[tuple[Figure, Estimate | float]]:
        """The figures that there are, in the order of `likely.metrics.catalog.FIGURES`, as those describe them."""
        for name, figure in FIGURES.items():
            value: Estimate | float | None = getattr(self, name, None)
            if value is not None:
                yield figure, value

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, as `metrics.json` holds them; NaN becomes null."""
        return json_values.to_json(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave, in this version or an earlier one; entries that are not known are passed over."""
        return json_values.from_json(cls, document)
