"""Test parts that we draw: uniformly at random, whatever the labels, and what is said of labels that are left out."""

from pathlib import Path

import numpy as np
import pytest

from likely.config import RunConfig
from likely.data.bundled import load_bundled
from likely.data.dataset import Dataset, Part
from likely.data.splits import random_split
from likely.data.test_part import with_test_part
from likely.errors import DataError
from likely.training.open_data import open_data


def _dataset(y: np.ndarray) -> Dataset:
    X = np.arange(len(y), dtype=np.float64)[:, None]
    return Dataset("rows", "classification", Part(X, y), labels=tuple(f"label {i}" for i in range(y.max() + 1)))


def test_rare_labels_are_drawn_as_often_as_all_others() -> None:
    # 50 labels of one row each beside a frequent one: a fifth of them each time, on average and with its spread.
    dataset = _dataset(np.concatenate([np.arange(50), np.full(150, 50)]))
    drawn = []
    for seed in range(400):
        found = with_test_part(dataset, seed)
        assert found.test is not None
        assert (len(found.test), len(found.train)) == (40, 160)
        assert set(found.test.X[:, 0]).isdisjoint(found.train.X[:, 0])
        drawn.append(np.sum(found.test.y < 50))
    # Hypergeometric: mean 10, variance 40 (1/4) (3/4) 160/199 = 6.03; 0 in a stratified draw of the old kind.
    assert np.mean(drawn) == pytest.approx(10, abs=4 * np.sqrt(6.03 / 400))
    assert np.var(drawn) == pytest.approx(6.03, rel=0.3)


def test_the_share_is_the_one_asked_for_and_leaves_a_row_to_learn_from() -> None:
    dataset = _dataset(np.arange(50) % 2)
    for share, n in ((0.001, 1), (0.1, 5), (0.8, 40)):
        drawn = with_test_part(dataset, 0, share)
        assert drawn.test is not None
        assert (len(drawn.test), len(drawn.train)) == (n, 50 - n)


def test_labels_without_a_row_to_learn_from_are_named() -> None:
    dataset = _dataset(np.concatenate([np.arange(3), np.full(30, 3), np.full(30, 4)]))
    seeds = {seed: with_test_part(dataset, seed) for seed in range(20)}
    told = 0
    for seed, found in seeds.items():
        missing = [label for i, label in enumerate(dataset.labels) if i not in found.train.y]
        notes = [note for note in found.notes if "left no training row" in note]
        assert len(notes) == bool(missing), seed
        for label in missing:
            assert repr(label) in notes[0]
            told += 1
        assert found.labels == dataset.labels
    assert told


def test_a_draw_that_leaves_one_class_is_refused() -> None:
    dataset = _dataset(np.array([0] * 9 + [1]))
    drawn = {seed: random_split(10, [2], np.random.default_rng(seed))[0] for seed in range(30)}
    last = next(seed for seed, test in drawn.items() if 9 in test)
    with pytest.raises(DataError, match="at least two classes to learn from; got only 'label 0'"):
        with_test_part(dataset, last)
    kept = next(seed for seed, test in drawn.items() if 9 not in test)
    assert with_test_part(dataset, kept).train.y.tolist() == [0] * 7 + [1]


def test_bundled_sets_are_drawn_without_a_look_at_the_labels() -> None:
    counts = {name: np.bincount(load_bundled(name).test.y) for name in ("digits", "wine", "iris")}  # pyright: ignore[reportOptionalMemberAccess]
    assert {name: int(count.sum()) for name, count in counts.items()} == {"digits": 359, "wine": 36, "iris": 30}
    # In proportion they would be 10, 10, 10.
    assert np.ptp(counts["iris"]) > 1


class _Ears:
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, message: str) -> None:
        self.said.append(message)

    def record(self, record: object, fold: str = "") -> None:
        """Nothing to hear."""

    def loading(self, what: str, done: int, total: int | None) -> None:
        """Nothing to hear."""


def test_fit_says_which_labels_the_draw_left_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    rows = [f"{i % 7},{i % 5},{'ab'[i % 2]}" for i in range(40)] + [f"{i},1,rare{i}" for i in range(6)]
    path.write_text("x,z,label\n" + "\n".join(rows) + "\n")
    ears = _Ears()
    dataset = open_data(RunConfig(data=str(path), seed=3, test_share=0.2), ears)
    missing = sorted(set(range(len(dataset.labels))) - set(dataset.train.y.tolist()))
    assert missing
    said = [line for line in ears.said if line.startswith("Warning: The draw of the test part with seed 3")]
    assert len(said) == 1
    assert all(repr(dataset.labels[i]) in said[0] for i in missing[:5])
