"""`likely check DATA` without training: what it prints, its JSON, its page, its exit code; and what fit says."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from likely.data.sources import open_dataset
from likely.model import read_card

Likely = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """train/ and test/ of class folders: thirty and ten clean images of each of three digits."""
    digits = open_dataset("digits").train
    for label in (0, 1, 2):
        rows = np.flatnonzero(digits.y == label)
        for part, some in (("train", rows[:30]), ("test", rows[30:55])):
            (tmp_path / "data" / part / str(label)).mkdir(parents=True)
            for i, row in enumerate(some):
                Image.fromarray(digits.X[row]).save(tmp_path / "data" / part / str(label) / f"{i:02}.png")
    return tmp_path / "data"


def found(result: Result) -> dict[str, Any]:
    return {finding["kind"]: finding for finding in json.loads(result.stdout)["findings"]}


def test_clean_data_have_no_findings(likely: Likely, folder: Path) -> None:
    result = likely("check", folder)
    assert result.exit_code == 0, result.stderr
    assert "can be learned from: classification, images of 8 x 8" in result.stdout
    assert re.search(r"all rows +90 +75", result.stdout)
    assert "warning" not in result.stdout
    facts = json.loads(likely("check", folder, "--json").stdout)
    assert facts["findings"] == []
    assert facts["fit_would_work"] is True
    assert facts["labels"]["test"] == {"0": 25, "1": 25, "2": 25}
    assert facts["shape"] == [8, 8]


def test_every_unreadable_file_is_named_and_the_rest_is_still_checked(likely: Likely, folder: Path) -> None:
    for i in range(7):
        (folder / "train" / "1" / f"{i:02}.png").write_bytes(b"not an image")
    shutil.copy(folder / "train" / "0" / "03.png", folder / "test" / "0" / "copy.png")
    result = likely("check", folder)
    assert result.exit_code == 1
    assert "can't be learned from" in result.stdout
    assert re.search(r"error +7 images can't be read", result.stdout)
    assert "train/1/00.png: a text file" in result.stdout
    assert "... and 3 more" in result.stdout
    assert "train/0/03.png = test/0/copy.png" in result.stdout
    assert "Page" not in result.stdout
    kinds = found(likely("check", folder, "--json"))
    assert list(kinds) == ["unreadable", "leak"]
    paths = [group[0]["path"] for group in kinds["unreadable"]["groups"]]
    assert paths == [f"train/1/{i:02}.png" for i in range(7)]
    assert likely("fit", folder, "--network", "linear").exit_code == 1
    assert likely("check", folder, "--skip-bad").exit_code == 0


def test_the_page_shows_copies_side_by_side(likely: Likely, folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "train" / "0" / "03.png", folder / "train" / "1" / "<b>.png")
    out = tmp_path / "out"
    result = likely("check", folder, "--out", out)
    assert result.exit_code == 0, result.stderr
    page = (out / "check.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 2
    assert "<b>.png" not in page
    assert "train/1/&lt;b&gt;.png" in page
    assert not re.search(r"https?://|<script|<link|url\(", page)
    again = likely("check", folder, "--out", out)
    assert again.exit_code == 1
    assert "check.html" in again.stderr
    assert likely("check", folder, "--out", out, "--overwrite").exit_code == 0


def test_data_that_nothing_is_known_of(likely: Likely, tmp_path: Path) -> None:
    assert likely("check", "no-such-data").exit_code == 1
    result = likely("check", tmp_path)
    assert result.exit_code == 1
    assert "must hold class folders" in result.stdout
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    result = likely("check", tmp_path / "t.csv", "--json")
    assert result.exit_code == 1
    facts = json.loads(result.stdout)
    assert facts["fit_would_work"] is False
    assert "must have one label column" in facts["findings"][0]["message"]


def test_a_table_is_read_as_fit_would(likely: Likely, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    lines = [f"{i % 7},{'' if i == 3 else i * i % 11},{'xy'[i % 2]}" for i in range(60)]
    table.write_text("\n".join(["a,b,kind", *lines]))
    assert likely("check", table).exit_code == 1
    kinds = found(likely("check", table, "--label", "kind", "--json"))
    assert kinds["missing"]["groups"] == [[{"column": "b", "part": "train", "detail": "1 row of training (1.7%)"}]]


def test_fit_says_what_it_found_and_the_model_remembers(likely: Likely, folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "train" / "0" / "03.png", folder / "test" / "0" / "copy.png")
    shutil.copy(folder / "train" / "1" / "04.png", folder / "train" / "2" / "other.png")
    result = likely("fit", folder, "--network", "linear", "--epochs", 2, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.stderr
    leak = "1 test image can also be found in another part, so figures on held-out images flatter the model."
    assert leak in result.stderr
    assert "1 image occurs under several labels." in result.stderr
    assert "likely check" in result.stderr
    assert leak in read_card(tmp_path / "run").data.notes
    assert leak in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


def test_fit_says_nothing_of_clean_data(likely: Likely, folder: Path, tmp_path: Path) -> None:
    result = likely("fit", folder, "--network", "linear", "--epochs", 2, "--out", tmp_path / "run")
    assert "Warning:" not in result.stderr
    assert "likely check" not in result.stderr
