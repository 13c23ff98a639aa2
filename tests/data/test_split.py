from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.model_selection import StratifiedKFold

from likely.data.splits import folds, random_split
from likely.errors import DataError

LABELS = hnp.arrays(np.int64, st.integers(0, 200), elements=st.integers(0, 6))


@given(n=st.integers(0, 200), data=st.data())
def test_parts_are_disjoint_and_cover_everything(n: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, n))
    second = data.draw(st.integers(0, n - first))
    parts = random_split(n, [first, second], np.random.default_rng(0))
    assert [len(part) for part in parts] == [first, second, n - first - second]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(n))
    assert all((np.diff(part) > 0).all() for part in parts)


def test_every_set_of_rows_is_drawn_as_often() -> None:
    rng = np.random.default_rng(7)
    draws = [tuple(part.tolist()) for _ in range(6_000) for part in random_split(5, [2], rng)[:1]]
    counts = np.array([draws.count(pair) for pair in combinations(range(5), 2)])
    # Ten pairs; the chi-square of 9 degrees of freedom is above 27.9 once in a thousand.
    assert ((counts - 600) ** 2 / 600).sum() < 27.9


@given(y=LABELS.filter(lambda y: len(y) >= 2), data=st.data())
def test_folds_cover_everything_once_and_evenly(y: np.ndarray, data: st.DataObject) -> None:
    k = data.draw(st.integers(2, min(len(y), 10)))
    parts = folds(y, k, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(len(y)))
    assert np.ptp([len(part) for part in parts]) <= 1
    for label in np.unique(y):
        assert np.ptp([np.sum(y[part] == label) for part in parts]) <= 1


def test_class_counts_of_folds_are_those_of_scikit_learn() -> None:
    y = np.random.default_rng(1).integers(0, 7, 1003)
    theirs = [np.bincount(y[test]).tolist() for _, test in StratifiedKFold(5).split(y, y)]
    ours = [np.bincount(y[test]).tolist() for test in folds(y, 5, np.random.default_rng(0))]
    assert np.abs(np.array(ours) - np.array(theirs)).max() <= 1


def test_classes_with_fewer_rows_than_folds_fall_into_some_of_them() -> None:
    y = np.repeat(np.arange(5), [20, 1, 2, 3, 4])
    parts = folds(y, 5, np.random.default_rng(0))
    for label, count in enumerate([20, 1, 2, 3, 4]):
        held_out = [int(np.sum(y[part] == label)) for part in parts]
        assert sum(held_out) == count
        assert max(held_out) <= -(-count // 5)


def test_the_generator_decides() -> None:
    one, same, other = (random_split(100, [20], np.random.default_rng(seed))[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


@pytest.mark.parametrize("sizes", [[11], [5, 6], [-1]])
def test_sizes_that_do_not_fit_are_refused(sizes: list[int]) -> None:
    with pytest.raises(DataError, match="together at most 10 rows"):
        random_split(10, sizes, np.random.default_rng(0))


@pytest.mark.parametrize("k", [1, 0, 11])
def test_a_number_of_folds_that_does_not_fit_is_refused(k: int) -> None:
    with pytest.raises(DataError, match="number of folds"):
        folds(np.zeros(10, dtype=int), k, np.random.default_rng(0))
