"""What can be trusted, through the command line: events, sets, abstention, familiarity, calibration on new rows."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from typer.testing import Result

from likely.model import ClassifierPredictor, load, read_card

Likely = Callable[..., Result]
IdxFolder = Callable[..., Path]
RNG = np.random.default_rng(0)


def many_digits(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Real digits, repeated with noise, so that there are enough of them to hold some out."""
    images, y = load_digits(return_X_y=True)
    rows = RNG.integers(0, len(y), n)
    noisy = images[rows].reshape(-1, 8, 8) * 255 / 16 + RNG.normal(0, 40, (n, 8, 8))
    return np.clip(noisy, 0, 255).astype(np.uint8), y[rows].astype(np.uint8)


@pytest.fixture(scope="module")
def data(idx_folder: IdxFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return idx_folder(tmp_path_factory.mktemp("digits") / "data", *many_digits(12_000))


@pytest.fixture(scope="module")
def run(likely: Likely, data: Path) -> Path:
    out = data.parent / "run"
    events = ("--event", "round=0,6,8,9", "--event", 'straight=1,"7"')
    result = likely("fit", data, "--network", "mlp", "--epochs", 3, *events, "--out", out)
    assert result.exit_code == 0, result.output
    assert "sets hold the truth: 95.0%" in result.stdout
    return out


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    X, _ = many_digits(20)
    for i, image in enumerate(X):
        Image.fromarray(image).save(folder / f"{i:02}.png")
    # Bright everywhere: no digit is.
    Image.fromarray(RNG.integers(150, 256, (8, 8), dtype=np.uint8)).save(folder / "noise.png")
    return folder


def test_json_has_what_the_model_promises(likely: Likely, run: Path, images: Path) -> None:
    model = load(run)
    assert isinstance(model, ClassifierPredictor)
    result = likely("predict", run, images, "--json", "--coverage", 0.99, "--max-error", 0.2)
    answers = json.loads(result.stdout)
    paths = sorted(map(str, images.iterdir()))
    assert [answer["image"] for answer in answers] == paths
    sets = model.predict_set(paths, 0.99)
    _, answered = model.predict_or_abstain(paths, max_error=0.2)
    familiarity = model.familiarity(paths)
    for answer, event, given, p in zip(answers, sets, answered, familiarity, strict=True):
        assert answer["set"] == [str(label) for label in event]
        assert answer["abstained"] == (not given)
        assert answer["familiarity"] == p
        assert set(answer["events"]) == {"round", "straight"}
        probabilities = answer["probabilities"]
        assert answer["events"]["straight"] == pytest.approx(probabilities["1"] + probabilities["7"])
    assert answers[-1]["familiarity"] < 0.01 < np.median(familiarity)


def test_the_table_says_what_is_unfamiliar(likely: Likely, run: Path, images: Path) -> None:
    text = likely("predict", run, images, "--coverage", 0.99, "--max-error", 0.1).stdout
    assert "noise.png  unfamiliar (p = 0.00" in text
    assert text.count("99.00% set: ") == 21
    assert "P(round)" in text


def test_csv_has_columns_for_promises(likely: Likely, run: Path, images: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(likely("predict", run, images, "--csv", "--coverage", "0.99").stdout)))
    assert {"set", "abstained", "familiarity", "round"} <= set(rows[0])
    assert any("; " in row["set"] for row in rows)
    assert all(0 < float(row["familiarity"]) <= 1 for row in rows)


def test_an_event_of_the_model_can_be_a_condition(likely: Likely, run: Path, images: Path) -> None:
    answers = json.loads(likely("predict", run, images, "--json", "--given", "round").stdout)
    for answer in answers:
        assert answer["given"]["labels"] == ["0", "6", "8", "9"]
        assert answer["given"]["probability"] == pytest.approx(answer["events"]["round"])
        assert sum(answer["given"]["probabilities"].values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--coverage", "1.5"), "strictly between 0 and 1"),
        (("--coverage", "0.9999"), "at least 9999 held-out rows"),
        (("--max-error", "0"), "strictly between 0 and 1"),
        (("--max-error", "0.0001"), "answers without a mistake"),
    ],
)
def test_what_cannot_be_promised_is_an_error(
    likely: Likely, run: Path, images: Path, options: tuple[str, str], words: str
) -> None:
    result = likely("predict", run, images, *options)
    assert result.exit_code == 1
    assert words in result.stderr


