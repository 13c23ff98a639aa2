"""From pictures as people hold them to the rows of a data set; see also tests/estimators/test_shapes.py."""

from typing import Any

import numpy as np
import pytest
import torch

from likely.data.images.image_arrays import are_pictures, rows_as_pictures, stack_pictures
from likely.errors import ShapeError

PICTURES = np.random.default_rng(0).integers(0, 256, (5, 3, 4), dtype=np.uint8)


def test_pictures_are_told_from_rows() -> None:
    assert are_pictures(PICTURES)
    assert are_pictures(torch.zeros(5, 3, 4, 3))
    assert are_pictures(list(PICTURES))
    for rows in (PICTURES[0], [[1.0, 2.0], [3.0, 4.0]], [np.zeros(3)], [], "text", None):
        assert not are_pictures(rows)


@pytest.mark.parametrize("given", [PICTURES, list(PICTURES), tuple(PICTURES), torch.from_numpy(PICTURES)])
def test_pictures_of_every_kind_are_stacked(given: Any) -> None:
    stacked = stack_pictures(given)
    assert stacked.dtype == np.uint8
    np.testing.assert_array_equal(stacked, PICTURES)
    assert stack_pictures([torch.from_numpy(picture) for picture in PICTURES]).shape == (5, 3, 4)


def test_a_range_is_never_guessed() -> None:
    with pytest.raises(ShapeError, match=r"uint8, 0 to 255, or floating.*got int64 of shape \(5, 3, 4\)"):
        stack_pictures(PICTURES.astype(np.int64))
    with pytest.raises(ShapeError, match=r"\(3, 4\) in row 0 and \(2, 4\) in row 2"):
        stack_pictures([PICTURES[0], PICTURES[1], PICTURES[2][:2]])


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float64, np.float32])
def test_rows_become_pictures(dtype: Any) -> None:
    pictures = rows_as_pictures(PICTURES.reshape(5, 12).astype(dtype), (3, 4))
    assert pictures.dtype == np.uint8
    np.testing.assert_array_equal(pictures, PICTURES)
    np.testing.assert_array_equal(rows_as_pictures(PICTURES, (3, 4)), PICTURES)
    assert rows_as_pictures(PICTURES.reshape(5, 12), (2, 2, 3)).shape == (5, 2, 2, 3)


@pytest.mark.parametrize("value", [-1.0, 255.5, 256.0, 0.3])
def test_rows_of_other_numbers_are_no_pictures(value: float) -> None:
    with pytest.raises(ShapeError, match="whole numbers from 0 to 255"):
        rows_as_pictures(np.full((2, 4), value), (2, 2))


def test_rows_of_another_length_are_no_pictures() -> None:
    with pytest.raises(ShapeError, match=r"rows of 9 numbers; got shape \(5, 12\)"):
        rows_as_pictures(PICTURES.reshape(5, 12), (3, 3))
