"""The way from a table's columns to a network's input: beside scikit-learn, in every array library, and from a file."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from likely.errors import DataError, ModelFileError, ShapeError
from likely.preprocessing.column_preprocessor import ColumnPreprocessor
from likely.preprocessing.columns import Column, input_width
from likely.preprocessing.preprocessor import preprocessor_from_json

COLUMNS = (
    Column("age", missing=True),
    Column("city", ("Bonn", "Oslo", "Rome"), missing=True),
    Column("size"),
    Column("color", ("blue", "red")),
)


def rows(n: int = 60, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    X = np.column_stack(
        [rng.normal(40, 9, n), rng.integers(0, 3, n), rng.normal(1e6, 1, n), rng.integers(0, 2, n)]
    ).astype(np.float64)
    X[rng.random(n) < 0.2, 0] = np.nan
    X[rng.random(n) < 0.2, 1] = np.nan
    return X


def beside(train: np.ndarray, X: np.ndarray) -> np.ndarray:
    """The same input by scikit-learn: its scaler passes over NaN, the mean is then 0."""
    numbers = [0, 2]
    scaler = StandardScaler().fit(train[:, numbers])
    imputer = SimpleImputer(strategy="constant", fill_value=0.0, add_indicator=True).fit(train[:, numbers])
    scaled = imputer.transform(scaler.transform(X[:, numbers]))
    hot = [
        OneHotEncoder(categories=[np.arange(k)], handle_unknown="ignore", sparse_output=False)
        .fit(train[~np.isnan(train[:, j])][:, [j]])
        .transform(np.nan_to_num(X[:, [j]], nan=-1))
        for j, k in ((1, 3), (3, 2))
    ]
    none = (hot[0].sum(axis=1) == 0).astype(float)[:, None]
    return np.hstack([scaled, hot[0], none, hot[1]])


def test_it_is_what_scikit_learn_makes_of_the_same_rows() -> None:
    train, new = rows(), rows(30, seed=1)
    transform = ColumnPreprocessor.fit(train, COLUMNS, "float64")
    np.testing.assert_allclose(transform(new), beside(train, new), rtol=1e-9, atol=1e-9)
    assert transform.output_shape == (input_width(COLUMNS),) == (9,)
    assert not transform.unseen


@pytest.mark.parametrize("library", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_array_library_gives_the_same(library: str, dtype: Any) -> None:
    X = rows()
    X[:, 2] -= 1e6  # JAX has float32 only, unless told otherwise
    preprocessor = ColumnPreprocessor.fit(X, COLUMNS, dtype)
    expected = preprocessor(X)
    assert expected.dtype == dtype
    assert preprocessor.output_shape == (9,)
    if library == "torch":
        import torch

        found = preprocessor(torch.from_numpy(X))
        assert str(found.dtype) == f"torch.{dtype}"
    elif library == "jax":
        import jax

        with jax.enable_x64(dtype == "float64"):
            found = preprocessor(jax.numpy.asarray(X))
    else:
        found = preprocessor(X.astype(np.float32))
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-4, atol=1e-4)


def test_what_no_training_row_has_is_never_an_input() -> None:
    train = np.array([[1.0, 0.0, 5.0, 0.0], [3.0, 2.0, 6.0, 0.0]])
    transform = ColumnPreprocessor.fit(train, COLUMNS, "float64")
    new = np.array([[np.nan, 1.0, 5.5, 1.0], [2.0, np.nan, 5.5, 0.0]])
    # age, size | age missing | Bonn, Oslo, Rome, none | blue, red
    np.testing.assert_array_equal(transform(new), [[0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 1, 0]])


def test_a_category_without_training_rows_counts_as_missing() -> None:
    train = np.array([[0.0], [1.0], [np.nan]])
    transform = ColumnPreprocessor.fit(train, (Column("c", ("a", "b", "unseen"), missing=True),), "float64")
    np.testing.assert_array_equal(
        transform(np.array([[2.0], [np.nan], [1.0]])), [[0, 0, 0, 1], [0, 0, 0, 1], [0, 1, 0, 0]]
    )


def test_a_column_without_a_value_in_the_training_rows_is_nothing() -> None:
    transform = ColumnPreprocessor.fit(
        np.array([[np.nan, 1.0], [np.nan, 2.0]]), (Column("a", missing=True), Column("b"))
    )
    np.testing.assert_array_equal(transform(np.array([[0.0, 1.5]])), [[0.0, 0.0, 0.0]])


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_known_rows_give_one_hot_blocks_and_standard_columns(seed: int, n: int) -> None:
    X = rows(n, seed)
    inputs = ColumnPreprocessor.fit(X, COLUMNS, "float64")(X)
    assert np.isfinite(inputs).all()
    np.testing.assert_array_equal(inputs[:, 3:7].sum(axis=1), 1)
    np.testing.assert_array_equal(inputs[:, 7:9].sum(axis=1), 1)
    np.testing.assert_allclose(inputs[:, :2].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_array_equal(inputs[:, 2], np.isnan(X[:, 0]))


def test_a_file_gives_the_same_transform() -> None:
    preprocessor = ColumnPreprocessor.fit(rows(3), COLUMNS)
    assert preprocessor_from_json(preprocessor.to_json()) == preprocessor


def test_square_roots_are_standardized_in_place_of_the_numbers() -> None:
    import torch

    X = np.random.default_rng(0).exponential(0.3, (50, 3)).astype(np.float32)
    rooted = ColumnPreprocessor.fit(X, root=0.01)
    expected: Any = StandardScaler().fit_transform(np.sqrt(X + 0.01))
    np.testing.assert_allclose(rooted(X), expected, atol=1e-4)
    np.testing.assert_allclose(rooted(torch.from_numpy(X)), expected, atol=1e-4)
    np.testing.assert_array_equal(rooted(-X), rooted(0 * X))
    assert preprocessor_from_json(rooted.to_json()) == rooted
    for wrong in (0.0, -1.0, float("nan"), True, "1"):
        with pytest.raises(ModelFileError, match="square roots"):
            preprocessor_from_json(rooted.to_json() | {"root": wrong})
    values = ColumnPreprocessor.fit(rows(), COLUMNS).to_json()
    with pytest.raises(ModelFileError, match="square roots"):
        preprocessor_from_json(values | {"columns": values["columns"] | {"root": 0.01}})


def test_plain_numbers_are_stored_as_before() -> None:
    assert set(ColumnPreprocessor.fit(np.eye(2)).to_json()) == {
        *("kind", "dtype", "shape", "pad_to", "layout", "mean", "scale")
    }


@pytest.mark.parametrize(
    "change",
    [
        {"columns": None},
        {"columns": {}},
        {"columns": {"columns": [], "mean": [], "scale": [], "unseen": []}},
        {"columns": {"columns": [{"name": "a", "categories": None, "missing": False}], "mean": [], "scale": []}},
        {"shape": [3]},
        {"kind": "numbers"},
    ],
)
def test_a_stored_transform_that_is_not_whole_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ModelFileError, match="normalization"):
        preprocessor_from_json({**ColumnPreprocessor.fit(rows(), COLUMNS).to_json(), **change})


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"mean": [0.0]}, "means"),
        ({"scale": [1.0, 0.0]}, "scale"),
        ({"mean": [0.0, float("inf")]}, "finite"),
        ({"unseen": [9]}, "unseen"),
        ({"unseen": [True]}, "unseen"),
        ({"more": 1}, "entries"),
        ({"columns": [{"name": "a", "categories": [1], "missing": False}]}, "column"),
        ({"columns": [{"name": "a", "categories": None, "missing": 1}]}, "column"),
    ],
)
def test_stored_values_are_checked_one_by_one(wrong: dict[str, Any], error: str) -> None:
    values = ColumnPreprocessor.fit(rows(), COLUMNS).to_json()
    values["columns"] |= wrong
    with pytest.raises(ModelFileError, match=error):
        preprocessor_from_json(values)


def test_rows_that_do_not_fit_are_refused_by_name() -> None:
    check = ColumnPreprocessor.fit(rows(), COLUMNS).check
    good = np.array([[1.0, 0.0, 1.0, 0.0]])
    np.testing.assert_array_equal(check(good.astype(np.float32)), good)
    with pytest.raises(ShapeError, match=r"\(n, 4\).*'age', 'city', 'size', 'color'; got shape \(1, 3\)"):
        check(good[:, :3])
    with pytest.raises(ShapeError, match="dtype"):
        check(good.astype(str))
    with pytest.raises(DataError, match="'size' must have a value in every row; got none in row 0"):
        check(np.array([[1.0, 0.0, np.nan, 0.0]]))
    with pytest.raises(DataError, match="'age' must have finite numbers; got inf in row 0"):
        check(np.array([[np.inf, 0.0, 1.0, 0.0]]))
    with pytest.raises(DataError, match="'color' must hold numbers of its 2 categories"):
        check(np.array([[1.0, 0.0, 1.0, 2.0]]))


@pytest.mark.parametrize("off", [(0,), (1, 2), (0, 1, 3)])
def test_columns_that_are_off_have_no_input(off: tuple[int, ...]) -> None:
    whole, less = ColumnPreprocessor.fit(rows(), COLUMNS), ColumnPreprocessor.fit(rows(), COLUMNS, off=off)
    kept = ~np.isin(whole.column_of_input, off)
    np.testing.assert_array_equal(less(rows(seed=1)), np.asarray(whole(rows(seed=1)))[:, kept])
    np.testing.assert_array_equal(less.column_of_input, whole.column_of_input[kept])
    assert less.output_shape == (kept.sum(),)
    assert preprocessor_from_json(less.to_json()) == less
    numbers = ColumnPreprocessor.fit(rows()[:, 2:], off=(1,))
    assert preprocessor_from_json(numbers.to_json()) == numbers
    assert numbers(rows()[:, 2:]).shape == (60, 1)


@pytest.mark.parametrize("off", [[9], [-1], ["a"], [0, 1, 2, 3]])
def test_columns_off_that_no_model_has_are_refused(off: Any) -> None:
    values = ColumnPreprocessor.fit(rows(), COLUMNS).to_json()
    values["columns"]["off"] = off
    with pytest.raises(ModelFileError, match="whole and valid"):
        preprocessor_from_json(values)
