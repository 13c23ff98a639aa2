"""Categories as numbers by the answers of their rows: whose answers count, how far, and what a file keeps."""

from typing import Any

import numpy as np
import pytest

from likely.data.splits import folds
from likely.errors import ModelFileError
from likely.preprocessing.column_preprocessor import ColumnPreprocessor
from likely.preprocessing.columns import Column
from likely.preprocessing.preprocessor import preprocessor_from_json
from likely.preprocessing.target_encoding import TargetEncoding

COLUMNS = (Column("size", missing=True), Column("town", tuple(f"t{i:02d}" for i in range(40)), missing=True))
TOWN = [1]


def rows(n: int, effect: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, distributions of two labels, and the probability of the second label in each town."""
    rng = np.random.default_rng(0)
    town, truth = rng.integers(40, size=n), 1 / (1 + np.exp(-effect * rng.normal(size=40)))
    X = np.column_stack([np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)), town])
    return X, np.eye(2)[(rng.random(n) < truth[town]).astype(int)], truth


def test_no_row_is_told_its_own_answer() -> None:
    X, Y, _ = rows(400, 1.0)
    parts = folds(np.zeros(400, np.int64), 5, np.random.default_rng(0))

    def own(Y: np.ndarray) -> np.ndarray:
        return TargetEncoding.out_of_fold(X, COLUMNS, TOWN, Y, folds=parts, classifies=True)

    changed = Y.copy()
    changed[parts[2]] = 1 - Y[parts[2]]
    before, after = own(Y), own(changed)
    np.testing.assert_array_equal(after[parts[2]], before[parts[2]])
    assert not np.allclose(after[parts[0]], before[parts[0]])
    alone = np.setdiff1d(np.arange(400), parts[2])
    made = TargetEncoding.fit(X[alone], COLUMNS, TOWN, Y[alone], classifies=True)
    np.testing.assert_array_equal(made(X[parts[2]]), before[parts[2]])


def test_categories_count_as_far_as_they_matter() -> None:
    X, Y, truth = rows(2_000, 1.5)
    made = TargetEncoding.fit(X, COLUMNS, TOWN, Y, classifies=True)
    share = Y[:, 1].mean()
    logits = np.log(truth / (1 - truth)) - np.log(share / (1 - share))
    assert np.corrcoef(made.arrays[0][:40, 0], logits)[0, 1] > 0.95
    assert made.arrays[0][40, 0] == 0  # no row missed a town
    # Every row twice by its weight is every row twice.
    twice = TargetEncoding.fit(X, COLUMNS, TOWN, Y, np.full(2_000, 2.0), classifies=True)
    assert twice == made
    useless = [
        np.abs(TargetEncoding.fit(X, COLUMNS, TOWN, np.random.default_rng(s).permutation(Y), classifies=True).arrays[0])
        for s in range(20)
    ]
    assert np.mean([table.max() < 0.3 for table in useless]) > 0.8
    numbers = TargetEncoding.fit(X, COLUMNS, TOWN, np.column_stack([X[:, 1] / 10]), classifies=False)
    np.testing.assert_allclose(numbers.arrays[0][:40, 0], np.arange(40) / 10 - X[:, 1].mean() / 10, atol=0.01)


def test_rows_that_teach_bring_their_numbers_and_others_are_looked_up() -> None:
    X, Y, _ = rows(400, 1.5)
    encoding = TargetEncoding.fit(X, COLUMNS, TOWN, Y, classifies=True)
    own = np.hstack([X, np.random.default_rng(1).normal(size=(400, 1))])
    made = ColumnPreprocessor.fit(own, COLUMNS, "float64", bins=4, encoding=encoding)
    assert made.column_of_input[:3].tolist() == [0, 1, 0]
    np.testing.assert_allclose(made(own)[:, 1], (own[:, 2] - own[:, 2].mean()) / own[:, 2].std())
    looked_up = np.hstack([X, encoding(X)])
    np.testing.assert_array_equal(made(X), made(looked_up))
    torch = pytest.importorskip("torch")
    np.testing.assert_allclose(made(torch.tensor(X)).numpy(), made(X))
    assert preprocessor_from_json(made.to_json()) == made


@pytest.mark.parametrize(
    "wrong",
    [
        {"columns": [0]},
        {"columns": [2]},
        {"columns": []},
        {"tables": [[[0.0]] * 40]},
        {"tables": [[[float("nan")]] * 41]},
    ],
)
def test_a_damaged_encoding_is_refused(wrong: dict[str, Any]) -> None:
    X, Y, _ = rows(400, 1.5)
    encoding = TargetEncoding.fit(X, COLUMNS, TOWN, Y, classifies=True)
    made = ColumnPreprocessor.fit(np.hstack([X, encoding(X)]), COLUMNS, encoding=encoding).to_json()
    made["columns"]["encoding"] |= wrong
    with pytest.raises(ModelFileError):
        preprocessor_from_json(made)
