"""Losses in every array library: the worked example, gradients, and shapes that do not fit."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch

import likely
from likely.arrays import to_numpy
from likely.config.registry import LOSSES
from likely.errors import ShapeError
from likely.functional.losses import softmax_cross_entropy, squared_error

LIBRARIES: dict[str, Callable[[Any], Any]] = {"numpy": np.asarray, "torch": torch.asarray, "jax": jnp.asarray}
libraries = pytest.mark.parametrize("library", LIBRARIES)


@libraries
def test_the_worked_example(library: str) -> None:
    make = LIBRARIES[library]
    f, y = make(np.array([[0.6, 0.4]], np.float32)), make(np.array([[1.0, 0.0]], np.float32))
    assert to_numpy(squared_error(y, f)) == pytest.approx([0.32], abs=1e-6)
    in_nats = to_numpy(likely.cross_entropy(y, f))
    assert in_nats == pytest.approx([0.5108], abs=5e-5)
    assert in_nats / np.log(10) == pytest.approx([0.2218], abs=5e-5)
    xp = {"numpy": np, "torch": torch, "jax": jnp}[library]
    assert to_numpy(softmax_cross_entropy(y, xp.log(f))) == pytest.approx([0.5108], abs=5e-5)


@libraries
@pytest.mark.parametrize("loss", [softmax_cross_entropy, squared_error])
def test_one_value_per_example_in_the_same_library(library: str, loss: Callable[..., Any]) -> None:
    rng = np.random.default_rng(0)
    labels, scores = rng.dirichlet(np.ones(3), 5), rng.normal(size=(5, 3))
    make = LIBRARIES[library]
    found = loss(make(labels.astype(np.float32)), make(scores.astype(np.float32)))
    assert isinstance(found, type(make(scores)))
    assert to_numpy(found).dtype == np.float32
    np.testing.assert_allclose(to_numpy(found), loss(labels, scores), rtol=1e-5)


@libraries
def test_integers_do_not_wrap_around(library: str) -> None:
    make = LIBRARIES[library]
    found = squared_error(make(np.array([[200]], np.uint8)), make(np.array([[100]], np.uint8)))
    np.testing.assert_array_equal(to_numpy(found), [10_000])
    labels = make(np.array([[1, 0]]))
    np.testing.assert_allclose(to_numpy(softmax_cross_entropy(labels, make(np.array([[0, 0]])))), [np.log(2)])


def test_a_hopeless_score_costs_much_but_not_everything() -> None:
    assert softmax_cross_entropy(np.array([[1.0, 0.0]]), np.array([[-1000.0, 1000.0]])) == [2000]
    # The label has no share in the impossible class: 0 log 0 = 0.
    assert softmax_cross_entropy(np.array([[0.0, 1.0]]), np.array([[-1e308, 1e308]])) == [0]


def test_a_nan_is_never_hidden() -> None:
    for name, loss in LOSSES.items():
        for head in loss.heads:
            found = loss.values(head, np.array([[1.0, 0.0]]), np.array([[np.nan, 1.0]]))
            assert np.isnan(found).all(), (name, head)


def test_the_gradient_of_the_fused_form_is_belief_minus_truth() -> None:
    rng = np.random.default_rng(1)
    labels, scores = rng.dirichlet(np.ones(4), 6), rng.normal(size=(6, 4))
    _, found = LOSSES["cross_entropy"].with_gradient("softmax", labels, scores)
    np.testing.assert_allclose(found, likely.softmax(scores) - labels, atol=1e-15)


def test_the_gradient_of_the_squared_error() -> None:
    _, found = LOSSES["squared_error"].with_gradient("identity", np.array([[1.0, 0.0]]), np.array([[0.6, 0.4]]))
    np.testing.assert_allclose(found, [[-0.8, 0.8]])


def test_where_the_log_is_floored_nothing_comes_back() -> None:
    _, found = LOSSES["cross_entropy"].with_gradient("l1", np.array([[1.0, 0.0]]), np.array([[0.0, 2.0]]))
    np.testing.assert_array_equal(found, [[0, 0]])
    values = LOSSES["cross_entropy"].values("l1", np.array([[1.0, 0.0]]), np.array([[0.0, 2.0]]))
    np.testing.assert_allclose(values, [-np.log(1e-12)])


@pytest.mark.parametrize("shape", [(5,), (5, 3), (4, 2), (1, 2)])
def test_shapes_that_do_not_fit(shape: tuple[int, ...]) -> None:
    for loss in (softmax_cross_entropy, squared_error):
        with pytest.raises(ShapeError, match=r"got \(5, 2\) and"):
            loss(np.zeros((5, 2)), np.zeros(shape))
    with pytest.raises(ShapeError, match="one_hot"):
        LOSSES["cross_entropy"].values("l1", np.zeros((5, 2)), np.ones(shape))
