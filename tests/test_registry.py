"""A new network, head, loss, activation, engine, preset, data set or reader is one row: it works through every door."""

import json
import runpy
import tomllib
from collections.abc import Callable
from dataclasses import replace
from importlib import reload
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from typer.testing import CliRunner

import likely
from likely import config
from likely.arrays import namespace
from likely.cli import fit as fit_command
from likely.cli.app import app, command
from likely.config import RunConfig, registry
from likely.config.setting import declared, setting
from likely.data.dataset import Dataset, Part
from likely.data.readers import Reader
from likely.data.sources import open_dataset
from likely.engines.by_hand import ByHand
from likely.errors import ConfigError, EngineError, ShapeError
from likely.estimators import parameters
from likely.functional.heads import Head
from likely.functional.losses import Loss, softmax_cross_entropy
from likely.networks.activations import Activation
from likely.networks.linear import Linear
from likely.training.presets import FAST

X, Y = load_iris(return_X_y=True)
LOG_2 = float(np.log(2))


class Doubled(Linear):
    """Twice a linear network."""

    name = "mine"

    def apply(self, theta: Any, x: Any) -> Any:
        return 2 * super().apply(theta, x)


class Mine(ByHand):
    """The engine by hand under another name."""

    name = "mine"


def powers_of_two(scores: Any) -> Any:
    return likely.softmax(LOG_2 * scores)


def log_powers_of_two(scores: Any, axis: int = -1) -> Any:
    xp = namespace(scores)
    return xp.log(likely.softmax(LOG_2 * scores, axis=axis))


def back(scores: np.ndarray, probs: np.ndarray, upstream: np.ndarray) -> np.ndarray:
    del scores
    return LOG_2 * probs * (upstream - (probs * upstream).sum(axis=-1, keepdims=True))


def doubled_cross_entropy(head: str, labels: Any, scores: Any) -> Any:
    return 2 * registry.LOSSES["cross_entropy"].values(head, labels, scores)


def with_gradient(head: str, labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values, gradient = registry.LOSSES["cross_entropy"].with_gradient(head, labels, scores)  # type: ignore[misc]
    return 2 * values, 2 * gradient


def softsign(z: Any) -> Any:
    return z / (1 + namespace(z).abs(z))


ROWS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "network": ("NETWORKS", Doubled, {"epochs": 20.0, "learning_rate": 0.1}),
    "head": ("HEADS", Head("mine", powers_of_two, log_powers_of_two, back), {"network": "linear", "epochs": 5.0}),
    "loss": ("LOSSES", Loss("mine", doubled_cross_entropy, with_gradient), {"network": "linear", "epochs": 5.0}),
    "activation": (
        "ACTIVATIONS",
        Activation("mine", softsign, lambda z, a: (1 - np.abs(a)) ** 2),
        {"network": "mlp", "epochs": 5.0},
    ),
    "engine": ("ENGINES", Mine, {"network": "linear", "epochs": 5.0}),
    "preset": (
        "PRESETS",
        replace(FAST, tables={("classification", "mlp"): replace(FAST.recipes["mlp"], epochs=3, steps=3)}),
        {"network": "mlp"},
    ),
}


