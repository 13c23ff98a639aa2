"""The mean loss as a function of theta: means, weights, names and shapes that do not fit."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch

import likely
from likely.arrays import to_numpy
from likely.errors import ConfigError, ShapeError
from likely.functional.objective import Objective, mean_loss
from likely.networks.linear import Linear
from likely.networks.mlp import MLP

LIBRARIES: dict[str, Callable[[Any], Any]] = {"numpy": np.asarray, "torch": torch.asarray, "jax": jnp.asarray}
RNG = np.random.default_rng(0)
X, Y, W = RNG.normal(size=(8, 3)), RNG.dirichlet(np.ones(2), 8), RNG.random(8)
NETWORK = MLP([3, 4, 2])
THETA = NETWORK.init(0)


@pytest.mark.parametrize("weights", [None, W])
@pytest.mark.parametrize("library", LIBRARIES)
def test_the_mean_of_the_losses(library: str, weights: np.ndarray | None) -> None:
    def make(values: np.ndarray) -> Any:
        return LIBRARIES[library](values.astype(np.float32))

    theta = {name: make(value) for name, value in THETA.items()}
    found = Objective(NETWORK)(theta, make(X), make(Y), None if weights is None else make(weights))
    values = likely.cross_entropy(Y, likely.softmax(NETWORK.apply(THETA, X)))
    assert float(to_numpy(found)) == pytest.approx(np.average(values, weights=weights), rel=1e-5)


def test_weights_are_shares_of_the_rows() -> None:
    objective = Objective(NETWORK)
    assert objective(THETA, X, Y, 7 * W) == pytest.approx(objective(THETA, X, Y, W))
    only_first = np.array([1.0] + [0.0] * 7)
    assert objective(THETA, X, Y, only_first) == pytest.approx(objective(THETA, X[:1], Y[:1]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"head": "sotfmax"}, "Did you mean 'softmax'"),
        ({"loss": "squared"}, "Did you mean 'squared_error'"),
        ({"head": "identity"}, "loss='squared_error'"),
        ({"head": "sigmoid", "loss": "cross_entropy"}, "not distributions"),
    ],
)
def test_names_that_do_not_exist_or_fit(settings: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Objective(NETWORK, **settings)


def test_shapes_that_do_not_fit() -> None:
    objective = Objective(NETWORK)
    with pytest.raises(ShapeError, match="got 8 and 7"):
        objective(THETA, X, Y[:7])
    with pytest.raises(ShapeError, match="at least one"):
        objective(THETA, X[:0], Y[:0])
    with pytest.raises(ShapeError, match=r"\(8, 1\) and \(8, 2\)"):
        objective(THETA, X, Y[:, :1])
    with pytest.raises(ShapeError, match=r"x must have shape \(n, 3\)"):
        objective(THETA, X[:, :2], Y)
    with pytest.raises(ShapeError, match="theta must hold layer0, layer1"):
        objective({"layer0": THETA["layer0"]}, X, Y)
    with pytest.raises(ShapeError, match="one number per row"):
        objective(THETA, X, Y, W[:, None])
    with pytest.raises(ShapeError, match="one number per row"):
        mean_loss("softmax", "cross_entropy", Y, Y, W[:3])


def test_an_integer_theta_is_refused() -> None:
    for make in LIBRARIES.values():
        with pytest.raises(ShapeError, match="floating-point"):
            Objective(Linear(3, 2))({"layer0": make(np.zeros((4, 2), np.int32))}, make(X), make(Y))
