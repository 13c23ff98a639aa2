"""X in every usual shape: the same images give the same numbers, however they are handed over."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

import likely
from likely.errors import DataError, ShapeError

DIGITS = load_digits()
GRAY = np.rint(DIGITS.images * 255 / 16).astype(np.uint8)[:60]
COLOR = np.stack([GRAY, 255 - GRAY, GRAY // 2], axis=-1)
Y = DIGITS.target[:60] % 2


def learn(X: Any, **settings: Any) -> likely.Classifier:
    return likely.Classifier(epochs=1, batch_size=30, random_state=0, **settings).fit(X, Y)


@pytest.fixture(scope="module")
def gray() -> likely.Classifier:
    return learn(GRAY)


@pytest.fixture(scope="module")
def color() -> likely.Classifier:
    return learn(COLOR)


def save(folder: Path, images: np.ndarray) -> list[str]:
    paths = [str(folder / f"{i}.png") for i in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path)
    return paths


SHAPES: dict[str, Any] = {
    "channels last": lambda X: X[..., None] if X.ndim == 3 else X,
    "channels first": lambda X: X[:, None] if X.ndim == 3 else np.moveaxis(X, 3, 1),
    "a list of arrays": list,
    "a tensor": torch.from_numpy,
    "a list of tensors": lambda X: [torch.from_numpy(x) for x in X],
    "Pillow's images": lambda X: [Image.fromarray(x) for x in X],
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["gray", "color"])
def test_every_shape_gives_the_same_numbers(kind: str, shape: str, request: pytest.FixtureRequest) -> None:
    clf, X = request.getfixturevalue(kind), GRAY if kind == "gray" else COLOR
    expected = clf.predict_proba(X)
    np.testing.assert_array_equal(clf.predict_proba(SHAPES[shape](X)), expected)
    np.testing.assert_array_equal(clf.predictor_.predict_proba(SHAPES[shape](X)), expected)
    np.testing.assert_array_equal(learn(SHAPES[shape](X)).predict_proba(X), expected)


@pytest.mark.parametrize("kind", ["gray", "color"])
def test_files_give_the_same_numbers(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    clf, X = request.getfixturevalue(kind), GRAY if kind == "gray" else COLOR
    paths = save(tmp_path, X)
    expected = clf.predict_proba(X)
    np.testing.assert_array_equal(clf.predict_proba(paths), expected)
    np.testing.assert_array_equal(clf.predict_proba([Path(path) for path in paths]), expected)
    np.testing.assert_array_equal(learn(paths).predict_proba(X), expected)


def test_rows_with_an_image_shape(gray: likely.Classifier) -> None:
    rows = GRAY.reshape(60, 64)
    clf = learn(rows, image_shape=(8, 8))
    np.testing.assert_array_equal(clf.predict_proba(rows), gray.predict_proba(GRAY))
    np.testing.assert_array_equal(gray.predictor_.predict_proba(rows), gray.predict_proba(GRAY))


def test_float_images_are_standardized_and_keep_their_unit() -> None:
    X = GRAY.astype(np.float64) / 255
    clf = learn(X)
    pixels = clf.predictor_.preprocessor.pixels
    assert pixels is not None
    np.testing.assert_allclose([pixels.mean[0], pixels.scale[0]], [X.mean(), X.std()], rtol=1e-5)
    np.testing.assert_allclose(clf.predict_proba(X[:, None]), clf.predict_proba(X.astype(np.float32)))
    # The same images in another unit are standardized to the same, so they train the same.
    np.testing.assert_allclose(
        learn(GRAY.astype(np.float32)).predict_proba(GRAY * 1.0), clf.predict_proba(X), atol=0.05
    )
    with pytest.raises(DataError, match=r"values from 0 to 1, more or less.*got 0 to 255"):
        clf.predict_proba(GRAY * 1.0)
    with pytest.raises(DataError, match=r"values from 0 to 255.*got 0 to 1\."):
        learn(GRAY * 1.0).predict_proba(X)
    with pytest.raises(ShapeError, match=r"floating-point numbers from 0 to 1.*got uint8"):
        clf.predict_proba(GRAY)
    X[3, 0, 0] = np.nan
    with pytest.raises(DataError, match=r"finite; got nan in row 3"):
        clf.predict_proba(X)


def test_each_channel_of_float_images_is_standardized(tmp_path: Path) -> None:
    X = COLOR.astype(np.float32) * np.array([1, 10, 100], np.float32)
    clf = learn(X)
    path = clf.predictor_.save(tmp_path / "model.likely")
    loaded = likely.load(path)
    np.testing.assert_array_equal(loaded.predict_proba(np.moveaxis(X, 3, 1)), clf.predict_proba(X))
    prepared = clf.predictor_.preprocessor(X)
    np.testing.assert_allclose(prepared.mean((0, 2, 3)), 0, atol=1e-4)
    np.testing.assert_allclose(prepared.std((0, 2, 3)), 1, atol=1e-4)


def test_a_model_of_uint8_refuses_floats(gray: likely.Classifier) -> None:
    with pytest.raises(ShapeError, match=r"uint8 of shape \(n, 8, 8\), 0 to 255; got float32.*255 \* X"):
        gray.predict(GRAY / 255)


@pytest.mark.parametrize("shape", [(6, 3, 3, 3), (6, 3, 32, 3), (6, 1, 8, 3), (6, 1, 8, 1)])
def test_an_ambiguous_shape_names_the_argument_that_settles_it(shape: tuple[int, ...]) -> None:
    X = np.zeros(shape, np.uint8)
    with pytest.raises(ShapeError, match=r"never guessed. Try channels=\"first\" or channels=\"last\""):
        likely.Classifier().fit(X, [0, 1] * 3)


def test_channels_settle_an_ambiguous_shape() -> None:
    X = np.random.default_rng(0).integers(0, 256, (60, 3, 32, 3), dtype=np.uint8)
    assert learn(X, channels="last", network="mlp").predictor_.image_shape == (3, 32, 3)
    assert learn(X, channels="first", network="mlp").predictor_.image_shape == (32, 3, 3)


@pytest.mark.parametrize(
    ("X", "says"),
    [
        (np.zeros((6, 8, 8, 5), np.uint8), "1 or 3 channels; got shape"),
        (np.zeros((6, 2, 2, 8, 8), np.uint8), "must have shape"),
        (np.zeros((6, 8, 8), np.int64), "uint8, 0 to 255, or floating-point numbers; got int64"),
        ([np.zeros((8, 8), np.uint8), np.zeros((8, 9), np.uint8)] * 3, "one shape; got"),
        (["no such file.png"] * 6, "6 of 6 images can't be read"),
    ],
)
def test_what_can_not_be_images_is_refused(X: Any, says: str) -> None:
    with pytest.raises((ShapeError, DataError), match=f"(?s){says}"):
        likely.Classifier().fit(X, [0, 1] * 3)


def test_sizes_are_made_one_with_a_word_or_as_asked(tmp_path: Path) -> None:
    images = [Image.fromarray(x).resize((8 + i % 3, 9)) for i, x in enumerate(GRAY)]
    with pytest.warns(likely.errors.ImageWarning, match="3 sizes, .* all are resized to 9 x 9, the median") as said:
        assert learn(images).predictor_.image_shape == (9, 9)
    assert said[0].filename == __file__
    clf = learn(images, image_size=12)
    assert clf.predictor_.image_shape == (12, 12)
    assert clf.predict_proba(images).shape == (60, 2)


def test_another_size_than_learned_from(gray: likely.Classifier) -> None:
    with pytest.raises(ShapeError, match=r"\(n, 8, 8\) like those learned from; got shape \(2, 9, 8\)"):
        gray.predict(np.zeros((2, 9, 8), np.uint8))


def test_regression_takes_the_same_shapes() -> None:
    y = GRAY.mean(axis=(1, 2))
    model = likely.Regressor(epochs=1, random_state=0).fit(COLOR, y)
    np.testing.assert_array_equal(model.predict(np.moveaxis(COLOR, 3, 1)), model.predict(COLOR))
