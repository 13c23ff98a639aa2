"""Tables on the command line: learned from, answered row by row, judged on; and every way in which they are wrong."""

import csv
import io
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import Result

from likely.data.tables.encode import encode
from likely.data.tables.read_sheet import read_sheet
from likely.data.tables.read_table import read_table
from likely.errors import DataError, GuaranteeWarning
from likely.model import ClassifierPredictor, RegressorPredictor, load

Likely: TypeAlias = Callable[..., Result]
QUICK = ("--network", "linear", "--epochs", 3)


def people(n: int = 120, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    found = pd.DataFrame(
        {
            "id": np.arange(n),
            "age": rng.normal(40, 9, n).round(2),
            "city": rng.choice(["Rome", "Oslo", "Bonn, DE"], n),
            "rooms": rng.integers(1, 9, n),
        }
    )
    found["price"] = (found.age * 3 + found.rooms * 10 + rng.normal(0, 1, n)).round(3)
    found["label"] = np.where(found.age + 5 * (found.city == "Oslo") > 42, "old", "young")
    found.loc[::9, "age"] = np.nan
    found.loc[::7, "city"] = None
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


@pytest.fixture(scope="module")
def table(folder: Path) -> Path:
    people().drop(columns="price").to_csv(folder / "people.csv", index=False)
    return folder / "people.csv"


@pytest.fixture(scope="module")
def run(likely: Likely, folder: Path, table: Path) -> Path:
    result = likely("fit", table, "--test-share", "20%", *QUICK, "--out", folder / "run")
    assert result.exit_code == 0, result.stderr
    return folder / "run"


@pytest.fixture(scope="module")
def images(folder: Path) -> Path:
    """A table of 60 images in three shades, with a split column, and the same as bytes in Parquet."""
    rng = np.random.default_rng(0)
    (folder / "pics" / "sub folder").mkdir(parents=True)
    rows, data = [], []
    for i in range(60):
        path = folder / "pics" / "sub folder" / f"ä {i}.PNG"
        shade = (i % 3) * 80
        Image.fromarray(rng.integers(shade, shade + 60, (8, 8), dtype=np.uint8)).save(path)
        rows.append((f"sub folder/ä {i}.PNG", ["dark", "gray", "light"][i % 3], "train" if i < 45 else "test"))
        data.append({"bytes": path.read_bytes(), "path": path.name})
    found = pd.DataFrame(rows, columns=["file", "shade", "split"])
    found.to_csv(folder / "pics" / "all.csv", index=False)
    found.assign(file=data).drop(columns="split").to_parquet(folder / "bytes.parquet")
    return folder / "pics" / "all.csv"


@pytest.fixture(scope="module")
def image_run(likely: Likely, folder: Path, images: Path) -> Path:
    result = likely("fit", images, "--label", "shade", *QUICK, "--out", folder / "image-run")
    assert result.exit_code == 0, result.stderr
    return folder / "image-run"


def expected(run: Path, path: Path) -> np.ndarray:
    """The probabilities by way of Python."""
    predictor = load(run)
    assert isinstance(predictor, ClassifierPredictor)
    assert predictor.columns is not None
    return predictor.predict_proba(encode(read_table(path), predictor.columns).X)


def probabilities(result: Result) -> list[list[float]]:
    return [list(answer["probabilities"].values()) for answer in json.loads(result.stdout)]


# What works ---------------------------------------------------------------------------------------------------


def test_fit_says_what_it_decided(likely: Likely, table: Path, tmp_path: Path) -> None:
    result = likely("fit", table, *QUICK, "--out", tmp_path / "run")
    assert result.exit_code == 0
    for sentence in (
        "Column 'label' is used for the labels (--label COLUMN to use another).",
        "Column 'id' is ignored: it counts the rows (--keep id).",
        "Columns: 2 of numbers, 1 of categories; values are missing in 2.",
    ):
        assert sentence in result.stderr
    assert "likely predict" in result.stdout
    assert json.loads((tmp_path / "run" / "config.json").read_text())["data"] == str(table)


def test_rows_are_answered_with_the_predictors_numbers(likely: Likely, run: Path, table: Path, tmp_path: Path) -> None:
    P = expected(run, table)
    result = likely("predict", run, table, "--json")
    assert result.exit_code == 0
    answers = json.loads(result.stdout)
    assert [answer["row"] for answer in answers] == list(range(120))
    assert set(answers[0]) == {
        *("row", "label", "probability", "probabilities", "set", "abstained", "familiarity", "events", "missing")
    }
    np.testing.assert_array_equal(probabilities(result), P)

    rows = list(csv.DictReader(io.StringIO(likely("predict", run, table, "--csv").stdout)))
    assert list(rows[0])[:3] == ["row", "label", "probability"]
    np.testing.assert_array_equal([[float(row["old"]), float(row["young"])] for row in rows], P)

    assert likely("predict", run, table, "--parquet", tmp_path / "out.parquet").exit_code == 0
    frame = pd.read_parquet(tmp_path / "out.parquet")
    np.testing.assert_array_equal(frame[["old", "young"]], P)
    assert frame["row"].tolist() == list(range(120))
    assert frame["error"].isna().all()

    assert likely("predict", run, "-", "--json", stdin=table.read_bytes()).stdout == result.stdout
    lines = likely("predict", run, table).stdout.splitlines()
    assert [line.split()[:3] for line in lines] == [["row", str(i), row["label"]] for i, row in enumerate(rows)]
    for row, line in zip(rows, lines, strict=True):
        assert f"  {float(row['probability']):.2%}  " in line
        assert line.endswith(f"  95.00% set: {row['set'].replace('; ', ', ')}")
    assert likely("predict", run, table, "--wide").stdout.startswith("row 0\n  ")
    assert likely("predict", run, table, "--top", 1).stdout.startswith("row 0\n  ")


def test_columns_are_found_by_name_in_every_kind_of_table(
    likely: Likely, run: Path, table: Path, tmp_path: Path
) -> None:
    P = expected(run, table)
    shuffled = people().assign(more=1.5)[["more", "rooms", "label", "city", "age"]]
    shuffled.to_csv(tmp_path / "a.tsv", sep="\t", index=False)
    shuffled.to_parquet(tmp_path / "b.parquet")
    shuffled.drop(columns="label").to_csv(tmp_path / "c.CSV", sep=";", decimal=",", index=False, encoding="utf-8-sig")
    for path in sorted(tmp_path.iterdir()):
        np.testing.assert_array_equal(probabilities(likely("predict", run, path, "--json")), P)
        stdin = likely("predict", run, "-", "--json", stdin=path.read_bytes())
        np.testing.assert_array_equal(probabilities(stdin), P)


def test_rows_that_can_not_be_answered_do_not_hide_the_others(likely: Likely, run: Path, tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("age,city,rooms\n30,Rome,2\n31,Paris,\n32,Oslo,three\n,,4\ninf,Rome,1\n")
    result = likely("predict", run, path, "--json", "--given", "old,young")
    assert result.exit_code == 1
    answers = json.loads(result.stdout)
    assert ["error" in answer for answer in answers] == [False, False, True, False, True]
    assert answers[1]["row"] == 1
    assert answers[1]["set"] is None
    assert "'rooms' has no known value in 1 of 5 rows, but had one in every training row" in result.stderr
    assert "Column 'rooms' must have numbers; got 'three' in row 2" in answers[2]["error"]
    assert "Column 'age' must have finite numbers; got inf in row 4" in answers[4]["error"]
    assert "warning: Column 'city' has categories that the model does not know in 1 of 5 rows" in result.stderr
    assert answers[2]["error"] in result.stderr
    frame_path = tmp_path / "out.parquet"
    assert likely("predict", run, path, "--parquet", frame_path).exit_code == 1
    assert pd.read_parquet(frame_path)["error"].notna().tolist() == [False, False, True, False, True]


def test_a_label_called_like_a_column_of_answers(likely: Likely, tmp_path: Path) -> None:
    path = tmp_path / "errors.csv"
    people().assign(label=lambda f: np.where(f.rooms > 4, "error", "row")).to_csv(path, index=False)
    assert likely("fit", path, *QUICK, "--out", tmp_path / "run").exit_code == 0
    assert likely("predict", tmp_path / "run", path, "--parquet", tmp_path / "out.parquet").exit_code == 0
    written = pd.read_parquet(tmp_path / "out.parquet")
    assert list(written)[-2:] == ["P(error)", "P(row)"]
    rows = list(csv.DictReader(io.StringIO(likely("predict", tmp_path / "run", path, "--csv").stdout)))
    assert list(rows[0]) == list(written)
    for row, label, P in zip(rows, written["label"], written["P(error)"], strict=True):
        assert (row["label"], float(row["P(error)"]), row["error"]) == (label, P, "")


def test_labels_and_values_are_the_same_in_every_format(likely: Likely, tmp_path: Path) -> None:
    path, out = tmp_path / "signs.csv", tmp_path / "out.parquet"
    frame = people().drop(columns=["label", "price"])
    frame.assign(label=np.where(frame.rooms > 4, "-1", "+1")).to_csv(path, index=False)
    assert likely("fit", path, *QUICK, "--out", tmp_path / "run").exit_code == 0
    model = load(tmp_path / "run")
    assert isinstance(model, ClassifierPredictor)
    asked = (tmp_path / "run", path, "--given=-1,+1", "--event=label=-1", "--event=-1=+1", "--event=odd=-1")
    answers = json.loads(likely("predict", *asked, "--json").stdout)
    rows = list(csv.DictReader(io.StringIO(likely("predict", *asked, "--csv").stdout)))
    assert likely("predict", *asked, "--parquet", out).exit_code == 0
    written = pd.read_parquet(out)
    labels, events = [str(label) for label in model.labels], ["P(label)", "P(-1)", "odd"]
    conditional = [f"{name} given" for name in (*labels, "label", "odd")]
    assert set(labels) == {"-1", "+1"}
    assert list(rows[0]) == list(written)
    assert list(rows[0])[7:] == [*labels, *events, "P(given)", *conditional[:3], "P(-1 given)", "odd given"]
    for i, (answer, row) in enumerate(zip(answers, rows, strict=True)):
        assert answer["label"] == row["label"] == written["label"][i] == labels[int(written[labels].loc[i].argmax())]
        assert "; ".join(answer["set"]) == row["set"] == "; ".join(written["set"][i])
        values = [*answer["probabilities"].values(), *answer["events"].values()]
        assert values == [float(row[name]) for name in (*labels, *events)]
        assert values == written.loc[i, [*labels, *events]].tolist()


def test_numbers_are_predicted_for_rows(likely: Likely, tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    people().to_csv(path, index=False)
    result = likely("fit", path, "--label", "price", "--network", "linear", "--out", tmp_path / "run")
    assert result.exit_code == 0
    assert "120 distinct numbers, to be predicted (--task classification to treat them as classes)" in result.stderr
    predictor = load(tmp_path / "run")
    assert isinstance(predictor, RegressorPredictor)
    assert predictor.columns is not None
    answers = json.loads(likely("predict", tmp_path / "run", path, "--json").stdout)
    X = encode(read_table(path), predictor.columns).X
    np.testing.assert_array_equal([answer["prediction"] for answer in answers], predictor.predict(X))
    assert likely("evaluate", tmp_path / "run", path).exit_code == 0
    assert likely("predict", tmp_path / "run", path, "--parquet", tmp_path / "out.parquet").exit_code == 0
    assert list(pd.read_parquet(tmp_path / "out.parquet")) == [
        "row",
        "prediction",
        "low",
        "high",
        "familiarity",
        "outside_range",
        "error",
    ]


def test_time_stamps_are_predicted_and_printed_with_the_digits_that_tell_them_apart(
    likely: Likely, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2))
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1]})
    frame["at"] = (1.7e9 + x @ [30.0, 10.0] + 2 * rng.normal(size=400)).round(3)
    frame[:200].to_csv(tmp_path / "train.csv", index=False)
    frame[200:].to_csv(tmp_path / "new.csv", index=False)
    run = tmp_path / "run"
    assert likely("fit", tmp_path / "train.csv", "--label", "at", "--network", "linear", "--out", run).exit_code == 0
    figures = json.loads(likely("evaluate", run, tmp_path / "new.csv", "--json").stdout)
    assert figures["r2"]["value"] > 0.99
    assert 3 < figures["mse"]["value"] < 6
    assert 0.8 < figures["coverage"]["value"] < 0.98
    printed = likely("predict", run, tmp_path / "new.csv").stdout.splitlines()
    assert len({line.split()[2] for line in printed}) == 200
    shown = [float(line.split()[2]) for line in printed]
    assert np.abs(np.array(shown) - frame["at"][200:]).max() < 20


