"""Custom networks: a small residual net on real digits, from training to a file and back; factories at fault."""

import copy
import json
import pickle
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import GridSearchCV
from torch import nn
from torch.nn import functional
from typer.testing import CliRunner

import likely
from likely.cli.app import app
from likely.config import RunConfig
from likely.engines import create_engine
from likely.engines.protocol import Batch, Optimizer
from likely.errors import ConfigError, EngineError, LikelyError, ModelFileError, ShapeError
from likely.networks.convnet import ConvNet
from likely.networks.custom import CustomNetwork
from likely.report.run_report import report_run
from likely.training.fit import fit
from likely.training.plan import Overrides

DIGITS = load_digits()
ORDER = np.random.default_rng(0).permutation(len(DIGITS.target))  # the last rows are of other writers than the first
X = (DIGITS.images * 15).astype(np.uint8)[ORDER]  # 8 x 8 pixels
y = DIGITS.target[ORDER]
IRIS = load_iris(return_X_y=True)
SETTINGS: dict[str, Any] = {
    "head": "softmax",
    "loss": "cross_entropy",
    "optimizer": Optimizer(),
    "sample": np.random.default_rng(0).random((6, 1, 8, 8), np.float32),
    "seed": 0,
    "device": "cpu",
}


class Residual(nn.Module):
    """x + f(x), with the two batch normalizations of such a block."""

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(n_out)
        self.skip = nn.Conv2d(n_in, n_out, 1, stride, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = functional.relu(self.norm1(self.conv1(x)))
        return functional.relu(self.skip(x) + self.norm2(self.conv2(h)))


class ResNet(nn.Module):
    """Images of one channel -> scores; what it subtracts first is a buffer."""

    def __init__(self, n_classes: int, width: int = 8) -> None:
        super().__init__()
        self.register_buffer("center", torch.tensor(0.3))
        self.block1 = Residual(1, width, 1)
        self.block2 = Residual(width, 2 * width, 2)
        self.dropout = nn.Dropout(0.1)
        self.fc = nn.Linear(2 * width, n_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.block2(self.block1(x - self.center))
        # Of the usual layout in memory only: a custom network may rely on it.
        h = h.view(len(h), h.shape[1], -1).mean(dim=2)
        return self.fc(self.dropout(h))


def small_resnet(n_classes: int) -> ResNet:
    return ResNet(n_classes)


def row_net(n_classes: int, sample: np.ndarray) -> nn.Module:
    return nn.Sequential(
        nn.Linear(sample.shape[1], 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, n_classes)
    )


def engine_of(factory: Any, n_outputs: int = 3, **changes: Any) -> Any:
    return create_engine("torch", CustomNetwork(factory), **{**SETTINGS, "n_outputs": n_outputs, **changes})


@pytest.fixture(scope="module")
def trained() -> likely.Classifier:
    settings: dict[str, Any] = {"epochs": 5, "batch_size": 32, "learning_rate": 1e-2, "random_state": 0}
    return likely.Classifier(network=small_resnet, **settings).fit(X[:900], y[:900])


def test_a_residual_net_does_all_that_ours_does(trained: likely.Classifier) -> None:
    new, labels = X[1500:], y[1500:]
    assert trained.score(new, labels) > 0.8
    predictor, card = trained.predictor_, trained.predictor_.card
    assert card.network.name == "custom"
    assert card.network.settings == {"factory": "small_resnet"}
    assert card.network.parameters == sum(p.numel() for p in ResNet(10).parameters())
    assert card.calibrated
    probs = trained.predict_proba(new)
    np.testing.assert_allclose(probs.sum(axis=1), 1, rtol=1e-5)
    sets = trained.predict_set(new, coverage=0.95)
    covered = np.mean([label in found for label, found in zip(labels.tolist(), sets, strict=True)])
    assert covered > 0.9
    noise = np.random.default_rng(0).integers(0, 256, (100, 8, 8), dtype=np.uint8)
    assert np.median(trained.familiarity(noise)) < 0.1 < 0.3 < np.median(trained.familiarity(new))
    calibrated = predictor.calibrate(new, labels)
    answers, answered = calibrated.predict_or_abstain(new, max_error=0.2)
    assert (answers[answered] == labels[answered]).mean() > 0.8


def test_the_features_are_what_the_last_linear_layer_is_given(trained: likely.Classifier) -> None:
    _, features = trained.predictor_.scores_and_features(X[:7])
    assert features.shape == (7, 16)
    scores, features = trained.predictor_.scores_and_features(X[:7])
    state = {name.removeprefix("theta."): a for name, a in trained.predictor_.arrays.items()}
    np.testing.assert_allclose(features @ state["fc.weight"].T + state["fc.bias"], scores, rtol=1e-4, atol=1e-4)


def test_a_file_gives_the_same_numbers_with_the_factory(trained: likely.Classifier, tmp_path: Path) -> None:
    path = trained.predictor_.save(tmp_path / "m.likely")
    again = likely.load(path, network=small_resnet)
    np.testing.assert_array_equal(again.predict_proba(X[:50]), trained.predict_proba(X[:50]))
    np.testing.assert_array_equal(again.familiarity(X[:50]), trained.familiarity(X[:50]))
    assert again.predict_set(X[:50]) == trained.predict_set(X[:50])
    # An object that builds is a factory, too.
    built = likely.load(path, network=Builder())
    np.testing.assert_array_equal(built.predict_proba(X[:50]), trained.predict_proba(X[:50]))


class Builder:
    def build(self, n_classes: int, sample: np.ndarray) -> nn.Module:
        assert sample.shape[1:] == (1, 8, 8)
        return ResNet(n_classes)


def test_a_file_without_its_factory_or_with_another_is_refused(trained: likely.Classifier, tmp_path: Path) -> None:
    path = trained.predictor_.save(tmp_path / "m.likely")
    with pytest.raises(ModelFileError, match=r"'small_resnet'.*network=factory"):
        likely.load(path)
    with pytest.raises(ModelFileError, match=r"of another shape: 'block1.conv1.weight' \(8, 1, 3, 3\) in place of"):
        likely.load(path, network=lambda n_classes: ResNet(n_classes, width=4))
    with pytest.raises(ModelFileError, match=r"missing: '1.weight', '1.bias'; unexpected: 'block1.conv1.weight'"):
        likely.load(path, network=lambda n_classes: nn.Sequential(nn.Flatten(), nn.Linear(64, n_classes)))
    with pytest.raises(ModelFileError, match=r"small_resnet.*scores of shape \(2, 10\)"):
        likely.load(path, network=lambda n_classes: ResNet(n_classes + 1))
    with pytest.raises(ModelFileError, match=r"small_resnet.*no such weights"):
        likely.load(path, network=at_fault)
    with pytest.raises(EngineError, match="NoneType"):
        likely.load(path, network=lambda n_classes: None)


def at_fault(n_classes: int) -> nn.Module:
    raise ValueError("no such weights")


def test_a_factory_is_for_models_of_factories(model_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'linear'.*without network"):
        likely.load(model_path, network=small_resnet)


def test_the_command_line_says_what_to_do(trained: likely.Classifier, tmp_path: Path) -> None:
    path = trained.predictor_.save(tmp_path / "m.likely")
    inspected = CliRunner().invoke(app, ["inspect", str(path)])
    assert inspected.exit_code == 0
    assert "custom (factory small_resnet)" in inspected.output
    card = json.loads(CliRunner().invoke(app, ["inspect", str(path), "--json"]).output)
    assert card["network"]["name"] == "custom"
    asked = CliRunner().invoke(app, ["evaluate", str(path), "digits"])
    assert asked.exit_code == 1
    assert "Try likely.load(path, network=factory)" in asked.stderr


def test_a_run_folder_and_its_report(tmp_path: Path) -> None:
    config = RunConfig(data="digits", epochs=1, batch_size=64, out=str(tmp_path / "run"))
    run = fit(config, overrides=Overrides(network=CustomNetwork(small_resnet), augment=("shift", lambda batch: batch)))
    assert "small_resnet" in report_run(run).read_text(encoding="utf-8")
    assert run.predictor.card.training.augment[0] == "shift"
    again = likely.load(run.folder, network=small_resnet)
    assert run.dataset.test is not None
    np.testing.assert_array_equal(again.predict_proba(run.dataset.test.X), run.answers)


def test_a_run_repeats_and_disturbs_nobody(trained: likely.Classifier) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    settings: dict[str, Any] = {"network": row_net, "epochs": 2, "random_state": 3}
    first, again = (likely.Classifier(**settings).fit(*IRIS).predict_proba(IRIS[0]) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert torch.equal(torch.rand(3), expected)


def test_rows_numbers_and_precision() -> None:
    rows, labels = IRIS
    clf = likely.Classifier(network=row_net, epochs=12, learning_rate=2e-2, random_state=0).fit(rows, labels)
    assert clf.score(rows, labels) > 0.9
    assert clf.predictor_.card.training.dtype == "float32"
    wide = likely.Classifier(network=row_net, epochs=1, dtype="float64").fit(rows, labels)
    assert wide.predictor_.scores_and_features(rows)[0].dtype == np.float64
    reg = likely.Regressor(network=row_net, epochs=8, learning_rate=2e-2, random_state=0).fit(rows[:, :3], rows[:, 3])
    assert reg.score(rows[:, :3], rows[:, 3]) > 0.8
    assert reg.predict_interval(rows[:2, :3]).shape == (2, 2)
    two = likely.Regressor(network=row_net, epochs=1).fit(rows[:, :2], rows[:, 2:])
    assert two.predict(rows[:4, :2]).shape == (4, 2)


def test_the_sample_is_given_to_those_who_ask() -> None:
    asked: list[Any] = []

    def option(n_classes: int, width: int = 4) -> nn.Module:
        asked.append(width)
        return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.Linear(width, n_classes))

    def wants(n_classes: int, sample: np.ndarray | None = None) -> nn.Module:
        asked.append(sample)
        return option(n_classes)

    engine_of(option)
    assert set(asked) == {4}
    engine_of(partial(option, width=5))
    assert asked[-1] == 5
    engine_of(wants)
    assert asked[-2].shape == (6, 1, 8, 8)
    engine_of(ResNet)
    engine_of(ConvNet(width=4, stem=4))
    assert CustomNetwork(partial(option, width=5)).settings["factory"].endswith("option")


def test_scikit_learn_searches_over_factories() -> None:
    rows, labels = IRIS
    clf = likely.Classifier(network=row_net, epochs=1, random_state=0)
    assert clone(clf).get_params()["network"] is row_net
    search = GridSearchCV(clf, {"network": [partial(nn.Linear, 4), row_net]}, cv=2).fit(rows[::3], labels[::3])
    assert search.cv_results_["mean_test_score"].shape == (2,)


def test_classifiers_can_be_pickled_and_copied(trained: likely.Classifier) -> None:
    # As for the processes of n_jobs, before fit and after it.
    clf = likely.Classifier(network=partial(nn.Linear, 4), optimizer=torch.optim.RMSprop, epochs=1, random_state=0)
    sent = pickle.loads(pickle.dumps(clf)).fit(*IRIS)
    np.testing.assert_array_equal(sent.predict_proba(IRIS[0]), clf.fit(*IRIS).predict_proba(IRIS[0]))
    expected = trained.predict_proba(X[:5])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(trained)).predict_proba(X[:5]), expected)
    np.testing.assert_array_equal(copy.deepcopy(trained).predict_proba(X[:5]), expected)


class Tied(nn.Module):
    """Tied weights, a parameter that is not contiguous, a view of another tensor, and integers."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.first = nn.Linear(64, 64, bias=False)
        self.second = nn.Linear(64, 64, bias=False)
        self.second.weight = self.first.weight
        self.last = nn.Linear(64, n_classes)
        self.last.weight = nn.Parameter(torch.randn(64, n_classes).T / 8)
        both = torch.arange(8.0)
        self.register_buffer("left", both[:4])
        self.register_buffer("right", both[2:])
        self.register_buffer("seen", torch.tensor(0))
        self.register_buffer("mask", torch.full((2,), -torch.inf), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.seen += len(x)
        return self.last(self.second(functional.relu(self.first(x.flatten(1)))))


def test_tied_shared_and_scattered_tensors_are_saved(tmp_path: Path) -> None:
    clf = likely.Classifier(network=Tied, epochs=1, random_state=0).fit(X[:300], y[:300])
    path = clf.predictor_.save(tmp_path / "m.likely")
    again = likely.load(path, network=Tied)
    np.testing.assert_array_equal(again.predict_proba(X[:20]), clf.predict_proba(X[:20]))
    arrays = clf.predictor_.arrays
    np.testing.assert_array_equal(arrays["theta.first.weight"], arrays["theta.second.weight"])
    assert arrays["theta.seen"] > 0
    assert "theta.mask" not in arrays


def test_lazy_layers_find_their_sizes() -> None:
    def lazy(n_classes: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.LazyLinear(8), nn.LazyBatchNorm1d(), nn.LazyLinear(n_classes))

    assert engine_of(lazy).state()["1.weight"].shape == (8, 64)


def test_batches_of_one_row_have_no_variance() -> None:
    clf = likely.Classifier(network=row_net, epochs=1, batch_size=1, random_state=0).fit(IRIS[0][::5], IRIS[1][::5])
    assert np.isfinite(clf.predict_proba(IRIS[0])).all()
    # 40 of 41 rows and one left over: whole batches only.
    likely.Classifier(network=row_net, epochs=1, batch_size=40, random_state=0).fit(IRIS[0][30:71], IRIS[1][30:71])


class Pair(nn.Module):
    """Offers features of its own."""

    def __init__(self, n_classes: int, wrong: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, n_classes, 8)
        self.wrong = wrong

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x).flatten(1)

    def scores_and_features(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self(x), x if self.wrong else x.flatten(1)[:, :5]


def test_features_of_ones_own_and_none_at_all() -> None:
    x = SETTINGS["sample"]
    assert engine_of(Pair).forward(x)[1].shape == (6, 5)
    with pytest.raises(ShapeError, match=r"\(6, 3\), \(6, 1, 8, 8\)"):
        engine_of(lambda n_classes: Pair(n_classes, wrong=True))
    # Without a linear layer, what the last convolution is given: one vector in all.
    bare = engine_of(lambda n_classes: nn.Sequential(nn.Conv2d(1, n_classes, 8), nn.Flatten()))
    assert bare.forward(x)[1].shape[0] == 6
    assert bare.last_layer == ("0.weight", "0.bias")


def test_wide_features_are_averaged_over_neighbors() -> None:
    def wide(n_classes: int) -> nn.Module:
        return nn.Sequential(nn.Conv2d(1, 64, 3, padding=1), nn.Flatten(), nn.Linear(4096, n_classes))

    assert engine_of(wide).forward(SETTINGS["sample"])[1].shape == (6, 1024)


def test_threads_do_not_mix_their_features(trained: likely.Classifier) -> None:
    from concurrent.futures import ThreadPoolExecutor

    parts = [X[i : i + 40] for i in range(0, 400, 40)]
    expected = [trained.familiarity(part) for part in parts]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(trained.familiarity, parts * 3))
    for one, other in zip(found, expected * 3, strict=True):
        np.testing.assert_allclose(one, other)


class InTraining(nn.Module):
    """Answers otherwise while it is trained."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.last = nn.Linear(64, n_classes)

    def forward(self, x: torch.Tensor) -> Any:
        scores = self.last(x.flatten(1))
        return (scores, scores) if self.training else scores


def linear(n_classes: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, n_classes))


