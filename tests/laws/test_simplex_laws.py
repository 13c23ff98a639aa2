"""What holds for every finite input of the heads, whatever its size and shape."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from likely.arrays import to_numpy
from likely.functional.heads import l1_normalize, log_l1_normalize, log_softmax, softmax, softmax_jacobian
from likely.functional.losses import softmax_cross_entropy

to_the_simplex = pytest.mark.parametrize(
    ("head", "log_head"), [(softmax, log_softmax), (l1_normalize, log_l1_normalize)]
)
EXTREMES = (1e308, -1e308, 5e-324, -5e-324, 0.0, -0.0, 2.2e-308, 1e4, -1e4)


def scores(elements: st.SearchStrategy[float], dtype: Any = np.float64) -> st.SearchStrategy[np.ndarray]:
    return arrays(dtype, array_shapes(min_dims=1, max_dims=3, max_side=5), elements=elements)


finite = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(EXTREMES)
finite32 = st.floats(allow_nan=False, allow_infinity=False, width=32)
moderate = st.floats(-50, 50)


@to_the_simplex
@settings(max_examples=200)
@given(x=scores(finite), data=st.data())
@example(x=np.array([1e308, -1e308, 1e308]), data=None)
@example(x=np.array([5e-324, -5e-324, 0.0]), data=None)
@example(x=np.array([5e-324, 1e308]), data=None)
@example(x=np.array([-1.7976931348623157e308]), data=None)
def test_lands_on_the_simplex(
    head: Callable[..., Any], log_head: Callable[..., Any], x: np.ndarray, data: st.DataObject | None
) -> None:
    axis = -1 if data is None else data.draw(st.integers(-x.ndim, x.ndim - 1))
    probs = head(x, axis=axis)
    assert probs.shape == x.shape
    assert (probs >= 0).all()
    assert (probs <= 1 + 1e-15).all()
    np.testing.assert_allclose(probs.sum(axis=axis), 1, atol=1e-14)
    logs = log_head(x, axis=axis)
    assert np.isfinite(logs).all()
    assert (logs <= 1e-15).all()
    np.testing.assert_allclose(np.exp(logs), probs, atol=2e-12)


@to_the_simplex
@settings(max_examples=40)
@given(x=arrays(np.float32, st.tuples(st.integers(1, 3), st.just(4)), elements=finite32))
@pytest.mark.parametrize("make", [torch.from_numpy, jnp.asarray], ids=["torch", "jax"])
def test_lands_on_the_simplex_in_single_precision_too(
    make: Callable[[np.ndarray], Any], head: Callable[..., Any], log_head: Callable[..., Any], x: np.ndarray
) -> None:
    probs = to_numpy(head(make(x)))
    assert (probs >= 0).all()
    np.testing.assert_allclose(probs.sum(axis=-1), 1, atol=1e-5)
    assert np.isfinite(to_numpy(log_head(make(x)))).all()


@given(x=scores(moderate), shift=st.floats(-1e4, 1e4))
def test_softmax_does_not_feel_a_shift(x: np.ndarray, shift: float) -> None:
    # Adding a shift of 1e4 rounds the scores by 1e-12.
    np.testing.assert_allclose(softmax(x + shift), softmax(x), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(log_softmax(x + shift), log_softmax(x), atol=1e-10)


@given(x=scores(moderate), factor=st.floats(1e-3, 1e3))
def test_l1_feels_neither_scale_nor_sign(x: np.ndarray, factor: float) -> None:
    # A product that is no normal number any more has lost digits, or all of them, before it is normalized.
    sizes = np.abs(np.concatenate([x, factor * x]))
    assume(((sizes == 0) | (sizes >= np.finfo(np.float64).tiny)).all())
    assume(((x == 0) == (factor * x == 0)).all())
    np.testing.assert_allclose(l1_normalize(-factor * x), l1_normalize(x), rtol=1e-12, atol=1e-15)


@to_the_simplex
@given(x=arrays(np.float64, 5, elements=finite), order=st.permutations(range(5)))
def test_outcomes_have_no_order(
    head: Callable[..., Any], log_head: Callable[..., Any], x: np.ndarray, order: list[int]
) -> None:
    np.testing.assert_allclose(head(x[order]), head(x)[order], rtol=1e-14)
    np.testing.assert_allclose(log_head(x[order]), log_head(x)[order], rtol=1e-13, atol=1e-13)


@given(x=arrays(np.float64, 4, elements=finite))
def test_a_larger_score_is_no_less_probable(x: np.ndarray) -> None:
    assert (np.diff(softmax(np.sort(x))) >= 0).all()
    assert softmax(x)[x.argmax()] == softmax(x).max()


@given(x=arrays(np.float64, 4, elements=moderate))
def test_the_jacobian_keeps_the_sum(x: np.ndarray) -> None:
    J = softmax_jacobian(softmax(x))
    np.testing.assert_allclose(J.sum(axis=0), 0, atol=1e-15)
    np.testing.assert_array_equal(J, J.T)
    # A covariance matrix: no direction has a negative variance.
    assert np.linalg.eigvalsh(J).min() > -1e-15


@given(x=arrays(np.float64, (3, 4), elements=finite), certain=st.integers(0, 3))
def test_the_fused_loss_is_finite_and_not_negative(x: np.ndarray, certain: int) -> None:
    labels = np.zeros((3, 4))
    labels[:, certain] = 1
    values = softmax_cross_entropy(labels, x)
    assert np.isfinite(values).all()
    assert (values >= 0).all()
