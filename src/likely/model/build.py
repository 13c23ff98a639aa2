"""From a card and arrays to the network that they describe, ready to answer."""

from collections.abc import Mapping
from functools import partial

import numpy as np

from likely.engines import create_engine
from likely.engines.protocol import Optimizer
from likely.errors import ModelFileError
from likely.model.card import BACKBONE, SKETCH, THETA, Card
from likely.model.file import expect_arrays
from likely.model.held_out_arrays import ERRORS, FAMILIARITY, HELD_OUT
from likely.model.inference import Inference
from likely.model.stand_ins import NAMES as STAND_INS
from likely.model.transfer import differences
from likely.networks import create_network
from likely.networks.custom import CUSTOM, CustomNetwork
from likely.networks.network import Network
from likely.networks.trees import Trees
from likely.preprocessing.preprocessor import Preprocessor


def build_inference(
    where: str,
    card: Card,
    arrays: Mapping[str, np.ndarray],
    preprocessor: Preprocessor,
    device: str = "auto",
    custom: CustomNetwork | None = None,
) -> Inference:
    """The way from stored rows to scores, by the network that the card describes with the parameters in the arrays.

    Raises:
        ModelFileError: if the arrays do not fit the network, or it is a user-supplied one whose factory is missing.
    """
    if custom is None and card.network.name == CUSTOM:
        raise ModelFileError(
            f"{where} must be loaded with the factory that made its network; got none (the file says it was named "
            f"{card.network.settings.get('factory')!r}). Code is never imported from a file. Try likely.load(path, "
            "network=factory)."
        )
    network = custom or create_network(card.network.name, card.network.settings)
    theta = {name.removeprefix(THETA): a for name, a in arrays.items() if name.startswith(THETA)}
    if isinstance(network, Trees):
        _check_parameters(where, card, arrays, theta, network.shapes, network.kinds)
        network.check(theta)
        forward, scores = partial(network.apply_with_features, theta), partial(network.apply, theta)
    elif isinstance(network, Network):
        _check_parameters(where, card, arrays, theta, network.shapes)
        forward, scores = partial(network.apply_with_features, theta), partial(network.apply, theta)
    else:
        engine = create_engine(
            "torch",
            network,
            n_outputs=card.network.outputs,
            head=card.head,
            loss=card.loss,
            optimizer=Optimizer(),
            sample=np.zeros((2, *preprocessor.output_shape), np.float32),
            seed=0,
            dtype=card.training.dtype,
            device=device,
        )
        state = engine.state()
        kinds = {THETA + name: a.dtype.kind for name, a in state.items()}
        _check_parameters(where, card, arrays, theta, {name: a.shape for name, a in state.items()}, kinds)
        engine.load_state(theta)
        forward, scores = engine.forward, engine.scores
    return Inference(preprocessor, forward, scores, card.hflip, card.tta_threshold, card.head)


def _check_parameters(
    where: str,
    card: Card,
    arrays: Mapping[str, np.ndarray],
    theta: Mapping[str, np.ndarray],
    shapes: Mapping[str, tuple[int, ...]],
    kinds: Mapping[str, str] | None = None,
) -> None:
    """Refuse parameters that do not fit the network; what held-out rows say is checked where it is read."""
    differs = differences(shapes, {name: a.shape for name, a in theta.items()})
    if card.network.name == CUSTOM and differs:
        raise ModelFileError(
            f"{where} must be loaded with the factory that made its network "
            f"({card.network.settings.get('factory')!r}); got one whose network has other parameters. Compared with "
            f"the file: {differs}. Try the factory as it was in training."
        )
    others = [
        name
        for name in arrays
        if name in (*HELD_OUT, *STAND_INS, SKETCH) or name.startswith((FAMILIARITY, ERRORS, BACKBONE))
    ]
    expect_arrays(where, arrays, {THETA + n: shape for n, shape in shapes.items()}, kinds=kinds, optional=others)