SHARED = nn.Linear(64, 8)


def with_buffer(value: torch.Tensor) -> Any:
    def factory(n_classes: int) -> nn.Module:
        module = linear(n_classes)
        module.register_buffer("extra", value)
        return module

    return factory


@pytest.mark.parametrize(
    ("factory", "error", "says"),
    [
        (lambda n: None, EngineError, r"must return a torch.nn.Module; got NoneType"),
        (lambda n: linear(n + 1), ShapeError, r"scores of shape \(6, 3\).*\(6, 4\)"),
        (lambda n: nn.Sequential(linear(n), nn.Unflatten(1, (n, 1))), ShapeError, r"\(6, 3, 1\)"),
        (lambda n: nn.Linear(32, n), ShapeError, r"batch of shape \(6, 1, 8, 8\), float32; got RuntimeError: mat1"),
        (lambda n: nn.Sequential(linear(n), nn.Softmax(dim=1)), EngineError, "without its last softmax"),
        (lambda n: nn.Sequential(linear(1), nn.Sigmoid()), ShapeError, r"\(6, 1\)"),
        (InTraining, ShapeError, "while training; got tuple"),
        (lambda n: nn.Flatten(), ShapeError, r"\(6, 64\)"),
        (lambda n: nn.Sequential(SHARED, nn.Linear(8, n)), EngineError, "'0.weight'.*deepcopy"),
        (with_buffer(torch.tensor(-torch.inf)), EngineError, "'extra'.*persistent=False"),
        (with_buffer(torch.tensor(1j)), EngineError, "complex"),
        (lambda n: linear(n).requires_grad_(False), EngineError, "parameters that learn; got none"),
    ],
)
@pytest.mark.filterwarnings("ignore:Complex modules:UserWarning")
def test_factories_at_fault(factory: Any, error: type[LikelyError], says: str) -> None:
    with pytest.raises(error, match=says):
        engine_of(factory)


