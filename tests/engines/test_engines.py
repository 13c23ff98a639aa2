"""What engines promise beside their agreement: errors that say which engine can, states, learning rates."""

import subprocess
import sys

import numpy as np
import pytest
import torch

import likely
from likely.engines import create_engine
from likely.engines.protocol import Batch, Optimizer
from likely.errors import EngineError, ShapeError
from likely.functional.objective import Objective
from likely.networks.convnet import ConvNet
from likely.networks.linear import Linear
from likely.networks.mlp import MLP
from likely.preprocessing.stored_rows import RowArray, StoredRows

SETTINGS = {
    "n_outputs": 2,
    "head": "softmax",
    "loss": "cross_entropy",
    "optimizer": Optimizer("sgd"),
    "sample": np.zeros((2, 3)),
    "seed": 0,
}
ENGINES = ("numpy", "jax", "torch")


def test_an_unknown_engine_names_the_choices() -> None:
    with pytest.raises(EngineError, match="Did you mean 'numpy'"):
        create_engine("nunpy", Linear(3, 2), **SETTINGS)
    with pytest.raises(EngineError, match="'numpy', 'jax', 'torch'"):
        likely.gradient(Objective(Linear(3, 2)), "tensorflow")


@pytest.mark.parametrize("engine", ["numpy", "jax"])
def test_what_only_torch_can_is_said(engine: str) -> None:
    with pytest.raises(EngineError, match="engine='torch'"):
        create_engine(engine, ConvNet(), **SETTINGS)
    with pytest.raises(EngineError, match="engine='torch'"):
        create_engine(engine, Linear(3, 2), **SETTINGS, device="cuda")


@pytest.mark.parametrize("engine", ENGINES)
def test_hard_steps_are_refused_before_training(engine: str) -> None:
    with pytest.raises(EngineError, match="sigmoid"):
        create_engine(engine, MLP([3, 4, 2], "heaviside"), **SETTINGS)
    with pytest.raises(EngineError, match="derivative is 0"):
        likely.gradient(Objective(MLP([3, 4, 2], "heaviside")), engine)


def test_by_hand_differentiates_objectives_only() -> None:
    with pytest.raises(EngineError, match="jax"):
        likely.gradient(lambda theta, X, Y: 0.0, "numpy")


@pytest.mark.parametrize("engine", ["jax", "torch"])
def test_any_function_of_arrays(engine: str) -> None:
    J = likely.gradient(lambda theta, X, Y: ((X @ theta - Y) ** 2).sum(), engine)
    theta, X, Y = np.array([1.0, -1.0]), np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.5, 0.5])
    np.testing.assert_allclose(J(theta, X, Y), 2 * X.T @ (X @ theta - Y))


@pytest.mark.parametrize("engine", ENGINES)
def test_integers_are_no_parameters(engine: str) -> None:
    J = likely.gradient(Objective(Linear(1, 2)), engine)
    with pytest.raises(ShapeError, match="floating-point"):
        J({"layer0": np.zeros((2, 2), int)}, np.ones((1, 1)), np.ones((1, 2)) / 2)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_state_can_be_taken_back(engine: str) -> None:
    X, Y = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32), np.eye(2, dtype=np.float32)[[0, 1] * 4]
    made = create_engine(engine, MLP([3, 4, 2]), **SETTINGS)
    made.place(X, Y, prepare=lambda x: x)
    before = made.state()
    scores, features = made.forward(X)
    assert features.shape == (8, 4)
    assert made.n_parameters == 26
    first = made.step(Batch(np.arange(8)), 0.5)
    assert np.abs(made.forward(X)[0] - scores).max() > 0
    made.load_state(before)
    np.testing.assert_array_equal(made.forward(X)[0], scores)
    assert made.step(Batch(np.arange(8)), 0.5) == pytest.approx(first)
    assert {name: value.dtype for name, value in made.state().items()} == dict.fromkeys(before, np.dtype(np.float32))


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("engine", ENGINES)
def test_several_steps_in_one_call_are_those_one_by_one(engine: str, stored: bool) -> None:
    rng = np.random.default_rng(0)
    rows, Y = rng.normal(size=(20, 3)).astype(np.float32), np.eye(2, dtype=np.float32)[rng.integers(0, 2, 20)]
    X: RowArray = StoredRows(rows) if stored else rows
    settings = {**SETTINGS, "optimizer": Optimizer("adam")}
    batches = [Batch(rng.permutation(20)[:4], rng.integers(0, 3, (4, 1))) for _ in range(5)]
    rates = [0.1, 0.05, 0.2, 0.01, 0.1]
    together, apart = (create_engine(engine, MLP([3, 4, 2]), **settings) for _ in range(2))
    for made in (together, apart):
        made.place(X, Y, np.arange(1.0, 21.0), prepare=lambda x: x, augment=lambda x, draws: x * draws)
    expected = [apart.step(batch, rate) for batch, rate in zip(batches, rates, strict=True)]
    found: list[float] = []
    while len(found) < len(batches):
        some = slice(len(found), len(found) + together.at_once)
        found += together.steps(batches[some], rates[some])
    assert found == pytest.approx(expected, rel=1e-6)
    for name, value in apart.state().items():
        np.testing.assert_allclose(together.state()[name], value, rtol=1e-5, atol=1e-7)
    # Rows on disk come batch by batch; else JAX takes many steps for one call from Python.
    assert (together.at_once > 1) == (engine == "jax" and not stored)


