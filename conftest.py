"""Every example in the README and the docs is executed, Python and `console` alike; docstrings run as doctests."""

import os
import shlex
import subprocess
import sys
import tempfile
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from typing import Any

import numpy as np
import pytest
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

_FLAGS = ELLIPSIS | NORMALIZE_WHITESPACE


def _run_in_a_shell(example: Example) -> str | None:
    """What `$ likely ...` prints, progress and all, must be what stands below it."""
    command, _, expected = str(example.parsed).partition("\n")
    program, *arguments = shlex.split(command.removeprefix("$ "))
    assert program == "likely", command
    run = subprocess.run(
        [sys.executable, "-c", "from likely.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "120", "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        check=False,
    )
    if run.returncode or not OutputChecker().check_output(expected, run.stdout, _FLAGS):
        return f"{command}\nexit {run.returncode}\n{run.stdout}\n{run.stderr}"
    return None


def _enter_a_new_folder(namespace: dict[str, Any]) -> None:
    namespace["_folder"], namespace["_before"] = tempfile.TemporaryDirectory(), os.getcwd()
    os.chdir(namespace["_folder"].name)


def _leave_it(namespace: dict[str, Any]) -> None:
    os.chdir(namespace["_before"])
    namespace["_folder"].cleanup()


pytest_collect_file = Sybil(
    parsers=[
        PythonCodeBlockParser(doctest_optionflags=_FLAGS),
        CodeBlockParser(language="console", evaluator=_run_in_a_shell),
        SkipParser(),
    ],
    patterns=["*.md"],
    setup=_enter_a_new_folder,
    teardown=_leave_it,
).pytest()


@pytest.fixture(autouse=True)
def numpy_as_np(doctest_namespace: dict[str, object]) -> None:
    """Examples in docstrings take `import numpy as np` as done."""
    doctest_namespace["np"] = np


_LONG = (
    "estimators/test_defaults.py",
    "estimators/test_sklearn_checks.py",
    "training/test_fit.py",
    "training/test_mixture.py",
    "networks/test_custom.py",
    "doors/test_estimators.py",
    "doors/test_cli_fit.py",
    "doors/test_cli_failures.py",
    "doors/test_cli_tables.py",
    "model/test_transfer.py",
    "agreement/test_training.py",
    "guarantees/test_time_limit.py",
    "export/test_page.py",
    "engines/test_torch_processes.py",
    ".md",
)
"""Files that take longest: they come first, so that no processor waits for them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, docstrings, which take least, last; the order within a file stays."""
    items.sort(key=lambda item: (not str(item.path).endswith(_LONG), "src" in item.path.parts))
