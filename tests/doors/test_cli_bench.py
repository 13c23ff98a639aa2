"""`likely bench` on the command line."""

import json
from collections.abc import Callable

import pytest
from typer.testing import Result

import likely.training.benchmark
from likely.training.benchmark import Size


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likely.training.benchmark, "Size", lambda trained_on: Size(64, 2, 1, trained_on))


def test_a_page_to_compare_machines_by(likely: Callable[..., Result], said: Callable[[str], str]) -> None:
    result = likely("bench", "--images", 256, "--device", "cpu")
    assert result.exit_code == 0
    text = said(result.stdout)
    assert "matrix product float32" in text
    assert all(preset in text for preset in ("fast", "balanced", "best"))
    assert "Trained fast on 256 images (fashion-mnist)" in text
    assert "Measuring" not in result.stdout
    assert "epoch" in result.stderr


def test_json(likely: Callable[..., Result]) -> None:
    found = json.loads(likely("bench", "--images", 256, "--json").stdout)
    assert {rate["work"] for rate in found["rates"]} == {"matrix product", "convolution"}
    assert [entry["preset"] for entry in found["presets"]] == ["fast", "balanced", "best"]
    assert found["run"]["images"] == 256


def test_too_few_images_are_wrong_usage(likely: Callable[..., Result], said: Callable[[str], str]) -> None:
    result = likely("bench", "--images", 10)
    assert result.exit_code == 2
    assert "256" in said(result.stderr)
