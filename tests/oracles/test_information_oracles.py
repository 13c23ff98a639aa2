"""The same numbers from libraries that know nothing of this one."""

import itertools

import numpy as np
import pytest
import scipy.special
import scipy.stats
import torch
import torch.nn.functional

from likely.probability.distribution import Distribution
from likely.probability.information import cross_entropy, entropy, kl_divergence

RNG = np.random.default_rng(0)


def rows(n, k, zeros=False):
    p = RNG.dirichlet(np.full(k, 0.3), size=n)
    if zeros:
        p[:, ::3] = 0
        p /= p.sum(axis=1, keepdims=True)
    return p


@pytest.mark.parametrize("k", [2, 10, 100])
@pytest.mark.parametrize("zeros", [False, True])
def test_scipy_entropy_and_divergence(k, zeros):
    p, q = rows(50, k, zeros), rows(50, k)
    np.testing.assert_allclose(entropy(p), scipy.stats.entropy(p, axis=1), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(entropy(p), scipy.special.entr(p).sum(axis=1), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(kl_divergence(p, q), scipy.special.rel_entr(p, q).sum(axis=1), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(kl_divergence(p, q), scipy.stats.entropy(p, q, axis=1), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(cross_entropy(p, q), -scipy.special.xlogy(p, q).sum(axis=1), rtol=1e-12)


def test_scipy_agrees_on_what_is_infinite():
    p, q = rows(200, 6, zeros=True), rows(200, 6)
    q[::2, 1] = 0
    q /= q.sum(axis=1, keepdims=True)
    wanted = scipy.special.rel_entr(p, q).sum(axis=1)
    assert 0 < np.isinf(wanted).sum() < 200
    np.testing.assert_allclose(kl_divergence(p, q), wanted, rtol=1e-12)


def test_torch_functional():
    p, q = torch.tensor(rows(50, 10)), torch.tensor(rows(50, 10))
    wanted = torch.nn.functional.kl_div(q.log(), p, reduction="none").sum(dim=1)
    torch.testing.assert_close(kl_divergence(p, q), wanted, rtol=1e-12, atol=1e-14)
    # Log-probabilities are scores that softmax leaves alone.
    torch.testing.assert_close(
        cross_entropy(p, q), torch.nn.functional.cross_entropy(q.log(), p, reduction="none"), rtol=1e-12, atol=0
    )
    torch.testing.assert_close(entropy(p), torch.distributions.Categorical(probs=p).entropy(), rtol=1e-12, atol=1e-14)


def test_a_discrete_random_variable():
    values = np.arange(1, 8)
    p = rows(1, 7)[0]
    P, X = Distribution(values, p), scipy.stats.rv_discrete(values=(values, p))
    for low, high in itertools.combinations(range(8), 2):
        interval = [v for v in range(1, 8) if low < v <= high]
        assert P(interval) == pytest.approx(X.cdf(high) - X.cdf(low), abs=1e-12)
    for value in P.space:
        assert P(value) == pytest.approx(X.pmf(value))
    assert P.entropy() == pytest.approx(X.entropy())


def test_samples_pass_a_chi_square_test():
    values = np.arange(5)
    p = np.array([0.1, 0.25, 0.3, 0.2, 0.15])
    drawn = Distribution(values, p).sample(50_000, seed=1)
    result = scipy.stats.chisquare(np.bincount(drawn, minlength=5), 50_000 * p)
    assert result.pvalue > 1e-3


def test_joints_of_repeated_experiments_are_multinomial():
    coin = Distribution(["heads", "tails"], [0.3, 0.7])
    three = coin.joint(coin, coin)
    wanted = scipy.stats.multinomial(3, [0.3, 0.7])
    for heads in range(4):
        got = three(lambda outcome, heads=heads: outcome.count("heads") == heads)
        assert got == pytest.approx(wanted.pmf([heads, 3 - heads]))


def test_independence_agrees_with_a_contingency_table():
    table = np.outer([0.2, 0.8], [0.1, 0.3, 0.6])
    joint = Distribution(["x", "y"], [0.2, 0.8]).joint(Distribution(["a", "b", "c"], [0.1, 0.3, 0.6]))
    np.testing.assert_allclose(joint.probs.reshape(2, 3), table)
    np.testing.assert_allclose(
        scipy.stats.contingency.expected_freq(joint.probs.reshape(2, 3)), joint.probs.reshape(2, 3)
    )
    mixed = table + np.array([[0.05, -0.05, 0], [-0.05, 0.05, 0]])
    P = Distribution(joint.space, mixed.ravel())
    expected = scipy.stats.contingency.expected_freq(mixed)
    for i, first in enumerate(["x", "y"]):
        for j, second in enumerate(["a", "b", "c"]):
            independent = P.independent(P.space.where(0, first), P.space.where(1, second))
            assert independent == bool(np.isclose(mixed[i, j], expected[i, j], rtol=0, atol=1e-9))
