"""From a card and arrays to the network that they describe, ready to answer."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from likely.engines import create_engine
from likely.engines.by_hand import input_gradient
from likely.engines.protocol import Optimizer
from likely.errors import ModelFileError
from likely.model.card import BACKBONE, MIXTURE, SKETCH, THETA, Card
from likely.model.expected_arrays import expect_arrays, starting_with
from likely.model.held_out_arrays import ERRORS, FAMILIARITY, HELD_OUT, check_features
from likely.model.inference import Inference
from likely.model.mixture_inference import Member, MixtureInference, limits_of
from likely.model.stand_ins import NAMES as STAND_INS
from likely.model.transfer import differences
from likely.networks import network_as_described
from likely.networks.custom import CUSTOM, CustomNetwork
from likely.networks.linear import Linear
from likely.networks.mlp import MLP
from likely.networks.network import Network
from likely.networks.patches import patch_side
from likely.networks.trees import Trees
from likely.preprocessing.preprocessor import Preprocessor
from likely.trust.scale_of_errors import MOST_INPUTS


def build_inference(
    where: str,
    card: Card,
    arrays: Mapping[str, np.ndarray],
    preprocessor: Preprocessor,
    device: str = "auto",
    custom: CustomNetwork | None = None,
) -> Inference | MixtureInference:
    """The way from stored rows to scores, by the network that the card describes with the parameters in the arrays.

    A ModelFileError says that these do not fit it, or that a user-supplied one misses its factory.
    """
    if custom is None and card.network.name == CUSTOM:
        raise ModelFileError(
            f"{where} must be loaded with the factory that made its network; got none (the file says it was named "
            f"{card.network.settings.get('factory')!r}). Code is never imported from a file. Try likely.load(path, "
            "network=factory)."
        )
    shape, in_table = preprocessor.output_shape, preprocessor.image_shape is None
    n_inputs = shape[0] if in_table and shape[0] <= MOST_INPUTS else None
    if card.network.name == MIXTURE:
        check_features(where, arrays, (shape[0], 0), n_inputs)
        return _build_mixture(where, card, arrays, preprocessor)
    network = custom or network_as_described(card.network.name, card.network.settings)
    derivatives = engine = None
    if isinstance(network, Network | Trees):
        _check_fit(network, preprocessor, card.network.outputs)
        [theta] = _parameters(where, card, arrays, {"": network})
        forward, scores = partial(network.apply_with_features, theta), partial(network.apply, theta)
        derivatives = partial(input_gradient, network, theta) if isinstance(network, Linear | MLP) else None
    else:
        if network.name == "conv":
            _check_conv(where, card, arrays, network, preprocessor.output_shape)
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
        shapes, kinds = {n: a.shape for n, a in state.items()}, {n: a.dtype.kind for n, a in state.items()}
        _check_parameters(where, card, arrays, shapes, kinds)
        engine.load_state(starting_with(THETA, arrays))
        forward, scores, derivatives = engine.forward, engine.scores, engine.input_gradient
    check_features(where, arrays, _n_features(network, shape), n_inputs)
    return Inference(preprocessor, forward, scores, card.hflip, card.tta_threshold, card.head, derivatives, engine)


def _build_mixture(
    where: str, card: Card, arrays: Mapping[str, np.ndarray], preprocessor: Preprocessor
) -> MixtureInference:
    """The members, whose arrays have their number before their name."""
    described = card.network.settings["members"]
    networks: dict[str, Network | Trees] = {}
    for number, each in enumerate(described):
        network = network_as_described(each["network"], each["settings"])
        if not isinstance(network, Network | Trees):
            raise ValueError(f"member {number} of a mixture is {network.name!r}")
        networks[f"{number}."] = network
    own = _parameters(where, card, arrays, networks)
    members = [Member.from_json(*parts) for parts in zip(described, networks.values(), own, strict=True)]
    for member in members:
        _check_fit(member.network, member.inference.preprocessor, card.network.outputs)
        member.check(card.network.outputs, preprocessor)
    if not members or abs(sum(member.weight for member in members) - 1) > 1e-6:
        raise ValueError("weights of the members of a mixture that do not sum to 1")
    shift = np.zeros(card.network.outputs) if card.class_weight is None else -np.log(np.array(card.class_weight))
    if card.task == "classification":
        return MixtureInference(preprocessor, members, True, shift, np.ones_like(shift))
    limits = limits_of(card.network.settings, card.network.outputs)
    return MixtureInference(
        preprocessor, members, False, np.array(card.target_mean), np.array(card.target_scale), limits
    )


def _n_features(network: Any, shape: tuple[int, ...]) -> tuple[int, int] | None:
    """How many hidden features a network makes of inputs of this shape, and numbers of a map; None for a module of the
    user's."""
    if isinstance(network, CustomNetwork):
        return None
    if isinstance(network, MLP):
        return network.sizes[-2], 0
    return (shape[0], 0) if isinstance(network, Network | Trees) else network.n_features(shape)


