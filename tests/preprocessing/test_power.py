"""Skewed columns: the powers of scikit-learn's and SciPy's, which columns are left alone, every library, a file."""

from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.preprocessing import PowerTransformer, StandardScaler

from likely.arrays import to_numpy
from likely.errors import ModelFileError
from likely.preprocessing.column_preprocessor import ColumnPreprocessor
from likely.preprocessing.columns import Column
from likely.preprocessing.image_preprocessor import ImagePreprocessor
from likely.preprocessing.power import PowerTransform
from likely.preprocessing.preprocessor import preprocessor_from_json

X, _ = load_breast_cancer(return_X_y=True)
Z = StandardScaler().fit_transform(X)


def bent(z: np.ndarray) -> PowerTransform:
    transform = PowerTransform.fit(list(z.T))
    assert transform is not None
    return transform


def test_a_column_is_bent_half_as_far_as_scikit_learn_bends_it() -> None:
    transform = bent(Z)
    found = np.array(transform.power)
    asked = np.clip(PowerTransformer().fit(Z).lambdas_, 0, 2)
    believed = found != 1
    assert believed.sum() > 20
    np.testing.assert_allclose(found[believed], (1 + asked[believed]) / 2, atol=2e-3)
    gain = [
        scipy.stats.yeojohnson_llf(p, z) - scipy.stats.yeojohnson_llf(1, z) for p, z in zip(asked, Z.T, strict=True)
    ]
    assert np.array_equal(believed, np.array(gain) > np.log(len(Z)) / 2)


def test_the_bent_values_are_scipys_standardized() -> None:
    transform = bent(Z)
    expected = np.column_stack([scipy.stats.yeojohnson(z, p) for z, p in zip(Z.T, transform.power, strict=True)])
    skewed = np.array(transform.power) != 1
    expected[:, skewed] = StandardScaler().fit_transform(expected[:, skewed])
    np.testing.assert_allclose(transform(Z), expected, rtol=1e-9, atol=1e-12)


def test_bent_columns_are_less_skewed() -> None:
    transform = bent(Z)
    skewed = np.array(transform.power) != 1
    before, after = (np.abs(scipy.stats.skew(z[:, skewed])) for z in (Z, transform(Z)))
    assert (after < before).all()


def test_columns_left_alone_keep_every_bit() -> None:
    rng = np.random.default_rng(0)
    z = np.column_stack([rng.normal(size=400), rng.exponential(size=400)])
    transform = bent(z)
    assert transform.power[0] == 1
    assert transform.power[1] < 1
    assert np.array_equal(transform(z)[:, 0], z[:, 0])


RNG = np.random.default_rng(1)


@pytest.mark.parametrize(
    "values",
    [
        RNG.normal(size=500),
        RNG.uniform(-1, 1, size=500),
        np.where(RNG.random(500) < 0.2, 0.0, RNG.exponential(size=500)),  # a fifth is one value
        RNG.integers(0, 2, size=500).astype(float),
        np.zeros(500),
        RNG.exponential(size=9),  # too few: each is more than a tenth
        np.array([]),
    ],
)
def test_nothing_is_bent_without_reason(values: np.ndarray) -> None:
    assert PowerTransform.fit([values]) is None


def test_pixels_are_not_bent() -> None:
    pixels = load_digits().data
    assert ColumnPreprocessor.fit(pixels, power_transform=True).power is None


def test_a_tail_to_the_left_is_drawn_in_as_one_to_the_right() -> None:
    values = RNG.exponential(size=600)
    right, left = bent(values[:, None]), bent(-values[:, None])
    assert right.power[0] + left.power[0] == pytest.approx(2, abs=1e-3)
    np.testing.assert_allclose(right(values[:, None]), -left(-values[:, None]), atol=1e-3)


@given(
    arrays(np.float64, (20,), elements=st.floats(-1e100, 1e100)),
    st.floats(0.5, 1.5),
)
def test_the_order_of_values_and_what_lies_far_out_are_kept(values: np.ndarray, power: float) -> None:
    z = np.sort(values)[:, None]
    out = PowerTransform((power,), (0.0,), (1.0,))(z)[:, 0]
    assert (np.diff(out) >= 0).all()
    far = np.abs(z[:, 0]) > 10
    assert (np.abs(out[far]) > 4).all()


