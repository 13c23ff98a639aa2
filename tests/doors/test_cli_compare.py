"""`likely compare`: two models on the same rows."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from likely.data.sources import open_dataset
from likely.metrics import paired_difference
from likely.model import load

Likely = Callable[..., Result]


@pytest.fixture(scope="module")
def longer_run(likely: Likely, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "longer"
    result = likely("fit", "digits", "--network", "linear", "--epochs", 6, "--seed", 1, "--out", folder)
    assert result.exit_code == 0, result.stderr
    return folder


def test_json_has_both_models_figures_and_the_paired_differences(
    likely: Likely, digits_run: Path, longer_run: Path
) -> None:
    result = likely("compare", digits_run, longer_run, "digits", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    for side, run in (("first", digits_run), ("second", longer_run)):
        assert found[side]["model"] == str(run)
        assert found[side]["figures"] == json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    test = open_dataset("digits").test
    assert test is not None
    expected = paired_difference(*(load(run).predict_proba(test.X) for run in (digits_run, longer_run)), test.y)
    assert found["difference"] == {name: difference.to_json() for name, difference in expected.items()}
    assert found["n"] == len(test)
    assert found["difference"]["nll"]["better"] == "second"


def test_people_get_values_differences_and_a_sentence_each(likely: Likely, digits_run: Path, longer_run: Path) -> None:
    result = likely("compare", digits_run, longer_run, "digits")
    assert result.exit_code == 0, result.stderr
    text = result.stdout
    assert str(digits_run) in text
    assert str(longer_run) in text
    number = r"[+-]\d+\.?\d*"
    assert re.search(rf"accuracy +\d+\.\d\d% +\d+\.\d\d% +{number} points +{number} to {number}", text)
    assert re.search(rf"NLL +[\d.]+ +[\d.]+ +{number} nats +{number} to {number}", text)
    assert re.search(r"NLL +The second model is better\.", text)
    assert "rows" in result.stderr
    assert "flatter" not in result.stderr


def test_a_model_and_itself_are_alike(likely: Likely, digits_run: Path) -> None:
    assert likely("compare", digits_run, digits_run, "digits").stdout.count("alike on every row") == 4


def test_training_rows_flatter_both(likely: Likely, digits_run: Path, longer_run: Path) -> None:
    result = likely("compare", digits_run, longer_run, "digits", "--part", "train")
    assert "first model was trained" in result.stderr
    assert "second model was trained" in result.stderr


def class_folders(folder: Path, labels: list[str], shades: list[int]) -> Path:
    rng = np.random.default_rng(0)
    for label, shade in zip(labels, shades, strict=True):
        (folder / label).mkdir(parents=True)
        for i in range(20):
            Image.fromarray((rng.integers(0, 64, (6, 6)) + shade).astype(np.uint8)).save(folder / label / f"{i}.png")
    return folder


def test_another_seed_draws_other_test_rows_and_is_told(likely: Likely, tmp_path: Path) -> None:
    data = class_folders(tmp_path / "data", ["a", "b"], [0, 20])
    for seed in (0, 1):
        run = likely("fit", data, "--network", "linear", "--epochs", 3, "--seed", seed, "--out", tmp_path / f"{seed}")
        assert run.exit_code == 0, run.stderr
    result = likely("compare", tmp_path / "0", tmp_path / "1", data)
    assert result.exit_code == 0, result.stderr
    assert "second model was trained on 7 of these 8 rows" in result.stderr
    assert "first model was trained" not in result.stderr


def test_labels_in_another_order_are_matched_and_other_labels_refused(
    likely: Likely, digits_run: Path, tmp_path: Path
) -> None:
    data = class_folders(tmp_path / "data", ["a", "b"], [0, 60])
    other = class_folders(tmp_path / "other", ["a", "c"], [0, 60])
    for name, source in (("run", data), ("else", other)):
        fitted = likely("fit", source, "--network", "linear", "--epochs", 3, "--out", tmp_path / name)
        assert fitted.exit_code == 0, fitted.stderr
    swapped = _with_labels_swapped(tmp_path / "run" / "model.likely", tmp_path / "swapped.likely")
    result = likely("compare", tmp_path / "run", swapped, data)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.count("alike on every row") == 4
    result = likely("compare", tmp_path / "run", tmp_path / "else", data)
    assert result.exit_code == 1
    assert "same labels" in result.stderr
    assert "'b' in the first model only" in result.stderr
    assert result.stdout == ""


def _with_labels_swapped(source: Path, path: Path) -> Path:
    """The same model of two classes, its outputs and labels in the other order."""
    from likely.model import file as model_file

    arrays, document = model_file.read(source)
    arrays["theta.layer0"] = arrays["theta.layer0"][:, ::-1].copy()
    document["labels"], document["metrics"] = document["labels"][::-1], None
    model_file.write(path, arrays, document)
    return path


def test_regression_is_compared_too_and_tasks_do_not_mix(likely: Likely, digits_run: Path, tmp_path: Path) -> None:
    for name, options in (("line", ["--network", "linear"]), ("mlp", ["--network", "mlp", "--epochs", 1])):
        fitted = likely("fit", "diabetes", *options, "--out", tmp_path / name)
        assert fitted.exit_code == 0, fitted.stderr
    result = likely("compare", tmp_path / "line", tmp_path / "mlp", "diabetes", "--json")
    found = json.loads(result.stdout)
    assert list(found["difference"]) == ["mse", "mae", "r2"]
    r2 = [found[side]["figures"]["r2"]["value"] for side in ("first", "second")]
    assert found["difference"]["r2"]["value"] == pytest.approx(r2[1] - r2[0])
    assert "R²" in likely("compare", tmp_path / "line", tmp_path / "mlp", "diabetes").stdout
    mixed = likely("compare", tmp_path / "line", digits_run, "diabetes")
    assert mixed.exit_code == 1
    assert "regression and classification" in mixed.stderr


def test_each_model_finds_the_columns_by_name_and_its_own_categories(likely: Likely, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    n = 400
    size = rng.normal(50, 10, n)
    weight = rng.normal(0, 0.01, n)
    color = np.where(size + 5 * rng.normal(size=n) > 50, "red", np.where(rng.random(n) < 0.5, "blue", "green"))
    label = np.where(size + 3 * (color == "red") > 51, "big, really", "small")
    cells = {"size": size, "weight": weight, "color": color, "label": label}

    def table(name: str, columns: list[str], rows: np.ndarray) -> Path:
        lines = [",".join(columns), *(",".join(f'"{cells[column][i]}"' for column in columns) for i in rows)]
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        return tmp_path / name

    old, new = np.arange(200), np.arange(200, 400)
    # The categories have other numbers where blue is missing.
    sources = {
        "a": table("there.csv", ["size", "weight", "color", "label"], old),
        "b": table("back.csv", ["color", "weight", "label", "size"], old[color[old] != "blue"]),
        "c": table("without.csv", ["weight", "size", "label"], old),
    }
    data = table("new.csv", ["label", "weight", "color", "size"], new)
    own: dict[str, float] = {}
    for name, source in sources.items():
        fitted = likely("fit", source, "--network", "linear", "--epochs", 20, "--out", tmp_path / name)
        assert fitted.exit_code == 0, fitted.stderr
        own[name] = json.loads(likely("evaluate", tmp_path / name, data, "--json").stdout)["accuracy"]["value"]
    assert min(own.values()) > 0.7
    for first, second in (("a", "b"), ("b", "a"), ("a", "c"), ("c", "a")):
        result = likely("compare", tmp_path / first, tmp_path / second, data, "--json")
        assert result.exit_code == 0, result.stderr
        found = json.loads(result.stdout)
        for side, name in (("first", first), ("second", second)):
            assert found[side]["figures"]["accuracy"]["value"] == own[name], (first, second)
    # A model can be compared with one that knows fewer columns, but not on data without a column of its own.
    result = likely("compare", tmp_path / "c", tmp_path / "a", sources["c"])
    assert result.exit_code == 1
    assert "no column 'color'" in result.stderr


def test_models_that_learned_from_all_rows_of_a_table_are_compared_out_of_fold(
    likely: Likely, said: Callable[[str], str], tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 2))
    answers = np.where(np.hypot(*X.T) + 0.2 * rng.normal(size=120) > 1, "out", "in")
    lines = [f"{a:.4f},{b:.4f},{y}" for (a, b), y in zip(X, answers, strict=True)]
    table = tmp_path / "rings.csv"
    table.write_text("\n".join(["a,b,label", *lines]) + "\n")
    for network in ("linear", "trees"):
        assert likely("fit", table, "--network", network, "--out", tmp_path / network).exit_code == 0
    result = likely("compare", tmp_path / "linear", tmp_path / "trees", table, "--json")
    found = json.loads(result.stdout)
    assert "compared by what was answered out of fold to 120" in said(result.stderr)
    assert "flatter" not in result.stderr
    for side, network in (("first", "linear"), ("second", "trees")):
        own = json.loads((tmp_path / network / "metrics.json").read_text())
        assert found[side]["figures"]["nll"] == own["nll"]
    assert found["difference"]["accuracy"]["better"] == "second"
    evaluated = likely("evaluate", tmp_path / "trees", table)
    assert "the model was trained on 120 of these 120 rows" in said(evaluated.stderr)
    assert "likely inspect" in evaluated.stdout
    assert "On out-of-fold rows" in likely("inspect", tmp_path / "trees").stdout
