"""A regressor of too few rows or groups to hold any out says so, as the classifier does."""

import numpy as np
import pytest

from likely import Regressor
from likely.errors import DataError, GuaranteeWarning


@pytest.mark.parametrize("size", [75, 100])
def test_few_groups_are_named(size: int) -> None:
    rng = np.random.default_rng(0)
    X, groups = rng.normal(size=(8 * size, 2)), np.repeat(np.arange(8), size)
    with pytest.warns(
        GuaranteeWarning, match=r"8 groups of related rows are too few to hold any out \(at least 20 are needed\)"
    ):
        reg = Regressor(network="linear", epochs=2, random_state=0).fit(X, X[:, 0], groups=groups)
    for answer in (reg.predict_interval, reg.familiarity):
        with pytest.raises(DataError, match=rf"trained on {8 * size} rows in 8 groups of related ones.*20 groups"):
            answer(X)


@pytest.mark.parametrize("n", [5, 12, 19])
def test_few_rows_are_named(n: int) -> None:
    X = np.random.default_rng(n).normal(size=(n, 2))
    with pytest.warns(GuaranteeWarning, match=f"{n} rows are too few to hold any out.*no intervals"):
        reg = Regressor(network="linear", epochs=2, random_state=0).fit(X, X[:, 0])
    with pytest.raises(DataError, match=rf"trained on {n} rows\)\. Try at least 20 rows"):
        reg.predict_interval(X)
