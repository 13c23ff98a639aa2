"""Derivatives with respect to inputs: by hand, by JAX and by torch, and against finite differences."""

import numpy as np
import pytest

from likely.engines import create_engine
from likely.engines.by_hand import input_gradient
from likely.engines.protocol import Optimizer
from likely.networks.linear import Linear
from likely.networks.mlp import MLP
from likely.networks.network import Network


@pytest.mark.parametrize("network", [Linear(4, 3), MLP([4, 5, 6, 3], "tanh"), MLP([4, 5, 3], "gelu")], ids=repr)
def test_three_engines_agree(network: Network) -> None:
    rng = np.random.default_rng(0)
    theta = {name: rng.normal(size=shape) for name, shape in network.shapes.items()}
    X, slopes = rng.normal(size=(7, 4)), rng.normal(size=(7, 3))
    by_hand = input_gradient(network, theta, X, slopes)
    for name in ("numpy", "jax", "torch"):
        engine = create_engine(
            name,
            network,
            n_outputs=3,
            head="softmax",
            loss="cross_entropy",
            optimizer=Optimizer(),
            sample=X,
            seed=0,
            dtype="float64",
        )
        engine.load_state(theta)
        np.testing.assert_allclose(engine.input_gradient(X, slopes), by_hand, rtol=1e-9, atol=1e-12, err_msg=name)
    h = 1e-5
    for j in range(4):
        step = h * np.eye(4)[j]
        rise = (network.apply(theta, X + step) - network.apply(theta, X - step)) / (2 * h)
        np.testing.assert_allclose((slopes * rise).sum(axis=1), by_hand[:, j], rtol=1e-6, atol=1e-8)
