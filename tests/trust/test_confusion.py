"""Frequencies from a confusion matrix: right whatever the answers are worth, and what the rows cannot tell."""

import numpy as np
import pytest

from likely.errors import DataError, ShapeError
from likely.trust.prior import estimate_prior

OLD = np.array([0.5, 0.3, 0.2])
NEW = np.array([0.1, 0.2, 0.7])
MEANS = np.array([[0.0, 0.0], [1.5, 0.0], [0.0, 2.0]])


def answers(y: np.ndarray, seed: int, sharper: float = 1.0, biases: float | np.ndarray = 0.0) -> np.ndarray:
    """log P(y | x) under OLD, spoiled by a temperature and biases."""
    x = MEANS[y] + np.random.default_rng(seed).normal(size=(len(y), 2))
    scores = sharper * (-0.5 * np.square(x[:, None] - MEANS).sum(axis=2) + np.log(OLD)) + biases
    return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)


def classes(n: int, frequencies: np.ndarray, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).choice(3, n, p=frequencies)


SPOILED = {"sharper": 2.5, "biases": np.array([1.0, -1.0, 0.0])}


def test_wrong_probabilities_do_not_bias_the_estimate() -> None:
    labels = classes(20_000, OLD, 0)
    field, held_out = answers(classes(20_000, NEW, 1), 2, **SPOILED), answers(labels, 3, **SPOILED)
    found = estimate_prior(field, OLD, held_out=held_out, labels=labels)
    np.testing.assert_allclose(found.prior, NEW, atol=0.02)
    assert np.abs(estimate_prior(field, OLD, resamples=1).prior - NEW).max() > 0.05
    assert found.prior.sum() == pytest.approx(1)
    assert (found.low <= found.prior).all()
    assert (found.prior <= found.high).all()


def test_right_probabilities_give_about_the_likeliest_frequencies() -> None:
    labels = classes(5_000, OLD, 4)
    field, held_out = answers(classes(2_000, NEW, 5), 6), answers(labels, 7)
    found, likeliest = estimate_prior(field, OLD, held_out=held_out, labels=labels), estimate_prior(field, OLD)
    np.testing.assert_allclose(found.prior, likeliest.prior, atol=0.03)
    widths, chance = found.high - found.low, likeliest.high - likeliest.low
    assert (widths > 0.95 * chance).all()
    assert (widths < 2 * chance).all()


def test_more_rows_of_either_kind_shorten_the_intervals() -> None:
    def width(n: int, m: int) -> float:
        labels = classes(m, OLD, 8)
        found = estimate_prior(answers(classes(n, NEW, 9), 10), OLD, held_out=answers(labels, 11), labels=labels)
        return float((found.high - found.low).mean())

    assert width(4_000, 4_000) < width(400, 4_000)
    assert width(4_000, 4_000) < width(4_000, 200)


def test_a_class_without_held_out_rows_has_a_long_interval() -> None:
    labels = np.repeat([0, 1], 200)
    found = estimate_prior(answers(classes(2_000, NEW, 12), 13), OLD, held_out=answers(labels, 14), labels=labels)
    assert found.high[2] - found.low[2] > 0.3
    none = np.empty(0, int)
    alone = estimate_prior(answers(classes(500, NEW, 12), 13), OLD, held_out=np.empty((0, 3)), labels=none)
    assert np.isfinite([alone.prior, alone.low, alone.high]).all()


def test_a_model_that_knows_nothing_says_so() -> None:
    nothing = np.tile(np.log(OLD), (500, 1))
    found = estimate_prior(nothing, OLD, held_out=nothing, labels=classes(500, OLD, 15))
    np.testing.assert_allclose(found.prior, OLD, atol=1e-6)
    assert (found.high - found.low > 0.4).all()


def test_a_class_that_is_gone_may_be_at_zero() -> None:
    labels = classes(2_000, OLD, 16)
    field = answers(classes(2_000, np.array([0.5, 0.5, 0.0]), 17), 18, **SPOILED)
    found = estimate_prior(field, OLD, held_out=answers(labels, 19, **SPOILED), labels=labels)
    assert found.low[2] == 0
    assert found.prior[2] < 0.03
    assert (found.prior >= 0).all()


def test_one_class_is_always_there() -> None:
    one = np.zeros((5, 1))
    found = estimate_prior(one, np.ones(1), held_out=one, labels=np.zeros(5, int))
    assert (found.prior, found.low, found.high) == (1, 1, 1)


def test_held_out_rows_must_fit() -> None:
    field, labels = answers(classes(10, NEW, 20), 21), classes(10, OLD, 22)
    with pytest.raises(ShapeError, match="a class for each of its rows"):
        estimate_prior(field, OLD, held_out=field)
    with pytest.raises(ShapeError, match="integers, one per row"):
        estimate_prior(field, OLD, held_out=field, labels=labels.astype(float))
    with pytest.raises(DataError, match=r"classes 0\.\.2; got 3 in row 3"):
        estimate_prior(field, OLD, held_out=field, labels=np.arange(10) % 4)
