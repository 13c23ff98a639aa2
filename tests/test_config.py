import json
import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likely.config import RunConfig, load_config, load_settings, parse_duration
from likely.errors import ConfigError

CHOICES = {
    "task": ["auto", "classification", "regression"],
    "preset": ["fast", "balanced", "best"],
    "network": ["auto", "conv", "mlp", "linear"],
    "activation": ["sigmoid", "relu", "tanh", "gelu"],
    "engine": ["auto", "numpy", "jax", "torch"],
    "head": ["softmax", "l1"],
    "loss": ["cross_entropy", "squared_error"],
    "optimizer": ["sgd", "adam"],
    "device": ["auto", "cpu", "cuda"],
    "dtype": ["float32", "float64"],
    "precision": ["auto", "float32", "bfloat16"],
    "init_keep": ["all", "parameters"],
    "decimal": ["point", "comma"],
}


def positive_floats() -> st.SearchStrategy[float]:
    return st.floats(min_value=1e-9, max_value=1e9, allow_nan=False)


def configurations() -> st.SearchStrategy[RunConfig]:
    text = st.text(st.characters(codec="utf-8"), min_size=1)
    choices = {
        name: st.sampled_from(values) for name, values in CHOICES.items() if name not in ("network", "activation")
    }
    labels = st.lists(text, min_size=1, max_size=3).map(tuple)
    strategies: dict[str, st.SearchStrategy[Any]] = {
        "data": text,
        "network": st.sampled_from(["auto", "mlp"]),
        "hidden": st.none() | st.lists(st.integers(1, 4096), min_size=1, max_size=3).map(tuple),
        "activation": st.none() | st.sampled_from(CHOICES["activation"]),
        "augment": st.none()
        | st.lists(st.sampled_from(["hflip", "shift", "cutout", "crop", "color"]), max_size=3).map(tuple),
        **dict.fromkeys(("freeze", "ignore", "categories", "numbers", "keep"), st.lists(text, max_size=2).map(tuple)),
        "missing": st.none() | st.lists(text, max_size=2).map(tuple),
        "test_share": st.floats(0.01, 0.99),
        "events": st.dictionaries(text, labels, max_size=2),
        "class_weight": st.none() | st.just("balanced") | st.dictionaries(text, positive_floats(), max_size=2),
        "head": st.just("softmax"),  # the only one that class weights go with
        # Each of the other values goes with few of the settings above.
        **{"tune": st.just("head"), "explain": st.just(False)},
        "seed": st.integers(0, 2**63 - 1),
        "batch_size": st.none() | st.integers(1, 10**6),
        "members": st.integers(1, 9),
        **dict.fromkeys(("image_size", "pad_to"), st.none() | st.integers(1, 1024)),
        **dict.fromkeys(("learning_rate", "epochs", "time_limit", "checkpoint_every"), st.none() | positive_floats()),
        **dict.fromkeys(
            ("early_stopping", "extrapolate", "skip_bad", "private", "overwrite", "group_by_folder", "header"),
            st.booleans(),
        ),
        **dict.fromkeys(
            ("data_folder", "label", "image", "group", "test_last", "corrections", "init_from", "out", "encoding"),
            st.none() | text,
        ),
        **{name: values for name, values in choices.items() if name != "head"},
    }
    # A field that is missing here would never be drawn.
    assert set(strategies) == set(RunConfig.model_fields)
    return st.builds(RunConfig, **strategies)


@given(configurations())
def test_json_and_toml_give_the_same_configuration_back(config: RunConfig) -> None:
    assert RunConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    assert RunConfig.from_json(tomllib.loads(config.to_toml())) == config


@given(configurations())
def test_toml_is_what_a_toml_reader_reads(config: RunConfig) -> None:
    expected = {name: value for name, value in config.to_json().items() if value is not None}
    assert tomllib.loads(config.to_toml()) == expected