def test_no_gpu_is_a_clear_error() -> None:
    if torch.cuda.is_available():
        assert create_engine("torch", Linear(3, 2), **SETTINGS, device="cuda").device == "cuda"
    else:
        with pytest.raises(EngineError, match="device='cpu'"):
            create_engine("torch", Linear(3, 2), **SETTINGS, device="cuda")


def test_building_a_module_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    create_engine("torch", ConvNet(8), **{**SETTINGS, "sample": np.zeros((2, 1, 8, 8), np.float32)})
    assert torch.equal(torch.rand(3), expected)


def test_double_precision_in_jax_stays_in_its_scope() -> None:
    import jax.numpy as jnp

    likely.gradient(Objective(Linear(1, 2)), "jax")({"layer0": np.zeros((2, 2))}, np.ones((1, 1)), np.ones((1, 2)) / 2)
    assert jnp.ones(1).dtype == jnp.float32


def test_a_missing_extra_gives_the_line_that_installs_it() -> None:
    # An interpreter in which jax cannot be found.
    code = (
        "import sys; sys.modules['jax'] = None\n"
        "import likely\n"
        "from likely.networks.linear import Linear\n"
        "from likely.errors import MissingExtraError\n"
        "try: likely.gradient(likely.Objective(Linear(1, 1), head='identity', loss='squared_error'), 'jax')("
        "{'layer0': __import__('numpy').zeros((2, 1))}, [[1.0]], [[1.0]])\n"
        "except MissingExtraError as error: print(error)\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pip install 'likely[jax]'" in found.stdout, found.stderr


@pytest.mark.parametrize("engine", ENGINES)
def test_scores_alone_are_those_with_features(engine: str) -> None:
    made = create_engine(engine, MLP([3, 4, 2]), **SETTINGS)
    X = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
    np.testing.assert_array_equal(made.scores(X), made.forward(X)[0])


def test_a_module_that_learns_on_answers_with_what_it_learned() -> None:
    X = np.random.default_rng(0).random((16, 1, 8, 8)).astype(np.float32)
    made = create_engine("torch", ConvNet(8, stem=4), **{**SETTINGS, "sample": X})
    made.place(X, np.eye(2, dtype=np.float32)[[0, 1] * 8], prepare=lambda x: x)
    first, state = made.scores(X), made.state()
    made.step(Batch(np.arange(16)), 0.5)
    assert np.abs(made.scores(X) - first).max() > 1e-3
    made.load_state(state)
    np.testing.assert_array_equal(made.scores(X), first)
    np.testing.assert_array_equal(made.forward(X)[0], first)
    # What a model file holds is not folded.
    assert any(name.endswith("running_var") for name in state)


@pytest.mark.parametrize("flushed", [True, False])
def test_what_the_user_said_of_denormals_stays(flushed: bool) -> None:
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (40, 8, 8), dtype=np.uint8)
    y = np.arange(40) % 2
    torch.set_flush_denormal(flushed)
    try:
        likely.Classifier(network="mlp", engine="torch", epochs=1, random_state=0).fit(X, y).predict(X)
        assert bool((torch.tensor(torch.finfo(torch.float32).tiny) * 0.5).item() == 0.0) is flushed
    finally:
        torch.set_flush_denormal(False)


def test_statistics_of_normalizations_follow_batches_of_several_rows() -> None:
    X = np.random.default_rng(0).normal(size=(9, 1, 8, 8)).astype(np.float32)
    Y = np.eye(2, dtype=np.float32)[[0, 1, 0] * 3]
    made = create_engine("torch", ConvNet(width=4, stem=4), **{**SETTINGS, "sample": X})
    made.place(X, Y, prepare=lambda x: x)
    moved: list[bool] = []
    for rows in ([0, 1, 2], [3], [4], [5, 6, 7], "asked", [8], "asked", [0, 1], [2]):
        before = made.state()["blocks.0.norm1.running_mean"]
        if rows == "asked":
            made.forward(X)
        else:
            made.step(Batch(np.array(rows)), 0.1)
        moved.append(bool((made.state()["blocks.0.norm1.running_mean"] != before).any()))
    assert moved == [True, False, False, True, False, False, False, True, False]