def test_other_class_frequencies_change_every_answer(likely: Likely, run: Path, images: Path) -> None:
    model = load(run)
    assert isinstance(model, ClassifierPredictor)
    field = {label: 0.55 if label == "8" else 0.05 for label in model.labels}
    text = ",".join(f"{label}={p}" for label, p in field.items())
    answers = json.loads(likely("predict", run, images, "--json", "--prior", text).stdout)
    shifted = model.with_prior(field).predict_proba(sorted(map(str, images.iterdir())))
    for answer, row in zip(answers, shifted, strict=True):
        assert list(answer["probabilities"].values()) == row.tolist()
        assert (answer["abstained"], answer["familiarity"]) == (None, None)
        assert answer["set"]
    assert likely("predict", run, images, "--prior", "8=much").exit_code == 2
    missing = likely("predict", run, images, "--prior", "8=1")
    assert missing.exit_code == 1
    assert "frequency of every label" in missing.stderr
    promised = likely("predict", run, images, "--prior", text, "--coverage", 0.9)
    assert promised.exit_code == 0
    assert "frequencies of training are counted" in promised.stderr
    refused = likely("predict", run, images, "--prior", text, "--max-error", 0.1)
    assert refused.exit_code == 1
    assert "another prior" in refused.stderr


def test_evaluate_and_metrics_tell_what_came_of_the_promises(likely: Likely, run: Path, data: Path) -> None:
    figures = json.loads(likely("evaluate", run, data, "--json").stdout)
    assert figures == json.loads((run / "metrics.json").read_text())
    assert [entry["coverage"] for entry in figures["sets"]] == [0.8, 0.9, 0.95, 0.99]
    for entry in figures["sets"]:
        assert abs(entry["covered"]["value"] - entry["coverage"]) < 0.05 or entry["coverage"] < 0.9
    assert set(figures["events"]) == {"round", "straight"}
    assert figures["familiarity"]["rate"]["value"] < 0.04
    table = likely("evaluate", run, data).stdout
    assert "false alarms: 1%" in table
    assert "straight" in table


def test_an_event_of_unknown_labels_is_refused_before_training(likely: Likely, data: Path, tmp_path: Path) -> None:
    result = likely("fit", data, "--event", "odd=1,3,11", "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "Event 'odd' must be a set of labels; got '11'" in result.stderr
    assert not (tmp_path / "run").exists()


def test_class_weights_are_kept_in_the_card(likely: Likely, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    options = ("--network", "linear", "--epochs", 1, "--class-weight", "3=2.5,4=1")
    assert likely("fit", data, *options, "--out", out).exit_code == 0
    assert read_card(out).class_weight == (1, 1, 1, 2.5, 1, 1, 1, 1, 1, 1)
    assert likely("fit", data, "--class-weight", "3=much", "--out", tmp_path / "b").exit_code == 2
    refused = likely("fit", data, "--class-weight", "33=2", "--out", tmp_path / "c")
    assert refused.exit_code == 1
    assert "'33'" in refused.stderr


def test_calibrate_rests_the_promises_on_new_rows(
    idx_folder: IdxFolder, likely: Likely, run: Path, tmp_path: Path
) -> None:
    new = tmp_path / "calibrated.likely"
    result = likely("calibrate", run, idx_folder(tmp_path / "new", *many_digits(1_000)), "--out", new)
    assert result.exit_code == 0, result.stderr
    card = read_card(new)
    assert (card.splits.calibration, card.splits.thresholds) == (500, 500)
    assert card.metrics is None
    assert card.temperature != read_card(run).temperature
    again = likely("calibrate", run, tmp_path / "new", "--out", new)
    assert again.exit_code == 1
    assert "--overwrite" in again.stderr


def test_calibrate_refuses_rows_that_were_trained_on(likely: Likely, run: Path, data: Path, tmp_path: Path) -> None:
    result = likely("calibrate", run, data, "--part", "train", "--out", tmp_path / "new.likely")
    assert result.exit_code == 1
    assert "that it was trained on" in result.stderr
    assert not (tmp_path / "new.likely").exists()


def test_calibrate_refuses_numbers(likely: Likely, tmp_path: Path) -> None:
    assert likely("fit", "diabetes", "--network", "linear", "--out", tmp_path / "run").exit_code == 0
    result = likely("calibrate", tmp_path / "run", "diabetes", "--out", tmp_path / "new.likely")
    assert result.exit_code == 1
    assert "predicts numbers" in result.stderr
