"""Our update rules are torch's, and need neither its optimizers nor its compiler."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from likely.engines.by_torch.rules import Rule
from likely.engines.protocol import Optimizer


def _walk(step, theta, forget):
    torch.manual_seed(0)
    for _ in range(20):
        forget()
        ((theta["w"] @ torch.randn(3, 4, dtype=torch.float64)).sigmoid().sum() + theta["b"].square().sum()).backward()
        step()
    return {name: value.detach().numpy().copy() for name, value in theta.items()}


def _theta():
    rng = np.random.default_rng(0)
    return {name: torch.tensor(rng.normal(size=shape), requires_grad=True) for name, shape in (("w", (2, 3)), ("b", 2))}


# torch's SGD adds its decay to the gradient; ours is compared with JAX's in tests/agreement.
@pytest.mark.parametrize(
    ("name", "momentum", "decay"), [("adam", 0, 0), ("adam", 0, 0.1), ("sgd", 0, 0), ("sgd", 0.9, 0)]
)
def test_the_path_is_that_of_torch(name: str, momentum: float, decay: float) -> None:
    ours, theirs = _theta(), _theta()
    rule = Rule(list(ours.values()), 0.5, Optimizer(name, momentum=momentum, betas=(0.85, 0.98), weight_decay=decay))
    if name == "adam":
        other = torch.optim.AdamW(theirs.values(), lr=0.02, betas=(0.85, 0.98), weight_decay=decay)
    else:
        other = torch.optim.SGD(theirs.values(), lr=0.02, momentum=momentum)
    found, expected = _walk(lambda: rule.step(0.04), ours, rule.forget), _walk(other.step, theirs, other.zero_grad)
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, rtol=1e-12)


def test_what_took_no_part_in_the_loss_stays() -> None:
    theta = _theta()
    before = theta["b"].detach().clone()
    theta["w"].sum().backward()
    Rule(list(theta.values()), 1.0, Optimizer(weight_decay=0.5)).step(0.1)
    assert torch.equal(theta["b"], before)
    assert theta["w"].grad is not None


CODE = """
import sys
import numpy as np
from likely.engines import create_engine
from likely.engines.protocol import Batch, Optimizer
from likely.networks.convnet import ConvNet
X = np.zeros((4, 1, 8, 8), np.float32)
engine = create_engine("torch", ConvNet(4, stem=2), n_outputs=2, head="softmax", loss="cross_entropy",
                       optimizer=Optimizer(), sample=X, seed=0, precision="bfloat16")
engine.place(X, np.eye(2, dtype=np.float32)[[0, 1, 0, 1]], prepare=lambda x: x)
engine.step(Batch(np.arange(4)), 0.01)
engine.scores(X)
print("torch._dynamo" in sys.modules)
"""


def test_training_and_answering_do_not_load_a_compiler() -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", CODE], capture_output=True, text=True, timeout=100)
    assert done.stdout == "False\n", done.stderr
