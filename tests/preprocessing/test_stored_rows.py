"""Rows on disk: they index like arrays, and training on them gives the same numbers bit for bit."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likely.arrays import one_hot
from likely.config import RunConfig
from likely.data.dataset import Dataset, Part
from likely.data.sources import open_dataset
from likely.preprocessing.stored_rows import StoredRows, join_rows, pieces, take_rows
from likely.training.choose_plan import choose_plan
from likely.training.evaluate import evaluate
from likely.training.fit import learn
from likely.training.task import TASKS
from likely.training.train import train
from likely.training.training_rows import Rows

SMALL = np.arange(60, dtype=np.uint8).reshape(10, 2, 3)


@pytest.fixture
def stored(tmp_path: Path) -> Dataset:
    """Digits whose images lie on disk, not in the order of the training part."""
    digits = open_dataset("digits")
    assert digits.test is not None
    X = np.concatenate([digits.test.X[:], digits.train.X[:]])
    X.tofile(tmp_path / "rows")
    base = np.asarray(np.memmap(tmp_path / "rows", np.uint8, "r", shape=X.shape))
    n_test = len(digits.test)
    return replace(
        digits,
        train=Part(StoredRows(base, np.arange(n_test, len(X))), digits.train.y),
        test=Part(StoredRows(base, np.arange(n_test)), digits.test.y),
    )


@given(st.lists(st.integers(0, 9), max_size=12), st.data())
def test_they_index_like_arrays(index: list[int], data: st.DataObject) -> None:
    rows, expected = StoredRows(SMALL, np.array(index, dtype=np.int64)), SMALL[np.array(index, dtype=np.int64)]
    assert (rows.shape, rows.ndim, rows.dtype, len(rows)) == (expected.shape, 3, np.uint8, len(index))
    np.testing.assert_array_equal(np.asarray(rows), expected)
    piece = data.draw(st.slices(len(index)))
    np.testing.assert_array_equal(rows[piece], expected[piece])
    if index:
        some = np.array(data.draw(st.lists(st.integers(0, len(index) - 1))), dtype=np.int64)
        np.testing.assert_array_equal(rows[some], expected[some])
        np.testing.assert_array_equal(take_rows(rows, some)[:], take_rows(expected, some))
        np.testing.assert_array_equal(rows[0], expected[0])
    np.testing.assert_array_equal(join_rows(rows, StoredRows(SMALL))[:], np.concatenate([expected, SMALL]))


@given(st.integers(0, 40), st.sampled_from([(), (3,), (700, 700, 3), (2000, 3000)]))
def test_pieces_are_all_rows_and_small(n: int, shape: tuple[int, ...]) -> None:
    X = np.lib.stride_tricks.as_strided(np.arange(n, dtype=np.uint8), (n, *shape), (1,) + (0,) * len(shape))
    found = list(pieces(X))
    assert [int(np.ravel(row[(0,) * row.ndim])[0]) for piece in found for row in piece] == list(range(n))
    assert all(len(piece) == 1 or piece.nbytes <= 4 << 20 for piece in found)


def test_rows_of_one_file_stay_there_when_joined() -> None:
    assert isinstance(join_rows(StoredRows(SMALL), StoredRows(SMALL, np.array([3]))), StoredRows)
    assert isinstance(join_rows(StoredRows(SMALL), StoredRows(SMALL.copy())), np.ndarray)


@pytest.mark.parametrize(
    ("network", "engine", "task"),
    [
        ("conv", "torch", "classification"),
        ("mlp", "numpy", "classification"),
        ("mlp", "jax", "classification"),
        ("mlp", "torch", "classification"),
        ("linear", "auto", "regression"),
    ],
)
def test_every_engine_gives_the_same_numbers(
    stored: Dataset, network: str, engine: str, task: Literal["classification", "regression"]
) -> None:
    config = RunConfig(network=network, engine=engine, epochs=1)
    y = stored.train.y
    Y = one_hot(y, 10, "float32") if task == "classification" else y[:, None].astype(np.float32)
    plan = choose_plan(config, row_shape=(8, 8), n_rows=300, n_outputs=Y.shape[1], task=TASKS[task], hflip=False)
    index = np.random.default_rng(0).permutation(len(y))[:300]
    scores = [
        train(plan, Rows(X, Y, None, TASKS[task]), index, config).scores(stored.train.X[:50])
        for X in (stored.train.X, stored.train.X[:])
    ]
    np.testing.assert_array_equal(*scores)


def test_the_whole_recipe_gives_the_same_numbers(stored: Dataset) -> None:
    in_memory = open_dataset("digits")
    assert stored.sha256 == in_memory.sha256
    config = RunConfig(network="linear", epochs=1)
    one, other = (learn(dataset, config).predictor for dataset in (stored, in_memory))
    assert stored.test is not None
    assert in_memory.test is not None
    assert evaluate(one, stored.test).evaluation == evaluate(other, in_memory.test).evaluation
    np.testing.assert_array_equal(one.trained_on, other.trained_on)
