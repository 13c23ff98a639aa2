"""Photographs of any size at the command line: from a folder to answers through a pretrained backbone."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from typer.testing import Result

from likely.config.registry import BACKBONES
from likely.data.images.choose_backbone import USUAL
from likely.model import load

Likely = Callable[..., Result]
pytestmark = pytest.mark.skipif(not BACKBONES[USUAL].installed, reason="needs the extra photographs")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Large and small photographs of two kinds, upright and across."""
    folder = tmp_path_factory.mktemp("photos")
    for kind in ("ball", "box"):
        (folder / kind).mkdir()
        for i in range(24):
            rng = np.random.default_rng([i, len(kind)])
            w, h = ((1200, 900), (300, 400), (260, 200))[i % 3]
            image = Image.new("RGB", (w, h), tuple(int(v) for v in rng.integers(150, 256, 3)))
            draw, color = ImageDraw.Draw(image), tuple(int(v) for v in rng.integers(0, 100, 3))
            place = (w * rng.uniform(0.1, 0.2), h * rng.uniform(0.1, 0.2), w * rng.uniform(0.7, 0.9), h * 0.8)
            (draw.ellipse if kind == "ball" else draw.rectangle)(place, color)
            image.save(folder / kind / f"{i}.jpg", quality=90)
    return folder


@pytest.fixture(scope="module")
def run(folder: Path, likely: Likely, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIKELY_CACHE", str(tmp_path_factory.mktemp("cache")))
        out = tmp_path_factory.mktemp("runs") / "run"
        return out, likely("fit", folder, "--out", out)


def test_fit_says_what_it_took_and_the_report_shows_it(run: tuple[Path, Result], said: Callable[[str], str]) -> None:
    out, result = run
    assert result.exit_code == 0, result.output
    assert f"Network: {USUAL}, pretrained, and a small head" in said(result.stderr)
    card = load(out).card
    assert card.normalization["shape"] == [224, 224, 3]
    assert card.conversion is not None
    assert card.conversion["name"] == "photograph"
    assert any(USUAL in note for note in card.data.notes)
    page = (out / "report.html").read_text(encoding="utf-8")
    assert f"{USUAL}, pretrained" in page
    assert page.count("data:image/png;base64") > 3


def test_predict_and_evaluate_read_photographs_as_training_did(
    run: tuple[Path, Result], folder: Path, likely: Likely, said: Callable[[str], str]
) -> None:
    out, _ = run
    files = sorted((folder / "ball").glob("*.jpg"))[:4]
    result = likely("predict", out, *files, "--json")
    assert result.exit_code == 0, result.output
    answers = json.loads(result.stdout)
    rows = [answer["probabilities"]["ball"] for answer in answers]
    np.testing.assert_allclose(rows, load(out).predict_proba(files)[:, 0], atol=1e-12)
    evaluated = likely("evaluate", out, folder, "--json")
    assert evaluated.exit_code == 0, evaluated.output
    own = json.loads((out / "metrics.json").read_text())
    assert json.loads(evaluated.stdout)["accuracy"] == own["accuracy"]
    inspected = likely("inspect", out)
    assert all(said(note) in said(inspected.stdout) for note in load(out).card.data.notes)


def test_labels_are_checked_on_features(folder: Path, likely: Likely, run: tuple[Path, Result]) -> None:
    result = likely("check", folder, "--labels", "--folds", 3, "--json")
    assert result.exit_code == 0, result.output
