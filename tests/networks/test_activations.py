"""Activations in every array library, against torch and scipy, and their derivatives by hand."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
import torch

from likely.arrays import to_numpy
from likely.config.registry import ACTIVATIONS
from likely.networks.activations import gelu, heaviside, relu, sigmoid, tanh

LIBRARIES: dict[str, Callable[[Any], Any]] = {"numpy": np.asarray, "torch": torch.asarray, "jax": jnp.asarray}
libraries = pytest.mark.parametrize("library", LIBRARIES)
Z = np.concatenate([np.linspace(-12, 12, 101), [-1000.0, 1000.0]])
ORACLES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sigmoid": scipy.special.expit,
    "heaviside": lambda z: np.heaviside(z, 0),
    "relu": lambda z: torch.nn.functional.relu(torch.asarray(z)).numpy(),
    "tanh": np.tanh,
    "gelu": lambda z: torch.nn.functional.gelu(torch.asarray(z), approximate="tanh").numpy(),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_in_double_precision(name: str) -> None:
    np.testing.assert_allclose(ACTIVATIONS[name].value(Z), ORACLES[name](Z), rtol=1e-12, atol=1e-15)


@libraries
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_same_body_in_every_library(library: str, name: str) -> None:
    z = LIBRARIES[library](Z.astype(np.float32))
    found = ACTIVATIONS[name].value(z)
    assert isinstance(found, type(z))
    assert found.dtype == z.dtype
    np.testing.assert_allclose(to_numpy(found), ORACLES[name](Z.astype(np.float32)), rtol=1e-5, atol=2e-6)


@libraries
def test_the_sigmoid_is_stable(library: str) -> None:
    found = sigmoid(LIBRARIES[library](np.array([-1000.0, 0.0, 1000.0])))
    np.testing.assert_array_equal(to_numpy(found), [0, 0.5, 1])


@pytest.mark.parametrize("name", [name for name, row in ACTIVATIONS.items() if row.derivative is not None])
def test_derivatives_are_those_of_jax(name: str) -> None:
    row = ACTIVATIONS[name]
    assert row.derivative is not None
    # 0 is among them: there ReLU has a kink, and both ways must make the same choice.
    with jax.enable_x64(True):
        expected = np.asarray(jax.vmap(jax.grad(row.value))(jnp.asarray(Z)))
    np.testing.assert_allclose(row.derivative(Z, row.value(Z)), expected, rtol=1e-9, atol=1e-12)


def test_the_hard_step_has_no_derivative() -> None:
    assert ACTIVATIONS["heaviside"].derivative is None
    np.testing.assert_array_equal(heaviside(np.array([-1e-300, 0.0, 1e-300])), [0, 0, 1])


@libraries
@pytest.mark.parametrize("activation", [sigmoid, relu, tanh, gelu])
def test_nan_is_never_hidden(library: str, activation: Callable[..., Any]) -> None:
    assert np.isnan(to_numpy(activation(LIBRARIES[library](np.array([np.nan, 1.0])))))[0]


def test_the_table_is_complete() -> None:
    assert list(ACTIVATIONS) == [row.name for row in ACTIVATIONS.values()]
    assert set(ACTIVATIONS) == set(ORACLES)
