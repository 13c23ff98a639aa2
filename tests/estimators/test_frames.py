"""Data frames of every library: what their columns are is decided as for files, and found by name afterwards."""

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import likely
from likely.config import RunConfig
from likely.data.sources import open_dataset
from likely.data.tables.frame import sheet_of
from likely.errors import ColumnWarning, ConfigError, DataError, GuaranteeWarning
from likely.estimators.rows import about_labels

N = 160
LIBRARIES = {"pandas": lambda f: f, "polars": pl.from_pandas, "pyarrow": pa.Table.from_pandas}
pytestmark = pytest.mark.filterwarnings("ignore::likely.errors.GuaranteeWarning")


def houses(n: int = N, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "size": rng.normal(100, 20, n).round(2),
            "town": rng.choice(["Oslo", "Rome", "Turin"], n),
            "garden": rng.random(n) < 0.5,
            "sold": pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D"),
            "age": pd.array(rng.normal(30, 9, n).round(1), dtype="Float64"),
            "kind": pd.Categorical(rng.choice(["flat", "house"], n)),
        }
    )
    frame.loc[[3, 7], "age"] = pd.NA
    frame.loc[5, "kind"] = None
    return frame


FRAME = houses()
Y = np.where(FRAME["size"] / 20 + 2 * (FRAME["town"] == "Rome") + FRAME["garden"] > 6, "dear", "cheap")
PRICE = FRAME["size"] * 2 + 30.0 * (FRAME["town"] == "Rome")


def classifier(**settings: Any) -> likely.Classifier:
    return likely.Classifier(**{"network": "linear", "random_state": 0, **settings})


