"""A run in a file: every option of the command line, and a run folder that makes its model again."""

import inspect
import json
import runpy
import tomllib
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import likely
from likely.cli.app import app, command
from likely.cli.fit import _configuration, fit
from likely.config import RunConfig, load_config
from likely.config.setting import declared


def test_every_option_of_fit_can_stand_in_a_file_and_the_other_way_round() -> None:
    of_a_run = {"config", "resume", "resume_anyway", "repeat"}
    assert set(inspect.signature(fit).parameters) - of_a_run == set(RunConfig.model_fields)


OPTIONS: dict[str, tuple[list[str], object]] = {
    "data": (["boots"], "boots"),
    "data_folder": (["--data", "sets"], "sets"),
    "label": (["--label", "kind"], "kind"),
    "image": (["--image", "photo"], "photo"),
    "group": (["--group", "patient"], "patient"),
    "group_by_folder": (["--group-by-folder"], True),
    "skip_bad": (["--skip-bad"], True),
    "corrections": (["--corrections", "mended.csv"], "mended.csv"),
    "test_share": (["--test-share", "30%"], 0.3),
    "test_last": (["--test-last", "day"], "day"),
    "task": (["--task", "regression"], "regression"),
    "out": (["--out", "runs/a b"], "runs/a b"),
    "overwrite": (["--overwrite"], True),
    "explain": (["--explain"], True),
    "checkpoint_every": (["--checkpoint-every", "2m"], 120.0),
    "private": (["--private"], True),
    "preset": (["--preset", "best"], "best"),
    "epochs": (["--epochs", "0.5"], 0.5),
    "time_limit": (["--time-limit", "1h30m"], 5400.0),
    "early_stopping": (["--early-stopping"], True),
    "members": (["--members", "3"], 3),
    "extrapolate": (["--extrapolate"], True),
    "class_weight": (["--class-weight", "Sandal=2,Ankle boot=0.5"], {"Sandal": 2.0, "Ankle boot": 0.5}),
    "events": (
        ["--event", "worn=Sandal,Ankle boot", "--event", "one=Bag"],
        {"worn": ("Sandal", "Ankle boot"), "one": ("Bag",)},
    ),
    "learning_rate": (["--learning-rate", "0.001"], 0.001),
    "batch_size": (["--batch-size", "32"], 32),
    "optimizer": (["--optimizer", "sgd"], "sgd"),
    "augment": (["--augment", "hflip,shift"], ("hflip", "shift")),
    "init_from": (["--init-from", "old/model.likely"], "old/model.likely"),
    "init_keep": (["--init-keep", "parameters"], "parameters"),
    "freeze": (["--freeze", "conv1.*,conv2.*"], ("conv1.*", "conv2.*")),
    "loss": (["--loss", "squared_error"], "squared_error"),
    "seed": (["--seed", "7"], 7),
    "network": (["--network", "linear"], "linear"),
    "hidden": (["--hidden", "64,32"], (64, 32)),
    "activation": (["--activation", "gelu"], "gelu"),
    "head": (["--head", "l1"], "l1"),
    "image_size": (["--image-size", "96"], 96),
    "tune": (["--tune", "all"], "all"),
    "pad_to": (["--pad-to", "32"], 32),
    "engine": (["--engine", "jax"], "jax"),
    "ignore": (["--ignore", 'a,"b, c"'], ("a", "b, c")),
    "categories": (["--category", "region"], ("region",)),
    "numbers": (["--number", "code"], ("code",)),
    "keep": (["--keep", "id"], ("id",)),
    "missing": (["--missing", "NA,-"], ("NA", "-")),
    "decimal": (["--decimal", "comma"], "comma"),
    "encoding": (["--encoding", "latin-1"], "latin-1"),
    "header": (["--no-header"], False),
    "device": (["--device", "cpu"], "cpu"),
    "dtype": (["--dtype", "float64"], "float64"),
    "precision": (["--precision", "bfloat16"], "bfloat16"),
}


def read(*arguments: str) -> RunConfig:
    """What `likely fit` makes of its arguments before it opens any data."""
    given = command("fit").make_context("fit", list(arguments)).params
    file = given.pop("config")
    return _configuration(file, {name: value for name, value in given.items() if value not in (None, [], ())})


