"""Which columns of a row carry the answer, whatever has learned."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

import likely
from likely.errors import ColumnWarning, ConfigError, DataError, GuaranteeWarning
from likely.explain import drawing
from likely.explain.explanation import RowExplanation
from likely.explain.importance import importances
from likely.explain.related import related
from likely.model import ClassifierPredictor, RegressorPredictor

RICH, POOR = "rich", "poor"


def people(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Age and months are the same, education matters, hours little, the city not at all; some hours are missing."""
    rng = np.random.default_rng(seed)
    age, school = rng.integers(18, 80, n), rng.choice(["none", "some", "much"], n, p=[0.5, 0.3, 0.2])
    hours = np.where(rng.random(n) < 0.1, np.nan, rng.normal(40, 5, n).round())
    score = (age - 48) / 8 + 3 * (school == "much") + (school == "some") + np.nan_to_num(hours - 40) / 30
    frame = pd.DataFrame({"age": age, "school": school, "hours": hours, "city": rng.choice(list("abcd"), n)})
    return frame.assign(months=12 * age), np.where(rng.random(n) < 1 / (1 + np.exp(-score)), RICH, POOR)


@pytest.fixture(scope="module", params=["linear", "trees", "auto"])
def trained(request: pytest.FixtureRequest) -> ClassifierPredictor:
    X, y = people(600, seed=0)
    return likely.Classifier(network=request.param, random_state=0).fit(X, y).predictor_


def test_columns_that_matter_are_named(trained: ClassifierPredictor) -> None:
    X, _ = people(40, seed=1)
    found = trained.explain(X, RICH, together=[("age", "months")])
    by_name = dict(zip(found[0].columns, np.mean([np.abs(each.contributions) for each in found], axis=0), strict=True))
    assert min(by_name["age and months"], by_name["school"]) > 2 * max(by_name["hours"], by_name["city"])
    old = X.assign(age=75, months=900)[:5]
    assert all(each.by_column["age"] > 0 for each in trained.explain(old, RICH))


def test_a_contribution_is_what_the_model_loses_without_the_value(trained: ClassifierPredictor) -> None:
    X, _ = people(1, seed=3)
    [each] = trained.explain(X, RICH)
    others = pd.concat([X.assign(school=kind) for kind in ("none", "some", "much")])
    share = people(600, seed=0)[0].school.value_counts(normalize=True)[others.school].to_numpy()
    expected = trained.distribution(X)(RICH)[0] - share @ trained.distribution(others)(RICH)
    assert each.by_column["school"] == pytest.approx(100 * expected, abs=1.0)  # the model learned from most of the rows


def test_columns_that_say_the_same_are_replaced_together(trained: ClassifierPredictor) -> None:
    X = people(1, seed=1)[0].assign(age=78, months=78 * 12)
    [alone], [both] = trained.explain(X, RICH), trained.explain(X, RICH, together=[("age", "months")])
    assert "age and months" in both.columns
    assert both.by_column["age and months"] > max(alone.by_column["age"], alone.by_column["months"])
    assert both.by_column["school"] == alone.by_column["school"]


def test_everything_is_said(trained: ClassifierPredictor, tmp_path: Any) -> None:
    X, _ = people(3, seed=1)
    for each in trained.explain(X):
        assert isinstance(each, RowExplanation)
        assert each.answer == pytest.approx(trained.predict_proba(X).max(axis=1)[0], abs=1e-6) or each.answer > 0.5
        assert 0 < each.baseline < 1
        assert each.sentence.startswith(f"{each.name} ")
        assert "%; with other values in all columns it is " in each.sentence
        assert each.save(tmp_path / "why.png").read_bytes().startswith(b"\x89PNG")
        assert json.loads(json.dumps(each.to_json()))["contributions"][0]["column"] == next(iter(each.by_column))


def test_a_missing_value_is_said_and_adds_nothing(trained: ClassifierPredictor) -> None:
    X = people(1, seed=1)[0].assign(age=np.nan, hours=np.nan)
    with pytest.warns(GuaranteeWarning, match="no known value"):
        [each] = trained.explain(X, RICH)
    values = dict(zip(each.columns, each.values, strict=True))
    assert values["age"] == values["hours"] == "missing"
    assert each.by_column["age"] == pytest.approx(0, abs=1e-4)
    assert each.by_column["hours"] == pytest.approx(0, abs=1e-8)


def test_gradients_add_up_over_columns() -> None:
    X, y = people(600, seed=0)
    predictor = likely.Classifier(network="mlp", epochs=5, random_state=0).fit(X, y).predictor_
    for each in predictor.explain(X[:5], RICH, method="integrated_gradients"):
        assert each.contributions.sum() == pytest.approx(100 * (each.answer - each.baseline), abs=0.01)
    shifted = predictor.with_prior({RICH: 0.9, POOR: 0.1})
    [each] = shifted.explain(X[:1], RICH, method="integrated_gradients")
    assert each.answer == pytest.approx(shifted.distribution(X[:1])(RICH)[0], abs=1e-6)
    assert each.contributions.sum() == pytest.approx(100 * (each.answer - each.baseline), abs=0.01)