def quiet(estimator: Any, X: Any, y: Any, **how: Any) -> Any:
    """Fitted, without what is said of its columns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ColumnWarning)
        return estimator.fit(X, y, **how)


@pytest.mark.parametrize("library", LIBRARIES)
def test_frames_of_every_library_are_one(library: str) -> None:
    frame = LIBRARIES[library](FRAME)
    for make, y in ((classifier, Y), (lambda: likely.Regressor(network="linear", random_state=0), PRICE)):
        model, usual = quiet(make(), frame, y), quiet(make(), FRAME, y)
        assert model.score(frame, y) > 0.85
        assert model.feature_names_in_.tolist() == FRAME.columns.tolist()
        assert model.n_features_in_ == 6
        assert model.predictor_.columns == usual.predictor_.columns
        np.testing.assert_array_equal(model.predict(frame), usual.predict(FRAME))
        np.testing.assert_array_equal(model.predict(FRAME), usual.predict(frame))


def test_columns_are_those_of_the_same_table_in_a_file(tmp_path: Path) -> None:
    FRAME.assign(label=Y).to_parquet(tmp_path / "t.parquet")
    dataset = open_dataset(str(tmp_path / "t.parquet"))
    with pytest.warns(ColumnWarning) as said:
        clf = classifier().fit(FRAME, Y)
    assert clf.predictor_.columns == dataset.columns
    assert clf.predictor_.card.features == dataset.features
    assert [str(w.message) for w in said if w.category is ColumnWarning] == [
        "Column 'sold' holds dates: learned from as days, year, month (sine), month (cosine), weekday "
        "(categories=['sold']: as texts)."
    ]
    assert {Path(w.filename).name for w in said if w.category is ColumnWarning} == {"test_frames.py"}


def test_a_model_of_a_frame_answers_a_file_and_the_other_way_round(tmp_path: Path) -> None:
    frame = FRAME.drop(columns=["age", "kind"]).assign(floors=np.arange(N) % 4 + 1)
    frame.assign(label=Y).to_csv(tmp_path / "t.csv", index=False)
    of_file = open_dataset(str(tmp_path / "t.csv"))
    clf = quiet(classifier(), frame, Y)
    read = open_dataset(str(tmp_path / "t.csv"), columns=clf.predictor_.columns, to_learn=False)
    np.testing.assert_allclose(read.train.X, clf.predictor_.rows(frame), rtol=1e-12)
    assert [(c.name, c.categories) for c in of_file.columns or ()] == [
        (c.name, c.categories) for c in clf.predictor_.columns or ()
    ]
    from likely.training.fit import learn

    model = learn(of_file, RunConfig(network="linear")).predictor
    path = model.save(tmp_path / "model.likely")
    np.testing.assert_allclose(likely.load(path).rows(frame), of_file.train.X, rtol=1e-12)
    np.testing.assert_allclose(model.predict_proba(pl.from_pandas(frame)), model.predict_proba(of_file.train.X))


def test_columns_are_found_by_name_and_others_are_ignored_and_said() -> None:
    clf = quiet(classifier(), FRAME, Y)
    usual = clf.predict_proba(FRAME)
    np.testing.assert_array_equal(clf.predict_proba(FRAME[FRAME.columns[::-1]]), usual)
    with pytest.warns(ColumnWarning, match=r"not there in fit, which are ignored: 'extra'\.") as said:
        np.testing.assert_array_equal(clf.predict_proba(FRAME.assign(extra=1)), usual)
    assert len(said) == 1
    with pytest.raises(DataError, match=r"no column 'town'. It needs 'size', 'town', 'garden', 'sold', 'age', 'kind'"):
        clf.predict(FRAME.drop(columns="town"))
    with pytest.raises(DataError, match="'size' must have numbers; got 'big' in row 1"):
        clf.predict(FRAME.head(2).assign(size=["1", "big"]))


def test_unknown_categories_are_named_and_count_as_missing() -> None:
    frame = FRAME.copy()
    frame.loc[[1, 4], "town"] = "Bergen"
    clf = quiet(classifier(), FRAME, Y)
    with pytest.warns(ColumnWarning, match="'town' has categories that the model does not know in 2 of 160 rows, such"):
        answers = clf.predict_proba(frame)
    others = np.setdiff1d(np.arange(N), [1, 4])
    np.testing.assert_array_equal(answers[others], clf.predict_proba(FRAME)[others])


def test_plain_numbers_stay_an_array_with_names() -> None:
    rows = FRAME[["size"]].assign(floors=np.arange(N) % 4)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ColumnWarning)
        clf = classifier().fit(rows, Y)
    assert clf.predictor_.preprocessor.columns is None
    np.testing.assert_array_equal(
        clf.predict_proba(rows), classifier().fit(rows.to_numpy(), Y).predict_proba(rows.to_numpy())
    )
    with pytest.warns(ColumnWarning, match="'town'"):
        assert clf.predict(FRAME[["size", "town"]].assign(floors=1)).shape == (N,)


@pytest.mark.parametrize(
    "dtype", ["Int64", "Float64", "boolean", "double[pyarrow]", "string", "datetime64[ns]", object]
)
def test_missing_values_of_every_type_are_missing(dtype: Any) -> None:
    values = {"string": "ab", "datetime64[ns]": pd.date_range("2024-01-01", periods=7), "boolean": [True, False]}
    given = list(values.get(dtype, [1, 2, 3]))
    column = pd.Series([None, *(given[i % len(given)] for i in range(N - 1))], dtype=dtype)
    frame = FRAME[["size"]].assign(u=column)
    clf = quiet(classifier(), frame, Y)
    assert all(c.missing for c in clf.predictor_.columns if c.table_column == "u")
    later = quiet(classifier(), frame.assign(u=column.bfill()), Y)
    with pytest.warns(likely.errors.GuaranteeWarning, match="'u' has no known value in 1 of 160 rows"):
        np.testing.assert_array_equal(later.predict(frame)[1:], later.predict(frame.assign(u=column.bfill()))[1:])


def test_what_is_said_of_columns() -> None:
    frame = FRAME[["size", "town"]].assign(floors=np.arange(N) % 4, id=np.arange(N), note="-")
    clf = quiet(classifier(categories=["floors"], keep=["id"], ignore=["town"], missing=["Rome"]), frame, Y)
    columns = {c.name: c for c in clf.predictor_.columns}
    assert list(columns) == ["size", "floors", "id"]
    assert columns["floors"].categories == ("0", "1", "2", "3")
    with pytest.warns(ColumnWarning, match="") as said:
        assert "id" not in [c.name for c in classifier(keep=[]).fit(frame, Y).predictor_.columns]
    assert "Column 'id' is ignored: it counts the rows (keep=['id'])." in [str(warning.message) for warning in said]
    towns = quiet(classifier(missing=["Rome"]), frame, Y).predictor_.columns[1]
    assert (towns.categories, towns.missing) == (("Oslo", "Turin"), True)
    with pytest.raises(DataError, match=r"categories must name columns of the data frame; got 'flors'\. Did you mean"):
        classifier(categories=["flors"]).fit(frame, Y)
    with pytest.raises(ConfigError, match="ignore"):
        classifier(ignore=3).fit(frame, Y)


ANSWERS: dict[str, Any] = {
    "text": pd.Series(Y, dtype="string"),
    "categories": pd.Series(Y, dtype="category"),
    "booleans": pd.Series(Y == "dear", dtype="boolean"),
    "whole numbers": pd.Series((Y == "dear") + 4, dtype="Int64"),
    "polars": pl.Series(Y),
    "polars categories": pl.Series(Y, dtype=pl.Categorical),
    "pyarrow": pa.chunked_array([pa.array(Y.tolist())]),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_answers_of_every_type(kind: str) -> None:
    y = ANSWERS[kind]
    clf = quiet(classifier(), FRAME, y)
    assert clf.score(FRAME, np.asarray(y)) > 0.85
    assert clf.classes_.tolist() == sorted(set(y.to_pylist() if kind == "pyarrow" else y.to_list()))
    assert [type(label) for label in clf.predictor_.labels] == [type(label) for label in clf.classes_.tolist()]
    assert np.isfinite(
        quiet(likely.Regressor(network="linear"), FRAME, pd.Series(PRICE, dtype="Float64")).predict(FRAME)
    ).all()


def test_searches_folds_and_calibration_take_them() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ColumnWarning)
        assert cross_val_score(classifier(), FRAME, Y, cv=3).mean() > 0.8
        assert cross_val_score(classifier(), pl.from_pandas(FRAME), Y, cv=3).mean() > 0.8
        grid = {"classifier__categories": [(), ("garden",)]}
        search = GridSearchCV(make_pipeline("passthrough", classifier()), grid, cv=3).fit(FRAME, Y)
        assert search.score(FRAME, Y) > 0.8
        outer = CalibratedClassifierCV(classifier(), method="sigmoid", cv=3).fit(FRAME, Y)
        assert outer.predict_proba(FRAME).shape == (N, 2)


@pytest.mark.parametrize("output", ["default", "pandas", "polars"])
def test_pipelines_hand_on_texts(output: str) -> None:
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    chosen = make_column_transformer((numbers, ["size"]), remainder="passthrough", verbose_feature_names_out=False)
    frame = FRAME[["size", "town", "garden", "sold"]]
    pipeline = make_pipeline(chosen, classifier()).set_output(transform=output)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ColumnWarning)
        pipeline.fit(frame, Y)
        assert pipeline.score(frame, Y) > 0.85
        assert pipeline.predict_proba(frame.head(3)).shape == (3, 2)
    names = ["size", "town", "garden", "sold"] if output != "default" else ["x0", "x1", "x2", "x3"]
    assert getattr(pipeline[-1], "feature_names_in_", np.array(names)).tolist() == names
    assert {c.table_column: c.categories for c in pipeline[-1].predictor_.columns}[names[1]] == (
        "Oslo",
        "Rome",
        "Turin",
    )


def test_weights_are_routed_and_rows_without_names_are_warned_of() -> None:
    weights = np.where(FRAME["garden"], 1.0, 0.0)
    with sklearn.config_context(enable_metadata_routing=True), warnings.catch_warnings():
        warnings.simplefilter("ignore", ColumnWarning)
        pipeline = make_pipeline("passthrough", classifier().set_fit_request(sample_weight=True))
        pipeline.fit(FRAME, Y, sample_weight=weights)
    by_hand = quiet(classifier(), FRAME, Y, sample_weight=weights)
    np.testing.assert_array_equal(pipeline.predict_proba(FRAME), by_hand.predict_proba(FRAME))
    clf = quiet(classifier(), FRAME, Y)
    with pytest.warns(UserWarning, match="valid feature names"):
        np.testing.assert_array_equal(clf.predict(FRAME.to_numpy()), clf.predict(FRAME))
    with pytest.raises(NotFittedError):
        classifier().predict(FRAME)


def test_what_can_not_be_learned_from_is_named() -> None:
    with pytest.raises(DataError, match="Column 'parts' of the data frame must hold numbers, text"):
        classifier().fit(FRAME.assign(parts=[[1]] * N), Y)
    with pytest.raises(DataError, match=r"X must have a column to learn from; got none\. Column 'a' is ignored"):
        classifier().fit(pd.DataFrame({"a": ["x"] * N}), Y)
    with pytest.raises(DataError, match="different names; got 'a' twice"):
        classifier().fit(pd.DataFrame([["x", "y"]] * N, columns=["a", "a"]), Y)
    with pytest.raises(DataError, match="must be a data frame in memory"):
        sheet_of(pl.DataFrame({"a": [1, 2]}).lazy())


def test_lists_of_rows_hold_texts_too() -> None:
    rows = [[i % 7 / 2, "ab"[i % 2]] for i in range(60)]
    clf = classifier().fit(rows, ["no", "yes"] * 30)
    assert clf.score(rows, ["no", "yes"] * 30) > 0.9
    np.testing.assert_array_equal(clf.predict_proba(rows), clf.predict_proba(np.array(rows, dtype=object)))


def test_a_word_among_answers_that_are_numbers_is_named() -> None:
    x = np.arange(60.0)[:, None]
    y = [f"{i % 30}.5" for i in range(60)]
    y[7] = ">300"
    with pytest.raises(DataError, match=r"y must hold numbers; got '>300' in row 7"):
        likely.Regressor(network="linear").fit(x, y)
    said = about_labels(*np.unique(y, return_inverse=True))
    assert len(said) == 1
    assert said[0].startswith("y holds numbers as text, but '>300' in row 7: each of 31 texts is a class.")
    with pytest.warns(ColumnWarning, match="y: 'No' and 'no' are two classes"):
        classifier().fit(x, ["No", "no", "yes"] * 20)


def test_frames_load_polars_and_arrays_do_not() -> None:
    code = (
        "import sys, numpy as np, likely; from sklearn.datasets import load_iris\n"
        "likely.Classifier(network='linear', epochs=1).fit(*load_iris(return_X_y=True))\n"
        "print({'polars'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr


def test_frames_of_numbers_are_looked_at_for_codes_and_counters() -> None:
    size = np.where(np.arange(N) % 4 == 0, -999.0, FRAME["size"])
    with pytest.warns(ColumnWarning) as said:
        clf = classifier().fit(pd.DataFrame({"size": size, "id": np.arange(1, N + 1)}), Y)
    assert [(c.name, c.how_read.codes) for c in clf.predictor_.columns] == [("size", (-999.0,))]
    assert {str(warning.message).split(":")[0] for warning in said} == {"Column 'size'", "Column 'id' is ignored"}
    with pytest.warns(ColumnWarning, match="y: -999 recurs far from all other values"):
        likely.Regressor(network="linear").fit(FRAME[["size"]], size)


def test_new_rows_without_a_single_date_and_answers_of_arrow() -> None:
    rows = FRAME[["size"]].assign(
        when=pd.date_range("2024-01-01", periods=N), month=pd.period_range("2020-01", periods=N, freq="M")
    )
    with pytest.warns(ColumnWarning):
        clf = classifier().fit(rows, pa.array(Y))
    assert {c.table_column for c in clf.predictor_.columns} == {"size", "when", "month"}
    with pytest.warns(GuaranteeWarning, match="'when' has no known value in 1 of 1 rows"):
        assert clf.predict(rows.head(1).assign(when=pd.NaT)).shape == (1,)


def test_a_mapping_is_told_what_to_become() -> None:
    for call in (lambda X: classifier().fit(X, Y), quiet(classifier(), FRAME[["size"]], Y).predict):
        with pytest.raises(DataError, match=r"got a mapping. Try pandas.DataFrame\(X\)"):
            call({"size": FRAME["size"].tolist()})
