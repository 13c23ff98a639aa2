"""Which equal rows are copies: worlds of measured numbers, codes, coarse numbers and mixtures of them."""

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

from likely.data.copies import find_copies, in_doubt
from likely.data.hashes import row_hashes
from likely.preprocessing.columns import Column

Rows = Callable[[np.random.Generator], np.ndarray]
PRICES = [7.75, 8.05, 26.0, 13.0, 512.3292, 7.8958, 10.5, 31.275]

MEASURED: dict[str, Rows] = {
    "one number": lambda rng: rng.normal(size=(1_200, 1)),
    "five numbers": lambda rng: rng.normal(size=(1_200, 5)),
    "few rows": lambda rng: rng.normal(size=(20, 2)),
    "single precision": lambda rng: rng.normal(size=(1_200, 2)).astype(np.float32),
    "two decimals": lambda rng: rng.normal(size=(1_200, 5)).round(2),
    "money": lambda rng: rng.lognormal(10, 1, size=(1_000, 1)).round(2),
    "time stamps": lambda rng: 1.7e9 + rng.integers(0, 86_400 * 365, size=(1_000, 1)),
    "two categories and a number": lambda rng: np.column_stack(
        [rng.integers(0, 2, 1_200), rng.integers(0, 5, 1_200), rng.normal(size=1_200)]
    ),
    "a number with gaps": lambda rng: np.column_stack(
        [np.where(rng.random(1_200) < 0.3, np.nan, rng.normal(size=1_200)), rng.normal(size=1_200)]
    ),
    "pixels as numbers": lambda _: load_digits().data[:400],
    "wine": lambda _: load_wine().data,
    "cells": lambda _: load_breast_cancer().data,
}


def _parties(rng: np.random.Generator) -> np.ndarray:
    """Votes along party lines: many agree in all of them."""
    party = rng.integers(0, 2, size=(435, 1))
    return (rng.random((435, 16)) < np.where(party, 0.95, 0.05)).astype(float)


def _alike(rng: np.random.Generator) -> np.ndarray:
    """Eight categories that depend on each other, each as four columns of 0 and 1."""
    hidden = rng.normal(size=3_000)
    codes = [np.digitize(hidden + 0.3 * rng.normal(size=3_000), [-1, 0, 1]) for _ in range(8)]
    return np.concatenate([np.eye(4)[code] for code in codes], axis=1)


def _questions(rng: np.random.Generator) -> np.ndarray:
    """Twenty answers from 1 to 5 of which some people give the same to all."""
    usual = rng.normal(size=(1_000, 1)) + 3
    return np.clip(np.round(usual + 0.3 * rng.normal(size=(1_000, 20))), 1, 5)


EXPECTED: dict[str, Rows] = {
    "three categories": lambda rng: rng.integers(0, 3, size=(10_000, 1)),
    "three times three": lambda rng: rng.integers(0, 3, size=(10_000, 3)),
    "indicators": lambda rng: np.eye(3)[rng.integers(0, 3, 10_000)],
    "standardized indicators": lambda rng: (np.eye(3)[rng.integers(0, 3, 10_000)] - 1 / 3) / 0.47,
    "a code under many names": lambda rng: np.repeat(rng.integers(0, 3, size=(10_000, 1)), 20, axis=1),
    "logarithms of counts": lambda rng: np.log1p(rng.poisson(3, size=(10_000, 1))),
    "one decimal": lambda rng: rng.normal(size=(5_000, 3)).round(1),
    "age, sex, region": lambda rng: np.column_stack(
        [rng.integers(18, 90, 5_000), rng.integers(0, 2, 5_000), rng.integers(0, 8, 5_000)]
    ),
    "prices from a list": lambda rng: np.column_stack([rng.choice(PRICES, 900), rng.integers(0, 2, 900)]),
    "zero rain": lambda rng: np.where(rng.random((1_000, 1)) < 0.05, 0, rng.normal(size=(1_000, 1))),
    "no value": lambda rng: np.where(rng.random((1_000, 1)) < 0.05, np.nan, rng.normal(size=(1_000, 1))),
    "party lines": _parties,
    "categories that depend": _alike,
    "answers from 1 to 5": _questions,
    "iris": lambda _: load_iris().data,
}


# So often, numbers with few digits, or few numbers, may as well be a list of prices or codes.
AMBIGUOUS = {("money", 30), ("time stamps", 30), ("few rows", 30)}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("name", "times"), [(n, times) for n in MEASURED for times in (2, 5, 30) if (n, times) not in AMBIGUOUS]
)
def test_copies_of_measured_rows_are_found(name: str, times: int, seed: int) -> None:
    rng = np.random.default_rng([seed, times])
    X = MEASURED[name](rng)
    n = len(np.unique(row_hashes(X)))
    order = rng.permutation(np.repeat(np.arange(len(X)), times))
    found = find_copies(X[order])
    assert found.groups is not None
    assert found.extra >= 0.99 * (times * len(X) - n)
    for row in range(0, len(order), 97):
        same = np.flatnonzero(order == order[row])
        assert len(np.unique(found.groups[same])) == 1


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", EXPECTED)
def test_rows_that_are_expected_to_be_equal_are_rows_of_their_own(name: str, seed: int) -> None:
    X = EXPECTED[name](np.random.default_rng(seed))
    found = find_copies(X)
    assert found.groups is None
    assert found.extra == 0
    assert found.expected == len(X) - len(np.unique(row_hashes(X)))
    assert 0 < found.equal_by_chance <= 1


