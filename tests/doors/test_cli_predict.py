"""`likely predict`: the model's own numbers in three formats, events, conditions, and images that cannot be read."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.without_privileges import without_privileges
from typer.testing import Result

from likely.data.images.decode import read_image
from likely.model import ClassifierPredictor, load
from likely.model import file as model_file

Likely = Callable[..., Result]
Said = Callable[[str], str]
LABELS = [str(digit) for digit in range(10)]


def expected(run: Path, paths: list[Path]) -> np.ndarray:
    predictor = load(run)
    assert isinstance(predictor, ClassifierPredictor)
    return predictor.predict_proba(np.stack([read_image(path, shape=(8, 8)) for path in paths]))


def test_json_has_the_predictors_numbers(likely: Likely, digits_run: Path, digit_images: Path) -> None:
    result = likely("predict", digits_run, digit_images, "--json", "--event", "even=0,2,4,6,8")
    assert result.exit_code == 0
    assert result.stderr == ""
    paths = sorted(digit_images.iterdir())
    P = expected(digits_run, paths)
    answers = json.loads(result.stdout)
    assert [answer["image"] for answer in answers] == [str(path) for path in paths]
    for answer, row in zip(answers, P, strict=True):
        assert list(answer) == [
            "image",
            "label",
            "probability",
            "probabilities",
            "set",
            "abstained",
            "familiarity",
            "events",
            "missing",
        ]
        # Cross-validated on 1,438 rows: sets and familiarity, but no bound on the error.
        assert list(answer["missing"]) == ["abstained"]
        assert answer["missing"]["abstained"].startswith("An error bound must rest on held-out rows")
        assert list(answer["probabilities"]) == LABELS
        np.testing.assert_array_equal(list(answer["probabilities"].values()), row)
        assert answer["label"] == LABELS[row.argmax()]
        assert answer["probability"] == row.max()
        assert answer["events"]["even"] == pytest.approx(row[::2].sum(), rel=1e-6)


def test_csv_has_the_predictors_numbers(likely: Likely, digits_run: Path, digit_images: Path) -> None:
    result = likely("predict", digits_run / "model.likely", digit_images, "--csv", "--event", "even=0,2,4,6,8")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    P = expected(digits_run, sorted(digit_images.iterdir()))
    np.testing.assert_array_equal([[float(row[label]) for label in LABELS] for row in rows], P)
    np.testing.assert_allclose([float(row["even"]) for row in rows], P[:, ::2].sum(axis=1), rtol=1e-6)


def test_the_table_shows_the_top_labels_of_each_image(likely: Likely, digits_run: Path, digit_images: Path) -> None:
    image = digit_images / "00.png"
    result = likely("predict", digits_run, image, "--top", 2, "--event", "even=0,2,4,6,8")
    assert result.exit_code == 0
    heading, first, second, event, *sets = result.stdout.splitlines()
    row = expected(digits_run, [image])[0]
    order = (-row).argsort()
    assert heading == str(image)
    assert first.split()[0] == LABELS[order[0]]
    assert second.split()[0] == LABELS[order[1]]
    assert event.split()[0] == "P(even)"
    assert all(line.startswith("  95.00% set: ") for line in sets)
    assert likely("predict", digits_run, image, "--top", 99).stdout.replace("% set", "").count("%") == 10


def test_conditions_follow_the_definition(likely: Likely, digits_run: Path, digit_images: Path) -> None:
    options = ("--given", "0,1,2", "--event", "low=0,1", "--json")
    answers = json.loads(likely("predict", digits_run, digit_images, *options).stdout)
    for answer in answers:
        probabilities, given = answer["probabilities"], answer["given"]
        mass = sum(probabilities[label] for label in "012")
        assert given["labels"] == ["0", "1", "2"]
        assert given["probability"] == pytest.approx(mass, rel=1e-5)
        for label in LABELS:
            wanted = probabilities[label] / mass if label in "012" else 0
            assert given["probabilities"][label] == pytest.approx(wanted, rel=1e-5)
        assert given["events"]["low"] == pytest.approx((probabilities["0"] + probabilities["1"]) / mass, rel=1e-5)
    table = likely("predict", digits_run, digit_images / "00.png", "--given", "0,1,2").stdout
    assert "given 0, 1, 2: P(given) = " in table


def test_files_folders_globs_and_standard_input_are_taken(likely: Likely, digits_run: Path, digit_images: Path) -> None:
    data = (digit_images / "03.png").read_bytes()
    arguments = (digit_images / "01.png", digit_images / "0[45].png", "-")
    answers = json.loads(likely("predict", digits_run, *arguments, "--json", stdin=data).stdout)
    assert [Path(answer["image"]).name for answer in answers] == ["01.png", "04.png", "05.png", "-"]
    [direct] = json.loads(likely("predict", digits_run, digit_images / "03.png", "--json").stdout)
    assert answers[-1]["probabilities"] == pytest.approx(direct["probabilities"], rel=1e-5)


def test_more_images_than_a_batch_keep_their_order(likely: Likely, digits_run: Path, digit_images: Path) -> None:
    name = str(digit_images / "02.png")
    names = [name] * 499 + ["missing.png"] + [str(digit_images / "03.png")] * 3
    answers = json.loads(likely("predict", digits_run, *names, "--json").stdout)
    assert [answer["image"] for answer in answers] == names
    assert "error" in answers[499]
    P = expected(digits_run, [digit_images / "02.png", digit_images / "03.png"])
    np.testing.assert_allclose(list(answers[498]["probabilities"].values()), P[0], rtol=1e-5)
    np.testing.assert_allclose(list(answers[500]["probabilities"].values()), P[1], rtol=1e-5)


@pytest.fixture
def bad_images(tmp_path: Path, digit_images: Path) -> Path:
    folder = tmp_path / "bad"
    folder.mkdir()
    good = (digit_images / "00.png").read_bytes()
    (folder / "good.png").write_bytes(good)
    (folder / "text.png").write_text("I am no image", encoding="utf-8")
    (folder / "truncated.png").write_bytes(good[: len(good) // 2])
    (folder / "empty.png").write_bytes(b"")
    Image.new("1", (20_000, 20_000)).save(folder / "bomb.png")
    (folder / "folder.png").mkdir()
    return folder


def test_bad_images_are_reported_by_name_and_the_rest_answered(
    likely: Likely, digits_run: Path, bad_images: Path
) -> None:
    names = ["text.png", "good.png", "truncated.png", "empty.png", "bomb.png", "folder.png", "missing.png"]
    paths = [str(bad_images / name) for name in names]
    result = likely("predict", digits_run, *paths, "--json")
    assert result.exit_code == 1
    answers = {Path(answer["image"]).name: answer for answer in json.loads(result.stdout)}
    assert list(answers) == names
    assert [name for name in names if "error" not in answers[name]] == ["good.png"]
    complaints = result.stderr.splitlines()
    assert len(complaints) == 6
    for name, reason in {
        "text.png": "a text file",
        "truncated.png": "truncated",
        "empty.png": "0 bytes",
        "bomb.png": "decompression bomb",
        "folder.png": "a folder without any",
        "missing.png": "no such file",
    }.items():
        assert reason in answers[name]["error"]
        [complaint] = [line for line in complaints if name in line]
        assert complaint.startswith("error: ")


@pytest.mark.parametrize("form", ["--csv", "--top=3"])
def test_bad_images_end_with_1_in_every_format(likely: Likely, digits_run: Path, bad_images: Path, form: str) -> None:
    result = likely("predict", digits_run, bad_images / "text.png", bad_images / "good.png", form)
    assert result.exit_code == 1
    assert "good.png" in result.stdout
    assert "text.png" in result.stderr


def test_an_image_without_permission_is_reported_by_name(likely: Likely, digits_run: Path, digit_images: Path) -> None:
    # Not in the usual temporary folder, which only its owner may enter.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for source in (digits_run / "model.likely", digit_images / "00.png", digit_images / "01.png"):
            shutil.copy(source, folder)
            (folder / source.name).chmod(0o644)
        arguments = ("predict", folder / "model.likely", folder / "00.png", folder / "01.png", "--json")
        assert likely(*arguments).exit_code == 0
        (folder / "00.png").chmod(0)
        with without_privileges():
            result = likely(*arguments)
    first, second = json.loads(result.stdout)
    assert result.exit_code == 1
    assert "permission denied" in first["error"]
    assert "00.png" in result.stderr
    assert second["label"]


def test_a_folder_and_a_glob_without_images_are_errors(likely: Likely, digits_run: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing here", encoding="utf-8")
    for argument in (tmp_path, tmp_path / "*.png"):
        result = likely("predict", digits_run, argument)
        assert result.exit_code == 1
        assert str(argument) in result.stderr
        assert result.stdout == ""


def test_standard_input_that_is_no_image_is_an_error(likely: Likely, digits_run: Path) -> None:
    result = likely("predict", digits_run, "-", "--json", stdin=b"not an image")
    assert result.exit_code == 1
    assert "The standard input must be" in result.stderr
    assert json.loads(result.stdout)[0]["image"] == "-"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--json", "--csv"), "one of --json, --csv and --parquet"),
        (("--event", "even"), "NAME=LABEL"),
        (("--event", "a=0", "--event", "a=1"), "two events"),
        (("--top", "0"), "--top"),
    ],
)
def test_wrong_usage_exits_with_2(
    likely: Likely, said: Said, digits_run: Path, digit_images: Path, arguments: tuple[str, ...], words: str
) -> None:
    result = likely("predict", digits_run, digit_images, *arguments)
    assert result.exit_code == 2
    assert words in said(result.stderr)
    assert result.stdout == ""


def test_an_image_must_be_named(likely: Likely, said: Said, digits_run: Path) -> None:
    result = likely("predict", digits_run)
    assert result.exit_code == 2
    assert "IMAGE" in said(result.stderr)


@pytest.mark.parametrize("arguments", [("--event", "even=0,22"), ("--given", "22")])
def test_an_unknown_label_is_an_error_with_the_nearest(
    likely: Likely, digits_run: Path, digit_images: Path, arguments: tuple[str, ...]
) -> None:
    result = likely("predict", digits_run, digit_images, *arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert "'22'" in result.stderr
    assert "'2'" in result.stderr


def test_a_model_of_rows_is_told_from_one_of_images(likely: Likely, tmp_path: Path, digit_images: Path) -> None:
    assert likely("fit", "iris", "--network", "linear", "--epochs", 1, "--out", tmp_path / "run").exit_code == 0
    result = likely("predict", tmp_path / "run", digit_images)
    assert result.exit_code == 1
    assert "tables with 4 columns" in result.stderr


def test_a_model_of_numbers_predicts_numbers(likely: Likely, tmp_path: Path, digit_images: Path) -> None:
    run = tmp_path / "run"
    fitted = likely("fit", "digits", "--task", "regression", "--network", "linear", "--out", run)
    assert fitted.exit_code == 0, fitted.stderr
    images = sorted(digit_images.iterdir())
    numbers = load(run).predict(np.stack([read_image(path, shape=(8, 8)) for path in images]))
    answers = json.loads(likely("predict", run, digit_images, "--json").stdout)
    assert [answer["prediction"] for answer in answers] == pytest.approx(numbers.tolist())
    rows = csv.DictReader(io.StringIO(likely("predict", run, digit_images, "--csv").stdout))
    assert [float(row["prediction"]) for row in rows] == pytest.approx(numbers.tolist())
    assert likely("predict", run, images[0]).stdout == f"{images[0]}  {numbers[0]:.6g}\n"
    refused = likely("predict", run, digit_images, "--event", "even=0,2")
    assert refused.exit_code == 1
    assert "predicts numbers" in refused.stderr


def test_an_impossible_condition_is_an_error_of_its_images(
    likely: Likely, digits_run: Path, digit_images: Path, tmp_path: Path
) -> None:
    # With weights this large every probability but one is too small for a number.
    arrays, document = model_file.read(digits_run / "model.likely")
    certain = tmp_path / "model.likely"
    model_file.write(certain, {n: a * 1e6 if n.startswith("theta") else a for n, a in arrays.items()}, document)
    plain = json.loads(likely("predict", certain, digit_images, "--json").stdout)
    label = plain[0]["label"]
    result = likely("predict", certain, digit_images, "--json", "--given", label)
    answers = json.loads(result.stdout)
    assert result.exit_code == 1
    assert len(answers) == len(plain)
    for before, answer in zip(plain, answers, strict=True):
        if before["label"] == label:
            assert answer["given"]["probability"] == 1
        else:
            assert "nothing can be conditioned on it" in answer["error"]
            assert before["image"] in result.stderr


def test_names_that_are_not_utf8_or_hostile_are_answered(
    likely: Likely, digits_run: Path, digit_images: Path, tmp_path: Path
) -> None:
    data = (digit_images / "00.png").read_bytes()
    names = [b"=caf\xe9.png", b"\x1b[31m[bold].png"]
    for name in names:
        Path(tmp_path, os.fsdecode(name)).write_bytes(data)
    answers = json.loads(likely("predict", digits_run, tmp_path, "--json").stdout)
    assert {os.fsencode(Path(answer["image"]).name) for answer in answers} == set(names)
    table = likely("predict", digits_run, tmp_path).stdout
    assert r"=caf\udce9.png" in table
    assert r"\x1b[31m[bold].png" in table
    assert "\x1b" not in table


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-c", "from likely.cli import main; main()", *map(str, arguments)]


def test_a_reader_that_has_gone_is_no_error(digits_run: Path, digit_images: Path) -> None:
    arguments = command("predict", digits_run, *[digit_images] * 200, "--json")
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


@pytest.mark.parametrize("variables", [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}])
def test_any_encoding_of_the_terminal_will_do(
    digits_run: Path, digit_images: Path, tmp_path: Path, variables: dict[str, str]
) -> None:
    image = tmp_path / "外套 é.png"
    shutil.copy(digit_images / "00.png", image)
    done = subprocess.run(
        command("predict", digits_run, image),
        capture_output=True,
        check=True,
        env={**os.environ, **variables},
    )
    assert b"\\u5916\\u5957" in done.stdout
    assert b"#" in done.stdout


def test_color_is_for_terminals_without_no_color(digits_run: Path, digit_images: Path) -> None:
    arguments = command("predict", digits_run, digit_images / "00.png")

    def written(**variables: str) -> bytes:
        environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
        return subprocess.run(arguments, capture_output=True, check=True, env={**environment, **variables}).stdout

    assert b"\x1b" not in written()
    assert b"\x1b[36m" in written(FORCE_COLOR="1", TERM="xterm")
    assert b"\x1b[36m" not in written(FORCE_COLOR="1", TERM="xterm", NO_COLOR="1")
