"""A run in a file: every option of the command line, and a run folder that makes its model again."""

import inspect
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import likely
from likely.cli.app import app
from likely.cli.fit import fit
from likely.config import RunConfig, load_config


def test_every_option_of_fit_can_stand_in_a_file_and_the_other_way_round() -> None:
    options = {"event": "events"}
    named = {options.get(name, name) for name in inspect.signature(fit).parameters}
    assert named - {"config"} == set(RunConfig.model_fields)


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
    assert RunConfig.from_toml(config.to_toml()) == config
