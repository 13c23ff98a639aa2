import dataclasses
import json
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.preprocessing import StandardScaler

from likely.errors import DataError, ModelFileError, ShapeError
from likely.preprocessing.column_preprocessor import ColumnPreprocessor
from likely.preprocessing.image_preprocessor import ImagePreprocessor
from likely.preprocessing.preprocessor import Preprocessor, preprocessor_from_json

RNG = np.random.default_rng(0)
GRAY = RNG.integers(0, 256, (5, 28, 20), dtype=np.uint8)
COLOR = RNG.integers(0, 256, (5, 12, 10, 3), dtype=np.uint8)
TABLE = RNG.normal(size=(50, 4)) * [1.0, 1e-3, 1e4, 1.0] + [0.0, 5.0, 1e9, 7.0]

ALL = [
    ImagePreprocessor((28, 20), dtype="float64"),
    ImagePreprocessor((28, 20), layout="channels_first"),
    ImagePreprocessor((28, 20), pad_to=33, layout="channels_first"),
    ImagePreprocessor((28, 20), pad_to=32),
    ImagePreprocessor((12, 10, 3), pad_to=12, layout="channels_first", dtype="float64"),
    ImagePreprocessor((12, 10, 3)),
    ColumnPreprocessor.fit(TABLE, dtype="float64"),
    ColumnPreprocessor.fit(TABLE),
]


def rows_for(preprocessor: Preprocessor) -> np.ndarray:
    return TABLE if preprocessor.image_shape is None else GRAY if len(preprocessor.shape) == 2 else COLOR


def test_images_by_torch() -> None:
    torch_way = torch.nn.functional.pad(torch.from_numpy(GRAY)[:, None].double() / 255, (6, 6, 2, 2))
    ours = ImagePreprocessor((28, 20), 32, "channels_first", "float64")(GRAY)
    np.testing.assert_array_equal(ours, torch_way.numpy())
    rows = ImagePreprocessor((28, 20), 32, "rows", "float64")(GRAY)
    np.testing.assert_array_equal(rows, torch_way.reshape(5, -1).numpy())
    color = ImagePreprocessor((12, 10, 3), None, "channels_first")(COLOR)
    np.testing.assert_array_equal(color, (torch.from_numpy(COLOR).permute(0, 3, 1, 2).float() / 255).numpy())


def test_numbers_by_scikit_learn() -> None:
    expected = StandardScaler().fit(TABLE).transform(TABLE)
    np.testing.assert_allclose(ColumnPreprocessor.fit(TABLE, dtype="float64")(TABLE), expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(ColumnPreprocessor.fit(TABLE, dtype="float32")(TABLE), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("preprocessor", ALL, ids=str)
def test_every_library_gives_the_same_numbers(preprocessor: Preprocessor) -> None:
    rows = rows_for(preprocessor)
    expected = preprocessor(rows)
    assert expected.dtype == np.dtype(preprocessor.dtype)
    assert expected.shape == (len(rows), *preprocessor.output_shape)
    by_torch = preprocessor(torch.from_numpy(rows))
    assert by_torch.dtype == getattr(torch, preprocessor.dtype)
    np.testing.assert_array_equal(by_torch.numpy(), expected)
    with jax.enable_x64(True):
        by_jax = preprocessor(jnp.asarray(rows))
        assert by_jax.dtype == preprocessor.dtype
        np.testing.assert_allclose(by_jax, expected, rtol=1e-6)
        np.testing.assert_allclose(jax.jit(preprocessor)(jnp.asarray(rows)), expected, rtol=1e-6)


def test_jax_without_float64() -> None:
    for preprocessor in (ALL[1], ALL[7]):
        assert preprocessor(jnp.asarray(rows_for(preprocessor).astype(np.uint8))).dtype == jnp.float32


@pytest.mark.parametrize("preprocessor", ALL, ids=str)
def test_it_survives_json(preprocessor: Preprocessor) -> None:
    back = preprocessor_from_json(json.loads(json.dumps(preprocessor.to_json())))
    assert back == preprocessor
    np.testing.assert_array_equal(back(rows_for(back)), preprocessor(rows_for(back)))


@given(
    hnp.arrays(
        np.float64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=8), elements=st.floats(-1e300, 1e300, width=64)
    )
)
def test_whatever_is_finite_stays_finite(X: np.ndarray) -> None:
    preprocessor = ColumnPreprocessor.fit(X, dtype="float64")
    assert np.isfinite(preprocessor.mean).all()
    assert min(preprocessor.scale) > 0
    assert np.isfinite(preprocessor(X)).all()
    assert preprocessor_from_json(preprocessor.to_json()) == preprocessor


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9 + 0.1, -3e-200, 1e300])
def test_a_constant_column_becomes_zero(value: float) -> None:
    preprocessor = ColumnPreprocessor.fit(np.full((7, 1), value), dtype="float64")
    assert preprocessor.scale == (1.0,)
    np.testing.assert_allclose(preprocessor(np.full((2, 1), value)), 0, atol=abs(value) * 1e-15)


