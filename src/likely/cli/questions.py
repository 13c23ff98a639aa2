"""Which events a command line asks about: `--event footwear=Sandal,Sneaker,"Ankle boot"` and `--given`."""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from likely.probability.space import Event, SampleSpace

_QUOTED_START = re.compile(r"(^|,)\s*\"")


@dataclass(frozen=True)
class Questions:
    """Events to answer beside the labels, by name, and a condition."""

    events: "dict[str, Event]"
    given: "Event | None"


def read_questions(space: "SampleSpace", events: Iterable[str], given: str | None) -> Questions:
    """The events in the texts of `--event` and `--given`.

    Raises:
        typer.BadParameter: if a text is not NAME=LABEL,LABEL or repeats a name.
        UnknownOutcomeError: if a label is not the model's; the nearest one is named.
    """
    named: dict[str, Event] = {}
    for text in events:
        name, equals, labels = text.partition("=")
        name = name.strip()
        if not equals or not name:
            raise typer.BadParameter(
                f"{text!r} is not NAME=LABEL,LABEL, such as footwear=Sandal,Sneaker.", param_hint="--event"
            )
        if name in named:
            raise typer.BadParameter(f"The name {name!r} stands for two events.", param_hint="--event")
        named[name] = space.event(*_labels(labels, "--event"))
    return Questions(named, None if given is None else space.event(*_labels(given, "--given")))


def _labels(text: str, option: str) -> list[str]:
    """Labels between commas; one that holds a comma stands in double quotes, as in CSV."""
    if "\n" in text or "\r" in text:
        raise typer.BadParameter("Labels must stand on one line.", param_hint=option)
    try:
        [labels] = csv.reader([_QUOTED_START.sub(r'\1"', text)], strict=True)
    except (csv.Error, ValueError):
        raise typer.BadParameter(
            f"{text!r} is not a list of labels. Those with a comma stand in double quotes.", param_hint=option
        ) from None
    labels = [label.strip() for label in labels]
    if not labels or not all(labels):
        raise typer.BadParameter(f"{text!r} must name labels, with commas between them.", param_hint=option)
    return labels
