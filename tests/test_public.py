"""The public surface: names, laziness, versions."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import likely

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "jax", "optax", "sklearn", "typer", "rich", "matplotlib", "pydantic", "numpy")


def test_every_public_name_exists() -> None:
    for name in likely.__all__:
        assert getattr(likely, name) is not None
    assert set(likely.__all__) <= set(dir(likely))


def test_type_checkers_see_the_names_that_exist_at_run_time() -> None:
    tree = ast.parse(Path(likely.__file__).read_text(encoding="utf-8"))
    declared = {
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module != "typing"
        for alias in node.names
    }
    assert declared == set(likely.__all__)


def test_import_loads_nothing_heavy() -> None:
    code = f"import sys, likely; print([name for name in {HEAVY} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(likely, "clasifier")


def test_the_version_is_told_once_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == likely.__version__
    newest = next(line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## "))
    assert newest.split()[1] == likely.__version__