@pytest.mark.parametrize("name", CHOICES)
def test_an_unknown_choice_is_refused_with_all_choices_and_the_nearest(name: str) -> None:
    nearly = CHOICES[name][1] + "x"
    with pytest.raises(ConfigError) as caught:
        RunConfig(**{name: nearly})
    message = str(caught.value)
    assert message.startswith(f"{name} must be one of ")
    assert all(repr(choice) in message for choice in CHOICES[name])
    assert f"got {nearly!r}" in message
    assert f"Did you mean {CHOICES[name][1]!r}?" in message
    assert "pydantic" not in message


@pytest.mark.parametrize("name", CHOICES)
def test_every_choice_is_accepted(name: str) -> None:
    for choice in CHOICES[name]:
        assert getattr(RunConfig(**{name: choice}), name) == choice


def test_a_choice_unlike_any_gets_no_wrong_hint() -> None:
    with pytest.raises(ConfigError, match="Did you mean") as caught:
        RunConfig(preset="bst")
    assert "'best'" in str(caught.value)
    with pytest.raises(ConfigError) as caught:
        RunConfig(preset="zzz")
    assert "Did you mean" not in str(caught.value)


def test_an_unknown_setting_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"got 'learning_rat'. Did you mean 'learning_rate'\?"):
        RunConfig(learning_rat=0.1)


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("epochs", 0, "greater than 0"),
        ("epochs", -1.5, "greater than 0"),
        ("epochs", float("nan"), "finite"),
        ("learning_rate", float("inf"), "finite"),
        ("learning_rate", "fast", "a number"),
        ("learning_rate", True, "a number"),
        ("batch_size", 0, "greater than 0"),
        ("batch_size", 2.5, "a whole number"),
        ("time_limit", 0, "greater than 0"),
        ("time_limit", "soon", "a positive time"),
        ("seed", -1, "at least 0"),
        ("seed", "3", "a whole number"),
        ("seed", 2**63, "less than"),
        ("pad_to", -4, "greater than 0"),
        ("hidden", (), "a list of whole numbers"),
        ("hidden", (256, 0), "greater than 0"),
        ("hidden", (256, 1.5), "whole numbers"),
        ("hidden", "256", "a list of whole numbers"),
        ("early_stopping", "yes", "true or false"),
        ("overwrite", 1, "true or false"),
        ("data", "", "non-empty text"),
        ("data", 3, "text"),
        ("out", "", "non-empty text"),
    ],
)
def test_a_value_out_of_range_is_refused_with_the_rule(name: str, value: object, rule: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(rule)) as caught:
        RunConfig(**{name: value})
    message = str(caught.value)
    assert "pydantic" not in message
    assert "\n" not in message
    assert name in message or name == "time_limit"


def test_heaviside_is_refused_because_its_gradient_is_zero() -> None:
    with pytest.raises(ConfigError, match=r"gradient.*'heaviside'.*sigmoid"):
        RunConfig(activation="heaviside")


@pytest.mark.parametrize("network", ["linear", "conv"])
def test_settings_of_the_mlp_are_refused_with_other_networks(network: str) -> None:
    with pytest.raises(ConfigError, match="hidden must come with the network 'mlp'"):
        RunConfig(network=network, hidden=(64,))
    with pytest.raises(ConfigError, match="activation must come with the network 'mlp'"):
        RunConfig(network=network, activation="relu")


def test_it_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        RunConfig().seed = 3


def test_numbers_of_numpy_and_paths_are_taken() -> None:
    config = RunConfig(seed=np.int64(3), epochs=np.float32(2), batch_size=np.int32(8), out=Path("runs") / "a")
    assert (config.seed, config.epochs, config.batch_size, config.out) == (3, 2.0, 8, str(Path("runs/a")))
    json.dumps(config.to_json())


def test_lists_become_tuples_so_that_configurations_are_hashable() -> None:
    assert RunConfig(hidden=[64, 32]).hidden == (64, 32)
    assert hash(RunConfig(hidden=[64])) == hash(RunConfig(hidden=(64,)))


