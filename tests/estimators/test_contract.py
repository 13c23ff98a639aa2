"""What people do with scikit-learn's estimators, done with ours; see also tests/test_estimators_sklearn_checks.py."""

import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import likely
from likely.errors import DataError

X, Y = load_iris(return_X_y=True)
FRAME = load_iris(as_frame=True).data
QUICK: dict[str, Any] = {"network": "linear", "epochs": 5, "random_state": 0}


def quick(**settings: Any) -> likely.Classifier:
    return likely.Classifier(**{**QUICK, **settings})


def test_the_checks_of_scikit_learn_truly_run() -> None:
    counts = [len(list(estimator_checks_generator(model))) for model in (likely.Classifier(), likely.Regressor())]
    assert counts[0] >= 60
    assert counts[1] >= 58


def test_clones_are_equal_and_unfitted() -> None:
    clf = quick(hidden=None, events={"first": [0]}, image_size=None).fit(X, Y)
    copy = clone(clf)
    assert copy.get_params() == clf.get_params()
    assert not hasattr(copy, "predictor_")
    np.testing.assert_array_equal(copy.fit(X, Y).predict_proba(X), clf.predict_proba(X))


def test_searches_pipelines_and_scores() -> None:
    pipeline = make_pipeline(StandardScaler(), quick())
    grid = {"classifier__network": ["linear", "mlp"], "classifier__epochs": [1, 5]}
    search = GridSearchCV(pipeline, grid, cv=3, scoring="neg_log_loss").fit(X, Y)
    assert search.best_score_ > -0.4
    assert search.cv_results_["mean_test_score"].shape == (4,)
    assert cross_val_score(pipeline, X, Y, cv=3).mean() > 0.8
    assert cross_val_predict(quick(), X, Y, cv=3, method="predict_proba").shape == (150, 3)


def test_jobs_in_parallel_give_the_same_numbers() -> None:
    alone, together = (cross_val_score(quick(), X, Y, cv=3, scoring="neg_log_loss", n_jobs=n) for n in (1, 2))
    np.testing.assert_allclose(alone, together, rtol=1e-9)


def test_calibration_around_it() -> None:
    outer = CalibratedClassifierCV(quick(), method="sigmoid", cv=3).fit(X, Y)
    assert outer.score(X, Y) > 0.8


def test_weights_are_routed() -> None:
    weights = np.where(Y == 0, 0.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        clf = quick().set_fit_request(sample_weight=True)
        pipeline = make_pipeline(PCA(), clf)
        pipeline.fit(X, Y, sample_weight=weights)
        search = GridSearchCV(clf.set_score_request(sample_weight=False), {"epochs": [1, 5]}, cv=3)
        search.fit(X, Y, sample_weight=np.ones(len(Y)))
        by_hand = quick().fit(PCA().fit_transform(X), Y, weights)
        np.testing.assert_allclose(pipeline.predict_proba(X), by_hand.predict_proba(PCA().fit_transform(X)))
        with pytest.raises(sklearn.exceptions.UnsetMetadataPassedError):
            make_pipeline(PCA(), quick()).fit(X, Y, sample_weight=weights)


LABELS: dict[str, np.ndarray] = {
    "text": np.array(["setosa", "versicolor", "virginica"])[Y],
    "objects": np.array(["b", "c", "a"], dtype=object)[Y],
    "integers": np.array([7, -2, 40])[Y],
    "small integers": np.array([7, 2, 40], dtype=np.int8)[Y],
    "booleans": Y == 1,
    "floats": np.array([0.0, 1.0, 2.0])[Y],
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_every_type(kind: str) -> None:
    labels = LABELS[kind]
    clf = quick().fit(X, labels)
    np.testing.assert_array_equal(clf.classes_, np.unique(labels))
    assert clf.predict(X).dtype == labels.dtype
    np.testing.assert_array_equal(clf.predict(X), clf.classes_[clf.predict_proba(X).argmax(axis=1)])
    assert clf.score(X, labels) > 0.6


@pytest.mark.parametrize(
    "y",
    [
        pd.Series(Y),
        pd.Series(LABELS["text"], dtype="category"),
        pd.Series(LABELS["text"], dtype="string"),
        pl.Series(Y),
        pl.Series(LABELS["text"]),
        pl.Series(LABELS["text"], dtype=pl.Categorical),
        list(LABELS["text"]),
    ],
    ids=["pandas", "pandas categories", "pandas text", "polars", "polars text", "polars categories", "list"],
)
def test_answers_in_every_container(y: Any) -> None:
    clf = quick().fit(FRAME, y)
    assert len(clf.classes_) == 3
    assert clf.score(FRAME, y) > 0.8


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("booleans", "category"), ("booleans", "boolean"), ("integers", "category"), ("integers", "Int64")],
)
def test_types_of_pandas_keep_their_values(kind: str, dtype: Any) -> None:
    clf = quick().fit(X, pd.Series(LABELS[kind], dtype=dtype))
    assert clf.predict(X).dtype == LABELS[kind].dtype
    np.testing.assert_array_equal(clf.classes_, np.unique(LABELS[kind]))


