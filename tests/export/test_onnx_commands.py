"""What the command line does with an ONNX file: it is inspected, asked and evaluated without torch, and checked."""

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image
from typer.testing import CliRunner

from likely.cli.app import app
from likely.errors import ModelFileError
from likely.export.onnx_predictor import open_onnx
from likely.model import ClassifierPredictor

UNNEEDED = (
    "torch",
    "jax",
    "onnx",
    "sklearn",
    "polars",
    "pandas",
    "narwhals",
    "matplotlib",
    "scipy.special",
    "numpy.ma",
)
UNNEEDED += ("array_api_compat", "concurrent.futures", "numpy.random", "likely.engines", "likely.explain")
UNNEEDED += ("likely.data.check", "likely.data.sources", "likely.data.tables.sheet", "likely.data.tables.source_file")
UNNEEDED += ("likely.metrics.classification", "likely.model.mixture_inference", "likely.networks.network")
UNNEEDED += ("likely.networks.trees", "likely.preprocessing.backbone", "likely.preprocessing.column_preprocessor")
ASKED = """
import sys
from likely.cli import main
try:
    main()
finally:
    print("LOADED", *sorted(sys.modules), file=sys.stderr)
"""


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="likely")


@pytest.fixture(scope="module")
def files(calibrated: ClassifierPredictor, digits: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model, its ONNX file and an image."""
    folder = tmp_path_factory.mktemp("exported")
    calibrated.save(folder / "model.likely")
    Image.fromarray(digits[0][0]).save(folder / "one.png")
    done = run("export", folder / "model.likely", folder / "model.onnx")
    assert done.exit_code == 0, done.output
    assert "46 random and extreme rows get the model's own answers" in done.stderr
    return folder


def test_an_onnx_file_answers_like_its_model_and_without_torch(files: Path) -> None:
    asked = ("one.png", "--json", "--given", "round", "--coverage", "0.9", "--max-error", "0.2")
    words = [sys.executable, "-c", ASKED, "predict", "model.onnx", *asked]
    done = subprocess.run(words, capture_output=True, text=True, cwd=files, timeout=240)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stderr.rpartition("LOADED")[2].split())
    assert "onnxruntime" in loaded
    assert not [name for name in UNNEEDED if name in loaded]
    [found], [expected] = (
        json.loads(done.stdout),
        json.loads(run("predict", files / "model.likely", files / "one.png", *asked[1:]).stdout),
    )
    assert {**found, "image": ""}.keys() == {**expected, "image": ""}.keys()
    for name in ("label", "set", "abstained"):
        assert found[name] == expected[name]
    for name in ("probabilities", "events"):
        np.testing.assert_allclose(list(found[name].values()), list(expected[name].values()), atol=1e-5)
    np.testing.assert_allclose(found["familiarity"], expected["familiarity"], atol=0.02)


def test_evaluate_and_check(files: Path) -> None:
    evaluations = [
        json.loads(run("evaluate", files / f"model.{suffix}", "digits", "--json").stdout)
        for suffix in ("onnx", "likely")
    ]
    assert evaluations[0]["accuracy"] == evaluations[1]["accuracy"]
    checked = run("export", "--check", files / "model.onnx", files / "model.likely", "digits")
    assert checked.exit_code == 0, checked.output
    assert "rows get the model's own answers" in checked.stdout


def test_inspect(files: Path) -> None:
    shown = run("inspect", files / "model.onnx").stdout
    for text in ("images    ", "uint8 (n, h, w)", "double (), optional", "probabilities", "conv"):
        assert text in shown
    assert json.loads(run("inspect", files / "model.onnx", "--json").stdout)["events"]["round"]


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "there is none"), (b"damaged", "must be a whole ONNX file"), (b"", "must be a whole ONNX file")],
)
def test_what_is_no_such_file(content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "other.onnx"
    if content is not None:
        path.write_bytes(content)
    done = run("inspect", path)
    assert done.exit_code == 1
    assert message in done.stderr


@pytest.mark.parametrize(
    ("entry", "content", "message"),
    [
        ("likely_format", "2", "must be of format 1; got 2"),
        ("card", "{", "must hold whole metadata"),
        ("arrays", "UEsDB", "must hold whole metadata"),
        ("arrays", "", "must hold whole metadata"),
    ],
)
def test_damaged_metadata(entry: str, content: str, message: str, files: Path, tmp_path: Path) -> None:
    model = onnx.load(files / "model.onnx")
    for pair in model.metadata_props:
        pair.value = content if pair.key == entry else pair.value
    onnx.save(model, tmp_path / "other.onnx")
    done = run("predict", tmp_path / "other.onnx", files / "one.png")
    assert (done.exit_code, message in done.stderr) == (1, True), done.stderr


def test_bytes_of_a_file_that_were_changed(files: Path, tmp_path: Path) -> None:
    content, model = (files / "model.onnx").read_bytes(), onnx.load(files / "model.onnx")
    for pair in model.metadata_props:
        if pair.key == "arrays":
            packed = bytearray(base64.b64decode(pair.value))
            packed[40 : len(packed) // 2] = b"\xff" * (len(packed) // 2 - 40)  # inside of what deflate packed
            pair.value = base64.b64encode(packed).decode()
    for changed in (content.replace(b"likely_format", b"likely_form\xff\xff"), model.SerializeToString()):
        (tmp_path / "other.onnx").write_bytes(changed)
        with pytest.raises(ModelFileError, match="Export the model again"):
            open_onnx(tmp_path / "other.onnx")


def test_an_explanation_needs_answers_alone(files: Path, tmp_path: Path) -> None:
    done = run("predict", files / "model.onnx", files / "one.png", "--explain", tmp_path / "why")
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "why" / "index.html").is_file()


def test_an_existing_file_and_another_model(files: Path, conv: ClassifierPredictor, tmp_path: Path) -> None:
    done = run("export", files / "model.likely", files / "model.onnx")
    assert (done.exit_code, "already exists" in done.stderr) == (1, True)
    done = run("export", files / "model.likely", tmp_path / "model.bin")
    assert (done.exit_code, "must end in .onnx" in done.stderr) == (1, True)
    conv.save(tmp_path / "other.likely")
    done = run("export", "--check", files / "model.onnx", tmp_path / "other.likely", "digits")
    assert (done.exit_code, "exported from this very model" in done.stderr) == (1, True)
