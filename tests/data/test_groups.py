"""Related rows: how they are numbered, drawn whole, counted once, and said."""

from dataclasses import replace

import numpy as np
import pytest

from likely.data.dataset import Dataset, Part
from likely.data.groups import (
    about_groups,
    checked_groups,
    group_numbers,
    one_per_group,
    one_row_per_group,
    shared_with,
    with_copies_grouped,
)
from likely.data.splits import folds, random_split
from likely.data.test_part import with_test_part
from likely.errors import DataError, ShapeError

RNG = np.random.default_rng(0)
GROUPS = np.repeat(np.arange(100), RNG.integers(1, 6, 100))


def test_missing_values_are_groups_of_their_own() -> None:
    assert group_numbers(["a", None, float("nan"), "a", ""]).tolist() == [0, 1, 2, 0, 3]


def test_groups_must_be_one_value_per_row() -> None:
    assert checked_groups(None, 3) is None
    with pytest.raises(ShapeError, match=r"groups must be one value per row of X, of shape \(3,\); got shape \(2,\)"):
        checked_groups([1, 2], 3)


@pytest.mark.parametrize("seed", range(5))
def test_a_split_draws_groups_whole(seed: int) -> None:
    shuffled = np.random.default_rng(seed).permutation(GROUPS)
    parts = random_split(len(shuffled), [20, 30], np.random.default_rng(seed), shuffled)
    assert np.sort(np.concatenate(parts)).tolist() == list(range(len(shuffled)))
    found = [set(shuffled[part]) for part in parts]
    assert [len(each) for each in found] == [20, 30, 50]
    assert not found[0] & found[1]
    assert not (found[0] | found[1]) & found[2]


def test_every_group_is_as_likely_to_be_drawn_whatever_its_size() -> None:
    drawn = np.zeros(100)
    for seed in range(2_000):
        part, _ = random_split(len(GROUPS), [20], np.random.default_rng(seed), GROUPS)
        drawn[np.unique(GROUPS[part])] += 1
    np.testing.assert_allclose(drawn / 2_000, 0.2, atol=0.05)


def test_folds_deal_groups_whole() -> None:
    y = np.random.default_rng(0).integers(0, 3, 100)[GROUPS]
    parts = folds(y, 5, np.random.default_rng(0), GROUPS)
    assert np.sort(np.concatenate(parts)).tolist() == list(range(len(y)))
    found = [np.unique(GROUPS[part]) for part in parts]
    assert [len(each) for each in found] == [20] * 5
    assert len(np.unique(np.concatenate(found))) == 100
    with pytest.raises(DataError, match="got 101 folds of 100 rows"):
        folds(y, 101, np.random.default_rng(0), GROUPS)


def test_one_row_per_group_is_drawn_uniformly() -> None:
    groups = np.array([0, 0, 0, 0, 1])
    counts = np.bincount(
        np.concatenate([one_per_group(groups, np.random.default_rng(seed)) for seed in range(2_000)]), minlength=5
    )
    assert counts[4] == 2_000
    np.testing.assert_allclose(counts[:4] / 2_000, 0.25, atol=0.04)


def _dataset(groups: np.ndarray | None, test: Part | None = None) -> Dataset:
    X = np.random.default_rng(0).normal(size=(len(GROUPS), 2))
    y = (X[:, 0] > 0).astype(np.int64)
    return Dataset("made up", "classification", Part(X, y, groups=groups), test, labels=("a", "b"))


def test_a_drawn_test_part_has_one_row_of_each_of_its_groups() -> None:
    drawn = with_test_part(_dataset(GROUPS), seed=0)
    assert drawn.test is not None
    assert drawn.test.groups is not None
    assert len(drawn.test) == len(np.unique(drawn.test.groups)) == 20
    assert not shared_with(drawn.test, (drawn.train,)).any()
    assert len(drawn.train) + len(drawn.test) + drawn.left_out == len(GROUPS)
    assert f"20 rows drawn with seed 0, {drawn.left_out} more related to them removed" in drawn.notes[-1]
    with pytest.raises(DataError, match="two groups of related rows"):
        with_test_part(_dataset(np.zeros_like(GROUPS)), seed=0)


def test_copies_are_groups_over_all_parts_and_given_groups_stay() -> None:
    data = _dataset(None)
    data = replace(data, test=data.train.take(np.arange(10)))
    grouped = with_copies_grouped(data)
    assert grouped.test is not None
    assert shared_with(grouped.test, (grouped.train,)).all()
    assert grouped.notes[-1].startswith("10 rows are exact copies of an earlier one")
    declared = with_copies_grouped(replace(data, train=replace(data.train, groups=GROUPS)))
    assert declared.train.groups is GROUPS
    assert declared.notes[-1].startswith("100 groups of related rows, of 1 to 5 rows")
    assert "a random row of a random new group" in declared.notes[-1]


def test_what_is_said_of_groups() -> None:
    assert "rows of large ones count less" in about_groups(GROUPS)
    assert "rows of large ones" not in about_groups(np.repeat(np.arange(4), 3))


def test_a_part_without_relations_stays_as_it_is() -> None:
    part = _dataset(None).train
    assert one_row_per_group(part, 0) is part
    single = replace(part, groups=np.arange(len(part)))
    assert one_row_per_group(single, 0) is single


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_row_without_a_group_is_refused(missing: float | None) -> None:
    with pytest.raises(
        DataError, match=r"groups must have a value for every row; got (None|nan) at row 1 \(2 such rows\)"
    ):
        checked_groups(np.array(["a", missing, "b", missing], dtype=object), 4)
