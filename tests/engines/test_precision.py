import numpy as np
import pytest
import torch

from likely.engines import create_engine
from likely.engines.by_torch.precision import multiplies_in_bfloat16
from likely.engines.protocol import Batch, Optimizer
from likely.networks import create_network
from likely.networks.convnet import ConvNet


def _engine(precision):
    rng = np.random.default_rng(0)
    X = rng.random((64, 1, 12, 12)).astype(np.float32)
    engine = create_engine(
        "torch", ConvNet(width=8, stem=4), n_outputs=3, head="softmax", loss="cross_entropy",
        optimizer=Optimizer(), sample=X, seed=0, device="cpu", precision=precision,
    )  # fmt: skip
    engine.place(X, np.eye(3, dtype=np.float32)[rng.integers(0, 3, 64)], prepare=lambda x: x)
    return engine, X


def test_bfloat16_changes_the_products_of_training_and_nothing_else():
    (exact, X), (rough, _) = _engine("float32"), _engine("bfloat16")
    assert (exact.precision, rough.precision) == ("float32", "bfloat16")
    np.testing.assert_array_equal(exact.forward(X)[0], rough.forward(X)[0])
    losses = [[engine.step(Batch(np.arange(32)), 1e-3) for _ in range(3)] for engine in (exact, rough)]
    assert losses[0] != losses[1]
    np.testing.assert_allclose(losses[0], losses[1], rtol=0.05)
    assert {value.dtype for value in rough.state().values()} == {np.dtype("float32"), np.dtype("int64")}


def test_bfloat16_repeats_itself():
    first, again = _engine("bfloat16")[0], _engine("bfloat16")[0]
    for _ in range(3):
        assert first.step(Batch(np.arange(32)), 1e-3) == again.step(Batch(np.arange(32)), 1e-3)


@pytest.mark.parametrize("name", ["mlp", "linear"])
def test_pure_networks_are_never_rounded(name):
    settings = {"sizes": [4, 5, 3], "activation": "tanh"} if name == "mlp" else {"n_inputs": 4, "n_outputs": 3}
    engine = create_engine(
        "torch", create_network(name, settings), n_outputs=3, head="softmax", loss="cross_entropy",
        optimizer=Optimizer(), sample=np.zeros((2, 4), np.float32), seed=0, dtype="float64", precision="bfloat16",
    )  # fmt: skip
    assert engine.precision == "float64"


def test_auto_asks_the_processor(monkeypatch):
    cpu = torch.device("cpu")
    for able in (True, False):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda able=able: {"avx512_bf16": able})
        assert multiplies_in_bfloat16("auto", cpu) == able
