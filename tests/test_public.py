"""The public surface: names, laziness, versions."""

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import likely
import likely.estimators
import likely.metrics
import likely.trust

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "jax", "optax", "sklearn", "typer", "rich", "matplotlib", "pydantic", "numpy")


def test_every_public_name_exists() -> None:
    for name in likely.__all__:
        assert getattr(likely, name) is not None
    assert set(likely.__all__) <= set(dir(likely))
    assert likely.__all__ == sorted(likely.__all__)
    assert likely.trust.fit_temperature is importlib.import_module("likely.trust.temperature").fit_temperature


def test_type_checkers_see_the_names_that_exist_at_run_time() -> None:
    for package in (likely, likely.metrics, likely.trust):
        tree = ast.parse(Path(package.__file__).read_text(encoding="utf-8"))
        declared = {
            alias.asname: f"likely.{alias.name}" if node.module == "likely" else node.module
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module != "typing"
            for alias in node.names
        }
        inside = "" if package is likely else f"{package.__name__}."
        assert declared == {name: f"{inside}{home}" for name, home in package._HOMES.items()}
        assert package.__all__ == sorted(package.__all__)
        assert all(getattr(package, name) is not None for name in package.__all__)


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


def test_every_public_name_stands_in_the_reference() -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs/api").glob("*.md")))
    shown = set(re.findall(r"automodule:: ([\w.]+)", pages))
    packages = [likely, likely.metrics, likely.trust, likely.estimators]
    objects = [(name, getattr(package, name)) for package in packages for name in package.__all__]
    for name, value in objects:
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__module__ in shown, name
    assert "likely.estimators.EXPECTED_FAILED_CHECKS" in pages


@pytest.mark.parametrize("package", [likely.metrics, likely.trust, likely.estimators])
def test_a_name_that_is_loaded_late_is_no_module_of_its_package(package: Any) -> None:
    """Or whoever imports the module first would find it under the name."""
    assert not set(package.__all__) & {each.name for each in pkgutil.iter_modules(package.__path__)}


def test_modules_are_in_the_reference_once_and_exist() -> None:
    modules = re.findall(r"automodule:: ([\w.]+)", "".join(p.read_text() for p in (ROOT / "docs/api").glob("*.md")))
    assert len(modules) == len(set(modules))
    for module in modules:
        importlib.import_module(module)
