"""`likely inspect`, `evaluate` and `report`; and model files that every command refuses."""

import hashlib
import io
import json
import pickle
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import Result

from likely.model import file as model_file
from likely.model import load, read_card

Likely = Callable[..., Result]


def test_inspect_prints_the_card(likely: Likely, digits_run: Path) -> None:
    result = likely("inspect", digits_run / "model.likely")
    assert result.exit_code == 0
    card = read_card(digits_run)
    text = result.stdout
    assert "10: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9" in text
    assert re.search(r"network +linear", text)
    assert re.search(r"parameters +650", text)
    assert card.data.sha256 in text
    assert re.search(rf"splits +{card.splits.train:,} to train", text)
    assert "95% interval" in text
    assert text.index("accuracy") < text.index("NLL") < text.index("Brier score") < text.index("ECE")


def test_inspect_does_not_load_the_weights(likely: Likely, digits_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the arrays were read")

    monkeypatch.setattr("likely.model.file.read", refuse)
    assert likely("inspect", digits_run).exit_code == 0


def test_inspect_as_json_is_the_card(likely: Likely, digits_run: Path) -> None:
    assert json.loads(likely("inspect", digits_run, "--json").stdout) == read_card(digits_run).to_json()


def test_evaluate_gives_the_figures_of_training(likely: Likely, digits_run: Path) -> None:
    result = likely("evaluate", digits_run, "digits", "--json")
    assert result.exit_code == 0
    figures = json.loads(result.stdout)
    assert figures == json.loads((digits_run / "metrics.json").read_text(encoding="utf-8"))
    for name in ("accuracy", "nll", "brier", "ece"):
        assert figures[name]["low"] <= figures[name]["value"] <= figures[name]["high"]


def test_evaluate_prints_figures_and_classes(likely: Likely, digits_run: Path) -> None:
    result = likely("evaluate", digits_run, "digits")
    for words in ("accuracy", "NLL", "Brier score", "ECE", "95% interval", "precision", "recall", "F1"):
        assert words in result.stdout
    assert "rows" in result.stderr


def test_evaluate_on_training_rows_says_that_they_flatter(likely: Likely, digits_run: Path) -> None:
    result = likely("evaluate", digits_run, "digits", "--part", "train", "--json")
    assert "flatter" in result.stderr
    assert json.loads(result.stdout)["n"] == read_card(digits_run).data.rows


def class_folders(folder: Path, labels: list[str], per_class: int = 12, side: int = 8) -> Path:
    rng = np.random.default_rng(0)
    for number, label in enumerate(labels):
        (folder / label).mkdir(parents=True)
        for i in range(per_class):
            gray = rng.integers(0, 64, (side, side)) + 20 * number
            Image.fromarray(gray.astype(np.uint8)).save(folder / label / f"{i}.png")
    return folder


def test_evaluate_finds_the_rows_again_that_fit_set_aside(likely: Likely, tmp_path: Path) -> None:
    data = class_folders(tmp_path / "data", ["a", "b", "c"])
    run = tmp_path / "run"
    fitted = likely("fit", data, "--network", "linear", "--epochs", 1, "--seed", 5, "--out", run)
    assert fitted.exit_code == 0, fitted.stderr
    figures = json.loads(likely("evaluate", run, data, "--json").stdout)
    assert figures == json.loads((run / "metrics.json").read_text(encoding="utf-8"))


def test_evaluate_takes_all_rows_of_other_data(likely: Likely, tmp_path: Path, digits_run: Path) -> None:
    data = class_folders(tmp_path / "data", ["9", "3"])
    figures = json.loads(likely("evaluate", digits_run, data, "--json").stdout)
    assert figures["n"] == 24
    assert {entry["label"]: entry["support"] for entry in figures["per_class"] if entry["support"]} == {
        "3": 12,
        "9": 12,
    }


def test_evaluate_refuses_other_labels(likely: Likely, digits_run: Path, tmp_path: Path) -> None:
    result = likely("evaluate", digits_run, class_folders(tmp_path / "data", ["3", "boot"]))
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("error: ")
    assert "'boot'" in result.stderr
    assert result.stdout == ""


def test_evaluate_resizes_class_folders(likely: Likely, digits_run: Path, tmp_path: Path) -> None:
    result = likely("evaluate", digits_run, class_folders(tmp_path / "data", ["3", "4"], side=9), "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["n"] > 0


def test_evaluate_refuses_other_tasks(likely: Likely, digits_run: Path) -> None:
    result = likely("evaluate", digits_run, "diabetes")
    assert result.exit_code == 1
    assert "error: " in result.stderr


def test_evaluate_refuses_a_part_that_is_not_there(likely: Likely, digits_run: Path, tmp_path: Path) -> None:
    result = likely("evaluate", digits_run, class_folders(tmp_path / "data", ["3", "4"]), "--part", "test")
    assert result.exit_code == 1
    assert "test part" in result.stderr


def test_evaluate_refuses_data_that_are_not_there(likely: Likely, digits_run: Path) -> None:
    result = likely("evaluate", digits_run, "no/such/folder")
    assert result.exit_code == 1
    assert "no/such/folder" in result.stderr


def test_regression_has_its_own_figures(likely: Likely, tmp_path: Path) -> None:
    run = tmp_path / "run"
    fitted = likely("fit", "diabetes", "--network", "linear", "--out", run)
    assert fitted.exit_code == 0, fitted.stderr
    assert "R²" in fitted.stdout
    figures = json.loads(likely("evaluate", run, "diabetes", "--json").stdout)
    assert figures == json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    assert {"mse", "mae", "r2"} < set(figures)
    assert re.search(r"task +regression", likely("inspect", run).stdout)


def test_report_is_written_anew(likely: Likely, digits_run: Path) -> None:
    page = digits_run / "report.html"
    before = page.read_text(encoding="utf-8")
    page.unlink()
    result = likely("report", digits_run)
    assert result.exit_code == 0
    assert result.stdout == f"{page}\n"
    assert sorted(page.read_text(encoding="utf-8").splitlines()) == sorted(before.splitlines())


def test_report_refuses_what_is_no_run(likely: Likely, tmp_path: Path) -> None:
    result = likely("report", tmp_path)
    assert result.exit_code == 1
    assert str(tmp_path) in result.stderr


# Files that are no models


def rewritten(source: Path, path: Path, change: Callable[[dict[str, np.ndarray]], None]) -> Path:
    """The model file with other arrays and a checksum that fits them."""
    arrays, document = model_file.read(source)
    change(arrays)
    model_file.write(path, arrays, document)
    return path


def with_nan(source: Path, path: Path) -> Path:
    """The model file with one weight NaN and a checksum that fits it: only a forger could write it."""
    content = bytearray(source.read_bytes())
    weight = model_file.read(source)[0]["theta.layer0"].tobytes()
    at = content.index(weight)
    content[at : at + 4] = np.float32("nan").tobytes()
    return with_checksum(bytes(content), path)


def with_checksum(content: bytes, path: Path) -> Path:
    at = content.index(b'\\"checksum\\":\\"') + len(b'\\"checksum\\":\\"')
    blank = content[:at] + b"0" * 64 + content[at + 64 :]
    path.write_bytes(content[:at] + hashlib.sha256(blank).hexdigest().encode() + content[at + 64 :])
    return path


class Trap:
    """What runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return (print, ("THE CODE RAN",))


def truncated(source: Path, path: Path) -> None:
    path.write_bytes(source.read_bytes()[:-100])


def flipped(source: Path, path: Path) -> None:
    content = bytearray(source.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def pickled(_: Path, path: Path) -> None:
    path.write_bytes(pickle.dumps(Trap()))


def torch_file(_: Path, path: Path) -> None:
    buffer = io.BytesIO()
    torch.save({"weight": torch.zeros(2)}, buffer)
    path.write_bytes(buffer.getvalue())


def zipped(source: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(source, "model.likely")


def newer(source: Path, path: Path) -> None:
    content = source.read_bytes()
    assert content.count(b'\\"format\\":1') == 1
    with_checksum(content.replace(b'\\"format\\":1', b'\\"format\\":9'), path)


def nan(source: Path, path: Path) -> None:
    with_nan(source, path)


def missing(source: Path, path: Path) -> None:
    rewritten(
        source, path, lambda arrays: [arrays.pop(name) for name in list(arrays) if name.startswith("theta")] and None
    )


def extra(source: Path, path: Path) -> None:
    rewritten(source, path, lambda arrays: arrays.update(surprise=np.zeros(3)))


def gigabytes(_: Path, path: Path) -> None:
    path.write_bytes((2**40).to_bytes(8, "little") + b"{" * 100)


def empty(_: Path, path: Path) -> None:
    path.write_bytes(b"")


def absent(_: Path, path: Path) -> None:
    path.unlink(missing_ok=True)


READERS = (truncated, flipped, pickled, torch_file, zipped, newer, gigabytes, empty, absent)


@pytest.mark.parametrize("spoil", [*READERS, nan, missing, extra])
def test_a_file_that_is_no_model_is_refused(
    likely: Likely, digits_run: Path, digit_images: Path, tmp_path: Path, spoil: Callable[[Path, Path], None]
) -> None:
    path = tmp_path / "model.likely"
    spoil(digits_run / "model.likely", path)
    commands: list[tuple[object, ...]] = [("predict", path, digit_images), ("evaluate", path, "digits")]
    if spoil in READERS:
        commands.append(("inspect", path))
    for command in commands:
        result = likely(*command)
        assert result.exit_code == 1
        assert result.stderr.startswith("error: ")
        assert str(path) in result.stderr
        assert "THE CODE RAN" not in result.output
        assert result.stdout == ""


def test_the_untouched_file_is_read(digits_run: Path, tmp_path: Path) -> None:
    load(rewritten(digits_run / "model.likely", tmp_path / "same.likely", lambda arrays: None))
    with_checksum((digits_run / "model.likely").read_bytes(), tmp_path / "same.likely")
    load(tmp_path / "same.likely")