def test_replace_checks_again() -> None:
    config = RunConfig(preset="best", seed=4)
    assert config.replace(seed=5) == RunConfig(preset="best", seed=5)
    with pytest.raises(ConfigError, match="epochs"):
        config.replace(epochs=-1)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30),
        ("30s", 30),
        ("2m", 120),
        ("2 min", 120),
        ("1h", 3600),
        ("1.5h", 5400),
        (" 1h30m ", 5400),
        ("1H 2M 3S", 3723),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds
    assert RunConfig(time_limit=text).time_limit == seconds


@pytest.mark.parametrize(
    "text", ["", "0", "0s", "-3", "soon", "3x", "1.2.3", "1h30", "30ms", "inf", "nan", "1e3", "2m1h"]
)
def test_durations_that_are_none(text: str) -> None:
    with pytest.raises(ConfigError, match="such as 30s, 2m, 1h"):
        parse_duration(text)


def test_files(tmp_path: Path) -> None:
    config = RunConfig(data="fashion-mnist", hidden=(64, 32), network="mlp", time_limit=60, seed=7)
    toml, jsonl = tmp_path / "run.toml", tmp_path / "config.json"
    toml.write_text(config.to_toml(), encoding="utf-8")
    jsonl.write_text(json.dumps(config.to_json()), encoding="utf-8")
    assert load_config(toml) == load_config(jsonl) == load_config(str(toml)) == config


def test_settings_hold_only_what_the_file_says(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text('preset = "best"\ntime_limit = "2m"\n', encoding="utf-8")
    assert load_settings(file) == {"preset": "best", "time_limit": "2m"}
    assert load_config(file) == RunConfig(preset="best", time_limit=120)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.toml", b"preset = ", "valid TOML"),
        ("a.toml", b"preset fast", "valid TOML"),
        ("a.json", b'{"preset": }', "valid JSON"),
        ("a.json", b'{"learning_rate": NaN}', "valid JSON"),
        ("a.json", b"[1, 2]", "names and values"),
        ("a.toml", b'prest = "fast"', "Did you mean 'preset'"),
        ("a.toml", b'preset = "fats"', "Did you mean 'fast'"),
        ("a.toml", b"\xff\xfe", "not UTF-8"),
        ("a.yaml", b"preset: fast", "end in .toml or .json"),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=re.escape(problem)) as caught:
        load_config(file)
    assert str(file) in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused_by_name(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(ConfigError, match="readable text file") as caught:
            load_config(path)
        assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "form"),
    [
        ("hidden", [], "whole numbers"),
        ("hidden", ["a"], "whole numbers"),
        ("hidden", 256, "whole numbers"),
        ("augment", 3, '["hflip", "cutout"]'),
        ("augment", ["flip"], "one of 'hflip', 'shift', 'cutout', 'crop', 'color'; got 'flip'"),
        ("freeze", [1], '["blocks.0.*"]'),
        ("events", {"footwear": "Sandal"}, '{ footwear = ["Sandal", "Sneaker"] }'),
        ("events", {"footwear": []}, '{ footwear = ["Sandal", "Sneaker"] }'),
        ("class_weight", {"Shirt": -1}, "{ Shirt = 2.0 }"),
        ("class_weight", "heavy", "{ Shirt = 2.0 }"),
    ],
)
def test_a_wrong_value_is_told_the_right_form(name: str, value: Any, form: str) -> None:
    with pytest.raises(ConfigError) as caught:
        RunConfig(**{name: value})
    assert str(caught.value).startswith(f"{name} must be ")
    assert form in str(caught.value)


@pytest.mark.parametrize("name", ["data", "out", "init_from"])
def test_a_path_that_is_no_utf_8_is_refused_with_a_way_out(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"{name} must be a name in UTF-8; got 'd.udce9ta'.*ln -s"):
        RunConfig(**{name: "d\udce9ta"})  # type: ignore[arg-type]


def test_a_share_is_written_with_or_without_a_percent_sign() -> None:
    def share(text: Any) -> float | None:
        return RunConfig(test_share=text).test_share

    assert [share(text) for text in ("0", "0.25", " 25%")] == [0, 0.25, 0.25]
    for text in ("1", "100%", "-0.1", "nan", "a fifth"):
        with pytest.raises(ConfigError, match="test_share must be"):
            share(text)
