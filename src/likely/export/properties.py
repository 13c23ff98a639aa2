"""The metadata of an exported model: what it is, in texts by name, for `likely inspect` and for other programs."""

import base64
import hashlib
import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from likely.data.unpack_budget import refuse_bombs
from likely.export.error_table import error_thresholds
from likely.export.names import ABSTAINED
from likely.model import file as model_file
from likely.model.card import Card
from likely.model.classifier_predictor import ClassifierPredictor
from likely.model.held_out_arrays import ERRORS, LABELS, LOG_PROBS, RESIDUALS, THRESHOLDS, UNSEEN
from likely.model.predictor import Predictor
from likely.model.stand_ins import NAMES as STAND_INS

FORMAT = "1"
ERROR_THRESHOLDS = "error_thresholds"
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
    promised = (LOG_PROBS, LABELS, UNSEEN, THRESHOLDS, RESIDUALS, *STAND_INS)
    arrays = {name: a for name, a in predictor.arrays.items() if name in promised or name.startswith(ERRORS)}
    if isinstance(predictor, ClassifierPredictor) and ABSTAINED not in missing:
        thresholds = error_thresholds(predictor.held_out_for_errors())
        assert thresholds is not None
        arrays[ERROR_THRESHOLDS] = thresholds
    texts = {name: json.dumps(value, ensure_ascii=False) for name, value in values.items()}
    own = {"likely_format": FORMAT, "model_sha256": model_hash(predictor), "arrays": packed_arrays(arrays)}
    return {**own, "familiar_rows": str(predictor.familiar_rows), **texts}


def packed_arrays(arrays: Mapping[str, np.ndarray]) -> str:
    """Arrays by name as a text.

    Example:
        >>> unpacked_arrays(packed_arrays({"x": np.arange(3)}))
        {'x': array([0, 1, 2])}
    """
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return base64.b64encode(buffer.getvalue()).decode()


def unpacked_arrays(text: str) -> dict[str, np.ndarray]:
    """The arrays that `packed_arrays` made a text of; a ValueError where they would take much more room than it."""
    packed = base64.b64decode(text)
    with np.load(io.BytesIO(packed), allow_pickle=False) as stored:
        refuse_bombs(stored.zip, len(packed))
        return {name: stored[name] for name in stored.files}


def public_card(card: Card) -> dict[str, Any]:
    """The card as JSON values, without its private parts."""
    document = card.to_json()
    for entry, emptied in _PRIVATE.items():
        document[entry] |= emptied
    return document | {"hardware": {}}


def model_hash(predictor: Predictor) -> str:
    """The SHA-256 of the model file that the predictor saves."""
    return hashlib.sha256(model_file.as_bytes(predictor.arrays, predictor.card.to_json())).hexdigest()