@pytest.fixture
def likely_fit(tmp_path: Path) -> Callable[..., Any]:
    def run(*words: str) -> Any:
        done = CliRunner().invoke(app, ["fit", *words, "--out", str(tmp_path / "run")])
        assert done.exit_code == 0, done.output
        return likely.load(tmp_path / "run")

    return run


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_learned_with_from_python_and_the_command_line(
    name: str, likely_fit: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    table, row, more = ROWS[name]
    with pytest.raises(ConfigError, match=f"{name} must be one of"):
        likely.Classifier(**{name: "mine"}, **more).fit(X, Y)
    monkeypatch.setitem(getattr(registry, table), "mine", row)
    assert "mine" in declared(RunConfig)[name].choices
    clf = likely.Classifier(**{name: "mine"}, **more, random_state=0).fit(X, Y)
    assert clf.score(X, Y) > 0.8
    options = [word for more_name, value in more.items() for word in (f"--{more_name.replace('_', '-')}", str(value))]
    model = likely_fit("iris", f"--{name}", "mine", *options)
    card = model.card.to_json()
    assert "mine" in json.dumps([card["network"], card["head"], card["loss"], card["training"]])
    again = model.predict_proba(X)
    np.testing.assert_allclose(again.sum(axis=1), 1)


def test_a_data_set_and_a_reader_are_rows(
    likely_fit: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def iris_again(*_: Any) -> Dataset:
        return replace(open_dataset("iris"), name="mine")

    def open_numbers(path: Path, asked: Any) -> Dataset:
        rows = np.loadtxt(path)
        labels = ("0", "1", "2")
        return Dataset(path.name, "classification", Part(rows[:, 1:], rows[:, 0].astype(int)), labels=labels)

    np.savetxt(tmp_path / "iris.numbers", np.column_stack([Y, X]))
    monkeypatch.setitem(registry.DATA_SETS, "mine", iris_again)
    monkeypatch.setitem(registry.READERS, "numbers", Reader(lambda path: path.suffix == ".numbers", open_numbers))
    assert likely_fit("mine", "--network", "linear", "--epochs", "5").card.data.name == "mine"
    read = open_dataset(tmp_path / "iris.numbers")
    np.testing.assert_array_equal(read.train.X, X)
    asked = ("--network", "linear", "--epochs", "5", "--test-share", "20%", "--overwrite")
    model = likely_fit(str(tmp_path / "iris.numbers"), *asked)
    assert model.card.data.rows == 150 - 30


def test_every_row_can_be_loaded_and_knows_its_name() -> None:
    for table in (registry.NETWORKS, registry.ACTIVATIONS, registry.HEADS, registry.LOSSES, registry.ENGINES):
        for name, row in table.items():
            assert row.name == name  # type: ignore[union-attr]
    for name in registry.PRESETS:
        assert set(registry.PRESETS[name].recipes) == {*registry.NETWORKS, "custom"}
    for table in (registry.READERS, registry.DATA_SETS):
        assert len(list(table.values())) == len(table)


def test_a_loss_of_the_users_is_differentiated_by_torch_and_jax() -> None:
    settings: dict[str, Any] = {"network": "linear", "optimizer": "adam", "epochs": 5, "random_state": 0}
    named = likely.Classifier(**settings, engine="torch").fit(X, Y)

    def in_torch(labels: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.cross_entropy(scores, labels, reduction="none")

    clf = likely.Classifier(**settings, loss=in_torch).fit(X, Y)
    np.testing.assert_allclose(clf.predict_proba(X), named.predict_proba(X), rtol=1e-6)
    assert clf.predictor_.card.loss == "custom"
    assert clf.predictor_.card.training.engine == "torch"
    by_jax = likely.Classifier(**settings, engine="jax", loss=softmax_cross_entropy).fit(X, Y)
    np.testing.assert_allclose(by_jax.predict_proba(X), named.predict_proba(X), rtol=1e-5)


def test_a_loss_of_the_users_with_its_gradient_is_trained_by_hand() -> None:
    loss = Loss("custom", doubled_cross_entropy, with_gradient)
    clf = likely.Classifier(network="linear", epochs=5, loss=loss, engine="numpy", random_state=0).fit(X, Y)
    assert clf.score(X, Y) > 0.8


def test_a_loss_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(EngineError, match="gradient of the loss"):
        likely.Classifier(network="linear", loss=softmax_cross_entropy, engine="numpy").fit(X, Y)
    with pytest.raises(ConfigError, match="function of labels and scores; got a int"):
        likely.Classifier(loss=3).fit(X, Y)
    with pytest.raises(ShapeError, match="one value per row"):
        likely.Classifier(network="linear", loss=lambda labels, scores: (labels - scores) ** 2).fit(X, Y)


def test_a_setting_is_one_declaration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class More(RunConfig):
        sparkle: float | None = setting(None, "How much it sparkles.", panel="Learning", estimators="both")

    monkeypatch.setattr(config, "RunConfig", More)
    try:
        reload(fit_command)
        fit = command("fit")
        option = next(each for each in fit.params if each.name == "sparkle")
        assert (option.opts, option.help) == (["--sparkle"], "How much it sparkles.")
        given = fit.make_context("fit", ["iris", "--sparkle", "0.5"]).params
        given.pop("config")
        chosen = fit_command._configuration(None, {name: value for name, value in given.items() if value is not None})
        assert chosen.sparkle == 0.5  # type: ignore[attr-defined]
        assert More.from_json(tomllib.loads(chosen.to_toml())) == chosen
        page = Path("docs/configuration.md").read_text(encoding="utf-8")
        table = runpy.run_path("docs/settings_table.py")["with_table"](page)
        assert "| `sparkle` | a number |  | How much it sparkles. |" in table
        monkeypatch.setattr(parameters, "RunConfig", More)
        assert parameters.parameters_of("regressor")["sparkle"] == (None, "How much it sparkles.")
    finally:
        monkeypatch.undo()
        reload(fit_command)
