"""Images of any size, shape and mode are evaluated, compared and calibrated on as each model reads them."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from typer.testing import Result

from likely.model import load, read_card

Likely = Callable[..., Result]
QUICK = ("--network", "linear", "--epochs", 30)
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKELY_CACHE", str(tmp_path / "cache"))


def halves(folder: Path, sizes: list[tuple[int, int]], mode: str = "L", n: int = 12) -> Path:
    """Images, (height, width) in turn, light above (class up) or below."""
    for label in ("up", "down"):
        (folder / label).mkdir(parents=True)
        for i in range(n):
            height, width = sizes[i % len(sizes)]
            gray = RNG.normal(60, 8, (height, width))
            half = slice(height // 2) if label == "up" else slice(height // 2, None)
            gray[half] += 120
            Image.fromarray(gray.clip(0, 255).astype(np.uint8)).convert(mode).save(folder / label / f"{i}.png")
    return folder


def test_oblong_models_read_gray_color_and_palettes_of_any_size(likely: Likely, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert likely("fit", halves(tmp_path / "data", [(8, 12)]), *QUICK, "--out", run).exit_code == 0
    assert load(run).image_shape == (8, 12)
    others = [
        tmp_path / "data",
        halves(tmp_path / "palette", [(8, 12)], "P"),
        halves(tmp_path / "color", [(16, 24), (30, 20)], "RGB", 70),
    ]
    for folder in others:
        result = likely("evaluate", run, folder, "--json")
        assert result.exit_code == 0, result.stderr
        assert json.loads(result.stdout)["accuracy"]["value"] == 1
        assert likely("compare", run, run, folder).exit_code == 0
    calibrated = likely("calibrate", run, others[-1], "--out", tmp_path / "c.likely")
    assert calibrated.exit_code == 0, calibrated.stderr
    answers = json.loads(likely("predict", tmp_path / "c.likely", others[-1] / "up", "--json").stdout)
    assert {answer["label"] for answer in answers} == {"up"}


@pytest.mark.parametrize("in_table", [False, True], ids=["folder", "bytes in Parquet"])
def test_models_of_two_shapes_are_compared_on_the_same_images(likely: Likely, tmp_path: Path, in_table: bool) -> None:
    data = halves(tmp_path / "data", [(8, 12)], n=30)
    if in_table:
        files = sorted(data.rglob("*.png"))
        columns = {"image": [file.read_bytes() for file in files], "label": [file.parent.name for file in files]}
        data = tmp_path / "images.parquet"
        pl.DataFrame(columns).write_parquet(data)
    for side, name in ((None, "asis"), (6, "small")):
        options = () if side is None else ("--image-size", side)
        assert likely("fit", data, *QUICK, *options, "--out", tmp_path / name).exit_code == 0
    result = likely("compare", tmp_path / "asis", tmp_path / "small", data, "--json")
    assert result.exit_code == 0, result.stderr
    compared = json.loads(result.stdout)
    for name, side in (("asis", "first"), ("small", "second")):
        alone = json.loads(likely("evaluate", tmp_path / name, data, "--json").stdout)
        assert alone["nll"] == compared[side]["figures"]["nll"]


def test_photographs_upright_and_across_are_learned_from_at_128_pixels(likely: Likely, tmp_path: Path) -> None:
    sizes = [(1008, 756), (756, 1008), (1008, 756)]
    data = halves(tmp_path / "photos", sizes, n=6)
    result = likely("fit", data, *QUICK, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.stderr
    assert "all are resized to 128 x 96, in proportion to the median of 1008 x 756 (--image-size" in result.stderr
    assert load(tmp_path / "run").image_shape == (128, 96)
    assert any("resized to 128 x 96" in note for note in read_card(tmp_path / "run").data.notes)
    checked = json.loads(likely("check", data, "--json").stdout)
    assert (checked["fit_would_work"], checked["shape"]) == (True, [128, 96])
    alike = halves(tmp_path / "alike", [(1008, 756)], n=3)
    assert "Images have 1008 x 756 pixels: all are resized to 128 x 96" in likely("check", alike).stdout
