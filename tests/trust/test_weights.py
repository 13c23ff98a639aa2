"""Rows accepted by their weight are a sample of the weighted population."""

import numpy as np
import pytest

from likely.errors import DataError, ShapeError
from likely.trust.weights import accept_by_weight


def test_accepted_rows_come_in_proportion_to_their_weight() -> None:
    weights = np.repeat([0.0, 1.0, 3.0], 20_000)
    kept = accept_by_weight(weights, 4.0, np.random.default_rng(0)).reshape(3, -1).mean(axis=1)
    np.testing.assert_allclose(kept, [0, 0.25, 0.75], atol=0.01)


def test_equal_weights_keep_all() -> None:
    assert accept_by_weight(np.full(100, 0.3), 0.3, np.random.default_rng(0)).all()


@pytest.mark.parametrize(
    ("weights", "largest", "error"),
    [
        ([[1.0]], 1.0, ShapeError),
        ([2.0], 1.0, DataError),
        ([-1.0], 1.0, DataError),
        ([np.nan], 1.0, DataError),
        ([0.0], 0.0, DataError),
    ],
)
def test_weights_must_be_probabilities_of_the_largest(weights: list, largest: float, error: type[Exception]) -> None:
    with pytest.raises(error, match="weights must"):
        accept_by_weight(np.array(weights), largest, np.random.default_rng(0))