def test_a_number_that_cannot_be_computed_with_is_the_error_of_its_row(likely: Likely, tmp_path: Path) -> None:
    train = people()
    train.drop(columns="label").to_csv(tmp_path / "prices.csv", index=False)
    train.drop(columns="price").to_csv(tmp_path / "labels.csv", index=False)
    bad = people(5).astype({"age": object})
    bad.loc[1, "age"], bad.loc[3, "age"] = "1e300", "-1e39"
    bad.to_csv(tmp_path / "bad.csv", index=False)
    for name, label in (("prices", "price"), ("labels", "label")):
        run = tmp_path / name
        assert likely("fit", tmp_path / f"{name}.csv", "--label", label, *QUICK, "--out", run).exit_code == 0
        result = likely("predict", run, tmp_path / "bad.csv", "--json")
        assert result.exit_code == 1
        answers = json.loads(result.stdout)
        assert ["error" in answer for answer in answers] == [False, True, False, True, False]
        assert "1e+300 in column 'age' at row 1" in answers[1]["error"]
        assert "1e+300 in column 'age' at row 1" in result.stderr


def test_intervals_and_extrapolated_answers_are_told_on_the_command_line(likely: Likely, tmp_path: Path) -> None:
    run, path, other = tmp_path / "run", tmp_path / "prices.csv", tmp_path / "other.csv"
    people(200).to_csv(path, index=False)
    fitted = likely("fit", path, "--label", "price", "--network", "linear", "--out", run)
    assert fitted.exit_code == 0, fitted.stderr
    predictor = load(run)
    assert isinstance(predictor, RegressorPredictor)
    new = people(20, seed=1).drop(columns="price")
    new.loc[7, ["age", "rooms"]] = 900.0, 80
    new.to_csv(other, index=False)
    assert predictor.columns is not None
    X = encode(read_table(other), predictor.columns).X
    ends = {c: predictor.predict_interval(X, c) for c in (0.8, 0.9)}
    familiarity = predictor.familiarity(X)
    assert predictor.outside_range(X).tolist() == [row == 7 for row in range(20)]
    for asked, coverage in (((), 0.9), (("--coverage", 0.8), 0.8)):
        answers = json.loads(likely("predict", run, other, "--json", *asked).stdout)
        assert list(answers[0]) == ["row", "prediction", "low", "high", "familiarity", "outside_range"]
        np.testing.assert_allclose([[a["low"], a["high"]] for a in answers], ends[coverage], rtol=1e-9)
        np.testing.assert_allclose([a["familiarity"] for a in answers], familiarity)
        assert [a["outside_range"] for a in answers] == [row == 7 for row in range(20)]
        written = csv.DictReader(io.StringIO(likely("predict", run, other, "--csv", *asked).stdout))
        assert [float(row["low"]) for row in written] == [a["low"] for a in answers]
        assert likely("predict", run, other, "--parquet", tmp_path / "out.parquet", *asked).exit_code == 0
        frame = pd.read_parquet(tmp_path / "out.parquet")
        assert frame["high"].tolist() == [a["high"] for a in answers]
        assert frame["outside_range"].dtype == bool
    printed = likely("predict", run, other, "--coverage", 0.8).stdout.splitlines()
    assert "80.00% interval: " in printed[0]
    assert "unfamiliar (p = 0.00" in printed[7]
    assert "outside the range of the training targets" in printed[7]
    assert "outside" not in printed[0]
    figures = json.loads(likely("evaluate", run, path, "--json").stdout)
    assert figures["outside_range"] >= 0
    assert figures["familiarity"]["alarm"] == 0.01
    refused = likely("predict", run, other, "--coverage", 0.9999)
    assert refused.exit_code == 1
    assert "at least 9999 held-out rows" in refused.stderr


