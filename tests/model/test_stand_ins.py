"""Values that are missing in new rows only: averaged over what the column held in training, and nothing guaranteed."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import likely
from likely.data.dataset import Part
from likely.errors import DataError, GuaranteeWarning, ModelFileError
from likely.model.stand_ins import COUNTS, NAMES, StandIns, read_stand_ins
from likely.preprocessing.columns import Column
from likely.training.evaluate import evaluate

N = 300


def rows(n: int = N, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "size": rng.normal(size=n).round(3),
            "town": rng.choice(["Oslo", "Rome", "Turin"], n, p=[0.6, 0.3, 0.1]),
            "sold": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 700, n), unit="D"),
            "age": np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)),
        }
    )


FRAME = rows()
SIGNAL = FRAME["size"] + (FRAME["town"] == "Rome") + np.random.default_rng(1).normal(size=N) / 2
Y = np.where(SIGNAL > 0.3, "yes", "no")


def fitted(make: Any, y: Any, frame: pd.DataFrame = FRAME) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make(network="linear", random_state=0).fit(frame, y)


@pytest.fixture(scope="module")
def clf() -> likely.Classifier:
    return fitted(likely.Classifier, Y)


@pytest.fixture(scope="module")
def reg() -> likely.Regressor:
    return fitted(likely.Regressor, SIGNAL)


def without(frame: pd.DataFrame, *names: str, row: int = 0) -> pd.DataFrame:
    frame = frame.copy()
    for name in names:
        frame.loc[row, name] = None
    return frame


def test_a_category_is_averaged_over_by_how_often_each_came(clf: likely.Classifier) -> None:
    with pytest.warns(
        GuaranteeWarning, match=r"'town' has no known value in 1 of 5 rows, but had one in every training"
    ):
        answers = clf.predict_proba(without(FRAME.head(5), "town"))
    shares = FRAME["town"].value_counts(normalize=True)
    each = [share * clf.predict_proba(FRAME.head(1).assign(town=town))[0] for town, share in shares.items()]
    np.testing.assert_allclose(answers[0], np.sum(each, axis=0), rtol=1e-9)
    np.testing.assert_allclose(answers[1:], clf.predict_proba(FRAME.head(5))[1:], rtol=1e-12)


def test_a_number_is_averaged_over_its_quantiles(clf: likely.Classifier, reg: likely.Regressor) -> None:
    values = np.sort(FRAME["size"])[((2 * np.arange(16) + 1) * N) // 32]
    for model, ask in ((clf, "predict_proba"), (reg, "predict")):
        with pytest.warns(GuaranteeWarning, match="'size'"):
            [answer] = getattr(model, ask)(without(FRAME.head(1), "size"))
        each = [getattr(model, ask)(FRAME.head(1).assign(size=value))[0] for value in values]
        np.testing.assert_allclose(answer, np.mean(each, axis=0), rtol=1e-9)


@pytest.mark.filterwarnings("ignore::likely.errors.GuaranteeWarning")
def test_gaps_of_one_row_are_drawn_together_and_the_same_each_time(clf: likely.Classifier) -> None:
    bad = without(FRAME.head(3), "size", "town", "sold", row=1)
    once = clf.predict_proba(bad)
    np.testing.assert_allclose(once.sum(axis=1), 1)
    np.testing.assert_array_equal(clf.predict_proba(bad)[1], once[1])
    np.testing.assert_allclose(clf.predict_proba(without(FRAME, "size", "town", "sold", row=1))[1], once[1], rtol=1e-9)
    sources = StandIns.fit(np.arange(40.0).reshape(20, 2), [Column("a"), Column("b")])
    values, weights = sources.draws((0, 1))
    assert values.shape == (16, 2)
    assert weights.tolist() == [1 / 16] * 16
    assert (values[:, 1] != values[:, 0] + 1).any()


def test_parts_of_a_date_stay_together() -> None:
    X = np.column_stack([np.arange(50.0), np.arange(50.0) % 7])
    when = [
        Column("when: days", part="days", source="when"),
        Column("when: w", tuple("abcdefg"), part="weekday", source="when"),
    ]
    values, _ = StandIns.fit(X, when).draws((0,))
    np.testing.assert_array_equal(values[:, 0] % 7, values[:, 1])


@pytest.mark.filterwarnings("ignore::likely.errors.GuaranteeWarning")
def test_nothing_is_guaranteed_of_such_a_row(clf: likely.Classifier, reg: likely.Regressor) -> None:
    bad = without(FRAME.head(4), "town", row=2)
    assert np.isnan(clf.familiarity(bad)).tolist() == [False, False, True, False]
    assert [len(event) for event in clf.predict_set(bad)][2] == 2
    assert np.isinf(reg.predict_interval(bad)).tolist() == [[i == 2] * 2 for i in range(4)]
    np.testing.assert_array_equal(reg.predict_interval(bad)[[0, 1, 3]], reg.predict_interval(FRAME.head(4))[[0, 1, 3]])
    assert np.isnan(reg.familiarity(bad)).tolist() == [False, False, True, False]
    assert np.isfinite(reg.predict(bad)).all()
    assert clf.predictor_.gaps(clf.predictor_.rows(bad)).tolist() == [False, False, True, False]


def test_a_column_with_gaps_in_training_has_its_indicator(clf: likely.Classifier) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answers = clf.predict_proba(without(FRAME.head(2), "age"))
        assert np.isfinite(clf.familiarity(without(FRAME.head(2), "age"))).all()
    assert np.isfinite(answers).all()


def test_figures_of_guarantees_are_of_the_other_rows(clf: likely.Classifier, reg: likely.Regressor) -> None:
    for model, y in ((clf, (Y == "yes").astype(int)), (reg, SIGNAL.to_numpy())):
        X = model.predictor_.rows(FRAME)
        X[:40, 0] = np.nan
        evaluated = evaluate(model.predictor_, Part(X, y))
        others = evaluate(model.predictor_, Part(X[40:], y[40:])).evaluation
        found = evaluated.evaluation
        assert found.n == N
        assert (found.sets, found.coverage, found.familiarity) == (others.sets, others.coverage, others.familiarity)
        assert json.loads(json.dumps(found.to_json(), allow_nan=False))


def test_plain_numbers_with_names_are_answered_and_arrays_are_refused() -> None:
    numbers = FRAME[["size"]].assign(other=np.arange(N) % 5)
    clf = fitted(likely.Classifier, Y, numbers)
    with pytest.warns(GuaranteeWarning, match="'other' has no known value in 1 of 300 rows"):
        assert np.isfinite(clf.predict_proba(without(numbers, "other"))).all()
    with pytest.raises(ValueError, match="NaN at row 0, column 0"):
        fitted(likely.Classifier, Y, numbers.to_numpy()).predict(np.full((1, 2), np.nan))


def test_what_rests_on_scores_alone_refuses_a_missing_number(clf: likely.Classifier) -> None:
    bad = without(FRAME, "size", row=4)
    for ask in (clf.predictor_.scores, lambda frame: clf.predictor_.calibrate(frame, Y)):
        with pytest.raises(DataError, match="'size' must have a value in every row; got none in row 4"):
            ask(bad)


def test_files_keep_them_and_those_of_before_refuse(clf: likely.Classifier, tmp_path: Path) -> None:
    path, bad = clf.predictor_.save(tmp_path / "model.likely"), without(FRAME.head(2), "size")
    with pytest.warns(GuaranteeWarning):
        np.testing.assert_array_equal(likely.load(path).predict_proba(bad), clf.predict_proba(bad))
    arrays = {name: array for name, array in clf.predictor_.arrays.items() if name not in NAMES}
    old = type(clf.predictor_)(clf.predictor_.card, arrays)
    with pytest.raises(DataError, match="'size' must have a value in every row; got none in row 0"):
        old.predict(bad)
    assert np.isfinite(old.predict_proba(without(FRAME.head(2), "town"))).all()
    damaged = {**clf.predictor_.arrays, COUNTS: clf.predictor_.arrays[COUNTS] + 1}
    with pytest.raises(ModelFileError, match="must fit each other"):
        read_stand_ins("m.likely", damaged, clf.predictor_.columns)
