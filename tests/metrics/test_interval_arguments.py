"""What intervals refuse, and what they say of ends that are infinite."""

import math

import numpy as np
import pytest

from likely.errors import ConfigError, DataError, ShapeError
from likely.metrics.interval_of_mean import mean_interval
from likely.metrics.intervals import proportion


@pytest.mark.parametrize(("hits", "n"), [(5, 3), (-1, 3), (1, 0), (0, -2), (math.nan, 3)])
def test_a_share_is_part_of_a_whole(hits: int, n: int) -> None:
    with pytest.raises(DataError, match="hits must be between 0 and n"):
        proportion(hits, n)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0, math.nan])
def test_the_level_of_a_share_is_a_probability(level: float) -> None:
    with pytest.raises(ConfigError, match="level must be strictly between 0 and 1"):
        proportion(1, 3, level)


def test_no_rows_have_no_share() -> None:
    assert math.isnan(proportion(0, 0).value)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_a_mean_of_values_that_are_not_finite_has_no_interval(bad: float) -> None:
    with pytest.raises(DataError, match=r"values must be finite; got .* in row 1"):
        mean_interval(np.array([1.0, bad]), 0, None)


def test_no_values_have_no_mean() -> None:
    with pytest.raises(ShapeError, match="n >= 1"):
        mean_interval(np.array([]), None, None)


def test_a_row_that_may_lie_anywhere_leaves_that_end_open() -> None:
    values = np.arange(20.0)
    low, high = mean_interval(values, -np.inf, 30.0)
    assert (low, high) == (-np.inf, mean_interval(values, None, 30.0)[1])
    assert mean_interval(values, 0.0, np.inf)[1] == np.inf
    with pytest.raises(DataError, match="got NaN"):
        mean_interval(values, np.nan, None)
