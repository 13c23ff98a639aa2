"""The pure networks: shapes, counts, first values, forward passes, and arguments that do not fit."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from likely.arrays import to_numpy
from likely.config.registry import ACTIVATIONS
from likely.errors import ConfigError, ShapeError
from likely.networks import create_network
from likely.networks.linear import Linear
from likely.networks.mlp import MLP
from likely.networks.network import Network

LIBRARIES: dict[str, Callable[[Any], Any]] = {"numpy": np.asarray, "torch": torch.asarray, "jax": jnp.asarray}
NETWORKS: list[tuple[Network, int]] = [
    (Linear(784, 10), 7_850),
    (Linear(1, 1), 2),
    (MLP([784, 256, 10]), 203_530),
    (MLP([2, 3, 4, 5], "relu"), 9 + 16 + 25),
    (MLP([1, 1, 1], "gelu"), 4),
]
networks = pytest.mark.parametrize(("network", "count"), NETWORKS, ids=lambda value: repr(value))


@networks
def test_counts_and_shapes(network: Any, count: int) -> None:
    theta = network.init(0)
    assert network.n_parameters == count == sum(value.size for value in theta.values())
    assert {name: value.shape for name, value in theta.items()} == network.shapes
    assert all(value.dtype == np.float64 for value in theta.values())
    assert isinstance(network, Network)
    d = network.shapes["layer0"][0] - 1
    scores, features = network.apply_with_features(theta, np.ones((5, d)))
    *_, (rows, k) = network.shapes.values()
    assert scores.shape == (5, k)
    assert features.shape == (5, rows - 1)


@networks
def test_a_network_is_its_name_and_settings(network: Any, count: int) -> None:
    again: Any = create_network(network.name, network.settings)
    assert repr(again) == repr(network)
    assert again.n_parameters == count


@networks
def test_first_values(network: Any, count: int) -> None:
    assert count
    first, again, other = network.init(3), network.init(3), network.init(4)
    *hidden, _ = first
    for name, value in first.items():
        np.testing.assert_array_equal(value, again[name])
        assert (value != other[name]).any()
        np.testing.assert_array_equal(value[0], 0)
        gain = 2 if name in hidden and network.settings["activation"] in ("relu", "gelu") else 1
        limit = np.sqrt(6 * gain / (value.shape[0] - 1 + value.shape[1]))
        assert np.abs(value).max() <= limit
        if value.size > 5000:
            assert value[1:].var() == pytest.approx(limit**2 / 3, rel=0.05)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_forward_pass_is_the_formula(library: str, activation: str) -> None:
    network = MLP([3, 5, 4, 2], activation)
    theta, x = network.init(1), np.random.default_rng(0).normal(size=(6, 3))
    z = x
    for name in ("layer0", "layer1", "layer2"):
        a = np.column_stack([np.ones(6), z]) @ theta[name]
        last, z = z, ACTIVATIONS[activation].value(a)
    make = LIBRARIES[library]
    inputs = {name: make(value.astype(np.float32)) for name, value in theta.items()}
    scores, features = network.apply_with_features(inputs, make(x.astype(np.float32)))
    assert isinstance(scores, type(make(x)))
    np.testing.assert_allclose(to_numpy(scores), a, atol=2e-6)
    np.testing.assert_allclose(to_numpy(features), last, atol=2e-6)
    np.testing.assert_array_equal(to_numpy(network.apply(inputs, make(x.astype(np.float32)))), to_numpy(scores))


@pytest.mark.parametrize("library", LIBRARIES)
def test_linear_scores(library: str) -> None:
    make = LIBRARIES[library]
    theta = {"layer0": make(np.array([[1.0], [2.0], [3.0]], np.float32))}
    x = make(np.array([[10.0, 100.0], [0.0, 0.0]], np.float32))
    scores, features = Linear(2, 1).apply_with_features(theta, x)
    np.testing.assert_array_equal(to_numpy(scores), [[321], [1]])
    np.testing.assert_array_equal(to_numpy(features), to_numpy(x))


@pytest.mark.parametrize("sizes", [[], [3], [3, 2], [3, 0, 2], [3, -1, 2]])
def test_sizes_that_make_no_network(sizes: list[int]) -> None:
    with pytest.raises(ShapeError, match="784, 256, 10"):
        MLP(sizes)
    with pytest.raises(ShapeError, match="inputs and outputs"):
        Linear(0, 2)


def test_an_unknown_activation() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'sigmoid'"):
        MLP([3, 4, 2], "sigmiod")


@pytest.mark.parametrize("library", LIBRARIES)
def test_arguments_that_do_not_fit(library: str) -> None:
    make = LIBRARIES[library]
    network = MLP([3, 4, 2])
    theta = {name: make(value) for name, value in network.init(0).items()}
    x = make(np.zeros((5, 3)))
    with pytest.raises(ShapeError, match=r"\(n, 3\); got \(5, 4\)"):
        network.apply(theta, make(np.zeros((5, 4))))
    with pytest.raises(ShapeError, match="reshape"):
        network.apply(theta, make(np.zeros((5, 3, 1))))
    with pytest.raises(ShapeError, match="got layer0, layer1, layer2"):
        network.apply({**theta, "layer2": theta["layer0"]}, x)
    with pytest.raises(ShapeError, match="got nothing"):
        network.apply({}, x)
    with pytest.raises(ShapeError, match=r"must have shape \(5, 2\).*got \(4, 4\)"):
        network.apply({**theta, "layer1": theta["layer0"]}, x)
    with pytest.raises(ShapeError, match="floating-point"):
        network.apply({**theta, "layer1": make(np.zeros((5, 2), np.int32))}, x)
