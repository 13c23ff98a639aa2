"""From what people hand in to what a data set holds."""

from typing import Any

import numpy as np
import pytest
import torch

from likely.errors import DataError, ProbabilityError, ShapeError
from likely.estimators.rows import (
    are_pictures,
    check_some_weight,
    label_type,
    named_distributions,
    rows_as_pictures,
    stacked_pictures,
)

PICTURES = np.random.default_rng(0).integers(0, 256, (5, 3, 4), dtype=np.uint8)


def test_pictures_are_told_from_rows() -> None:
    assert are_pictures(PICTURES)
    assert are_pictures(torch.zeros(5, 3, 4, 3))
    assert are_pictures(list(PICTURES))
    for rows in (PICTURES[0], [[1.0, 2.0], [3.0, 4.0]], [np.zeros(3)], [], "text", None):
        assert not are_pictures(rows)


@pytest.mark.parametrize("given", [PICTURES, list(PICTURES), tuple(PICTURES), torch.from_numpy(PICTURES)])
def test_pictures_of_every_kind_are_stacked(given: Any) -> None:
    stacked = stacked_pictures(given)
    assert stacked.dtype == np.uint8
    np.testing.assert_array_equal(stacked, PICTURES)
    assert stacked_pictures([torch.from_numpy(picture) for picture in PICTURES]).shape == (5, 3, 4)


def test_a_range_is_never_guessed() -> None:
    with pytest.raises(ShapeError, match=r"uint8, 0 to 255; got float64 of shape \(5, 3, 4\)"):
        stacked_pictures(PICTURES / 255)
    with pytest.raises(ShapeError, match=r"\(3, 4\) in row 0 and \(2, 4\) in row 2"):
        stacked_pictures([PICTURES[0], PICTURES[1], PICTURES[2][:2]])


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


def test_the_type_of_labels() -> None:
    kinds = {"int": [1, 2], "float": [0.5, 1.5], "bool": [True, False], "str": ["a", "b"]}
    assert {kind: label_type(np.array(labels)) for kind, labels in kinds.items()} == {kind: kind for kind in kinds}
    assert label_type(np.array([1, 2], np.uint8)) == "int"
    assert label_type(np.array(["a", "b"], object)) == "str"


def test_distributions_get_their_names() -> None:
    targets, names = named_distributions([[0.25, 0.75], [1, 0]], ["no", "yes"], 2)
    np.testing.assert_array_equal(targets, [[0.25, 0.75], [1.0, 0.0]])
    assert names.tolist() == ["no", "yes"]


@pytest.mark.parametrize("row", [[0.5, 0.6], [-0.5, 1.5], [np.nan, 0.5], [0.0, 0.0], [np.inf, -np.inf]])
def test_rows_that_are_no_distribution_are_named(row: list[float]) -> None:
    with pytest.raises(ProbabilityError, match="row 1"):
        named_distributions(np.array([[0.5, 0.5], row]), [0, 1], 2)


def test_distributions_of_another_shape() -> None:
    with pytest.raises(ShapeError, match=r"\(3, 2\); got \(2, 2\)"):
        named_distributions(np.eye(2), ["a", "b"], 3)
    with pytest.raises(ShapeError, match="one name per column"):
        named_distributions(np.eye(2), ["a", "b", "c"], 2)
    with pytest.raises(DataError, match="different labels"):
        named_distributions(np.eye(2), ["a", "a"], 2)


def test_one_weight_must_count() -> None:
    check_some_weight([0, 0, 1e-9])
    for nothing in (np.zeros(3), torch.zeros(3), [0, 0]):
        with pytest.raises(DataError, match="all zero"):
            check_some_weight(nothing)
