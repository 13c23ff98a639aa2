"""From what people hand in to what a data set holds."""

import numpy as np
import pytest
import torch

from likely.errors import DataError, ProbabilityError, ShapeError
from likely.estimators.estimator import checked_weights
from likely.estimators.rows import label_type, named_distributions


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
    with pytest.raises(DataError, match="distinct labels"):
        named_distributions(np.eye(2), ["a", "a"], 2)


def test_one_weight_must_count() -> None:
    checked_weights([0, 0, 1e-9], np.zeros((3, 1)))
    for nothing in (np.zeros(3), torch.zeros(3), [0, 0]):
        with pytest.raises(DataError, match="all zero"):
            checked_weights(nothing, np.zeros((len(nothing), 1)))
