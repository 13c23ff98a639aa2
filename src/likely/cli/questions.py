"""What a command line asks: `--event footwear=Sandal,Sneaker,"Ankle boot"`, `--given`, `--coverage`, `--max-error`."""

import csv
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import typer

from likely.errors import DataError

if TYPE_CHECKING:
    from likely.model import ClassifierPredictor, RegressorPredictor
    from likely.probability.space import Event, SampleSpace

# "Hat, woolen"=0.3 is read as "Hat, woolen=0.3", which is what CSV can say.
_QUOTED_LABEL = re.compile(r"((?:^|,)\s*\"(?:[^\"]|\"\")*)\"(\s*=[^,\"]*)")


@dataclass(frozen=True)
class Questions:
    """Events to answer in addition to the labels, by name, and a condition."""

    events: "dict[str, Event]"
    given: "Event | None"


@dataclass(frozen=True)
class Promises:
    """The coverage of sets or intervals and the largest share of wrong answers; None where the model can't promise it.

    Whether they were asked for decides what a table shows. `missing` says why there is no answer, by its name.
    """

    coverage: float | None = None
    max_error: float | None = None
    coverage_was_asked: bool = False
    error_was_asked: bool = False
    missing: Mapping[str, str] = field(default_factory=dict)


def read_events(texts: Iterable[str]) -> dict[str, list[str]]:
    """The labels of each event by its name, in the texts of `--event`.

    Raises:
        typer.BadParameter: if a text is not NAME=LABEL,LABEL or repeats a name.

    Example:
        >>> read_events(['footwear=Sandal, "Ankle boot"'])
        {'footwear': ['Sandal', 'Ankle boot']}
    """
    named: dict[str, list[str]] = {}
    for text in texts:
        name, equals, labels = text.partition("=")
        name = name.strip()
        if not equals or not name:
            raise typer.BadParameter(
                f"{text!r} is not NAME=LABEL,LABEL, such as footwear=Sandal,Sneaker.", param_hint="--event"
            )
        if name in named:
            raise typer.BadParameter(f"The name {name!r} is given to two events.", param_hint="--event")
        named[name] = _labels(labels, "--event")
    return named


def read_numbers(text: str, option: str) -> dict[str, float]:
    """A number for each label in a text such as Shirt=0.3,Coat=0.7.

    Raises:
        typer.BadParameter: if the text is no such list, or names a label twice.

    Example:
        >>> read_numbers('Shirt=0.3, "Hat, woolen"=0.7', "--prior")
        {'Shirt': 0.3, 'Hat, woolen': 0.7}
    """
    pairs = [part.rpartition("=") for part in _labels(_QUOTED_LABEL.sub(r'\1\2"', text), option)]
    try:
        numbers = {label.strip(): float(number) for label, equals, number in pairs if equals}
    except ValueError:
        numbers = {}
    if len(numbers) < len(pairs):
        raise typer.BadParameter(
            f"{text!r} is not LABEL=NUMBER for different labels, such as Shirt=0.3,Coat=0.7.", param_hint=option
        )
    return numbers


def read_questions(
    space: "SampleSpace", events: Iterable[str], given: str | None, known: Mapping[str, Iterable[str]] = {}
) -> Questions:
    """The model's own events and those in the texts of `--event`, and the condition of `--given`.

    A BadParameter if a text is not NAME=LABEL,LABEL or repeats a name; an UnknownOutcomeError names the nearest label.
    """
    labels = {**known, **read_events(events)}
    named = {name: space.event(*outcomes) for name, outcomes in labels.items()}
    if given is None:
        return Questions(named, None)
    # The name of an event is a condition, too.
    return Questions(named, named[given] if given in named else space.event(*_labels(given, "--given")))


def read_promises(
    predictor: "ClassifierPredictor | RegressorPredictor", coverage: float | None, max_error: float | None
) -> Promises:
    """What was asked for, or else sets at 95% (intervals at 90%) and 1% wrong answers, if the model can promise them.

    A DataError or ConfigError if it cannot promise what was asked for.
    """
    from likely.model import ClassifierPredictor

    missing: dict[str, str] = {}
    abstention = None
    if isinstance(predictor, ClassifierPredictor):
        promised = _promised("set", predictor.check_coverage, coverage, 0.95, missing)
        abstention = _promised("abstained", predictor.check_error, max_error, 0.01, missing)
    else:
        promised = _promised("low", predictor.interval_quantile, coverage, 0.9, missing)
    if (why := predictor.no_familiarity or predictor.never_unfamiliar) is not None:
        missing["familiarity"] = str(why)
    return Promises(promised, abstention, coverage is not None, max_error is not None, missing)


def _promised(
    name: str, promise: "Callable[[float], object]", asked: float | None, usual: float, missing: dict[str, str]
) -> float | None:
    """What was asked for, or the default; None where the default cannot be promised: `missing` then says why."""
    try:
        promise(usual if asked is None else asked)
    except DataError as error:
        if asked is not None:
            raise
        missing[name] = str(error)
        return None
    return usual if asked is None else asked


def _labels(text: str, option: str) -> list[str]:
    """Labels between commas; one that contains a comma is in double quotes, as in CSV."""
    if "\n" in text or "\r" in text:
        raise typer.BadParameter("Labels must be on one line.", param_hint=option)
    try:
        [labels] = csv.reader([text.strip()], strict=True, skipinitialspace=True)
    except (csv.Error, ValueError):
        raise typer.BadParameter(
            f"{text!r} is not a list of labels. Put labels that contain a comma in double quotes.", param_hint=option
        ) from None
    labels = [label.strip() for label in labels]
    if not labels or not all(labels):
        raise typer.BadParameter(f"{text!r} must name labels, with commas between them.", param_hint=option)
    return labels
