"""Custom optimizers and augmentations: what they are given, what they do, and what is said if they may not."""

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, load_iris
from torch import nn

import likely
from likely.engines import create_engine
from likely.engines.protocol import Batch, Optimizer
from likely.errors import ConfigError, EngineError, ShapeError
from likely.networks.convnet import ConvNet
from likely.networks.custom import CustomNetwork
from likely.networks.linear import Linear

X, y = load_iris(return_X_y=True)
DIGITS = load_digits()
IMAGES = (DIGITS.images[:200] * 15).astype(np.uint8)
SAMPLE = np.random.default_rng(0).random((8, 3))


def engine_of(optimizer: Any, network: Any = None, **changes: Any) -> Any:
    settings: dict[str, Any] = {
        "n_outputs": 2,
        "head": "softmax",
        "loss": "cross_entropy",
        "sample": SAMPLE,
        "seed": 0,
        "dtype": "float64",
        "device": "cpu",
    }
    return create_engine("torch", network or Linear(3, 2), optimizer=optimizer, **{**settings, **changes})


def test_a_rule_of_ones_own_takes_the_same_steps_as_ours() -> None:
    Y = np.eye(2)[[0, 1] * 4]
    ours = engine_of(Optimizer("sgd", momentum=0.9))
    theirs = engine_of(lambda params: torch.optim.SGD(params, lr=0.3, momentum=0.9))
    assert (ours.learning_rate, theirs.learning_rate) == (None, 0.3)
    for engine in (ours, theirs):
        engine.place(SAMPLE, Y, prepare=lambda rows: rows)
        for rate in (0.3, 0.2, 0.1):
            engine.step(Batch(np.arange(8)), rate)
    np.testing.assert_allclose(theirs.state()["layer0"], ours.state()["layer0"], rtol=1e-12)


def test_the_schedule_rises_to_the_rate_that_the_optimizer_asks_for() -> None:
    def rule(params: Any) -> torch.optim.Optimizer:
        return torch.optim.SGD(params, lr=0.05, momentum=0.9, nesterov=True)

    clf = likely.Classifier(optimizer=rule, epochs=20, random_state=0).fit(X, y)
    rates = [record["learning_rate"] for record in clf.history_]
    assert 0.04 < max(rates) <= 0.05
    assert rates[-1] < 0.01
    training = clf.predictor_.card.training
    assert (training.learning_rate, training.engine) == (0.05, "torch")
    assert training.optimizer.endswith("rule")
    other = likely.Classifier(optimizer=rule, learning_rate=0.5, epochs=20, random_state=0).fit(X, y)
    assert max(record["learning_rate"] for record in other.history_) > 0.4


class Grouped(nn.Module):
    """Its last layer learns ten times as fast."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(3, 4), nn.Linear(4, n_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.tanh(self.first(x)))

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.first.parameters())}, {"params": list(self.last.parameters()), "lr": 1.0}]


def test_groups_keep_their_proportions() -> None:
    engine = engine_of(lambda groups: torch.optim.SGD(groups, lr=0.1), CustomNetwork(Grouped))
    assert engine.learning_rate == 1.0
    engine.place(SAMPLE, np.eye(2)[[0, 1] * 4], prepare=lambda rows: rows)
    engine.step(Batch(np.arange(8)), 0.5)
    assert [group["lr"] for group in engine._rule._optimizer.param_groups] == pytest.approx([0.05, 0.5])
    # Our conv net's fast biases stay fast under another rule.
    images = np.random.default_rng(0).random((4, 1, 8, 8), np.float32)
    conv = engine_of(lambda groups: torch.optim.SGD(groups, lr=0.1), ConvNet(4, 4), sample=images, dtype="float32")
    conv.place(images, np.eye(2)[[0, 1] * 2], prepare=lambda rows: rows)
    conv.step(Batch(np.arange(4)), 0.1)
    assert [group["lr"] for group in conv._rule._optimizer.param_groups] == pytest.approx([0.1, 0.8])


@pytest.mark.parametrize(
    ("optimizer", "says"),
    [
        (lambda params: None, "got NoneType"),
        (lambda params: torch.optim.LBFGS(params), "several times"),
        (lambda params: torch.optim.SGD(nn.Linear(2, 2).parameters(), lr=1.0), "got an optimizer of others"),
    ],
)
def test_optimizers_at_fault(optimizer: Any, says: str) -> None:
    with pytest.raises(EngineError, match=says):
        engine_of(optimizer)


def test_an_optimizer_is_made_by_a_function() -> None:
    with pytest.raises(ConfigError, match=r"got a SGD.*lambda params"):
        likely.Classifier(optimizer=torch.optim.SGD(nn.Linear(2, 2).parameters(), lr=1.0)).fit(X, y)
    with pytest.raises(ConfigError, match="Did you mean 'adam'"):
        likely.Classifier(optimizer="adm").fit(X, y)
    with pytest.raises(EngineError, match=r"another optimizer.*engine='torch'"):
        likely.Classifier(optimizer=torch.optim.SGD, engine="numpy").fit(X, y)


def test_an_augmentation_of_ones_own_sees_prepared_batches() -> None:
    seen: list[Any] = []

    def darker(batch: torch.Tensor) -> torch.Tensor:
        seen.append((tuple(batch.shape), float(batch.max())))
        return batch * torch.rand(len(batch), 1, 1, 1)

    settings: dict[str, Any] = {"epochs": 1, "batch_size": 32, "random_state": 0}
    labels = DIGITS.target[:200]
    first, again = (
        likely.Classifier(augment=["shift", darker], **settings).fit(IMAGES, labels).predict_proba(IMAGES)
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)
    assert {shape for shape, _ in seen} == {(32, 1, 8, 8)}
    assert max(most for _, most in seen) <= 1
    rows = likely.Classifier(augment=lambda batch: batch + 0.0, network="mlp", epochs=1, random_state=0).fit(X, y)
    plain = likely.Classifier(network="mlp", epochs=1, random_state=0).fit(X, y)
    np.testing.assert_array_equal(rows.predict_proba(X), plain.predict_proba(X))


def test_mirroring_is_never_assumed() -> None:
    labels = DIGITS.target[:200]

    def card(**settings: Any) -> Any:
        return likely.Classifier(epochs=1, random_state=0, **settings).fit(IMAGES, labels).predictor_.card

    assert (card().hflip, card().training.augment) == (False, ())
    assert (card(augment="hflip").hflip, card(augment=["hflip", "cutout"]).training.augment) == (
        True,
        ("hflip", "cutout"),
    )
    assert card(hflip=True).hflip
    assert not card(hflip=True, augment="none").hflip


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"augment": "hflp"}, ConfigError, "Did you mean 'hflip'"),
        ({"augment": ["shift", 3]}, ConfigError, r"got 3\. Try augment"),
        ({"augment": "shift", "network": "mlp"}, ConfigError, r"'shift'.*needs a network for images"),
        ({"augment": lambda batch: batch[:1]}, ShapeError, r"\(16, 1, 8, 8\); got \(1, 1, 8, 8\)"),
        ({"augment": lambda batch: None}, ShapeError, "got NoneType"),
    ],
)
def test_augmentations_at_fault(settings: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        likely.Classifier(epochs=1, batch_size=16, **settings).fit(IMAGES, DIGITS.target[:200])