def _check_fit(network: Network | Trees, preprocessor: Preprocessor, n_outputs: int) -> None:
    """Refuse a network that does not take what the preprocessor makes, or makes other numbers of scores."""
    sizes = network.settings.get("sizes")
    ends = [network.settings.get("n_inputs"), network.settings.get("n_outputs")]
    first, last = (sizes[0], sizes[-1]) if isinstance(sizes, list) else ends
    if preprocessor.output_shape != (first,) or last != n_outputs:
        raise ValueError(
            f"a network of {first} inputs and {last} outputs for inputs of shape {preprocessor.output_shape} and "
            f"{n_outputs} outputs"
        )


def _check_conv(where: str, card: Card, arrays: Mapping[str, np.ndarray], network: Any, image: tuple[int, ...]) -> None:
    """Refuse parameters that do not fit a conv net before it is built, which takes as much memory as its card asks."""
    if len(image) != 3 or min(image[1:]) < patch_side(network.stride):
        raise ValueError(f"a conv net for inputs of shape {image}")
    mean = "probabilities" if card.task == "classification" else "numbers"
    if network.members > len(arrays) or (network.members > 1 and network.mean != mean):
        raise ValueError(f"{network.members} members, with the mean of their {network.mean}")
    _check_parameters(where, card, arrays, network.shapes(card.network.outputs, image), {})


def _parameters(
    where: str, card: Card, arrays: Mapping[str, np.ndarray], networks: Mapping[str, Network | Trees]
) -> list[dict[str, np.ndarray]]:
    """The parameters of each network, by what stands before their names in the file."""
    shapes = {start + name: shape for start, network in networks.items() for name, shape in network.shapes.items()}
    trees = {start: network for start, network in networks.items() if isinstance(network, Trees)}
    kinds = {start + name: kind for start, network in trees.items() for name, kind in network.kinds.items()}
    _check_parameters(where, card, arrays, shapes, kinds)
    found = {start: starting_with(THETA + start, arrays) for start in networks}
    for start, network in trees.items():
        network.check(found[start])
    return list(found.values())


def _check_parameters(
    where: str,
    card: Card,
    arrays: Mapping[str, np.ndarray],
    shapes: Mapping[str, tuple[int, ...]],
    kinds: Mapping[str, str],
) -> None:
    """Refuse parameters that do not fit the network; what held-out rows say is checked where it is read."""
    differs = differences(shapes, {name: a.shape for name, a in starting_with(THETA, arrays).items()})
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
    shapes = {THETA + name: shape for name, shape in shapes.items()}
    kinds = {THETA + name: kind for name, kind in kinds.items()}
    expect_arrays(where, arrays, shapes, kinds=kinds, optional=others)
    if card.network.parameters > sum(a.size for name, a in arrays.items() if name.startswith(THETA)):
        raise ValueError(f"{card.network.parameters} parameters, more than there are")
