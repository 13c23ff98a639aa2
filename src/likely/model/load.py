"""From a network that was trained, or a model file, to a predictor."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from likely.errors import ConfigError, ModelFileError
from likely.model import file as model_file
from likely.model.card import THETA, Card
from likely.model.classifier_predictor import ClassifierPredictor
from likely.model.expected_arrays import starting_with
from likely.model.held_out_arrays import RENAMED
from likely.model.regressor_predictor import RegressorPredictor
from likely.model.run_folder import MODEL, read_row_hashes
from likely.networks.custom import CUSTOM, CustomNetwork, name_of


def make_predictor(
    card: Card,
    theta: Mapping[str, np.ndarray],
    held_out: Mapping[str, np.ndarray],
    device: str = "auto",
    trained_on: np.ndarray | None = None,
    network: CustomNetwork | None = None,
) -> ClassifierPredictor | RegressorPredictor:
    """The predictor of a network that has just been trained, with what held-out rows tell about it."""
    arrays = {THETA + name: a for name, a in theta.items()}
    return _of_task(card)(card, {**arrays, **held_out}, device, trained_on=trained_on, network=network)


def load(path: str | Path, device: str = "auto", *, network: Any = None) -> ClassifierPredictor | RegressorPredictor:
    """The model in a file that `save` wrote; it answers with the numbers that it had when it was saved.

    Args:
        path: a `model.likely`, or a run folder that holds one.
        device: where a torch network computes: "auto", "cpu" or "cuda".
        network: the factory of a custom network, since code is never imported from a file.
    Raises:
        ModelFileError: if the file is damaged, foreign or from a newer version, or the factory is missing or makes
            another network; it says what differs. No code in a file is ever run.
        ConfigError: if `network` is no factory, or given for a model that needs none.
    """
    path = _model_path(path)
    stored, document = model_file.read(path)
    arrays = {RENAMED.get(name, name): array for name, array in stored.items()}
    card = Card.from_json(document, path)
    custom = None if network is None else CustomNetwork(network)
    if custom is not None and card.network.name != CUSTOM:
        raise ConfigError(
            f"network must be given for a model of a factory's network; got {name_of(network)!r} for {path}, whose "
            f"network is {card.network.name!r}. Try load without network."
        )
    try:
        return _of_task(card)(card, arrays, device, path, read_row_hashes(path.parent), custom)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        must = "describe a network that this version knows"
        if custom is not None:
            must = f"be loaded with the factory that made its network ({card.network.settings.get('factory')!r})"
        raise ModelFileError(f"{path} must {must}: {error}") from error


def read_card(path: str | Path) -> Card:
    """The card of a model file, without loading its weights."""
    path = _model_path(path)
    return Card.from_json(model_file.read_document(path), path)


_STATISTICS = (".running_mean", ".running_var", ".num_batches_tracked")


def parameter_shapes(path: str | Path) -> dict[str, tuple[int, ...]]:
    """The shape of each parameter by its name, as `freeze` and `init_from` know them, without loading any."""
    found = starting_with(THETA, model_file.read_shapes(_model_path(path)))
    return {name: shape for name, shape in found.items() if not name.endswith(_STATISTICS)}


def _model_path(path: str | Path) -> Path:
    path = Path(path)
    return path / MODEL if path.is_dir() and (path / MODEL).exists() else path


def _of_task(card: Card) -> type[ClassifierPredictor] | type[RegressorPredictor]:
    return ClassifierPredictor if card.task == "classification" else RegressorPredictor
