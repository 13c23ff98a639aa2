"""Numbers that are large beside their spread, and numbers too large to compute with."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import likely
from likely.errors import DataError
from likely.preprocessing.column_preprocessor import ColumnPreprocessor
from likely.preprocessing.columns import Column

rng = np.random.default_rng(0)
X = rng.normal(size=(600, 3))
Y = X @ [30.0, 10.0, 5.0] + 2 * rng.normal(size=600)


def regressor(network: str, engine: str) -> likely.Regressor:
    return likely.Regressor(
        network=network, engine=engine, epochs=8, dtype="float32", learning_rate=0.05, random_state=0
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("offset", [1e7, 1.7e9, -1e12])
def test_an_offset_of_the_targets_only_shifts_answers_and_intervals(offset: float, dtype: type) -> None:
    rows, y = X.astype(dtype), np.round(Y * 1024) / 1024  # so that the sums are exact
    plain, shifted = (
        likely.Regressor(network="linear", random_state=0).fit(rows[:300], y[:300] + b).predictor_ for b in (0, offset)
    )
    new, tolerance = rows[300:], 1e-3 + 1e-15 * abs(offset) * 10
    np.testing.assert_allclose(shifted.predict(new) - offset, plain.predict(new), atol=tolerance)
    np.testing.assert_allclose(shifted.predict_interval(new) - offset, plain.predict_interval(new), atol=tolerance)
    low, high = shifted.predict_interval(new, 0.9).T
    inside = (low <= y[300:] + offset) & (y[300:] + offset <= high)
    assert 0.83 < inside.mean() < 0.97
    assert shifted.score(new, y[300:] + offset) > 0.99


@pytest.mark.parametrize("engine", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("network", ["linear", "mlp"])
def test_every_engine_trains_on_inputs_and_targets_that_are_large_beside_their_spread(
    network: str, engine: str
) -> None:
    at, offset = 1.7e9 + 50 * X, 1.7e9
    plain = regressor(network, engine).fit(X[:300], Y[:300])
    shifted = regressor(network, engine).fit(at[:300], Y[:300] + offset)
    assert plain.score(X[300:], Y[300:]) > 0.7
    assert shifted.score(at[300:], Y[300:] + offset) == pytest.approx(plain.score(X[300:], Y[300:]), abs=1e-3)


def test_whole_numbers_are_as_good_as_floats() -> None:
    stamps = (1_700_000_000 + 5_000 * X).round().astype(np.int64)
    fitted = ColumnPreprocessor.fit(stamps, dtype="float32")
    np.testing.assert_array_equal(fitted(stamps), fitted(stamps.astype(np.float64)))
    assert fitted(stamps).std() == pytest.approx(1, abs=1e-3)


def test_single_precision_is_centered_without_losing_what_is_left() -> None:
    rows = (1.7e9 + 1000 * X).astype(np.float32)
    columns = [Column(name) for name in "abc"]
    for fitted in (ColumnPreprocessor.fit(rows), ColumnPreprocessor.fit(rows, columns)):
        np.testing.assert_allclose(fitted(rows), fitted(rows.astype(np.float64)), atol=1e-4)


@pytest.mark.parametrize("huge", [1e300, -1e300, 1e39])
def test_a_number_that_cannot_be_computed_with_names_its_row_and_column(huge: float) -> None:
    frame = pd.DataFrame(X, columns=["size", "rooms", "age"])
    bad = frame.copy()
    bad.loc[4, "rooms"] = huge
    models = (
        likely.Regressor(network="linear").fit(frame, Y),
        likely.Classifier(network="linear", epochs=2, dtype="float32").fit(frame, Y > 0),
    )
    for model in models:
        for answers in (model, model.predictor_):
            with pytest.raises(DataError, match="'rooms' at row 4"):
                answers.predict(bad)
        assert np.isfinite(model.predictor_.scores(frame.assign(rooms=1e15))).all()
    with pytest.raises(DataError, match="column 1 at row 4"):
        likely.Regressor(network="linear").fit(X, Y).predict(bad.to_numpy())


def test_a_constant_column_and_huge_columns_do_not_count_as_too_large() -> None:
    rows = np.column_stack([np.full(50, 7.0), 1e300 * np.arange(50), np.arange(50) * 1e-300])
    fitted = ColumnPreprocessor.fit(rows)
    assert not fitted.too_large(rows).any()
    assert not fitted.too_large(rows + np.array([1, 1e300, 1e-300])).any()


def test_the_codes_of_categories_are_never_too_large_and_nan_is_missing() -> None:
    columns = (Column("size", missing=True), Column("color", ("blue", "red")))
    rows = np.array([[1.0, 0], [3.0, 1], [np.nan, 1]])
    fitted = ColumnPreprocessor.fit(rows, columns)
    assert not fitted.too_large(rows).any()
    assert fitted.too_large(np.array([[1e30, 0]])).tolist() == [[True, False]]


def test_huge_rows_survive_a_model_file(tmp_path: Path) -> None:
    model = likely.Regressor(network="linear").fit(X, Y + 1.7e9).predictor_
    loaded = likely.load(model.save(tmp_path / "m.likely"))
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert loaded.score(X, Y + 1.7e9) > 0.99