def test_some_copies_among_many_rows() -> None:
    X = np.random.default_rng(0).normal(size=(1_000, 3))
    found = find_copies(np.concatenate([X, X[:20]]))
    assert found.groups is not None
    assert (found.extra, found.expected, found.equal_by_chance) == (20, 0, 0.0)
    assert found.groups[:20].tolist() == found.groups[1_000:].tolist()
    assert len(np.unique(found.groups)) == 1_000


def test_rows_without_equals_have_no_copies() -> None:
    assert find_copies(np.random.default_rng(0).normal(size=(100, 2))) == (None, 0, 0, 0.0)


def test_texts_are_codes_however_many_there_are() -> None:
    rng = np.random.default_rng(0)
    streets = np.repeat(rng.permutation(np.arange(1_000.0))[:, None], 5, axis=0)
    names = tuple(f"street {i}" for i in range(1_000))
    assert find_copies(streets, [Column("street", names)]).groups is None


def test_equal_images_are_copies_however_plain() -> None:
    images = np.zeros((5, 3, 3), np.uint8)
    images[4] = 255
    found = find_copies(images)
    assert found.groups is not None
    assert found.groups.tolist() == [0, 0, 0, 0, 1]


GRID = [(20, 40), (20, 50), (20, 60), (30, 60), (30, 100), (50, 100), (60, 100), (40, 200), (20, 1_000)]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("m", "times"), GRID)
def test_few_measured_rows_that_are_copied_often_are_found(m: int, times: int, dtype: type) -> None:
    for seed in range(5):
        rng = np.random.default_rng([seed, m, times])
        X = (rng.normal(size=(m, 4)) + 2 * rng.integers(0, 3, size=(m, 1))).astype(dtype)
        order = rng.permutation(np.repeat(np.arange(m), times))
        found = find_copies(X[order])
        assert (found.extra, found.expected) == (m * (times - 1), 0)
        assert found.groups is not None
        assert len(np.unique(np.stack([order, found.groups]), axis=1).T) == len(np.unique(found.groups)) == m


def _standardized(X: np.ndarray) -> np.ndarray:
    return (X - X.mean(axis=0)) / X.std(axis=0)


NATURALLY_FEW: dict[str, Rows] = {
    "three categories": EXPECTED["three categories"],
    "three times three": EXPECTED["three times three"],
    "indicators": EXPECTED["indicators"],
    "a code under many names": EXPECTED["a code under many names"],
    "uneven codes": lambda rng: rng.choice([0.0, 3.0, 7.0, 12.0, 25.0, 90.0], size=(10_000, 1)),
    "twelve codes and their indicators": lambda rng: np.column_stack(
        [code := rng.integers(0, 12, 10_000), np.eye(12)[code]]
    ),
    "odd codes that cross": lambda rng: np.log(rng.choice([2.0, 3.0, 5.0, 7.0, 11.0, 13.0], size=(10_000, 2))),
    "polynomials of a code": lambda rng: rng.integers(0, 12, size=(10_000, 1)) ** np.array([1.0, 2.0]),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", NATURALLY_FEW)
def test_standardized_categories_are_rows_of_their_own_beyond_doubt(name: str, dtype: type) -> None:
    for seed in range(3):
        X = NATURALLY_FEW[name](np.random.default_rng(seed)).astype(float)
        for rows in (X, _standardized(X).astype(dtype)):
            found = find_copies(rows)
            assert found.groups is None
            assert not in_doubt(rows, None, found)


MEASURED_OR_CODED: dict[str, Rows] = {
    "one number": lambda rng: rng.normal(size=(20, 1)),
    "a number and categories": lambda rng: np.column_stack([rng.normal(size=20), rng.integers(0, 2, size=(20, 2))]),
    "numbers and a code": lambda rng: np.column_stack([rng.normal(size=(20, 2)), np.arange(20)]),
    "numbers and indicators": lambda rng: np.column_stack([rng.normal(size=(20, 2)), np.eye(20)]),
    "two codes": lambda rng: np.stack([rng.permutation(20), rng.permutation(20)], axis=1),
    "three rows": lambda rng: rng.normal(size=(3, 4)),
}


@pytest.mark.parametrize("name", MEASURED_OR_CODED)
def test_what_cannot_be_told_stays_in_doubt(name: str) -> None:
    for seed in range(5):
        X = np.repeat(MEASURED_OR_CODED[name](np.random.default_rng(seed)), 100, axis=0)
        found = find_copies(X)
        assert found.groups is None
        assert in_doubt(X, None, found)
