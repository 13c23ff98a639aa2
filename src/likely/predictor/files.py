"""From a network that was trained, or a model file, to a predictor."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from likely import storage
from likely.card import Card
from likely.errors import ModelFileError
from likely.predictor.arrays import THETA
from likely.predictor.classifier import ClassifierPredictor
from likely.predictor.regressor import RegressorPredictor
from likely.runs import MODEL, read_row_hashes


def make_predictor(
    card: Card,
    theta: Mapping[str, np.ndarray],
    held_out: Mapping[str, np.ndarray],
    device: str = "auto",
    trained_on: np.ndarray | None = None,
) -> ClassifierPredictor | RegressorPredictor:
    """The predictor of a network that has just been trained, with what held-out rows say of it."""
    arrays = {THETA + name: a for name, a in theta.items()}
    return _of_task(card)(card, {**arrays, **held_out}, device, trained_on=trained_on)


def load(path: str | Path, device: str = "auto") -> ClassifierPredictor | RegressorPredictor:
    """The model in a file that `save` wrote; it answers with the numbers that it had when it was saved.

    Args:
        path: a `model.likely`, or a run folder that holds one.
        device: where a torch network computes: "auto", "cpu" or "cuda".
    Raises:
        ModelFileError: if the file is damaged, foreign or from a newer version. No code in it is ever run.
    """
    path = _model_path(path)
    arrays, document = storage.read(path)
    card = Card.from_json(document, path)
    try:
        return _of_task(card)(card, arrays, device, path, read_row_hashes(path.parent))
    except (ValueError, TypeError, KeyError) as error:
        raise ModelFileError(f"{path} must describe a network that this version knows: {error}") from error


def read_card(path: str | Path) -> Card:
    """The card of a model file, without loading its weights."""
    path = _model_path(path)
    return Card.from_json(storage.read_document(path), path)


def _model_path(path: str | Path) -> Path:
    path = Path(path)
    return path / MODEL if path.is_dir() and (path / MODEL).exists() else path


def _of_task(card: Card) -> type[ClassifierPredictor] | type[RegressorPredictor]:
    return ClassifierPredictor if card.task == "classification" else RegressorPredictor