def test_a_fault_is_told_before_training() -> None:
    with pytest.raises(ShapeError, match=r"\(8, 10\)"):
        likely.Classifier(network=lambda n_classes: linear(7)).fit(X, y)
    with pytest.raises(ShapeError, match=r"batch of shape \(8, 4\)"):
        likely.Classifier(network=small_resnet).fit(*IRIS)


@pytest.mark.parametrize(
    ("network", "says"),
    [
        (nn.Linear(4, 3), "lambda n_classes"),
        (3, "got a int"),
        (lambda: None, "cannot be called with the number of scores"),
        (lambda a, b, c: None, "cannot be called"),
        (likely.MLP([4, 5, 3]), "got a MLP"),
        ("resnet", "network must be one of"),
    ],
)
def test_what_is_no_factory(network: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        likely.Classifier(network=network).fit(*IRIS)


def test_settings_that_do_not_go_with_a_factory() -> None:
    with pytest.raises(ConfigError, match="hidden"):
        likely.Classifier(network=row_net, hidden=(3,)).fit(*IRIS)
    with pytest.raises(EngineError, match="engine='torch'"):
        likely.Classifier(network=row_net, engine="jax").fit(*IRIS)
    with pytest.raises(ConfigError, match="network must be one of"):
        RunConfig(network="custom")


def test_a_softmax_is_right_before_the_other_head() -> None:
    engine_of(lambda n: nn.Sequential(linear(n), nn.Softmax(dim=1)), head="l1")


def test_steps_agree_with_torch_by_hand() -> None:
    """SGD on the residual net, in double precision, as one would write it in torch."""
    rng = np.random.default_rng(0)
    x, Y = rng.random((12, 1, 8, 8)), np.eye(3)[rng.integers(0, 3, 12)]
    engine = engine_of(
        lambda n: ResNet(n).requires_grad_(True).eval(), dtype="float64", optimizer=Optimizer("sgd"), sample=x
    )
    module = ResNet(3).double()
    module.load_state_dict({name: torch.from_numpy(a) for name, a in engine.state().items()})
    module.dropout.p = 0.0
    engine._module.dropout.p = 0.0
    engine.place(x, Y, prepare=lambda rows: rows)
    by_hand = torch.optim.SGD(module.parameters(), lr=0.1)
    for _ in range(3):
        loss = functional.cross_entropy(module(torch.from_numpy(x)), torch.from_numpy(Y))
        by_hand.zero_grad()
        loss.backward()
        by_hand.step()
        assert engine.step(Batch(np.arange(12)), 0.1) == pytest.approx(loss.item())
    for name, value in module.state_dict().items():
        np.testing.assert_allclose(engine.state()[name], value.numpy(), rtol=1e-9, err_msg=name)


class Masking(nn.Module):
    """Label 0 is impossible where the first number is positive."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.fc = nn.Linear(3, n_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores = self.fc(x)
        mask = torch.zeros_like(scores, dtype=torch.bool)
        mask[:, 0] = x[:, 0] > 0
        return scores.masked_fill(mask, -torch.inf)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_network_may_mask_labels_with_minus_infinity(tmp_path: Path, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(500, 3)).astype(dtype)
    rows[:, 0] = np.sign(rows[:, 0])
    scores = 2 * rows @ np.array([[0, 0, 0], [1, 0, -1], [0, 1, 0]]) + rng.gumbel(size=(500, 3))
    scores[rows[:, 0] > 0, 0] = -np.inf
    labels = scores.argmax(axis=1)
    settings = {"epochs": 8, "learning_rate": 0.05, "random_state": 0, "verbose": False}
    clf = likely.Classifier(network=Masking, **settings).fit(rows[:300], labels[:300])  # pyright: ignore
    assert 0.3 < clf.predictor_.card.temperature < 3
    clf.predictor_.save(tmp_path / "m.likely")
    model = likely.load(tmp_path / "m.likely", network=Masking)
    probs = model.predict_proba(rows[300:])
    np.testing.assert_array_equal(probs[:, 0] == 0, rows[300:, 0] > 0)
    assert likely.metrics.log_loss(probs, labels[300:]) < 1.0
    covered = [label in event for label, event in zip(labels[300:], model.predict_set(rows[300:], 0.9), strict=True)]
    assert np.mean(covered) > 0.8
    assert all(
        0 not in event for event, x in zip(model.predict_set(rows[300:], 0.9), rows[300:, 0], strict=True) if x > 0
    )
    assert (model.familiarity(rows[300:]) < 0.05).mean() < 0.15
    assert np.isfinite(model.card.held_out["nll"])
