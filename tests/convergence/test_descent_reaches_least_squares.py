"""Where a closed form exists, descent finds it; where none exists, descent still descends."""

import itertools

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

import likely
from likely.config import RunConfig
from likely.engines.gradient_descent import descent_path
from likely.engines.protocol import Optimizer
from likely.errors import DivergenceError
from likely.functional.objective import Objective
from likely.networks.linear import Linear
from likely.networks.mlp import MLP
from likely.training.plan import Plan
from likely.training.task import REGRESSION
from likely.training.train import train
from likely.training.training_rows import Rows


@pytest.mark.parametrize("engine", ["numpy", "jax", "torch"])
def test_descent_reaches_least_squares_on_real_data(engine: str) -> None:
    X, y = load_diabetes(return_X_y=True)
    X = np.delete(X, [4, 7], axis=1)  # nearly follow from the others: the slowest directions by far
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    Y = ((y - y.mean()) / y.std())[:, None]
    objective = Objective(Linear(8, 1), head="identity", loss="squared_error")
    found = likely.gradient_descent(objective, X, Y, steps=200, learning_rate=0.2, engine=engine)
    np.testing.assert_allclose(found["layer0"], likely.least_squares(X, Y), atol=1e-9)


def test_where_no_closed_form_exists_descent_descends() -> None:
    # L = (sigma(theta_0 + theta_1 x) - y)^2 is not quadratic in theta.
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 1))
    y = likely.sigmoid(0.5 + 2 * x)
    objective = Objective(Linear(1, 1), head="sigmoid", loss="squared_error")
    places = list(descent_path(objective, x, y, steps=3000, learning_rate=5.0, seed=1))
    losses = [float(objective(place.theta, x, y)) for place in places[::100]]
    assert all(later <= earlier for earlier, later in itertools.pairwise(losses))
    np.testing.assert_allclose(places[-1].theta["layer0"].ravel(), [0.5, 2.0], atol=1e-3)


def test_steps_that_are_too_long_are_reported() -> None:
    objective = Objective(Linear(1, 1), head="identity", loss="squared_error")
    x = np.linspace(-10, 10, 20)[:, None]
    with pytest.raises(DivergenceError, match=r"Try a learning rate of 0\.1") as caught:
        likely.gradient_descent(objective, x, x, steps=5000, learning_rate=1.0)
    assert caught.value.step > 10


def test_an_mlp_fits_the_sine() -> None:
    x = np.linspace(-np.pi, np.pi, 256)[:, None]
    network = MLP([1, 32, 32, 1], "tanh")
    plan = Plan(
        network=network,
        layout="numbers",
        head="identity",
        loss="squared_error",
        engine="numpy",
        optimizer=Optimizer("adam"),
        learning_rate=0.01,
        warmup=0.05,
        batch_size=256,
        epochs=10_000,
        hflip=False,
    )
    rows = Rows(x, np.sin(x), None, task=REGRESSION)
    trained = train(plan, rows, np.arange(256), RunConfig(data="sine", dtype="float64"))
    assert np.abs(trained.scores(x) - np.sin(x)).max() < 1e-3
