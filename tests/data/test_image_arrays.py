"""From images as people hold them to the rows of a data set; see also tests/estimators/test_shapes.py."""

from typing import Any

import numpy as np
import pytest
import torch

from likely.data.images.image_arrays import are_images, rows_as_images, stack_images
from likely.errors import ShapeError

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 3, 4), dtype=np.uint8)


def test_images_are_told_from_rows() -> None:
    assert are_images(IMAGES)
    assert are_images(torch.zeros(5, 3, 4, 3))
    assert are_images(list(IMAGES))
    for rows in (IMAGES[0], [[1.0, 2.0], [3.0, 4.0]], [np.zeros(3)], [], "text", None):
        assert not are_images(rows)


@pytest.mark.parametrize("given", [IMAGES, list(IMAGES), tuple(IMAGES), torch.from_numpy(IMAGES)])
def test_images_of_every_kind_are_stacked(given: Any) -> None:
    stacked = stack_images(given)
    assert stacked.dtype == np.uint8
    np.testing.assert_array_equal(stacked, IMAGES)
    assert stack_images([torch.from_numpy(image) for image in IMAGES]).shape == (5, 3, 4)


def test_a_range_is_never_guessed() -> None:
    with pytest.raises(ShapeError, match=r"uint8, 0 to 255, or floating.*got int64 of shape \(5, 3, 4\)"):
        stack_images(IMAGES.astype(np.int64))
    with pytest.raises(ShapeError, match=r"\(3, 4\) in row 0 and \(2, 4\) in row 2"):
        stack_images([IMAGES[0], IMAGES[1], IMAGES[2][:2]])


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float64, np.float32])
def test_rows_become_images(dtype: Any) -> None:
    images = rows_as_images(IMAGES.reshape(5, 12).astype(dtype), (3, 4))
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(rows_as_images(IMAGES, (3, 4)), IMAGES)
    assert rows_as_images(IMAGES.reshape(5, 12), (2, 2, 3)).shape == (5, 2, 2, 3)


@pytest.mark.parametrize("value", [-1.0, 255.5, 256.0, 0.3])
def test_rows_of_other_numbers_are_no_images(value: float) -> None:
    with pytest.raises(ShapeError, match="whole numbers from 0 to 255"):
        rows_as_images(np.full((2, 4), value), (2, 2))


def test_rows_of_another_length_are_no_images() -> None:
    with pytest.raises(ShapeError, match=r"rows of 9 numbers; got shape \(5, 12\)"):
        rows_as_images(IMAGES.reshape(5, 12), (3, 3))