@pytest.mark.parametrize("y", [pd.DataFrame({"kind": Y}), pl.DataFrame({"kind": Y})], ids=["pandas", "polars"])
def test_a_frame_of_one_column_as_answers_is_announced(y: Any) -> None:
    with pytest.warns(sklearn.exceptions.DataConversionWarning, match="column-vector"):
        clf = quick().fit(X, y)
    np.testing.assert_array_equal(clf.predict_proba(X), quick().fit(X, Y).predict_proba(X))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_made_within_a_pipeline_bring_their_names(library: str) -> None:
    pipeline = make_pipeline(StandardScaler(), quick()).set_output(transform=library).fit(FRAME, Y)
    assert pipeline[-1].feature_names_in_.tolist() == FRAME.columns.tolist()
    assert pipeline.score(FRAME, Y) > 0.8


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("make", [quick, lambda: likely.Regressor(network="linear", random_state=0)])
def test_data_frames_bring_their_names(make: Any, library: Any) -> None:
    frame = library(X, columns=list("abcd")) if library is pd.DataFrame else library(X, schema=list("abcd"))
    model = make().fit(frame, Y)
    assert model.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    assert model.predictor_.card.features == ("a", "b", "c", "d")
    np.testing.assert_allclose(model.predict(frame), make().fit(X, Y).predict(X), atol=1e-12)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[["b", "a", "c", "d"]])
    with pytest.raises(ValueError, match="missing"):
        model.predict(frame[["a", "b", "c"]])


def test_a_pickle_gives_the_same_numbers() -> None:
    for model in (quick().fit(X, Y), likely.Regressor(network="linear", random_state=0).fit(X, Y)):
        copy = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(copy.predict(X), model.predict(X))
    conv = likely.Classifier(epochs=1, random_state=0).fit(
        np.zeros((40, 8, 8), np.uint8) + np.arange(40, dtype=np.uint8)[:, None, None], [0, 1] * 20
    )
    images = np.full((3, 8, 8), 9, np.uint8)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(conv)).predict_proba(images), conv.predict_proba(images))


ANSWERS = [
    "predict",
    "predict_proba",
    "predict_log_proba",
    "distribution",
    "predict_set",
    "predict_or_abstain",
    "familiarity",
]


@pytest.mark.parametrize("method", ANSWERS)
@pytest.mark.parametrize("rows", [X, np.zeros((2, 8, 8), np.uint8)], ids=["rows", "images"])
def test_the_unfitted_say_so(method: str, rows: np.ndarray) -> None:
    with pytest.raises(NotFittedError):
        getattr(likely.Classifier(), method)(rows)


@pytest.mark.parametrize("method", ["score", "calibrate"])
def test_the_unfitted_say_so_to_labels_too(method: str) -> None:
    with pytest.raises(NotFittedError):
        getattr(likely.Classifier(), method)(X, Y)


@pytest.mark.parametrize("method", ["predict", "predict_interval"])
@pytest.mark.parametrize("rows", [X, np.zeros((2, 8, 8), np.uint8)], ids=["rows", "images"])
def test_an_unfitted_regressor_says_so(method: str, rows: np.ndarray) -> None:
    with pytest.raises(NotFittedError):
        getattr(likely.Regressor(), method)(rows)


def test_an_unfitted_regressor_says_so_to_answers_too() -> None:
    with pytest.raises(NotFittedError):
        likely.Regressor().score(X, Y)


def test_another_number_of_features_than_in_fit() -> None:
    with pytest.raises(ValueError, match=r"3 features.*expecting 4"):
        quick().fit(X, Y).predict(X[:, :3])


def test_what_is_not_finite_is_named_with_its_column() -> None:
    frame, array = FRAME.copy(), X.copy()
    frame.iloc[5, 2], array[5, 2] = np.inf, np.nan
    for act in (lambda: quick().fit(frame, Y), lambda: quick().fit(FRAME, Y).predict(frame)):
        with pytest.raises(ValueError, match=r"got infinity at row 5, column 'petal length \(cm\)'"):
            act()
    for act in (lambda: quick().fit(array, Y), lambda: quick().fit(X, Y).predict(array)):
        with pytest.raises(ValueError, match="got NaN at row 5, column 2"):
            act()


def test_several_numbers_to_predict() -> None:
    targets = X[:, 2:] @ np.array([[1.0, 0.0], [0.5, 2.0]])
    model = likely.Regressor(network="linear", random_state=0).fit(X, targets)
    assert model.score(X, targets) > 0.99
    assert cross_val_score(model, X, targets, cv=3).min() > 0.9


@pytest.mark.parametrize(
    "labels",
    [
        ["a", None] * 75,
        ["a", float("nan")] * 75,
        ["a", pd.NA] * 75,
        [1.0, np.float32("nan")] * 75,
        np.array(["a", None] * 75, dtype=object),
        pd.Series(["a", None] * 75, dtype="string"),
        pd.Series([1, None] * 75, dtype="Int64"),
        pl.Series(["a", None] * 75),
        np.array([1.0, np.nan] * 75),
    ],
)
def test_rows_without_a_label_are_named(labels: Any) -> None:
    with pytest.raises(DataError, match=r"75 of 150 rows \(from 0\): 1, 3, 5, 7, 9, \.\.\."):
        quick().fit(X, labels)
