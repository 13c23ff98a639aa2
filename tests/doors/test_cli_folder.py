"""`likely fit FOLDER` of class folders: from images to a model, and every way in which a folder can be wrong."""

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from likely.data.images import image_cache
from likely.data.sources import open_dataset
from likely.model import read_card

Likely = Callable[..., Result]
Said = Callable[[str], str]
QUICK = ("--network", "linear", "--epochs", "2")
DIGITS = open_dataset("digits").train


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIKELY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def save(folder: Path, rows: Iterable[int], size: int = 8) -> Path:
    """These digits in class folders."""
    for row in rows:
        path = folder / str(DIGITS.y[row]) / f"{row}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(DIGITS.X[row]).resize((size, size)).save(path)
    return folder


def of_classes(*labels: int, n: int = 12) -> list[int]:
    return [int(row) for label in labels for row in np.flatnonzero(DIGITS.y == label)[:n]]


def test_images_on_disk_give_the_model_of_images_in_memory(
    likely: Likely, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    folder = save(tmp_path / "data", range(200))
    assert likely("fit", folder, *QUICK, "--out", tmp_path / "memory").exit_code == 0
    monkeypatch.setattr(image_cache, "KEPT_FROM", 1)
    monkeypatch.setattr(image_cache, "ON_DISK_FROM", 1)
    for name in ("first", "second"):
        assert likely("fit", folder, *QUICK, "--out", tmp_path / name).exit_code == 0
        for file in ("metrics.json", "row_hashes.npy"):
            assert (tmp_path / name / file).read_bytes() == (tmp_path / "memory" / file).read_bytes()
    assert len(list((cache / "images").glob("*.rows"))) == 1


@pytest.mark.parametrize(("n_val", "method"), [(120, "held-out"), (60, "cross-validation")])
def test_a_val_part_is_held_out_if_it_suffices(
    likely: Likely, said: Said, tmp_path: Path, n_val: int, method: str
) -> None:
    save(tmp_path / "data" / "train", range(300))
    save(tmp_path / "data" / "val", range(300, 300 + n_val))
    save(tmp_path / "data" / "test", range(500, 560))
    result = likely("fit", tmp_path / "data", *QUICK, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.stderr
    splits = read_card(tmp_path / "run").splits
    assert (splits.method, splits.test) == (method, 60)
    if method == "held-out":
        assert (splits.train, splits.calibration, splits.thresholds) == (300, n_val // 2, n_val // 2)
        assert f"300 rows to train on, {n_val} of the val part held out" in said(result.stderr)
    else:
        assert splits.train == 360
        assert "fewer than the 100 needed for calibration" in said(result.stderr)


def test_a_val_part_is_cut_in_three_with_early_stopping(likely: Likely, tmp_path: Path) -> None:
    save(tmp_path / "data" / "train", range(100))
    save(tmp_path / "data" / "valid", range(300, 450))
    result = likely("fit", tmp_path / "data", *QUICK, "--early-stopping", "--out", tmp_path / "run")
    assert result.exit_code == 0, result.stderr
    splits = read_card(tmp_path / "run").splits
    assert (splits.train, splits.test) == (80, 20)
    assert (splits.calibration, splits.thresholds, splits.stopping) == (50, 50, 50)


def test_a_class_with_one_image_is_learned_and_said(likely: Likely, said: Said, tmp_path: Path) -> None:
    folder = save(save(tmp_path / "data", of_classes(0, 1, n=20)), of_classes(2, n=1))
    result = likely("fit", folder, *QUICK, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.stderr
    assert "Temperature" in said(result.stderr)
    card = read_card(tmp_path / "run")
    assert card.labels == ("0", "1", "2")
    assert (card.splits.method, card.splits.train, card.splits.test) == ("cross-validation", 33, 8)
    assert card.temperature is not None


def test_bad_images_are_named_and_skipped_on_request(likely: Likely, said: Said, tmp_path: Path) -> None:
    folder = save(tmp_path / "data", of_classes(0, 1, n=30))
    bad = sorted((folder / "0").iterdir())[:7]
    for path in bad:
        path.write_bytes(path.read_bytes()[:50])
    refused = likely("fit", folder, *QUICK, "--out", tmp_path / "run")
    assert refused.exit_code == 1
    assert "7 of 60 images can't be read" in said(refused.stderr)
    assert [path.name in refused.stderr for path in bad] == [True] * 5 + [False] * 2
    assert "(and 2 more)" in said(refused.stderr)
    assert "--skip-bad" in refused.stderr
    assert not (tmp_path / "run").exists()
    done = likely("fit", folder, *QUICK, "--skip-bad", "--out", tmp_path / "run")
    assert done.exit_code == 0, done.stderr
    assert "7 of 60 images could not be read and were skipped" in said(done.stderr)
    assert any("7 of 60" in note for note in read_card(tmp_path / "run").data.notes)
    assert json.loads((tmp_path / "run" / "config.json").read_text())["skip_bad"] is True
    assert likely("evaluate", tmp_path / "run", folder).exit_code == 1
    judged = likely("evaluate", tmp_path / "run", folder, "--skip-bad", "--json")
    assert judged.exit_code == 0, judged.stderr
    # The same test rows are drawn again.
    assert json.loads(judged.stdout)["n"] == read_card(tmp_path / "run").splits.test
    both = likely("compare", tmp_path / "run", tmp_path / "run", folder, "--skip-bad")
    assert both.exit_code == 0, both.stderr
    new = ("--out", tmp_path / "new.likely")
    assert "--skip-bad" in likely("calibrate", tmp_path / "run", folder, *new).stderr


def empty(folder: Path) -> None:
    folder.mkdir()


def loose(folder: Path) -> None:
    folder.mkdir()
    for i in range(3):
        Image.fromarray(DIGITS.X[i]).save(folder / f"{i}.png")


def one_class(folder: Path) -> None:
    save(folder, of_classes(3))


def class_without_images(folder: Path) -> None:
    (save(folder, of_classes(0, 1)) / "2").mkdir()


def unseen_in_training(folder: Path) -> None:
    save(folder / "train", of_classes(0, 1))
    save(folder / "test", of_classes(0, 7))


def one_image_each(folder: Path) -> None:
    save(folder, of_classes(0, 1, 2, n=1))


def part_for_testing_alone(folder: Path) -> None:
    save(folder / "test", of_classes(0, 1))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (empty, "must hold class folders; got an empty folder. Images go into one folder per class"),
        (loose, "must hold class folders; got 3 images, but no class folders"),
        (one_class, "must have at least two classes; got only one: '3'"),
        (class_without_images, "must hold images; got none in '2'"),
        (unseen_in_training, "must have the classes of"),
        (one_image_each, "must have a class with at least two rows"),
        (part_for_testing_alone, "must hold train/ with class folders beside test/"),
    ],
)
def test_a_folder_that_can_not_be_learned_from_says_why(
    likely: Likely, said: Said, tmp_path: Path, make: Callable[[Path], None], message: str
) -> None:
    folder = tmp_path / "data"
    make(folder)
    result = likely("fit", folder, *QUICK, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert message in said(result.stderr)
    assert str(folder) in result.stderr
    assert not (tmp_path / "run").exists()


def test_mixed_sizes_are_made_one(likely: Likely, tmp_path: Path) -> None:
    save(save(tmp_path / "data", of_classes(0, 1)), of_classes(2), size=9)
    result = likely("fit", tmp_path / "data", *QUICK, "--out", tmp_path / "median")
    assert result.exit_code == 0, result.stderr
    assert "2 sizes, from 8 x 8 to 9 x 9: all are resized to 8 x 8, the median" in result.stderr
    result = likely("fit", tmp_path / "data", *QUICK, "--image-size", 20, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.stderr
    assert "resized" not in result.stderr


def test_a_cache_that_can_not_be_written_is_said(
    likely: Likely, said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save(tmp_path / "data", of_classes(0, 1))
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LIKELY_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr(image_cache, "KEPT_FROM", 1)
    result = likely("fit", folder, *QUICK, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.stderr
    assert "Decoded images are kept in memory this time" in said(result.stderr)


def test_names_that_are_no_utf_8_and_files_that_are_left_out(
    likely: Likely, digits_run: Path, digit_images: Path, tmp_path: Path
) -> None:
    import pyarrow.parquet as pq

    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "a.png").write_bytes((digit_images / "00.png").read_bytes())
    (tmp_path / "new" / os.fsdecode(b"caf\xe9.png")).write_bytes((digit_images / "01.png").read_bytes())
    for name in ("b.avif", "c"):
        (tmp_path / "new" / name).write_bytes(b"\0")
    result = likely("predict", digits_run, tmp_path / "new", "--parquet", tmp_path / "p.parquet")
    assert result.exit_code == 0
    table = pq.read_table(tmp_path / "p.parquet")
    assert [str(name).rpartition("/")[2] for name in table[0]] == ["a.png", r"caf\udce9.png"]
    assert "note: 2 files were skipped" in result.stderr
    assert "b.avif" in result.stderr