def test_trees_have_no_gradients(trained: ClassifierPredictor) -> None:
    if trained.card.network.name in ("trees", "mixture"):
        with pytest.raises(ConfigError, match="no derivatives"):
            trained.explain(people(1, 0)[0], method="integrated_gradients")
    with pytest.raises(DataError, match=r"'agee'.*Did you mean"):
        trained.explain(people(1, 0)[0], together=[("agee", "months")])
    with pytest.raises(DataError, match="twice"):
        trained.explain(people(1, 0)[0], together=[("age", "months"), ("age",)])
    with pytest.raises(DataError, match="at most 100 rows"):
        trained.explain(people(101, 0)[0])


@pytest.mark.parametrize("method", [None, "integrated_gradients"])
def test_numbers_are_explained_in_their_unit(method: str | None) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal([0, 5, 9], [1, 2, 3], (400, 3))
    Y = X @ [[10, 0], [0, 3], [0, 0]]
    predictor: RegressorPredictor = likely.Regressor(network="linear", random_state=0).fit(X, Y).predictor_
    [each] = predictor.explain([[1.5, 9.0, 9.0]], method=method)
    assert each.event is None
    np.testing.assert_allclose(each.contributions, [15, 0, 0], atol=1.5)
    [each] = predictor.explain([[1.5, 9.0, 9.0]], target=1, method=method)
    np.testing.assert_allclose(each.contributions, [0, 12, 0], atol=1.5)
    assert each.sentence.startswith("The prediction of target 1 = 27")
    assert "raised by column 1 = 9 (+1" in each.sentence
    with pytest.raises(DataError, match="below 2; got 2"):
        predictor.explain(X[:1], target=2)


def test_estimators_explain_too() -> None:
    X, y = people(300, seed=0)
    clf = likely.Classifier(network="linear", random_state=0).fit(X, y)
    assert clf.explain(X[:1], RICH)[0].by_column == clf.predictor_.explain(X[:1], RICH)[0].by_column
    reg = likely.Regressor(network="linear", random_state=0).fit(X[["age"]], 2.0 * X.age)
    assert reg.explain(X[["age"]][:1])[0].columns == ("age",)


def test_importance_counts_what_says_the_same_once() -> None:
    X, y = people(800, seed=0)
    predictor = likely.Classifier(network="linear", random_state=0).fit(X, y).predictor_
    rows, truth = predictor.rows(X), (y == RICH).astype(int)
    places = related(rows, [column.categories is not None for column in predictor.columns])
    named = [(tuple(predictor.columns[j].name for j in group), group) for group in places]
    assert (("age", "months"), (0, 4)) in named

    def losses(some: np.ndarray) -> np.ndarray:
        P = predictor.predict_proba(some)
        right = P[np.arange(len(some)), [list(predictor.labels).index(label) for label in y]]
        return np.stack([-np.log(right), P.argmax(axis=1) != truth], axis=1)

    first, second, *rest = importances(rows, losses, named)
    assert (first.columns, second.columns) == (("age", "months"), ("school",))
    assert first.cost.low > second.cost.high > second.cost.low > 0
    assert first.accuracy_lost > 0.1
    assert all(each.cost.low < 0.01 for each in rest)
    alone = {each.columns: each for each in importances(rows, losses, [(("age",), (0,)), (("months",), (4,))])}
    assert all(each.cost.value < 0.7 * first.cost.value for each in alone.values())


def test_categories_that_say_the_same_are_related() -> None:
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 5, 400)
    X = np.stack([kind, (kind * 2 + 1) % 5, 10.0 * kind + rng.normal(size=400), np.arange(400) % 90, kind > 2], axis=1)
    assert related(X, [True, True, False, True, True]) == [(0, 1, 2), (3,), (4,)]
    X[:50, 2] = np.nan
    assert related(X[:, :2] * np.nan, [True, False]) == [(0,), (1,)]
    assert related(X[:2], [True] * 5) == [(j,) for j in range(5)]


def test_dates_and_letters_are_written_out() -> None:
    days = pd.date_range("2020-01-01", periods=120, freq="D").astype(str)
    y = np.where(np.arange(120) < 60, "früh", "поздно")
    with pytest.warns(ColumnWarning, match="holds dates"):
        predictor = likely.Classifier(network="linear", random_state=0).fit(pd.DataFrame({"Tag": days}), y).predictor_
    [each] = predictor.explain(pd.DataFrame({"Tag": days[-1:]}))
    assert each.values == ("2020-04-29",)
    assert "It is raised by Tag = 2020-04-29 (+" in each.sentence
    # No letter is drawn as the box that stands for letters which a font lacks.
    assert not drawing.lacks(drawing.font_for(20, each.sentence), each.sentence)