def test_the_options_below_are_all() -> None:
    assert set(OPTIONS) == set(RunConfig.model_fields)


@pytest.mark.parametrize("name", OPTIONS)
def test_the_value_of_an_option_outlives_a_file(name: str, tmp_path: Path) -> None:
    arguments, value = OPTIONS[name]
    typed = read(*([] if name == "data" else ["digits"]), *arguments)
    assert getattr(typed, name) == value
    assert value != getattr(RunConfig(), name)
    (tmp_path / "config.json").write_text(json.dumps(typed.to_json()))
    (tmp_path / "run.toml").write_text(typed.to_toml())
    assert read("--config", str(tmp_path / "config.json")) == typed
    assert read("--config", str(tmp_path / "run.toml")) == typed


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_wins_over_a_file(name: str, tmp_path: Path) -> None:
    arguments, value = OPTIONS[name]
    (tmp_path / "config.json").write_text(json.dumps(RunConfig().to_json()))
    assert getattr(read("--config", str(tmp_path / "config.json"), *arguments), name) == value


def test_the_table_of_settings_is_that_of_the_fields() -> None:
    page = Path("docs/configuration.md").read_text(encoding="utf-8")
    assert runpy.run_path("docs/settings_table.py")["with_table"](page) == page, "run python docs/settings_table.py"
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in page.splitlines() if line[:3] == "| `"]
    assert [row[0].strip("`") for row in rows] == list(RunConfig.model_fields)
    for (name, values, default, _), setting in zip(rows, declared(RunConfig).values(), strict=True):
        value = setting.default
        assert default.strip("`") == ("" if value in (None, (), {}) or name == "`data`" else str(value).lower())
        for choice in setting.choices:
            assert choice in values
        if values.startswith("`"):
            for choice in values.replace("`", "").split(", "):
                RunConfig(**{name.strip("`"): choice == "true" if choice in ("true", "false") else choice})


def test_the_file_in_the_docs_is_a_configuration(tmp_path: Path) -> None:
    text = Path("docs/configuration.md").read_text(encoding="utf-8")
    example = text.split("```toml\n")[1].split("```")[0]
    config = RunConfig.from_json(tomllib.loads(example))
    assert config.events == {"footwear": ("Sandal", "Sneaker", "Ankle boot")}
    (tmp_path / "boots.toml").write_text(example, encoding="utf-8")
    assert load_config(tmp_path / "boots.toml") == config


@pytest.mark.parametrize("network", ["linear", "conv"])
def test_the_config_of_a_run_makes_the_same_model(network: str, tmp_path: Path) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    options = ["--network", network, "--epochs", "0.2", "--seed", "3", "--event", "even=0,2,4,6,8", "--out", str(first)]
    runner = CliRunner()
    assert runner.invoke(app, ["fit", "digits", *options]).exit_code == 0
    done = runner.invoke(app, ["fit", "--config", str(first / "config.json"), "--out", str(again)])
    assert done.exit_code == 0, done.output
    assert json.loads((first / "metrics.json").read_text()) == json.loads((again / "metrics.json").read_text())
    models = [likely.load(folder) for folder in (first, again)]
    assert list(models[0].arrays) == list(models[1].arrays)
    for name, array in models[0].arrays.items():
        np.testing.assert_array_equal(array, models[1].arrays[name])


def test_a_file_that_names_what_is_taken_says_the_way_out(tmp_path: Path) -> None:
    runner = CliRunner()
    arguments = ["fit", "iris", "--network", "linear", "--epochs", "1", "--out", str(tmp_path / "run")]
    assert runner.invoke(app, arguments).exit_code == 0
    taken = runner.invoke(app, ["fit", "--config", str(tmp_path / "run" / "config.json")])
    assert taken.exit_code == 1
    assert "--out" in taken.output


def test_toml_and_json_say_the_same(tmp_path: Path) -> None:
    config = RunConfig(data="digits", epochs=3, events={"even": ("0", "2")}, hidden=(32, 16), out="runs/x")
    (tmp_path / "run.json").write_text(json.dumps(config.to_json()))
    assert load_config(tmp_path / "run.json") == config
    assert RunConfig.from_json(tomllib.loads(config.to_toml())) == config
