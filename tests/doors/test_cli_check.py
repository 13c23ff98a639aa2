"""`likely check`, and `likely fit --corrections` with what it writes."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from likely.data.sources import open_dataset
from likely.model import read_card
from likely.model.run_folder import CONFIG
from likely.training.open_data import open_data

Likely = Callable[..., Result]
QUICK = ("--network", "linear", "--epochs", "3")


@pytest.fixture(scope="module")
def checked(likely: Likely, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("check") / "out"
    result = likely("check", "digits", "--labels", "--folds", 3, *QUICK, "--out", folder)
    assert result.exit_code == 0, result.stderr
    return folder, result


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_data_that_can_be_learned_from_are_described(likely: Likely) -> None:
    text = likely("check", "wine").stdout
    assert "wine can be learned from" in text
    assert re.search(r"class_1 +53 +18", text)
    facts = json.loads(likely("check", "wine", "--json").stdout)
    assert facts["rows"] == {"train": 142, "test": 36}
    assert facts["labels"]["train"]["class_1"] == 53
    assert json.loads(likely("check", "diabetes", "--json").stdout)["labels"] == {}
    assert likely("check", "no-such-data").exit_code == 1


def test_the_most_doubtful_are_listed_and_files_written(checked: tuple[Path, Result]) -> None:
    folder, result = checked
    assert re.search(r"\d+ of 1,438 labels are doubtful", result.stdout)
    assert re.search(r"row +given +suggested +P\(given\) +P\(suggested\)", result.stdout)
    assert "Fold 3 of 3" in result.stderr
    assert "Fold" not in result.stdout
    lines = table(folder / "corrections.csv")
    assert list(lines[0]) == ["row", "given", "suggested", "label"]
    truth = open_dataset("digits").train.y
    for line in lines:
        assert line["given"] == line["label"] == str(truth[int(line["row"])]) != line["suggested"]
    assert (folder / "labels.html").read_text(encoding="utf-8").count("data:image/png") == len(lines)


def test_json_is_the_ranked_list(likely: Likely, checked: tuple[Path, Result]) -> None:
    result = likely("check", "digits", "--labels", "--folds", 3, *QUICK, "--json")
    found = json.loads(result.stdout)
    assert [str(issue["row"]) for issue in found] == [line["row"] for line in table(checked[0] / "corrections.csv")]
    assert list(found[0]) == ["row", "given", "suggested", "p_given", "p_suggested", "score"]
    scores = [issue["score"] for issue in found]
    assert scores == sorted(scores)
    few = likely("check", "digits", "--labels", "--folds", 3, *QUICK, "--json", "--most", 2)
    assert json.loads(few.stdout) == found[:2]


def test_edited_corrections_are_not_overwritten(likely: Likely, checked: tuple[Path, Result]) -> None:
    again = likely("check", "digits", "--labels", "--out", checked[0])
    assert again.exit_code == 1
    assert "corrections.csv" in again.stderr
    assert "Fold" not in again.stderr


def test_accept_needs_labels(likely: Likely) -> None:
    assert likely("check", "digits", "--accept").exit_code == 2


def class_folders(folder: Path) -> Path:
    """Dark images in one folder and light ones in another, and one of each in the wrong folder."""
    rng = np.random.default_rng(0)
    for label, shade in (("dark", 0), ("light", 120)):
        (folder / label).mkdir(parents=True)
        for i in range(20):
            gray = rng.integers(0, 60, (6, 6)) + (120 - shade if i == 7 else shade)
            Image.fromarray(gray.astype(np.uint8)).save(folder / label / f"{i:02}.png")
    return folder


def test_images_in_the_wrong_folder_are_found_and_corrected(
    likely: Likely, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class_folders(tmp_path / "data")
    out = tmp_path / "out"
    result = likely("check", tmp_path / "data", "--labels", "--network", "linear", "--accept", "--out", out)
    assert result.exit_code == 0, result.stderr
    lines = table(out / "corrections.csv")
    assert {line["path"] for line in lines} == {"dark/07.png", "light/07.png"}
    assert all(line["label"] == line["suggested"] for line in lines)

    # The same folder by another name: paths are those inside it.
    monkeypatch.chdir(tmp_path)
    options = ("--network", "linear", "--epochs", "3", "--corrections", out / "corrections.csv", "--out", "run")
    fitted = likely("fit", "data", *options)
    assert fitted.exit_code == 0, fitted.stderr
    assert "Labels of 2 training rows were corrected" in fitted.stderr
    card = read_card(tmp_path / "run")
    assert "Labels of 2 training rows were corrected by corrections.csv." in card.data.notes
    assert "--corrections" in card.training.command
    assert likely("report", "run").exit_code == 0
    assert "flatter" in likely("evaluate", "run", "data").stderr


def test_unchanged_corrections_change_nothing(likely: Likely, checked: tuple[Path, Result], tmp_path: Path) -> None:
    from likely.config import load_config

    fitted = likely("fit", "digits", *QUICK, "--corrections", checked[0] / "corrections.csv", "--out", tmp_path / "run")
    assert fitted.exit_code == 0, fitted.stderr
    config = load_config(tmp_path / "run" / CONFIG)
    assert config.corrections == str(checked[0] / "corrections.csv")
    assert open_data(config).sha256 == open_dataset("digits").sha256


def test_corrections_of_other_data_are_refused_before_training(
    likely: Likely, checked: tuple[Path, Result], tmp_path: Path
) -> None:
    for data in ("iris", "diabetes"):
        result = likely("fit", data, *QUICK, "--corrections", checked[0] / "corrections.csv", "--out", tmp_path / "run")
        assert result.exit_code == 1
        assert result.stderr.startswith("error: ")
        assert not (tmp_path / "run").exists()
