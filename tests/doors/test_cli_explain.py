"""`likely predict --explain FOLDER`: a page, pictures and numbers, or a clear error."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

Likely = Callable[..., Result]


def test_images_are_explained_in_a_folder(likely: Likely, digits_run: Path, digit_images: Path, tmp_path: Path) -> None:
    images, folder = [digit_images / "00.png", digit_images / "01.png", tmp_path / "bad.png"], tmp_path / "a" / "why"
    images[-1].write_bytes(b"no image")
    result = likely("predict", digits_run, *images, "--explain", folder, "--json")
    assert result.exit_code == 1  # for the one that cannot be read
    answers = json.loads(result.stdout)
    assert f"Explained: {folder / 'index.html'}" in result.stderr
    entries = json.loads((folder / "explanations.json").read_text())
    assert [entry["image"] for entry in entries] == [str(image) for image in images[:2]]
    for entry, answer in zip(entries, answers, strict=False):
        assert entry["explains"] == f"P({answer['label']})"
        assert entry["answer"] == pytest.approx(answer["probability"], abs=1e-5)
        assert np.shape(entry["contributions"]) == (8, 8)
        with Image.open(folder / entry["file"]) as drawn:
            assert drawn.width == 720
    page = (folder / "index.html").read_text()
    assert page.count('class="why"') == 2
    assert all(entry["sentence"] in page for entry in entries)
    assert "<script" not in page
    assert not re.search(r"(src|href)=\"(?!data:)", page)


def test_events_asked_for_are_explained(likely: Likely, digits_run: Path, digit_images: Path, tmp_path: Path) -> None:
    folder, events = tmp_path / "why", ("--event", "even=0,2,4,6,8", "--event", "round=0,8")
    folder.mkdir()  # an empty folder is as good as a new one
    result = likely("predict", digits_run, digit_images / "00.png", *events, "--explain", folder)
    assert result.exit_code == 0
    entries = json.loads((folder / "explanations.json").read_text())
    assert [entry["explains"] for entry in entries] == ["P(even)", "P(round)"]
    assert entries[1]["event"] == ["0", "8"]


def test_a_folder_with_something_in_it_is_left_alone(
    likely: Likely, digits_run: Path, digit_images: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for taken in (tmp_path, tmp_path / "mine.txt"):
        result = likely("predict", digits_run, digit_images / "00.png", "--explain", taken)
        assert result.exit_code == 1
        assert "--explain must be a new folder" in result.stderr
        assert not result.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_too_many_are_refused_before_any_is_answered(
    likely: Likely, digits_run: Path, digit_images: Path, tmp_path: Path
) -> None:
    many = tmp_path / "many"
    many.mkdir()
    content = (digit_images / "00.png").read_bytes()
    for i in range(101):
        (many / f"{i}.png").write_bytes(content)
    result = likely("predict", digits_run, many, "--explain", tmp_path / "why")
    assert result.exit_code == 1
    assert re.search(r"at most 100 images or rows; got more\. Here each takes about [\d.]+ s", result.stderr)
    assert not result.stdout
    assert not (tmp_path / "why").exists()


def test_rows_of_a_table_are_explained(likely: Likely, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    size, color = rng.normal(size=200).round(3), rng.choice(["red", "<b>blue"], 200)
    kind = np.where(size + (color == "red") > 0.5, "yes", "no")
    lines = [f"{s},{c},{k}" for s, c, k in zip(size, color, kind, strict=True)]
    table = tmp_path / "table.csv"
    table.write_text("\n".join(["size,color,kind", *lines]) + "\n")
    run = tmp_path / "run"
    assert likely("fit", table, "--label", "kind", "--network", "linear", "--out", run).exit_code == 0
    new, folder = tmp_path / "new.csv", tmp_path / "why"
    new.write_text("size,color\n2.5,red\n-2.5,<b>blue\n")
    result = likely("predict", run, new, "--explain", folder)
    assert result.exit_code == 0
    first, second = json.loads((folder / "explanations.json").read_text())
    assert (first["row"], first["explains"], second["explains"]) == (0, "P(yes)", "P(no)")
    assert [c["column"] for c in first["contributions"]] == ["size", "color"]
    assert second["contributions"][1]["value"] == "<b>blue"
    page = (folder / "index.html").read_text()
    assert "size = 2.5" in page
    assert "<b>" not in page
    assert "not what is the cause" in page
