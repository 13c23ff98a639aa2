import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.model_selection import StratifiedKFold, train_test_split

from likely.data.split import folds, stratified_split
from likely.errors import DataError

LABELS = hnp.arrays(np.int64, st.integers(0, 200), elements=st.integers(0, 6))


@given(y=LABELS, data=st.data())
def test_parts_are_disjoint_cover_everything_and_keep_proportions(y: np.ndarray, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(y)))
    second = data.draw(st.integers(0, len(y) - first))
    parts = stratified_split(y, [first, second], np.random.default_rng(0))
    assert [len(part) for part in parts] == [first, second, len(y) - first - second]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(len(y)))
    rest = np.arange(len(y))
    for part in parts:
        assert (np.diff(part) > 0).all()
        for label in np.unique(y):
            share = len(part) * np.mean(y[rest] == label) if len(rest) else 0.0
            assert abs(np.sum(y[part] == label) - share) < 1
        rest = np.setdiff1d(rest, part)


@given(y=LABELS.filter(lambda y: len(y) >= 2), data=st.data())
def test_folds_cover_everything_once_and_evenly(y: np.ndarray, data: st.DataObject) -> None:
    k = data.draw(st.integers(2, min(len(y), 10)))
    parts = folds(y, k, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(len(y)))
    assert np.ptp([len(part) for part in parts]) <= 1
    for label in np.unique(y):
        assert np.ptp([np.sum(y[part] == label) for part in parts]) <= 1


def test_class_counts_are_those_of_scikit_learn() -> None:
    y = np.random.default_rng(1).integers(0, 7, 1003)
    part, rest = stratified_split(y, [200], np.random.default_rng(0))
    their_rest, their_part = train_test_split(np.arange(1003), test_size=200, stratify=y, random_state=0)
    assert np.abs(np.bincount(y[part]) - np.bincount(y[their_part])).max() <= 1
    assert np.abs(np.bincount(y[rest]) - np.bincount(y[their_rest])).max() <= 1
    theirs = [np.bincount(y[test]).tolist() for _, test in StratifiedKFold(5).split(y, y)]
    ours = [np.bincount(y[test]).tolist() for test in folds(y, 5, np.random.default_rng(0))]
    assert np.abs(np.array(ours) - np.array(theirs)).max() <= 1


def test_the_generator_decides() -> None:
    y = np.arange(100) % 4
    one, same, other = (stratified_split(y, [20], np.random.default_rng(seed))[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_names_can_be_classes() -> None:
    y = np.array(["boot", "bag"] * 10)
    assert sorted(y[stratified_split(y, [4], np.random.default_rng(0))[0]].tolist()) == ["bag", "bag", "boot", "boot"]


@pytest.mark.parametrize("sizes", [[11], [5, 6], [-1]])
def test_sizes_that_do_not_fit_are_refused(sizes: list[int]) -> None:
    with pytest.raises(DataError, match="together at most 10 rows"):
        stratified_split(np.zeros(10, dtype=int), sizes, np.random.default_rng(0))


@pytest.mark.parametrize("k", [1, 0, 11])
def test_a_number_of_folds_that_does_not_fit_is_refused(k: int) -> None:
    with pytest.raises(DataError, match="number of folds"):
        folds(np.zeros(10, dtype=int), k, np.random.default_rng(0))