def test_the_task_may_be_named(likely: Likely, tmp_path: Path) -> None:
    path = tmp_path / "rooms.csv"
    people().to_csv(path, index=False)
    options = ("--label", "rooms", *QUICK, "--overwrite", "--out", tmp_path / "run")
    result = likely("fit", path, *options)
    assert "8 distinct whole numbers, treated as classes (--task regression to predict numbers)" in result.stderr
    assert load(tmp_path / "run").card.label_type == "int"
    assert likely("fit", path, "--task", "regression", *options).exit_code == 0
    assert load(tmp_path / "run").task == "regression"
    refused = likely("fit", path, "--task", "regression", "--label", "city", "--out", tmp_path / "other")
    assert refused.exit_code == 1
    assert "must have numeric targets for regression; got 'Bonn, DE' in row 0" in refused.stderr


def test_evaluate_is_on_the_rows_that_training_did_not_see(likely: Likely, run: Path, table: Path) -> None:
    own = json.loads((run / "metrics.json").read_text())
    result = likely("evaluate", run, table, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == own
    assert "trained on" not in result.stderr


def test_evaluate_reads_other_tables_as_the_model_does(likely: Likely, run: Path, tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    new = people(40, seed=1)
    new.loc[1, "city"] = "Paris"
    new[new.label == "old"].rename(columns={"label": "truth"}).to_csv(path, index=False)
    refused = likely("evaluate", run, path)
    assert refused.exit_code == 1
    assert "must have a column 'label' with the answers" in refused.stderr
    assert "'truth'" in refused.stderr
    result = likely("evaluate", run, path, "--label", "truth", "--json")
    assert result.exit_code == 0, result.stderr
    figures = json.loads(result.stdout)
    P = expected(run, path)
    assert figures["n"] == len(P)
    assert figures["accuracy"]["value"] == pytest.approx((P[:, 0] > 0.5).mean())


def test_evaluate_reads_answers_and_columns_as_training_did(likely: Likely, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    region, size = rng.integers(1, 9, 120), rng.integers(1400, 2400, 120)
    price = np.where(
        np.arange(120) % 10 == 0, "-9999", [f"{2 * s + (r % 3):,}" for r, s in zip(region, size, strict=True)]
    )
    rows = [f"{r};{s:,};{p}" for r, s, p in zip(region, size, price, strict=True)]
    file, few = tmp_path / "all.csv", tmp_path / "few.csv"
    file.write_text("\n".join(["region;size;price", *rows]))
    # Alone, these say neither what a comma is nor that -9999 stands for nothing.
    few.write_text("\n".join(["region;size;price", *[row for row in rows if row.count(",") == 2][:8], "1;1,500;-9999"]))
    quick = ("--network", "linear", "--label", "price", "--category", "region", "--decimal", "point")
    assert likely("fit", file, *quick, "--test-share", "30%", "--out", tmp_path / "run").exit_code == 0
    own = likely("evaluate", tmp_path / "run", file, "--json")
    assert json.loads(own.stdout)["r2"]["value"] > 0.99
    assert "trained on" not in own.stderr  # its own test rows are found again, whatever the options of training
    other = likely("evaluate", tmp_path / "run", few, "--json")
    assert json.loads(other.stdout)["n"] == 8, other.stderr
    assert json.loads(other.stdout)["r2"]["value"] > 0.99


def test_data_frames_get_the_same_answers_in_python(run: Path, table: Path) -> None:
    predictor = load(run)
    assert isinstance(predictor, ClassifierPredictor)
    P, frame = expected(run, table), people()
    np.testing.assert_array_equal(predictor.predict_proba(frame), P)
    np.testing.assert_array_equal(predictor.predict_proba(frame.convert_dtypes()), P)
    np.testing.assert_array_equal(predictor.predict_proba(frame.astype({"city": "category"})[::-1])[::-1], P)
    np.testing.assert_array_equal(predictor.predict_proba(polars.from_pandas(frame)), P)
    np.testing.assert_array_equal(predictor.predict_proba(read_sheet(table)), P)
    with pytest.raises(DataError, match=r"The data frame must have the columns .*; got no column 'city'"):
        predictor.predict_proba(frame[["age", "rooms"]])
    with pytest.warns(GuaranteeWarning, match="'rooms' has no known value in 1 of 120 rows"):
        predictor.predict(frame.assign(rooms=frame.rooms.where(frame.id != 5)))


def test_inspect_names_the_columns(likely: Likely, run: Path) -> None:
    result = likely("inspect", run)
    assert "\nlayer0 " in result.stdout
    assert "3: age (numbers, some missing), city (3 categories, some missing), rooms (numbers)" in result.stdout
    assert "photographs" not in result.stdout
    card = json.loads(likely("inspect", run, "--json").stdout)
    assert card["features"] == ["age", "city", "rooms"]
    assert card["data"]["label"] == "label"


def test_models_of_other_numbers_answer_tables(likely: Likely, tmp_path: Path) -> None:
    assert likely("fit", "iris", *QUICK, "--out", tmp_path / "iris").exit_code == 0
    (tmp_path / "a.csv").write_text(
        "petal width (cm),petal length (cm),sepal width (cm),sepal length (cm)\n0.2,1.4,3.5,5.1\n"
    )
    result = likely("predict", tmp_path / "iris", tmp_path / "a.csv", "--json")
    P = load(tmp_path / "iris").predict_proba(np.array([[5.1, 3.5, 1.4, 0.2]]))  # pyright: ignore[reportAttributeAccessIssue]
    np.testing.assert_array_equal(probabilities(result), P)

    X = np.random.default_rng(0).normal(size=(60, 2))
    np.savez(tmp_path / "d.npz", X=X, y=(X[:, 0] > 0).astype(int))
    assert likely("fit", tmp_path / "d.npz", *QUICK, "--out", tmp_path / "npz").exit_code == 0
    (tmp_path / "b.csv").write_text("u,v\n1,2\n")
    assert json.loads(likely("predict", tmp_path / "npz", tmp_path / "b.csv", "--json").stdout)[0]["label"] == "1"
    (tmp_path / "c.csv").write_text("u,v,w\n1,2,3\n")
    refused = likely("predict", tmp_path / "npz", tmp_path / "c.csv")
    assert refused.exit_code == 1
    assert "must have 2 columns of numbers, in the order of training; got 3" in refused.stderr


def test_an_npz_with_objects_is_refused(likely: Likely, tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", X=np.array([{}, []], dtype=object), y=np.array([0, 1]))
    result = likely("fit", tmp_path / "d.npz", "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "X of" in result.stderr
    assert "Python objects" in result.stderr
    assert not (tmp_path / "run").exists()


# Images -----------------------------------------------------------------------------------------------------


def test_images_named_by_a_table(likely: Likely, folder: Path, images: Path, image_run: Path) -> None:
    card = load(image_run).card
    assert card.data.image == "file"
    assert (card.labels, card.data.rows, card.splits.test) == (("dark", "gray", "light"), 45, 15)
    result = likely("predict", image_run, images, "--json")
    assert result.exit_code == 0
    answers = json.loads(result.stdout)
    assert [answer["row"] for answer in answers] == list(range(60))
    alone = likely("predict", image_run, images.parent / "sub folder" / "ä 7.PNG", "--json")
    assert json.loads(alone.stdout)[0]["probabilities"] == pytest.approx(answers[7]["probabilities"], rel=1e-5)

    by_bytes = likely("predict", image_run, folder / "bytes.parquet", "--json")
    assert by_bytes.stdout == result.stdout
    stdin = likely("predict", image_run, images, "--image", "file", "--csv")
    assert stdin.stdout.startswith("row,label,")


def test_compare_and_calibrate_read_the_columns_that_they_are_told(
    likely: Likely, image_run: Path, tmp_path: Path
) -> None:
    rng, rows = np.random.default_rng(1), []
    for i in range(240):
        shade = (i % 3) * 80
        Image.fromarray(rng.integers(shade, shade + 60, (8, 8), dtype=np.uint8)).save(tmp_path / f"{i}.png")
        rows.append((f"{i}.png", ["dark", "gray", "light"][i % 3]))
    table = tmp_path / "new.csv"
    pd.DataFrame(rows, columns=["shot", "truth"]).to_csv(table, index=False)
    told = ("--label", "truth", "--image", "shot")

    compared = likely("compare", image_run, image_run, table, *told, "--json")
    assert compared.exit_code == 0, compared.stderr
    assert json.loads(compared.stdout)["n"] == 240
    new = tmp_path / "new.likely"
    calibrated = likely("calibrate", image_run, table, *told, "--out", new)
    assert calibrated.exit_code == 0, calibrated.stderr
    judged = json.loads(likely("evaluate", new, table, *told, "--json").stdout)
    assert judged["nll"]["value"] <= json.loads(compared.stdout)["first"]["figures"]["nll"]["value"]
    other = ("--out", tmp_path / "other.likely")
    for command in (("compare", image_run, image_run, table), ("calibrate", image_run, table, *other)):
        refused = likely(*command, "--image", "shot")
        assert refused.exit_code == 1
        assert "must have a column 'shade' with the answers" in refused.stderr
        assert "'truth'" in refused.stderr


def test_images_as_bytes_in_parquet(likely: Likely, folder: Path, images: Path, tmp_path: Path) -> None:
    path = folder / "bytes.parquet"
    result = likely("fit", path, "--label", "shade", "--image", "file", *QUICK, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.stderr
    assert load(tmp_path / "run").card.data.rows == 48
    judged = likely("evaluate", tmp_path / "run", path, "--json")
    assert judged.exit_code == 0
    assert json.loads(judged.stdout) == json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert json.loads(likely("evaluate", tmp_path / "run", images, "--json").stdout)["n"] == 15


def test_images_that_leave_the_folder_are_never_read(
    likely: Likely, images: Path, image_run: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.png"
    Image.new("L", (8, 8), 3).save(secret)
    inside = tmp_path / "data"
    inside.mkdir()
    (inside / "link.png").symlink_to(secret)
    (inside / "good.png").write_bytes((images.parent / "sub folder" / "ä 1.PNG").read_bytes())
    names = ["../secret.png", str(secret), "link.png", "x/../../secret.png", "none.png", "", "good.png"]
    pd.DataFrame({"file": names, "label": list("aabbaab")}).to_csv(inside / "t.csv", index=False)
    result = likely("predict", image_run, inside / "t.csv", "--json")
    assert result.exit_code == 1
    answers = json.loads(result.stdout)
    for row, answer in enumerate(answers[:4]):
        assert f"Row {row} of" in answer["error"]
        assert "column 'file', must name an image inside the table's folder; got" in answer["error"]
        assert "which is outside" in answer["error"]
    assert "no such file" in answers[4]["error"]
    assert "the cell is empty" in answers[5]["error"]
    assert answers[6]["label"] == "gray"

    refused = likely("fit", inside / "t.csv", "--out", tmp_path / "run")
    assert refused.exit_code == 1
    assert "Row 0 of" in refused.stderr
    assert "which is outside" in refused.stderr
    assert not (tmp_path / "run").exists()

    shutil.copytree(images.parent, tmp_path / "more")
    table = pd.read_csv(tmp_path / "more" / "all.csv")
    table.loc[0, "file"], table.loc[1, "file"] = "../secret.png", "all.csv"
    table.to_csv(tmp_path / "more" / "all.csv", index=False)
    options = ("fit", tmp_path / "more" / "all.csv", "--label", "shade", "--image", "file", *QUICK)
    assert likely(*options, "--out", tmp_path / "run").exit_code == 1
    skipped = likely(*options, "--skip-bad", "--out", tmp_path / "run")
    assert skipped.exit_code == 0, skipped.stderr
    assert "2 of 60 images could not be read and were skipped, Row 0 of" in skipped.stderr
    assert load(tmp_path / "run").card.data.rows == 43


def test_tables_without_images_for_a_model_of_images(
    likely: Likely, table: Path, images: Path, image_run: Path, said: Callable[[str], str]
) -> None:
    result = likely("predict", image_run, table)
    assert result.exit_code == 1
    assert "must have a column of images; got none" in result.stderr
    assert "Its columns are 'id', 'age', 'city', 'rooms', 'label'" in result.stderr
    absent = likely("predict", image_run, images, "--image", "fiel")
    assert absent.exit_code == 1
    assert "Did you mean 'file'?" in absent.stderr
    numbers = likely("fit", table, "--image", "age")
    assert numbers.exit_code == 1
    assert "Column 'age' of" in numbers.stderr
    assert "must hold paths or bytes of images; got numbers" in numbers.stderr
    together = likely("predict", image_run, images, table)
    assert together.exit_code == 2
    assert "A table must be the only argument; got 2 arguments" in said(together.stderr)


# What goes wrong ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        ("a,b\n1,2\n", (), "got none with a usual name. Its columns are 'a', 'b'"),
        ("a,lable\n1,2\n", ("--label", "label"), "Did you mean 'lable'?"),
        ("a,label\n1,x\n2,\n3,\n4,\n", (), "got none in 3 of 4 rows (from 0): 1, 2, 3"),
        ("a,label\n1,x\n2\n", (), "has 1 cell, but its header has 2"),
        ("a,label\n", (), "must have rows; got none"),
        ("a,a,label\n1,2,x\n", (), "got 'a' twice"),
        ("a,label\n1,x\n2,x\n", (), "got only one: 'x'"),
        ("a,label\n1,x\n1,y\n", (), "must have an input column besides 'label'"),
        ("a,label,split\n1,x,train\n2,y,train\n3,z,test\n", (), "got 'z' in row 2"),
        ("a,label\n1,x\ninf,y\n", (), "Column 'a' must have finite numbers; got inf in row 1"),
    ],
)
def test_tables_that_can_not_be_learned_from(
    likely: Likely, tmp_path: Path, content: str, options: tuple[str, ...], words: str
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(content)
    result = likely("fit", path, *options, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert words in result.stderr
    assert "t.csv" in result.stderr
    assert not (tmp_path / "run").exists()


def test_text_that_is_not_utf_8(likely: Likely, run: Path, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("age,city,rooms,label\n1,Köln,1,x\n".encode("latin-1"))
    for command in (("fit", path, "--out", tmp_path / "run"), ("predict", run, path)):
        result = likely(*command)
        assert result.exit_code == 1
        assert "must be UTF-8 text; got the byte 0xf6 in line 2" in result.stderr
    stdin = likely("predict", run, "-", stdin=path.read_bytes())
    assert stdin.exit_code == 1
    assert "The standard input must be UTF-8 text" in stdin.stderr


def test_parquet_of_the_wrong_types_or_cut_off(likely: Likely, run: Path, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    people().assign(day=[[1]] * len(people())).to_parquet(path)
    result = likely("fit", path, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "Column 'day' of" in result.stderr
    assert "got List(" in result.stderr
    assert likely("predict", run, path, "--csv").exit_code == 0  # a column that is not needed does no harm
    pq.write_table(pa.table({"age": [[1]], "city": ["Rome"], "rooms": [1]}), path)
    needed = likely("predict", run, path)
    assert needed.exit_code == 1
    assert "Column 'age' of" in needed.stderr
    assert "got List(" in needed.stderr
    people().to_parquet(path)
    path.write_bytes(path.read_bytes()[:-100])
    for command in (("fit", path, "--out", tmp_path / "run"), ("predict", run, path), ("evaluate", run, path)):
        result = likely(*command)
        assert result.exit_code == 1
        assert "t.parquet must be a whole Parquet file; got a damaged, truncated or foreign one" in result.stderr


def test_a_column_that_the_model_needs_is_not_there(likely: Likely, run: Path, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("age,town\n1,Rome\n")
    result = likely("predict", run, path, "--json", "--parquet", tmp_path / "never.parquet")
    assert result.exit_code == 2
    result = likely("predict", run, path, "--parquet", tmp_path / "never.parquet")
    assert result.exit_code == 1
    assert "got no column 'city' and 1 more. It needs 'age', 'city', 'rooms', in any order" in result.stderr
    assert not result.stdout
    assert [found.name for found in tmp_path.iterdir()] == ["t.csv"]
    path.write_text("age,city,rooms\n")
    assert "must have rows; got a header only" in likely("predict", run, path).stderr


def test_what_is_no_table_is_told_what_it_is(likely: Likely, run: Path, tmp_path: Path) -> None:
    (tmp_path / "t.sav").write_bytes(b"$FL2")
    for command in (
        ("fit", tmp_path / "t.sav"),
        ("predict", run, tmp_path / "t.sav"),
        ("evaluate", run, tmp_path / "t.sav"),
    ):
        refused = likely(*command)
        assert refused.exit_code == 1
        assert "got a single file: SPSS data. Try import pandas; pandas.read_spss" in refused.stderr
    assert "The table must exist; got" in likely("predict", run, tmp_path / "none.sav").stderr


def test_parquet_answers_that_can_not_be_written(likely: Likely, run: Path, table: Path, tmp_path: Path) -> None:
    result = likely("predict", run, table, "--parquet", tmp_path / "none" / "out.parquet")
    assert result.exit_code == 1
    assert "out.parquet must be a place that can be written to" in result.stderr
    ragged = tmp_path / "ragged.csv"
    ragged.write_text("age,city,rooms\n" + "1,Rome,1\n" * 10_500 + "1\n")
    (tmp_path / "out.parquet").write_bytes(b"older")
    assert likely("predict", run, ragged, "--parquet", tmp_path / "out.parquet").exit_code == 1
    assert (tmp_path / "out.parquet").read_bytes() == b"older"
    assert len(list(tmp_path.iterdir())) == 2


def test_what_needs_another_package_says_what_to_install(
    likely: Likely, run: Path, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people().to_parquet(tmp_path / "t.parquet")
    (tmp_path / "t.xlsx").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    commands = (
        ("fit", tmp_path / "t.xlsx"),
        ("predict", run, tmp_path / "t.xlsx"),
    )
    for command in commands:
        result = likely(*command)
        assert result.exit_code == 1
        assert "pip install 'likely[tables]'" in result.stderr
    assert likely("predict", run, table, "--csv").exit_code == 0
    assert likely("predict", run, tmp_path / "t.parquet", "--parquet", tmp_path / "out.parquet").exit_code == 0


def test_check_looks_at_tables(likely: Likely, images: Path, table: Path, tmp_path: Path) -> None:
    assert likely("check", table, "--json").exit_code == 0
    assert likely("check", images, "--label", "shade", "--image", "file").exit_code == 0
    found = likely("check", images, "--label", "shade", "--labels", *QUICK, "--out", tmp_path / "found")
    assert found.exit_code == 0, found.stderr
    given = likely("check", table, "--labels", *QUICK, "--json")
    assert given.exit_code == 0, given.stderr
