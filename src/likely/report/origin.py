"""How a model came about, for people, from its card; what does not apply is left out."""

import json

from likely.metrics.numerals import counted
from likely.model.card import Card

_GROUPS = ("data", "splits", "training", "versions", "hardware")
_MODEL = ("task", "head", "loss", "temperature", "biases", "created")


def byline(card: Card) -> str:
    """Network, size, version and day in one line."""
    version = card.versions.get("likely")
    made_by = f"likely {version}" if version else ""
    parts = (f"network {card.network.name}", f"{card.network.parameters:,} parameters", made_by, card.created[:10])
    return " · ".join(filter(None, parts))


def calibration(card: Card) -> tuple[bool, str]:
    """Whether the probabilities were calibrated, and a sentence about it; none for a regression."""
    if card.task == "regression":
        return True, ""
    if card.temperature is None:
        return False, "The probabilities are not calibrated: too few rows could be held out."
    biases = " and a bias per class" if card.biases else ""
    rows = card.splits.calibration
    held_out = f", fitted on {counted(rows, 'held-out row')}" if rows else ""
    return True, f"Its probabilities were calibrated by a temperature of {card.temperature:.3f}{biases}{held_out}."


def later_rows(card: Card, noun: str) -> str:
    """What to know of test rows that are the latest of all; nothing where they are not."""
    column = card.data.test_last
    if column is None:
        return ""
    return (
        f"The test {noun}s are the latest by column {column!r}, not random ones. What is guaranteed below "
        f"(prediction sets, error bounds, familiarity, intervals) assumes that new {noun}s are like the held-out ones, "
        f"drawn at random from earlier {noun}s: the figures here show how well that held on these later {noun}s, and "
        "guarantee nothing about even later ones."
    )


def groups(card: Card) -> list[tuple[str, list[tuple[str, str]]]]:
    """Every entry that tells how the model was made, as groups of names and values, without the command."""
    document = card.to_json()
    sources = {"Model": document["network"] | {name: document[name] for name in _MODEL}}
    sources |= {name.capitalize(): document[name] for name in _GROUPS}
    found: list[tuple[str, list[tuple[str, str]]]] = []
    for name, entries in sources.items():
        rows = [
            (key.replace("_", " "), _text(key, value))
            for key, value in entries.items()
            if value not in (None, "", [], {}) and key != "command"
        ]
        if rows:
            found.append((name, rows))
    return found


def _text(key: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, int) and key != "seed":
        return f"{value:,}"
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "; ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
