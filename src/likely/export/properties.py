"""The metadata of an exported model: what it is, in texts by name, for `likely inspect` and for other programs."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from likely.model import file as model_file
from likely.model.card import Card
from likely.model.classifier_predictor import ClassifierPredictor
from likely.model.predictor import Predictor

FORMAT = "1"
_PRIVATE: dict[str, dict[str, Any]] = {
    "data": {"found_at": "", "notes": []},
    "training": {"command": "", "init_from": None},
}
"""Entries of the card that may name places, people or rows."""


def model_properties(predictor: Predictor, missing: Mapping[str, str], inputs: Mapping[str, str]) -> dict[str, str]:
    """The metadata as texts; all but the hash and the format are JSON.

    Args:
        predictor: the model.
        missing: why it lacks an output, by the name of the output.
        inputs: the column of the table by the name of the input.
    """
    card = predictor.card
    values: dict[str, Any] = {
        "labels": list(predictor.labels) if isinstance(predictor, ClassifierPredictor) else [],
        "events": {name: list(labels) for name, labels in card.events.items()},
        "conversion": card.conversion,
        "columns": dict(inputs),
        "missing": dict(missing),
        "card": public_card(card),
    }
    texts = {name: json.dumps(value, ensure_ascii=False) for name, value in values.items()}
    return {"likely_format": FORMAT, "model_sha256": model_hash(predictor), **texts}


def public_card(card: Card) -> dict[str, Any]:
    """The card as JSON values, without its private parts."""
    document = card.to_json()
    for entry, emptied in _PRIVATE.items():
        document[entry] |= emptied
    return document | {"hardware": {}}


def model_hash(predictor: Predictor) -> str:
    """The SHA-256 of the model file that the predictor saves."""
    return hashlib.sha256(model_file.as_bytes(predictor.arrays, predictor.card.to_json())).hexdigest()
