"""Disagreement: bounds, what members that say the same have, and the definition by sums as an oracle."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import entr

from likely.errors import ShapeError
from likely.trust import disagreement
from likely.trust.mutual_information import doubt_in_parts


@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 10_000))
def test_it_is_a_mutual_information(members: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    P = rng.dirichlet(np.full(k, 0.3), size=(members, 7))
    weights = rng.dirichlet(np.ones(members))
    found = disagreement(P, weights)
    mean = sum(a * p for a, p in zip(weights, P, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = weights[:, None, None] * P * np.log(P / mean)
    np.testing.assert_allclose(found, np.nansum(terms, axis=(0, 2)), atol=1e-9)
    assert (found <= math.log(members) + 1e-9).all()
    np.testing.assert_allclose(disagreement(np.repeat(P[:1], members, axis=0), weights), 0, atol=1e-12)


@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 10_000))
def test_the_parts_of_what_is_answered_sum_to_its_entropy(members: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    P, Q = rng.dirichlet(np.full(k, 0.3), size=(members, 7)), rng.dirichlet(np.full(k, 0.3), size=7)
    of_each, apart = doubt_in_parts(P, answers=Q)
    np.testing.assert_allclose(of_each + apart, entr(Q).sum(axis=1), atol=1e-9)
    of_members = P / P.sum(axis=0)  # given the label
    entropy_of_member = entr((of_members * Q).sum(axis=2)).sum(axis=0)
    expected = entropy_of_member - (Q * entr(of_members).sum(axis=0)).sum(axis=1)
    np.testing.assert_allclose(apart, expected, atol=1e-9)
    np.testing.assert_allclose(doubt_in_parts(np.repeat(P[:1], members, axis=0), answers=Q).disagreement, 0, atol=1e-9)


def test_a_label_that_no_member_knows_is_no_disagreement() -> None:
    known, answers = np.array([[[1.0, 0.0]], [[1.0, 0.0]]]), np.array([[0.9, 0.1]])
    np.testing.assert_allclose(doubt_in_parts(known, answers=answers), [[entr([0.9, 0.1]).sum()], [0]], atol=1e-12)


def test_shapes_that_differ_are_refused() -> None:
    for probs in ([], [np.ones((2, 2)), np.ones((2, 3))], [np.ones(3)]):
        with pytest.raises(ShapeError, match="per member"):
            disagreement(probs)
