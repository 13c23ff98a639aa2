"""Hashes of rows: the same for the same numbers, however they are stored."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from likely.data.hashes import hashes_to_know_again, known_again, row_hashes


@given(arrays(np.uint8, (6, 2, 2), elements=st.integers(0, 1)))
def test_rows_have_one_hash_exactly_if_they_are_equal(X: np.ndarray) -> None:
    hashes = row_hashes(X)
    equal = (X[:, None] == X[None]).all(axis=(2, 3))
    np.testing.assert_array_equal(hashes[:, None] == hashes[None], equal)


def test_the_hash_is_blake2b() -> None:
    X = np.random.default_rng(0).normal(size=(3, 4))
    expected = [int.from_bytes(hashlib.blake2b(row.tobytes(), digest_size=8).digest(), "little") for row in X]
    assert row_hashes(X).tolist() == expected
    assert row_hashes(X).dtype == np.uint64


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int64, np.int8, ">f8", ">i4"])
def test_numbers_are_known_again_in_double_precision(dtype: str) -> None:
    X = np.random.default_rng(0).integers(-100, 100, size=(50, 3)).astype(dtype)
    np.testing.assert_array_equal(row_hashes(X), row_hashes(X.astype(np.float64)))


def test_how_an_array_lies_in_memory_does_not_matter() -> None:
    X = np.random.default_rng(0).normal(size=(40, 6))
    for same in (np.asfortranarray(X), np.repeat(X, 2, axis=1)[:, ::2], X.reshape(40, 2, 3)):
        np.testing.assert_array_equal(row_hashes(same), row_hashes(X))
    np.testing.assert_array_equal(row_hashes(X[::-1]), row_hashes(X)[::-1])
    images = np.random.default_rng(0).integers(0, 256, size=(10, 4, 4), dtype=np.uint8)
    np.testing.assert_array_equal(row_hashes(images[:, ::2]), row_hashes(images[:, ::2].copy()))


def test_zero_has_no_sign() -> None:
    assert row_hashes(np.array([[0.0, 1.0]])) == row_hashes(np.array([[-0.0, 1.0]]))


def test_many_rows_do_not_collide() -> None:
    assert len(np.unique(row_hashes(np.arange(50_000.0)[:, None]))) == 50_000


def test_the_rows_are_left_as_they_were_and_none_have_no_hash() -> None:
    X = np.array([[-0.0, 1.0]])
    row_hashes(X)
    assert np.signbit(X[0, 0])
    assert row_hashes(X[:0]).shape == (0,)
    assert row_hashes(np.empty((0, 28, 28), np.uint8)).dtype == np.uint64


ROWS = np.random.default_rng(0).normal(size=(50, 3))


@pytest.mark.parametrize("trained", [np.float64, np.float32])
@pytest.mark.parametrize("asked", [np.float64, np.float32])
def test_rows_are_known_again_in_another_precision(trained, asked):
    hashes = hashes_to_know_again(ROWS.astype(trained))
    assert known_again(ROWS.astype(asked), hashes).all()
    assert known_again(ROWS.astype(asked).astype(np.float64), hashes).all()
    assert not known_again((ROWS + 1e-3).astype(asked), hashes).any()


def test_rows_that_single_precision_does_not_tell_apart_are_others():
    seconds = 1.7e9 + np.arange(1000.0)[:, None]
    hashes = hashes_to_know_again(seconds[::2])
    assert known_again(seconds, hashes).tolist() == [True, False] * 500


def test_hashes_of_before_still_know_rows_of_their_precision():
    assert known_again(ROWS, row_hashes(ROWS)).all()
    assert known_again(ROWS, row_hashes(ROWS.astype(np.float32))).all()


def test_missing_values_and_whole_numbers_are_known_again():
    rows = np.where(np.arange(3) == 1, np.nan, ROWS)
    assert known_again(rows.astype(np.float32), hashes_to_know_again(rows)).all()
    assert known_again(np.arange(9.0)[:, None], hashes_to_know_again(np.arange(9)[:, None])).all()
