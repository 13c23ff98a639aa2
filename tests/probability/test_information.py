import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from likely.errors import ProbabilityError, ShapeError, SpaceMismatchError
from likely.probability.distribution import Distribution
from likely.probability.information import cross_entropy, entropy, kl_divergence

P = np.array([[0.5, 0.5, 0.0], [0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
Q = np.array([[0.25, 0.5, 0.25], [0.2, 0.3, 0.5], [0.0, 0.5, 0.5]])

LIBRARIES = {
    "numpy": np.asarray,
    "torch": torch.asarray,
    "jax": jnp.asarray,
}


def test_the_worked_example():
    in_nats = cross_entropy([1, 0], [0.6, 0.4])
    assert in_nats == pytest.approx(0.5108, abs=5e-5)
    assert in_nats / np.log(10) == pytest.approx(0.2218, abs=5e-5)
    assert kl_divergence([1, 0], [0.6, 0.4]) == in_nats


def test_known_values():
    np.testing.assert_allclose(entropy(P), [np.log(2), 1.0296530140645737, 0])
    assert entropy(np.full(10, 0.1)) == pytest.approx(np.log(10))
    np.testing.assert_allclose(kl_divergence(P, Q), [0.5 * np.log(2), 0, np.inf])
    np.testing.assert_allclose(cross_entropy(P, Q), [1.5 * np.log(2), 1.0296530140645737, np.inf])


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_library_runs_the_same_body(library):
    make = LIBRARIES[library]
    p, q = make(P.astype(np.float32)), make(Q.astype(np.float32))
    for ours, wanted in [
        (entropy(p), entropy(P)),
        (cross_entropy(p, q), cross_entropy(P, Q)),
        (kl_divergence(p, q), kl_divergence(P, Q)),
    ]:
        assert type(ours) is type(p)
        assert ours.dtype == p.dtype
        np.testing.assert_allclose(np.asarray(ours), wanted, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("library", LIBRARIES)
def test_one_hot_integers_and_lists_follow_the_array_beside_them(library):
    make = LIBRARIES[library]
    q = make(np.float32([0.25, 0.75]))
    for label in (make(np.array([0, 1])), [0, 1]):
        cost = cross_entropy(label, q)
        assert isinstance(cost, type(q) if library != "numpy" else np.floating)
        assert float(cost) == pytest.approx(-np.log(0.75), rel=1e-6)
    assert float(entropy(make(np.array([0, 1])))) == 0


def test_zeros_are_quiet_and_unsigned():
    assert str(float(entropy([1.0, 0.0]))) == "0.0"
    assert str(float(cross_entropy([1, 0], [1, 0]))) == "0.0"
    assert str(float(kl_divergence([1, 0], [1, 0]))) == "0.0"
    assert kl_divergence([0.5, 0.5], [1, 0]) == np.inf
    tiny = np.nextafter(0, 1)
    assert kl_divergence([1, 0], [tiny, 1.0]) == pytest.approx(-np.log(tiny))


def test_batches_broadcast():
    prior = np.array([0.2, 0.3, 0.5])
    np.testing.assert_allclose(kl_divergence(P, prior), [kl_divergence(row, prior) for row in P])
    np.testing.assert_allclose(cross_entropy(prior, Q), [cross_entropy(prior, row) for row in Q])
    assert entropy(np.full((2, 3, 4), 0.25)).shape == (2, 3)
    assert entropy(np.zeros((0, 4))).shape == (0,)


def test_distributions_are_read_by_their_probabilities():
    names = ["a", "b", "c"]
    one, two = Distribution(names, P), Distribution(names, Q)
    np.testing.assert_array_equal(kl_divergence(one, two), kl_divergence(P, Q))
    np.testing.assert_array_equal(cross_entropy(one, Q), cross_entropy(P, Q))
    assert isinstance(cross_entropy(one, torch.asarray(Q)), torch.Tensor)
    with pytest.raises(SpaceMismatchError, match="'c' and 'd' at position 2"):
        kl_divergence(one, Distribution(["a", "b", "d"], Q))


def test_gradients_in_jax_and_torch():
    labels, answers = P[0], Q[0]
    wanted = -labels / answers
    with jax.enable_x64(True):
        by_jax = jax.jit(jax.grad(lambda q: cross_entropy(jnp.asarray(labels), q)))(jnp.asarray(answers))
        by_jax_kl = jax.grad(lambda q: kl_divergence(jnp.asarray(labels), q))(jnp.asarray(answers))
    q = torch.tensor(answers, requires_grad=True)
    cross_entropy(torch.tensor(labels), q).backward()
    for gradient in (by_jax, by_jax_kl, q.grad):
        np.testing.assert_allclose(np.asarray(gradient), wanted, rtol=1e-12)


def test_gradients_are_finite_where_probabilities_are_zero():
    p = torch.tensor([1.0, 0.0], requires_grad=True)
    (entropy(p) + cross_entropy(p, p.detach()) + kl_divergence(p, torch.tensor([0.5, 0.5]))).backward()
    assert torch.isfinite(p.grad).all()
    same = torch.tensor([0.25, 0.75], requires_grad=True)
    kl_divergence(torch.tensor([0.25, 0.75]), same).backward()
    np.testing.assert_allclose(same.grad.numpy(), [-1, -1])


@pytest.mark.parametrize("measure", [cross_entropy, kl_divergence])
@pytest.mark.parametrize("library", LIBRARIES)
def test_shapes_that_do_not_fit(measure, library):
    make = LIBRARIES[library]
    half = make(np.float32([0.5, 0.5]))
    with pytest.raises(ShapeError, match=r"same outcomes on the last axis; got shapes \(2,\) and \(1,\)"):
        measure(half, make(np.float32([1.0])))
    with pytest.raises(ShapeError, match=r"broadcast; got \(3, 2\) and \(2, 2\)"):
        measure(make(np.full((3, 2), 0.5, np.float32)), make(np.full((2, 2), 0.5, np.float32)))
    with pytest.raises(ShapeError, match=r"q must have its k >= 1 outcomes on the last axis; got shape \(\)"):
        measure(half, make(np.float32(1.0)))
    with pytest.raises(ShapeError, match=r"p must .* got shape \(0,\)"):
        entropy(make(np.zeros(0, np.float32)))


def test_numbers_that_are_not_probabilities():
    with pytest.raises(ProbabilityError, match=r"q must lie in \[0, 1\]; got -2 at position 0, 2 below 0"):
        cross_entropy([1, 0], [-2.0, 3.0])
    with pytest.raises(ProbabilityError, match=r"Each row of p must sum to 1 .* in row 1, 0.5 too little"):
        entropy([[0.5, 0.5], [0.25, 0.25]])
    with pytest.raises(ProbabilityError, match="q must be finite; got nan"):
        kl_divergence([1, 0], [np.nan, 1])
    with pytest.raises(ProbabilityError, match="p must be real numbers"):
        entropy(["a", "b"])
    with pytest.raises(ShapeError, match="unequal length"):
        entropy([[0.5, 0.5], [1.0]])
