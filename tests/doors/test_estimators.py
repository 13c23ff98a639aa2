"""The scikit-learn doors: every engine, every kind of label."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import likely
from likely.errors import ConfigError, DataError, EngineError, ProbabilityError, ShapeError

IRIS = load_iris(return_X_y=True)


@cache
def learned(network: Any, engine: str) -> likely.Classifier:
    return likely.Classifier(network=network, engine=engine, random_state=0, epochs=15).fit(*IRIS)


@pytest.mark.parametrize("engine", ["numpy", "jax", "torch"])
@pytest.mark.parametrize("network", ["linear", "mlp"])
def test_every_engine_learns_saves_and_loads(engine: str, network: Any, tmp_path: Path) -> None:
    X, y = IRIS
    clf = learned(network, engine)
    assert clf.score(X, y) > 0.9
    assert clf.predictor_.card.training.engine == engine
    loaded = likely.load(clf.predictor_.save(tmp_path / "iris.likely"))
    np.testing.assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    again = clone(clf).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), clf.predict_proba(X))


def test_three_engines_end_at_the_same_model() -> None:
    probs = [learned("mlp", engine).predict_proba(IRIS[0]) for engine in ("numpy", "jax", "torch")]
    assert probs[0].dtype == np.float64
    np.testing.assert_allclose(probs[1], probs[0], atol=1e-8)
    np.testing.assert_allclose(probs[2], probs[0], atol=1e-8)


@pytest.mark.parametrize("engine", ["numpy", "jax", "torch"])
@pytest.mark.parametrize("network", ["linear", "mlp"])
def test_every_engine_regresses(engine: str, network: Any, tmp_path: Path) -> None:
    X, y = load_diabetes(return_X_y=True)
    reg = likely.Regressor(network=network, engine=engine, random_state=0, epochs=15).fit(X, y)
    assert reg.score(X, y) > 0.4
    loaded = likely.load(reg.predictor_.save(tmp_path / "d.likely"))
    np.testing.assert_array_equal(loaded.predict(X), reg.predict(X))


def test_linear_regression_is_the_closed_form() -> None:
    X, y = load_diabetes(return_X_y=True)
    reg = likely.Regressor(network="linear").fit(X, y)
    np.testing.assert_allclose(reg.predict(X), LinearRegression().fit(X, y).predict(X), rtol=1e-9)
    assert reg.predictor_.card.training.engine == "closed form"


def test_several_targets() -> None:
    X, _ = IRIS
    reg = likely.Regressor(network="linear").fit(X[:, :2], X[:, 2:])
    assert reg.predict(X[:5, :2]).shape == (5, 2)
    with pytest.raises(DataError, match="one target"):
        reg.predict_interval(X[:, :2])


@pytest.mark.parametrize("labels", [["a", "b", "c"], [10, -3, 7], [3.0, 1.0, 2.0]])
def test_labels_come_back_as_they_went_in(labels: list[Any]) -> None:
    X, y = IRIS
    named = np.array(labels)[y]
    clf = likely.Classifier(network="linear", random_state=0, epochs=60).fit(X, named)
    assert list(clf.classes_) == sorted(labels)
    assert set(clf.predict(X)) <= set(labels)
    assert clf.score(X, named) > 0.9
    P = clf.distribution(X)
    np.testing.assert_allclose(P(labels[0]), clf.predict_proba(X)[:, sorted(labels).index(labels[0])])


def test_booleans() -> None:
    X, y = IRIS
    clf = likely.Classifier(network="linear", random_state=0, epochs=60).fit(X, y == 0)
    assert clf.predict(X).dtype == bool
    assert clf.distribution(X[:1])(True)[0] > 0.9


def test_images_in_every_shape() -> None:
    digits = load_digits()
    images = (digits.images * 255 / 16).round().astype(np.uint8)
    settings: dict[str, Any] = {"network": "linear", "random_state": 0, "epochs": 5}
    as_images = likely.Classifier(**settings).fit(images, digits.target)
    as_rows = likely.Classifier(**settings, image_shape=(8, 8)).fit(images.reshape(-1, 64), digits.target)
    expected = as_images.predict_proba(images)
    np.testing.assert_array_equal(as_rows.predict_proba(images.reshape(-1, 64)), expected)
    np.testing.assert_array_equal(as_images.predict_proba(list(images)), expected)
    assert as_images.n_features_in_ == as_rows.n_features_in_ == 64
    with pytest.raises(ShapeError, match="whole numbers"):
        likely.Classifier(**settings, image_shape=(8, 8)).fit(digits.data / 16, digits.target)


def test_soft_labels() -> None:
    X, y = IRIS
    soft = np.full((len(y), 3), 0.1)
    soft[np.arange(len(y)), y] = 0.8
    clf = likely.Classifier(network="linear", random_state=0).fit(X, soft, classes=["x", "y", "z"])
    assert list(clf.classes_) == ["x", "y", "z"]
    # Only 0.8 is ever said of a label, so no answer should be much surer than that on average.
    assert 0.6 < clf.predict_proba(X).max(axis=1).mean() < 0.85
    with pytest.raises(ShapeError, match="classes="):
        likely.Classifier().fit(X, soft)
    with pytest.raises(ProbabilityError, match="row 3"):
        likely.Classifier().fit(X, np.vstack([soft[:3], 2 * soft[3:]]), classes=["x", "y", "z"])


def test_soft_labels_may_agree_on_the_best_one() -> None:
    X, _ = IRIS
    clf = likely.Classifier(network="linear", random_state=0, epochs=60)
    clf.fit(X, np.tile([0.6, 0.4], (150, 1)), classes=["x", "y"])
    np.testing.assert_allclose(clf.predict_proba(X)[:, 0], 0.6, atol=0.05)


def test_weights() -> None:
    X, y = IRIS
    only_two = (y != 2).astype(float)
    clf = likely.Classifier(network="linear", random_state=0).fit(X, y, sample_weight=only_two)
    assert list(clf.classes_) == [0, 1, 2]
    assert clf.predict_proba(X[y != 2])[:, 2].mean() < 0.1
    with pytest.raises(DataError, match="zero"):
        likely.Classifier().fit(X, y, sample_weight=np.zeros(len(y)))
    with pytest.raises(DataError, match="1 class"):
        likely.Classifier().fit(X, y, sample_weight=y == 2)


@pytest.mark.parametrize("estimator", [likely.Classifier(random_state=0), likely.Regressor(random_state=0)])
def test_a_row_without_weight_is_as_good_as_absent(estimator: Any) -> None:
    X, y = IRIS
    # More of them than a batch has rows: a batch of nothing else has no mean loss.
    kept = np.random.default_rng(0).uniform(size=150) < 0.5
    weighted = clone(estimator).fit(X, y, sample_weight=kept.astype(float)).predictor_
    without = clone(estimator).fit(X[kept], y[kept], sample_weight=np.ones(kept.sum())).predictor_
    np.testing.assert_array_equal(weighted.scores_and_features(X)[0], without.scores_and_features(X)[0])


def test_tensors_and_tables() -> None:
    X, y = IRIS
    settings: dict[str, Any] = {"network": "linear", "random_state": 0, "epochs": 10}
    expected = likely.Classifier(**settings).fit(X, y).predict_proba(X)
    tensors = likely.Classifier(**settings).fit(torch.from_numpy(X), torch.from_numpy(y))
    np.testing.assert_array_equal(tensors.predict_proba(torch.from_numpy(X)), expected)
    frame = load_iris(as_frame=True)
    table = likely.Classifier(**settings).fit(frame.data, frame.target)
    np.testing.assert_array_equal(table.predict_proba(frame.data), expected)
    assert table.predictor_.card.features == tuple(frame.data.columns) == tuple(table.feature_names_in_)
    with pytest.raises(ValueError, match="feature names"):
        table.predict(frame.data.rename(columns={"sepal length (cm)": "length"}))


def test_precision_follows_the_rows() -> None:
    X, y = IRIS
    for dtype in (np.float64, np.float32):
        clf = likely.Classifier(network="linear", random_state=0, epochs=5).fit(X.astype(dtype), y)
        assert clf.predictor_.card.training.dtype == np.dtype(dtype).name
        assert clf.predictor_.scores_and_features(X)[0].dtype == dtype
    wide = likely.Classifier(network="linear", dtype="float64", epochs=5).fit(X.astype(np.float32), y)
    assert wide.predictor_.card.training.dtype == "float64"


def test_images_in_color_and_numbers_from_images() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 6, 5, 3), dtype=np.uint8)
    brightness = images.mean(axis=(1, 2, 3))
    clf = likely.Classifier(network="mlp", random_state=0, epochs=10).fit(images, brightness > brightness.mean())
    assert clf.predict_proba(images).shape == (60, 2)
    assert clf.n_features_in_ == 90
    reg = likely.Regressor(network="linear", random_state=0).fit(images[:, :, :, 0] // 200 * 255, brightness)
    assert reg.predict(images[:3, :, :, 0]).shape == (3,)
    with pytest.raises(ShapeError, match=r"\(n, 6, 5, 3\)"):
        clf.predict(images[:, :5])


def test_history_tells_the_training() -> None:
    X, y = IRIS
    clf = likely.Classifier(random_state=0, epochs=4).fit(X, y)
    losses = [record["loss"] for record in clf.history_]
    assert losses[-1] < losses[0]
    assert clf.history_[-1]["seconds_left"] == 0
    assert likely.Regressor(network="linear").fit(X, y).history_ == []


def test_it_takes_part_in_scikit_learn() -> None:
    X, y = IRIS
    clf = likely.Classifier(network="linear", random_state=0, epochs=20)
    assert clone(clf).get_params() == clf.get_params()
    assert cross_val_score(make_pipeline(StandardScaler(), clf), X, y, cv=3).mean() > 0.85
    search = GridSearchCV(clf, {"learning_rate": [1e-4, 1e-1]}, cv=2).fit(X, y)
    assert search.best_params_ == {"learning_rate": 1e-1}


def test_what_cannot_be_is_said_before_training() -> None:
    X, y = IRIS
    with pytest.raises(NotFittedError):
        likely.Classifier().predict(X)
    with pytest.raises(DataError, match="1 class"):
        likely.Classifier().fit(X, np.zeros(len(X)))
    with pytest.raises(ConfigError, match="Did you mean 'torch'"):
        likely.Classifier(engine="torhc").fit(X, y)
    with pytest.raises(ConfigError, match="image_shape"):
        likely.Classifier(network="conv").fit(X, y)
    with pytest.raises(EngineError, match="engine='torch'"):
        likely.Classifier(network="conv", engine="jax", image_shape=(2, 2)).fit(X.astype(np.uint8), y)


def test_a_sine_is_learned_with_honest_intervals() -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(-3, 3, (600, 1))
    y = np.sin(x[:, 0]) + rng.normal(scale=0.1, size=600)
    reg = likely.Regressor(random_state=0).fit(x[:400], y[:400])
    assert np.sqrt(np.square(reg.predict(x[400:]) - np.sin(x[400:, 0])).mean()) < 0.06
    low, high = reg.predict_interval(x[400:], 0.9).T
    assert 0.83 <= ((low <= y[400:]) & (y[400:] <= high)).mean() <= 0.97
    early = likely.Regressor(random_state=0, early_stopping=True, epochs=30, engine="jax").fit(x, y)
    assert early.score(x, y) > 0.95