@pytest.mark.parametrize("library", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_array_library_gives_the_same(library: str, dtype: str) -> None:
    transform, z = bent(Z), Z.astype(dtype)
    x: Any = z
    if library == "torch":
        x = pytest.importorskip("torch").from_numpy(z)
    elif library == "jax":
        jax = pytest.importorskip("jax")
        with jax.enable_x64(True):
            x = jax.numpy.asarray(z)
            found = transform(x)
        assert str(found.dtype) == dtype
        np.testing.assert_allclose(
            np.asarray(found), transform(Z), rtol=2e-5 if dtype == "float32" else 1e-9, atol=1e-6
        )
        return
    found = transform(x)
    assert str(found.dtype).removeprefix("torch.") == dtype
    np.testing.assert_allclose(to_numpy(found), transform(Z), rtol=2e-5 if dtype == "float32" else 1e-9, atol=1e-6)


# In a normalization and in the columns of a table


def test_numbers_are_standardized_then_bent() -> None:
    preprocessor = ColumnPreprocessor.fit(X, dtype="float64", power_transform=True)
    np.testing.assert_allclose(preprocessor(X), bent(Z)(Z), rtol=1e-9, atol=1e-9)
    assert ColumnPreprocessor.fit(X, dtype="float64").power is None


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_units_make_no_difference(factor: float) -> None:
    one, other = (
        ColumnPreprocessor.fit(rows, dtype="float64", power_transform=True) for rows in (X, factor * (X - 32))
    )
    np.testing.assert_allclose(one(X), other(factor * (X - 32)), rtol=1e-4, atol=1e-4)


def test_missing_values_stay_at_the_mean() -> None:
    rows = np.column_stack([X[:, 3], X[:, 13], np.arange(len(X)) % 3])
    rows[::5, 0] = np.nan
    columns = (Column("area", missing=True), Column("area error"), Column("kind", ("a", "b", "c")))
    transform = ColumnPreprocessor.fit(rows, columns, "float64", power_transform=True)
    out = transform(rows)
    assert transform.power is not None
    assert min(transform.power.power) < 0.8
    assert (out[::5, 0] == 0).all()
    present = rows[~np.isnan(rows[:, 0]), 0]
    alone = ColumnPreprocessor.fit(present[:, None], dtype="float64", power_transform=True)
    np.testing.assert_allclose(out[~np.isnan(rows[:, 0]), 0], alone(present[:, None])[:, 0], rtol=1e-9)
    assert preprocessor_from_json(transform.to_json()) == transform


def test_a_normalization_comes_back_from_plain_values() -> None:
    preprocessor = ColumnPreprocessor.fit(X, power_transform=True)
    assert preprocessor_from_json(preprocessor.to_json()) == preprocessor


@pytest.mark.parametrize(
    "change",
    [
        {"power": [0.4] * 30},
        {"power": [1.6] * 30},
        {"power": [0.7] * 29},
        {"scale": [0.0] * 30},
        {"mean": [float("nan")] * 30},
        {"mean": ["0"] * 30},
        {"more": 1},
    ],
)
@pytest.mark.parametrize("table", [False, True])
def test_other_values_are_refused(change: dict[str, Any], table: bool) -> None:
    columns = tuple(Column(str(j)) for j in range(30))
    made = (
        ColumnPreprocessor.fit(X, columns, power_transform=True)
        if table
        else ColumnPreprocessor.fit(X, power_transform=True)
    )
    values = made.to_json()
    (values["columns"] if table else values)["power"] |= change
    with pytest.raises(ModelFileError):
        preprocessor_from_json(values)


def test_a_number_of_powers_that_is_not_that_of_the_columns_is_refused() -> None:
    values = ColumnPreprocessor.fit(X, power_transform=True).to_json()
    values["power"] = {name: numbers[:-1] for name, numbers in values["power"].items()}
    with pytest.raises(ModelFileError):
        preprocessor_from_json(values)
    digits = ImagePreprocessor.fit(np.zeros((2, 8, 8), np.uint8)).to_json()
    with pytest.raises(ModelFileError):
        preprocessor_from_json(digits | {"power": ColumnPreprocessor.fit(X, power_transform=True).to_json()["power"]})
