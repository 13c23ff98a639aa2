"""A command line in this process, and a model that it made."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from likely.cli.app import app

Likely: TypeAlias = Callable[..., Result]


def run_likely(*arguments: object, stdin: bytes | None = None, env: dict[str, str] | None = None) -> Result:
    """What `likely ARGUMENTS` prints and how it exits; an exception that it lets through fails the test."""
    words: Sequence[str] = [str(argument) for argument in arguments]
    result = CliRunner().invoke(app, words, input=stdin, env=env, prog_name="likely", catch_exceptions=False)
    assert "Traceback" not in result.stderr
    return result


@pytest.fixture(scope="session")
def likely() -> Likely:
    return run_likely


@pytest.fixture(scope="session")
def said() -> Callable[[str], str]:
    """Text without the frames and line breaks that a terminal's width puts into it."""
    return lambda text: re.sub(r"[\s│╭╮╰╯─]+", " ", text)


@pytest.fixture(scope="session")
def idx_folder() -> Callable[..., Path]:
    """Writes images and their labels to a folder of IDX files."""

    def written(path: Path, array: np.ndarray, magic: bytes) -> None:
        sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
        path.write_bytes(magic + bytes([array.ndim]) + sizes + array.astype(np.uint8).tobytes())

    def write(folder: Path, X: np.ndarray, y: np.ndarray, magic: bytes = b"\0\0\x08") -> Path:
        folder.mkdir()
        written(folder / "train-images-idx3-ubyte", X, magic)
        written(folder / "train-labels-idx1-ubyte", y, b"\0\0\x08")
        return folder

    return write


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder: a linear model of the ten digits, trained for two epochs."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    result = run_likely("fit", "digits", "--network", "linear", "--epochs", 2, "--out", folder)
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="session")
def digit_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the first twelve digits as PNG files, 0.png to 11.png."""
    from PIL import Image

    from likely.data.sources import open_dataset

    folder = tmp_path_factory.mktemp("images")
    test = open_dataset("digits").test
    assert test is not None
    for i in range(12):
        Image.fromarray(test.X[i]).save(folder / f"{i:02}.png")
    return folder
