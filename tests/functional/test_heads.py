"""Heads in every array library: values, logarithms, the softmax Jacobian, and what they do with NaN."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from likely.arrays import to_numpy
from likely.config.registry import HEADS
from likely.errors import ConfigError
from likely.functional.heads import floats, l1_normalize, log_l1_normalize, log_softmax, softmax, softmax_jacobian

LIBRARIES: dict[str, Callable[[Any], Any]] = {"numpy": np.asarray, "torch": torch.asarray, "jax": jnp.asarray}
SCORES = np.array([[1.0, -2.0, 0.5], [0.0, 0.0, 0.0], [3.0, 3.0, -7.0]], np.float32)

libraries = pytest.mark.parametrize("library", LIBRARIES)
to_the_simplex = pytest.mark.parametrize("head", [softmax, l1_normalize])


@libraries
@pytest.mark.parametrize("head", [softmax, log_softmax, l1_normalize, log_l1_normalize])
def test_the_same_body_in_every_library(library: str, head: Callable[..., Any]) -> None:
    scores = LIBRARIES[library](SCORES)
    for axis in (0, 1, -1):
        found = head(scores, axis=axis)
        assert isinstance(found, type(scores))
        assert found.dtype == scores.dtype
        np.testing.assert_allclose(to_numpy(found), head(SCORES.astype(np.float64), axis=axis), rtol=2e-6, atol=1e-7)


@libraries
@to_the_simplex
@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32"])
def test_integers_are_scores_too(library: str, head: Callable[..., Any], dtype: str) -> None:
    # In their own dtype 0 - 255 is 1 and |-128| is -128.
    scores = np.array([[0, 255, 3]] if dtype == "uint8" else [[-128, 127, 3]], dtype)
    found = to_numpy(head(LIBRARIES[library](scores)))
    np.testing.assert_allclose(found, head(scores.astype(np.float64)), rtol=1e-5, atol=1e-30)


def test_lists_are_numpy() -> None:
    np.testing.assert_allclose(softmax([0, 0]), [0.5, 0.5])
    np.testing.assert_allclose(l1_normalize([1, -3]), [0.25, 0.75])
    assert floats([1, 2]).dtype == np.float64
    assert floats(np.ones(2, np.float32)).dtype == np.float32


@libraries
def test_softmax_does_not_overflow(library: str) -> None:
    scores = LIBRARIES[library](np.array([1e4, 0.0, -1e4], np.float32))
    np.testing.assert_array_equal(to_numpy(softmax(scores)), [1, 0, 0])
    np.testing.assert_array_equal(to_numpy(log_softmax(scores)), [0, -1e4, -2e4])


def test_the_log_form_stays_finite_at_the_ends_of_the_range() -> None:
    found = log_softmax(np.array([1.7e308, -1.7e308]))
    np.testing.assert_array_equal(found, [0, np.finfo(np.float64).min])


@libraries
@to_the_simplex
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_never_hidden(library: str, head: Callable[..., Any], value: float) -> None:
    with np.errstate(invalid="ignore"):
        found = to_numpy(head(LIBRARIES[library](np.array([[value, 0.0, 1.0], [0.0, 1.0, 2.0]]))))
    assert np.isnan(found[0]).any()
    assert np.isfinite(found[1]).all()


@libraries
@pytest.mark.parametrize("log_head", [log_softmax, log_l1_normalize])
def test_logarithms_of_nan_are_nan(library: str, log_head: Callable[..., Any]) -> None:
    assert np.isnan(to_numpy(log_head(LIBRARIES[library](np.array([np.nan, 1.0]))))).all()


@libraries
def test_a_score_of_minus_infinity_is_impossible(library: str) -> None:
    scores = LIBRARIES[library](np.array([-np.inf, 0.0, 0.0], np.float32))
    np.testing.assert_array_equal(to_numpy(softmax(scores)), [0, 0.5, 0.5])


def test_l1_of_zeros_is_uniform_and_its_log_is_floored() -> None:
    np.testing.assert_array_equal(l1_normalize(np.zeros((2, 4))), np.full((2, 4), 0.25))
    np.testing.assert_allclose(log_l1_normalize(np.array([0.0, 2.0])), [np.log(1e-12), 0])
    # For positive scores it is x / sum x.
    np.testing.assert_allclose(l1_normalize(np.array([1.0, 2.0, 5.0])), [0.125, 0.25, 0.625])


@libraries
def test_the_jacobian_is_that_of_jax(library: str) -> None:
    scores = np.random.default_rng(0).normal(size=(5, 4)) * 3
    with jax.enable_x64(True):
        expected = np.asarray(jax.vmap(jax.jacobian(softmax))(jnp.asarray(scores)))
        found = to_numpy(softmax_jacobian(softmax(LIBRARIES[library](scores))))
    assert found.shape == (5, 4, 4)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(found.sum(axis=-1), 0, atol=1e-15)
    np.testing.assert_array_equal(found, np.swapaxes(found, -1, -2))


@pytest.mark.parametrize("name", HEADS)
def test_the_way_back_is_that_of_jax(name: str) -> None:
    rng = np.random.default_rng(1)
    scores, upstream = rng.normal(size=(6, 4)), rng.normal(size=(6, 4))
    head = HEADS[name]
    with jax.enable_x64(True):
        outputs, back = jax.vjp(head.probs, jnp.asarray(scores))
        expected = np.asarray(back(jnp.asarray(upstream))[0])
    np.testing.assert_allclose(head.backward(scores, np.asarray(outputs), upstream), expected, rtol=1e-10, atol=1e-14)


def test_the_way_back_from_the_zero_vector_is_zero() -> None:
    found = HEADS["l1"].backward(np.zeros((1, 3)), np.full((1, 3), 1 / 3), np.array([[1.0, 2.0, 3.0]]))
    np.testing.assert_array_equal(found, np.zeros((1, 3)))


@pytest.mark.parametrize("name", ["identity", "sigmoid"])
def test_what_is_no_distribution_has_no_log_probabilities(name: str) -> None:
    with pytest.raises(ConfigError, match="head='softmax'"):
        HEADS[name].log_probs(np.zeros((2, 3)))


def test_the_table_is_complete() -> None:
    assert list(HEADS) == [head.name for head in HEADS.values()]
    np.testing.assert_array_equal(HEADS["identity"].probs(SCORES), SCORES)
