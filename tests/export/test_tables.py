"""A model of a table gives its predictor's answers through ONNX Runtime: each column is an input."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from likely import Classifier, Regressor, load
from likely.errors import DataError
from likely.export.onnx_predictor import open_onnx
from likely.export.row_inputs import row_inputs
from likely.export.session import Session
from likely.model import ClassifierPredictor
from likely.model.card_view import card_facts
from likely.preprocessing.column_preprocessor import ColumnPreprocessor
from likely.preprocessing.power import PowerTransform

DATA = Path(__file__).parents[1] / "model" / "data"
FILES = sorted(path for path in DATA.glob("*.likely") if "conv" not in path.stem)


def frame(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    numbers = {
        "size": rng.normal(5, 2, n),
        "income": np.exp(rng.normal(size=n)),
        "set": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)),  # called like an output
    }
    texts = {
        "color": rng.choice(["red", "green", "blue"], n),
        "town": np.where(rng.random(n) < 0.1, None, rng.choice([f"town {i}" for i in range(9)], n)),
    }
    when = pd.to_datetime(pd.Timestamp("2019-11-05") + pd.to_timedelta(rng.random(n) * 1500, "D"))
    return pd.DataFrame({**numbers, **texts, "when": when})


def answer(X: pd.DataFrame) -> np.ndarray:
    signal = X["size"] - 5 + (X["color"] == "red") + np.log(X["income"]) + 2 * X["set"].fillna(0)
    return (signal + (X["when"].dt.month > 6) + (X["when"].dt.day_of_week > 4)).to_numpy()


def inputs_of(predictor: Any, X: pd.DataFrame, session: Session) -> dict[str, np.ndarray]:
    return row_inputs(predictor.rows(X), predictor.columns, session.columns)


def with_gaps(X: pd.DataFrame) -> pd.DataFrame:
    """The same rows; some lack a value that every training row had, of one column or of several."""
    X = X.copy()
    X.loc[0, "size"] = np.nan
    X.loc[1, "color"] = None
    X.loc[2, "when"] = pd.NaT
    X.loc[3, ["size", "color", "when"]] = None
    X.loc[4, ["income", "when"]] = None
    return X


@pytest.mark.parametrize("network", ["linear", "mlp", "trees"])
@pytest.mark.filterwarnings("ignore::likely.errors.LikelyWarning")
def test_labels(network: str, exported: Any) -> None:
    X = frame(150 if network == "trees" else 300, 0)
    y = np.where(answer(X) > 0, "yes", "no")
    settings: Any = {} if network == "trees" else {"epochs": 3}
    predictor = Classifier(network=network, random_state=0, **settings).fit(X, y).predictor_
    session: Session = exported(predictor)
    assert set(session.inputs) == {"size", "income", "column set", "color", "town", "when", "coverage"}
    new = with_gaps(frame(60, 1))
    new.loc[5, "town"] = "nowhere known"
    examined, answers = predictor.examine(new), session(inputs_of(predictor, new, session), coverage=0.8)
    np.testing.assert_allclose(answers["probabilities"], np.exp(examined.log_probs), atol=1e-5)
    sets = [[label in event for label in predictor.labels] for event in predictor.predict_set(new, 0.8)]
    assert (answers["set"] == sets).all()
    assert answers["set"][:5].all()
    np.testing.assert_allclose(answers["familiarity"], examined.familiarity, atol=2 / (predictor.familiar_rows + 1))
    assert np.isnan(answers["familiarity"][:5]).all()


@pytest.mark.filterwarnings("ignore::likely.errors.LikelyWarning")
def test_towns_that_are_encoded_by_the_answers_of_their_rows(exported: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    town, size = rng.integers(300, size=2_400), rng.normal(size=2_400)
    X = pd.DataFrame({"size": size, "town": [f"town {i}" for i in town]})
    y = np.where(2 * rng.normal(size=300)[town] + size + rng.logistic(size=2_400) > 0, "yes", "no")
    predictor = Classifier(network="trees", keep=["town"], random_state=0).fit(X[:1_200], y[:1_200]).predictor_
    made = predictor.preprocessor
    assert isinstance(made, ColumnPreprocessor)
    assert made.encoding is not None
    # An MLP's card, whose encoded numbers are transformed, too.
    curved = replace(made, power=PowerTransform((1.0, 0.5), (0.0, 0.0), (1.0, 1.0)))
    facts = dict(card_facts(predictor.card.model_copy(update={"normalization": curved.to_json()})))
    assert (facts["target encoding"], facts["skewed columns"]) == ("town", "1 transformed, with powers: town (0.5)")
    new, truth = X[1_200:].reset_index(drop=True), y[1_200:] == "yes"
    probs = predictor.predict_proba(new)[:, predictor.labels.index("yes")]
    assert -np.log(np.where(truth, probs, 1 - probs)).mean() < 0.59  # 0.57; without encoding 0.66
    few = pd.DataFrame({"size": size[-60:], "town": ["nowhere known", None, *X["town"][-58:]]})
    session: Session = exported(predictor)
    answers, examined = session(inputs_of(predictor, few, session), coverage=0.8), predictor.examine(few)
    np.testing.assert_allclose(answers["probabilities"], np.exp(examined.log_probs), atol=1e-5)
    predictor.save(tmp_path / "towns.likely")
    stored = load(tmp_path / "towns.likely")
    assert isinstance(stored, ClassifierPredictor)
    np.testing.assert_array_equal(stored.predict_proba(few), predictor.predict_proba(few))
    [explained] = predictor.explain(few.tail(1))
    assert set(explained.columns) == {"size", "town"}


@pytest.mark.filterwarnings("ignore::likely.errors.LikelyWarning")
def test_numbers(exported: Any, tmp_path: Path) -> None:
    X = frame(300, 2)
    predictor = Regressor(network="mlp", epochs=3, random_state=0).fit(X, 1000 + 50 * answer(X)).predictor_
    session: Session = exported(predictor)
    new = with_gaps(frame(60, 3))
    given = inputs_of(predictor, new, session)
    for coverage in (0.5, 0.9, 0.99):
        examined, answers = predictor.examine(new, coverage), session(given, coverage=coverage)
        np.testing.assert_allclose(answers["prediction"], examined.predictions, rtol=1e-6)
        np.testing.assert_allclose(answers["low"], examined.intervals[:, 0], rtol=1e-5)
        np.testing.assert_allclose(answers["high"], examined.intervals[:, 1], rtol=1e-5)
    assert np.isinf(session(given, coverage=0.9999)["high"]).all()
    assert (answers["outside_range"] == examined.outside).all()
    asked = open_onnx(predictor.to_onnx(tmp_path / "numbers.onnx"))
    for found, expected in zip(asked.explain(new[:2]), predictor.explain(new[:2]), strict=True):
        np.testing.assert_allclose(found.contributions, expected.contributions, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(found.familiarity, expected.familiarity, atol=0.02)


def test_what_lies_behind_answers_is_refused(tmp_path: Path) -> None:
    predictor, X = load(DATA / "recent_linear.likely"), np.random.default_rng(0).normal(size=(40, 4))
    asked = open_onnx(predictor.to_onnx(tmp_path / "linear.onnx"))
    np.testing.assert_allclose(asked.familiarity(X), predictor.familiarity(X), atol=2 / (predictor.familiar_rows + 1))
    for refused in (
        lambda: asked.scores(X),
        lambda: asked.disagreement(X),
        lambda: asked.estimate_prior(X),
        lambda: asked.calibrate(X, predictor.predict(X)),
        lambda: asked.save(tmp_path / "other.likely"),
        lambda: asked.to_onnx(tmp_path / "other.onnx", overwrite=True),
    ):
        with pytest.raises(DataError, match="answers alone"):
            refused()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_models_of_earlier_versions(path: Path, exported: Any) -> None:
    assert exported(load(path)).outputs


def test_labels_and_events_of_any_text(exported: Any) -> None:
    rng, labels = np.random.default_rng(0), ['red\n"<b>"', "🦊", "\\u0000 é, 'x'"]
    X = rng.normal(size=(90, 2))
    predictor = Classifier(network="linear", random_state=0).fit(X, np.array(labels)[(X[:, 0] > 0) * 1 + (X[:, 1] > 0)])
    named = predictor.predictor_._changed(events={"coverage": ("🦊",), 'a/b; "c"': (labels[0],), "X": ("🦊",)})
    session: Session = exported(named)
    assert session.outputs[-3:] == ("P(coverage)", 'a/b; "c"', "P(X)")
    answers = session({"X": X})
    assert answers["label"].tolist() == named.predict(X).tolist()
    assert json.loads(session.metadata["labels"]) == sorted(labels)
    np.testing.assert_allclose(answers["P(X)"], answers["probabilities"][:, sorted(labels).index("🦊")], atol=1e-6)


@pytest.mark.filterwarnings("ignore::likely.errors.LikelyWarning")
def test_trees_decide_alike_a_hair_beside_their_thresholds(exported: Any) -> None:
    hours = np.arange(400) % 24
    X = np.stack([np.sin(hours * np.pi / 12), np.cos(hours * np.pi / 12), 1e9 + 1e6 * np.sin(hours)], axis=1)
    predictor = Regressor(network="trees", random_state=0).fit(X, hours % 7.0).predictor_
    session: Session = exported(predictor)
    for hair in (0.0, 2.0**-52, -(2.0**-52), 2.0**-24, -(2.0**-24)):
        near = X[:24] * (1 + hair)
        np.testing.assert_allclose(session({"X": near})["prediction"], predictor.predict(near), rtol=1e-5)
