"""Three engines walk the same path: same seed, same batches, double precision, the same theta at the end."""

import numpy as np
import pytest

import likely
from likely.engines import create_engine
from likely.engines.gradient_descent import descent_path
from likely.engines.protocol import Optimizer
from likely.functional.objective import Objective
from likely.networks.linear import Linear
from likely.networks.mlp import MLP
from likely.networks.network import Network
from likely.preprocessing.column_preprocessor import ColumnPreprocessor
from likely.training.loop.descent import descend
from likely.training.loop.schedule import Schedule

ENGINES = ("numpy", "jax", "torch")
RULES = [  # each, and whether rows are weighted
    (Optimizer("sgd"), False),
    (Optimizer("sgd", momentum=0.9, weight_decay=0.01), True),
    (Optimizer("adam"), True),
    (Optimizer("adam", betas=(0.85, 0.98), weight_decay=0.02), False),
]


@pytest.mark.parametrize(("optimizer", "weighted"), RULES)
@pytest.mark.parametrize("network", [Linear(5, 3), MLP([5, 8, 3], "sigmoid"), MLP([5, 8, 6, 3], "gelu")], ids=repr)
def test_mini_batches(network: Network, optimizer: Optimizer, weighted: bool) -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(96, 5)), np.eye(3)[rng.integers(0, 3, 96)]
    weights = rng.random(96) if weighted else None
    ends = {}
    for name in ENGINES:
        engine = create_engine(
            name,
            network,
            n_outputs=3,
            head="softmax",
            loss="cross_entropy",
            optimizer=optimizer,
            sample=X,
            seed=1,
            dtype="float64",
        )
        engine.place(X, Y, weights, prepare=ColumnPreprocessor.fit(X, dtype="float64"))
        rate = 0.05 if optimizer.name == "sgd" else 0.01
        losses = [r.loss for r in descend(engine, 96, epochs=20, batch_size=16, learning_rate=Schedule(rate), seed=2)]
        assert losses[-1] < losses[0]
        ends[name] = (engine.state(), losses, engine.forward(X))
    for name in ("jax", "torch"):
        np.testing.assert_allclose(ends[name][1], ends["numpy"][1], rtol=1e-8)
        for layer, value in ends["numpy"][0].items():
            assert ends[name][0][layer].dtype == np.float64
            np.testing.assert_allclose(ends[name][0][layer], value, rtol=1e-8, atol=1e-8)
        for theirs, ours in zip(ends[name][2], ends["numpy"][2], strict=True):
            np.testing.assert_allclose(theirs, ours, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(
    "objective",
    [
        Objective(Linear(2, 2), head="identity", loss="squared_error"),
        Objective(MLP([2, 4, 2], "sigmoid")),
        Objective(Linear(2, 2), head="sigmoid", loss="squared_error"),
    ],
    ids=repr,
)
def test_the_plain_algorithm(objective: Objective) -> None:
    rng = np.random.default_rng(3)
    X, Y = rng.normal(size=(20, 2)), rng.dirichlet([1, 1], 20)
    paths = [
        list(descent_path(objective, X, Y, steps=30, learning_rate=0.1, engine=engine, seed=4)) for engine in ENGINES
    ]
    assert [place.step for place in paths[0]] == list(range(31))
    for places in zip(*paths, strict=True):
        for place in places[1:]:
            for layer, value in places[0].theta.items():
                np.testing.assert_allclose(place.theta[layer], value, rtol=1e-10, atol=1e-10)
    assert float(objective(paths[0][-1].theta, X, Y)) < float(objective(paths[0][0].theta, X, Y))


def test_the_first_values_are_standard_normal() -> None:
    objective = Objective(Linear(99, 100))
    start = likely.gradient_descent(objective, np.ones((1, 99)), np.ones((1, 100)) / 100, steps=0, learning_rate=1)
    values = start["layer0"].ravel()
    assert abs(values.mean()) < 0.03
    assert abs(values.std() - 1) < 0.03
