"""How a model came about, for people, from its card; what the card lacks is left out."""

import json
from collections.abc import Mapping
from typing import Any

from likely.report.statements import printable, several

_GROUPS = ("data", "splits", "training", "versions", "hardware")
_MODEL = ("task", "head", "loss", "engine", "temperature", "biases", "created")


def at(card: Mapping[str, Any], *path: str) -> Any:
    """The entry at a path of keys, or None if there is none.

    Example:
        >>> at({"training": {"seed": 3}}, "training", "seed"), at({}, "training", "seed")
        (3, None)
    """
    value: Any = card
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def byline(card: Mapping[str, Any]) -> str:
    """Network, size, version and day in one line."""
    network, parameters = at(card, "network", "name"), at(card, "network", "parameters")
    version = at(card, "versions", "likely")
    parts = [
        f"network {network}" if network else "",
        f"{parameters:,} parameters" if isinstance(parameters, int) else "",
        f"likely {version}" if version else "",
        str(card.get("created") or "")[:10],
    ]
    return printable(" · ".join(part for part in parts if part))


def calibration(card: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether the probabilities were calibrated, and a sentence about it; no sentence if the card does not say."""
    temperature = card.get("temperature")
    if card.get("task") == "regression" or not {"temperature", "calibrated"} & set(card):
        return True, ""
    if not card.get("calibrated", temperature is not None):
        return False, "The probabilities are not calibrated: too few rows could be held out for it."
    fitted = f" by a temperature of {temperature:.3f}" if isinstance(temperature, int | float) else ""
    fitted += " and a bias per class" if fitted and card.get("biases") else ""
    rows = at(card, "splits", "calibration")
    held_out = f", fitted on {several(rows, 'held-out row')}" if isinstance(rows, int) and rows else ""
    return True, f"Its probabilities were calibrated{fitted}{held_out}."


def later_rows(card: Mapping[str, Any], noun: str) -> str:
    """What to know of test rows that are the latest of all; nothing where they are not.

    Example:
        >>> later_rows({"data": {"test_last": "day"}}, "row")[:52]
        "The test rows are the latest by column 'day', not ra"
    """
    column = at(card, "data", "test_last")
    if not isinstance(column, str):
        return ""
    return (
        f"The test {noun}s are the latest by column {printable(column)!r}, not random ones. What is guaranteed below "
        f"(prediction sets, error bounds, familiarity, intervals) assumes that new {noun}s are like the held-out ones, "
        f"drawn at random from earlier {noun}s: the figures here show how far it holds of later {noun}s, and promise "
        "nothing of those still to come."
    )


def groups(card: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Every entry that tells how the model was made, as groups of names and values; the command stands apart."""
    network = card.get("network")
    model = dict(network) if isinstance(network, Mapping) else {}
    sources: dict[str, Any] = {"Model": model | {key: card.get(key) for key in _MODEL}}
    sources |= {name.capitalize(): card.get(name) for name in _GROUPS}
    found: list[tuple[str, list[tuple[str, str]]]] = []
    for name, entries in sources.items():
        rows = [
            (printable(key).replace("_", " "), printable(_text(key, value)))
            for key, value in (entries.items() if isinstance(entries, Mapping) else ())
            if value not in (None, "", [], {}, ()) and key != "command"
        ]
        if rows:
            found.append((name, rows))
    return found


def _text(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, int) and key != "seed":
        return f"{value:,}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