def test_what_varies_around_a_large_mean_is_kept_in_float32() -> None:
    X = np.array([[1.6e9], [1.6e9 + 1], [1.6e9 + 2]])
    np.testing.assert_allclose(ColumnPreprocessor.fit(X)(X).ravel(), [-1.2247449, 0, 1.2247449], rtol=1e-6, atol=1e-7)


def test_check_passes_what_is_like_the_training_data() -> None:
    assert ALL[0].check(GRAY) is GRAY
    np.testing.assert_array_equal(ALL[0].check(torch.from_numpy(GRAY)), GRAY)
    checked = ALL[6].check(np.arange(8).reshape(2, 4))
    assert checked.dtype == np.float64
    assert ALL[6].check([[1, 2, 3, 4]]).shape == (1, 4)


@pytest.mark.parametrize(
    ("preprocessor", "rows", "error", "message"),
    [
        (ALL[0], GRAY / 255, ShapeError, r"got float64 of shape \(5, 28, 20\).*255 \* X"),
        (ALL[0], GRAY.astype(np.int64), ShapeError, r"got int64.*X\.astype\('uint8'\)"),
        (ALL[0], GRAY[:, :27], ShapeError, r"\(n, 28, 20\) like those learned from; got shape \(5, 27, 20\)"),
        (ALL[0], GRAY[0], ShapeError, r"got shape \(28, 20\)"),
        (ALL[0], COLOR, ShapeError, r"got shape \(5, 12, 10, 3\)"),
        (ALL[6], TABLE[:, :3], ShapeError, r"\(n, 4\) like the rows learned from; got shape \(50, 3\)"),
        (ALL[6], TABLE[0], ShapeError, r"got shape \(4,\)"),
        (ALL[6], TABLE.astype(str), ShapeError, "must be real numbers"),
        (ALL[6], TABLE.astype(complex), ShapeError, "must be real numbers"),
        (ALL[6], np.array([[0, 0, 0, 0], [0, np.nan, 0, 0]]), DataError, "got nan at row 1, column 1"),
        (ALL[6], np.array([[0, 0, -np.inf, 0]]), DataError, "got -inf at row 0, column 2"),
    ],
)
def test_check_refuses_what_is_not(
    preprocessor: Preprocessor, rows: np.ndarray, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        preprocessor.check(rows)


def test_what_can_not_be_made() -> None:
    with pytest.raises(ShapeError, match="at least the images' size, 28; got 20"):
        ImagePreprocessor((28, 20), pad_to=20)
    for shape in [(28,), (28, 28, 1), (0, 3)]:
        with pytest.raises(ShapeError, match="shape of an image"):
            ImagePreprocessor(shape)
    with pytest.raises(DataError, match="must have at least one row"):
        ColumnPreprocessor.fit(np.empty((0, 3)))
    with pytest.raises(DataError, match="got nan at row 0, column 0"):
        ColumnPreprocessor.fit(np.array([[np.nan]]))


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "sounds"},
        {"dtype": "float16"},
        {"layout": "channels_last"},
        {"shape": [4, 4]},
        {"shape": [-4]},
        {"shape": ["4"]},
        {"shape": None},
        {"mean": [0.0]},
        {"mean": ["0"] * 4},
        {"scale": [0.0] * 4},
        {"scale": [float("nan")] * 4},
        {"scale": [-1.0] * 4},
        {"code": "print()"},
        {"pad_to": True},
    ],
    ids=str,
)
def test_a_model_file_with_other_values_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ModelFileError, match="normalization in a model file"):
        preprocessor_from_json({**ALL[6].to_json(), **change})


def test_a_model_file_that_lacks_a_value_is_refused() -> None:
    for key in ("kind", "shape", "mean"):
        with pytest.raises(ModelFileError, match="normalization in a model file"):
            preprocessor_from_json({k: v for k, v in ALL[0].to_json().items() if k != key})


def test_it_can_not_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        ALL[0].pad_to = 3  # type: ignore[misc]  # the attempt is the test
