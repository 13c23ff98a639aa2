"""What answers before anything heavy is loaded: help, version, completion; and that the choices are the real ones."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

import likely
from likely.cli.app import COMMANDS, command
from likely.config import RunConfig
from likely.config.setting import declared

HEAVY = {"torch", "jax", "numpy", "sklearn", "matplotlib", "PIL", "scipy", "pandas", "jinja2", "safetensors"}
SCRIPT = """
import sys
from likely.cli import main
try:
    main()
finally:
    print("LOADED", *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""
GARBAGE = """
import gc, sys
from likely.cli import main
usual = gc.get_threshold()
try:
    main()
finally:
    print(gc.get_threshold() > usual, file=sys.stderr)
    gc.collect()
    print(gc.get_threshold() == usual, file=sys.stderr)
"""


def loaded_by(*arguments: str, **variables: str) -> tuple[str, set[str]]:
    """Standard output, and the packages that were imported."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, **variables},
    )
    return done.stdout, set(done.stderr.rpartition("LOADED")[2].split())


def test_help_loads_nothing_heavy() -> None:
    text, loaded = loaded_by("--help")
    assert all(command in text for command in ("fit", "predict", "evaluate", "compare", "check", "inspect", "report"))
    assert not loaded & (HEAVY | {"pydantic"})


@pytest.mark.parametrize("command", ["fit", "predict", "evaluate", "compare", "check", "inspect", "report"])
def test_the_help_of_a_command_loads_nothing_heavy(command: str) -> None:
    text, loaded = loaded_by(command, "-h")
    assert f"likely {command}" in text
    assert not loaded & HEAVY


def test_the_version_loads_nothing_heavy() -> None:
    text, loaded = loaded_by("--version")
    assert text == f"likely {likely.__version__}\n"
    assert not loaded & HEAVY


def test_garbage_is_looked_for_as_usual_once_a_command_has_started() -> None:
    done = subprocess.run([sys.executable, "-c", GARBAGE, "--version"], capture_output=True, text=True, timeout=60)
    assert done.stderr.split() == ["True", "True"], done.stderr


@pytest.mark.parametrize(
    ("words", "at", "expected"),
    [
        ("likely ", 1, {"fit", "predict", "evaluate", "inspect", "report"}),
        ("likely fit --pre", 2, {"--preset"}),
        ("likely fit --preset ", 3, {"fast", "balanced", "best"}),
        ("likely fit fash", 2, {"fashion-mnist"}),
    ],
)
def test_completion_loads_nothing_heavy(words: str, at: int, expected: set[str]) -> None:
    text, loaded = loaded_by(_LIKELY_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=str(at))
    assert expected <= set(text.split())
    assert not loaded & HEAVY


def test_the_script_is_installed() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("likely")), "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"likely {likely.__version__}\n"


@pytest.mark.parametrize("name", [name for name, setting in declared(RunConfig).items() if setting.choices])
def test_the_choices_are_those_of_the_configuration(name: str) -> None:
    setting = declared(RunConfig)[name]
    shown = {option.name: option.metavar for option in command("fit").params}[name]
    if setting.kind == "text":
        assert shown == "|".join(setting.choices)
    for choice in setting.choices:
        value = (choice,) if setting.kind == "names" else choice
        assert getattr(RunConfig(**{name: value}), name) == value


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_each_says(name: str) -> None:
    assert command(name).help.splitlines()[0] == COMMANDS[name]


def test_every_setting_has_an_option(likely: Callable[..., Result], said: Callable[[str], str]) -> None:
    text = said(likely("fit", "--help", env={"TERMINAL_WIDTH": "200"}).stdout)
    for name in RunConfig.model_fields:
        option = {"data_folder": "data", "events": "event", "categories": "category", "numbers": "number"}.get(
            name, name
        ).replace("_", "-")
        assert f"--{option}" in text


def test_no_arguments_show_the_help(likely: Callable[..., Result]) -> None:
    result = likely()
    assert result.exit_code == 2
    assert "predict" in result.output
