"""Related rows and copies at the command line: options, headlines, figures without rows that were seen."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from likely.model import read_card
from likely.model.run_folder import read_row_hashes

Likely = Callable[..., Result]
Said = Callable[[str], str]
QUICK = ("--network", "linear", "--epochs", "2")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKELY_CACHE", str(tmp_path / "cache"))


def visits(path: Path, *, split: bool = False, patients: int = 100) -> Path:
    """A table of three visits of each patient; with `split`, the last tenth of its rows is the test part."""
    rng = np.random.default_rng(0)
    who = rng.permutation(np.repeat(np.arange(patients), 3))
    x = rng.normal(size=(patients, 2))[who] + 0.1 * rng.normal(size=(len(who), 2))
    lines = ["size,weight,patient,label" + (",split" if split else "")]
    for i, ((a, b), p) in enumerate(zip(x, who, strict=True)):
        part = f",{'test' if i >= 0.9 * len(who) else 'train'}" if split else ""
        lines.append(f"{a},{b},p{p},{'up' if a + b > 0 else 'down'}{part}")
    path.write_text("\n".join(lines) + "\n")
    return path


def people(folder: Path, *, parts: tuple[str, ...] = ("",)) -> Path:
    """Three images of each of 15 people in each of two classes; a copy of everything in each part."""
    rng = np.random.default_rng(0)
    for label, level in (("dark", 60), ("light", 190)):
        for person in range(15):
            for i in range(3):
                pixels = np.clip(rng.normal(level, 40, size=(8, 8)), 0, 255).astype(np.uint8)
                for part in parts:
                    path = folder / part / label / f"{label}-{person}" / f"{i}.png"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    Image.fromarray(pixels).save(path)
    return folder


def test_a_column_of_groups_is_drawn_whole_and_not_learned_from(likely: Likely, tmp_path: Path) -> None:
    table, run = visits(tmp_path / "visits.csv"), tmp_path / "run"
    result = likely("fit", table, "--group", "patient", "--test-share", "20%", *QUICK, "--out", run)
    assert result.exit_code == 0, result.stderr
    assert "100 groups of related rows, all of size 3" in result.stderr
    card = read_card(run)
    assert card.features == ("size", "weight")
    assert (card.data.group, card.data.left_out) == ("patient", 40)
    assert (card.splits.train, card.splits.groups, card.splits.thresholds, card.splits.test) == (240, 80, 80, 20)
    # The same test rows are found again, though nothing says what is related.
    assert "seen" not in (again := json.loads(likely("evaluate", run, table, "--json").stdout))
    assert again["accuracy"] == json.loads((run / "metrics.json").read_text())["accuracy"]


def test_folders_below_the_classes_are_groups(likely: Likely, tmp_path: Path) -> None:
    folder, run = people(tmp_path / "faces"), tmp_path / "run"
    result = likely("fit", folder, "--group-by-folder", *QUICK, "--out", run)
    assert result.exit_code == 0, result.stderr
    assert "30 groups of related rows, all of size 3" in result.stderr
    card = read_card(run)
    assert card.data.group_by_folder
    assert (card.splits.groups, card.splits.train, card.splits.test, card.splits.thresholds) == (24, 72, 6, 24)
    assert json.loads(likely("evaluate", run, folder, "--json").stdout)["n"] == 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("fit", "digits", "--group", "x"), "A group column needs a table"),
        (("fit", "TABLE", "--group", "nurse"), "must have a column 'nurse' with the groups"),
        (("fit", "TABLE", "--group", "label"), "must be in a column of their own"),
        (("fit", "TABLE", "--group-by-folder"), "Grouping by folder needs a folder of class folders"),
        (("fit", "FLAT", "--group-by-folder"), "must be in subfolders of their class folders"),
    ],
)
def test_groups_that_are_not_there_are_refused(
    likely: Likely, said: Said, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    flat = tmp_path / "flat"
    for label in ("a", "b"):
        (flat / label).mkdir(parents=True)
        for i in range(5):
            Image.fromarray(np.full((4, 4), 20 * i, np.uint8)).save(flat / label / f"{i}.png")
    places = {"TABLE": visits(tmp_path / "visits.csv"), "FLAT": flat}
    result = likely(*(places.get(word, word) for word in arguments), "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert message in said(result.stderr)


def test_copies_across_the_parts_of_the_data_are_in_every_headline(likely: Likely, said: Said, tmp_path: Path) -> None:
    folder, run = people(tmp_path / "faces", parts=("train", "test")), tmp_path / "run"
    for i in range(10):
        for label, level in (("dark", 30), ("light", 220)):
            new = np.random.default_rng([i, level]).integers(level - 30, level + 30, (8, 8)).astype(np.uint8)
            Image.fromarray(new).save(folder / "test" / label / f"new-{i}.png")
    result = likely("fit", folder, *QUICK, "--out", run)
    assert result.exit_code == 0, result.stderr
    assert "never saw" not in result.stdout
    assert "On 110 test rows, 90 of them copies of training rows or related to some" in said(result.stdout)
    assert "Without the 90 rows that the model was trained on: n = 20, accuracy" in said(result.stdout)
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["seen"]["n"] == 90
    assert metrics["seen"]["without"]["n"] == 20
    assert set(metrics["seen"]["without"]) == {"n", "accuracy", "nll"}
    page = (run / "report.html").read_text()
    assert "had never seen" not in page
    assert "90 of them are copies of a training image or related to one. Without them," in page
    evaluated = json.loads(likely("evaluate", run, folder, "--json").stdout)
    assert evaluated["seen"] == metrics["seen"]


def test_groups_across_the_parts_of_the_data_count_as_seen(likely: Likely, tmp_path: Path) -> None:
    table, run = visits(tmp_path / "visits.csv", split=True), tmp_path / "run"
    assert likely("fit", table, "--group", "patient", *QUICK, "--out", run).exit_code == 0
    metrics = json.loads((run / "metrics.json").read_text())
    rows = [line.split(",") for line in table.read_text().splitlines()[1:]]
    known = {row[2] for row in rows if row[4] == "train"}
    tested = {row[2] for row in rows if row[4] == "test"}
    assert metrics["n"] == len(tested)
    assert metrics["seen"]["n"] == len(tested & known)


def test_evaluate_says_how_many_rows_the_model_was_trained_on(likely: Likely, said: Said, tmp_path: Path) -> None:
    table, run = visits(tmp_path / "visits.csv"), tmp_path / "run"
    assert likely("fit", table, "--test-share", "20%", *QUICK, "--out", run).exit_code == 0
    lines = table.read_text().splitlines()
    other = visits(tmp_path / "other.csv", patients=20).read_text().splitlines()[1:]
    (tmp_path / "mixed.csv").write_text("\n".join([*lines[:101], *other]) + "\n")
    result = likely("evaluate", run, tmp_path / "mixed.csv")
    hashes = read_row_hashes(run)
    assert hashes is not None
    seen = json.loads(likely("evaluate", run, tmp_path / "mixed.csv", "--json").stdout)["seen"]
    assert 60 < seen["n"] < 100  # a fifth of the first hundred rows were test rows
    assert f"warning: the model was trained on {seen['n']} of these 160 rows" in said(result.stderr)
    assert seen["without"]["n"] == 160 - seen["n"]
    compared = likely("compare", run, run, tmp_path / "mixed.csv")
    assert f"the second model was trained on {seen['n']} of these 160 rows" in said(compared.stderr)
    everything = json.loads(likely("evaluate", run, table, "--part", "train", "--json").stdout)
    assert everything["seen"] == {"n": everything["n"], "without": None}


def test_equal_rows_of_categories_are_not_taken_for_seen(likely: Likely, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)

    def written(path: Path, n: int) -> Path:
        rows = [
            f"{c},{'up' if rng.random() < 0.2 + 0.3 * i else 'down'}" for i in rng.integers(0, 3, n) for c in "abc"[i]
        ]
        path.write_text("kind,label\n" + "\n".join(rows) + "\n")
        return path

    run = tmp_path / "run"
    result = likely("fit", written(tmp_path / "first.csv", 600), *QUICK, "--out", run)
    assert result.exit_code == 0, result.stderr
    assert "equal an earlier one, as expected" in result.stderr
    assert read_card(run).splits.groups == 0
    new = written(tmp_path / "new.csv", 200)
    evaluated = likely("evaluate", run, new, "--json")
    assert "warning" not in evaluated.stderr
    assert "seen" not in json.loads(evaluated.stdout)
    calibrated = likely("calibrate", run, new, "--out", tmp_path / "new.likely")
    assert calibrated.exit_code == 0, calibrated.stderr
    assert read_card(tmp_path / "new.likely").splits.thresholds == 100


def test_calibrate_counts_one_row_of_each_group(likely: Likely, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert likely("fit", visits(tmp_path / "visits.csv"), "--group", "patient", *QUICK, "--out", run).exit_code == 0
    rng = np.random.default_rng(9)
    x = np.repeat(rng.normal(size=(40, 2)), 4, axis=0) + 0.1 * rng.normal(size=(160, 2))
    lines = [f"{a},{b},q{i // 4},{'up' if a + b > 0 else 'down'}" for i, (a, b) in enumerate(x)]
    new = tmp_path / "new.csv"
    new.write_text("size,weight,patient,label\n" + "\n".join(lines) + "\n")
    result = likely("calibrate", run, new, "--group", "patient", "--out", tmp_path / "new.likely")
    assert result.exit_code == 0, result.stderr
    splits = read_card(tmp_path / "new.likely").splits
    assert (splits.calibration, splits.thresholds) == (20, 20)
