"""What holds for every finite probability, on spaces and numbers that Hypothesis picks."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from likely.probability.distribution import Distribution
from likely.probability.information import cross_entropy, entropy, kl_divergence
from likely.probability.space import Event, SampleSpace

names = st.one_of(st.text(max_size=4), st.integers(-99, 99), st.tuples(st.integers(0, 9), st.text(max_size=2)))
spaces = st.lists(names, min_size=1, max_size=8, unique=True).map(SampleSpace)


def events(space):
    return arrays(bool, len(space)).map(lambda mask: Event(space, mask))


@st.composite
def distributions(draw, space=None, positive=False, dtype=None):
    """Single or batch, float32 or float64; weights include exact zeros unless `positive`."""
    space = draw(spaces) if space is None else space
    n = draw(st.sampled_from([None, 1, 3]))
    dtype = draw(st.sampled_from([np.float32, np.float64])) if dtype is None else dtype
    weight = st.integers(1 if positive else 0, 1000)
    weights = draw(arrays(np.int64, (len(space),) if n is None else (n, len(space)), elements=weight)).astype(float)
    weights[..., draw(st.integers(0, len(space) - 1))] += 1
    return Distribution(space, (weights / weights.sum(axis=-1, keepdims=True)).astype(dtype))


@st.composite
def cases(draw, n_events=2):
    """A distribution with events of its space."""
    P = draw(distributions())
    return (P, *(draw(events(P.space)) for _ in range(n_events)))


def close(a, b, atol=2e-6):
    np.testing.assert_allclose(a, b, atol=atol, rtol=0)


def possible(P, event):
    assume(np.min(P(event)) >= 1e-6)


@given(cases(1))
def test_probabilities_lie_between_0_and_1(case):
    P, A = case
    assert np.all((np.asarray(P(A)) >= 0) & (np.asarray(P(A)) <= 1))


@given(distributions())
def test_something_happens_and_nothing_does_not(P):
    close(P(P.space.all), 1)
    assert np.all(P(P.space.empty) == 0)


@given(cases(1))
def test_complement(case):
    P, A = case
    close(P(~A), 1 - P(A))


@given(cases())
def test_inclusion_and_exclusion(case):
    P, A, B = case
    close(P(A | B), P(A) + P(B) - P(A & B))


@given(cases())
def test_disjoint_events_add_up(case):
    P, A, B = case
    assert (A - B).isdisjoint(B)
    close(P((A - B) | B), P(A - B) + P(B))
    assert np.all(P((A - B) & B) == 0)


@given(cases())
def test_a_part_is_not_likelier_than_the_whole(case):
    P, A, B = case
    assert A & B <= A
    assert np.all(np.asarray(P(A & B)) <= np.asarray(P(A)) + 1e-6)


@given(cases())
def test_chain_rule(case):
    P, A, B = case
    possible(P, B)
    close(P(A, given=B) * P(B), P(A & B))


@given(cases(3))
def test_the_conditional_distribution_is_a_distribution(case):
    P, A, B, C = case
    possible(P, B)
    conditional = P.given(B)
    Distribution(P.space, conditional.probs)
    close(conditional(A), P(A, given=B))
    close(conditional(B), 1)
    close(conditional(~A), 1 - conditional(A))
    possible(P, B & C)
    close(P.given(B).given(C).probs, P.given(B & C).probs, atol=2e-5)


@given(cases())
def test_bayes(case):
    P, A, B = case
    possible(P, A)
    possible(P, B)
    close(P(A, given=B) * P(B), P(B, given=A) * P(A))


@given(cases())
def test_total_probability(case):
    P, A, B = case
    possible(P, B)
    possible(P, ~B)
    close(P(A), P(A, given=B) * P(B) + P(A, given=~B) * P(~B))


@given(cases(1))
def test_every_way_to_name_an_event_agrees(case):
    P, A = case
    for same in (list(A), set(A), lambda outcome: outcome in A):
        np.testing.assert_array_equal(P(same), P(A))


@given(cases(1))
def test_the_probability_of_an_event_is_the_sum_over_its_outcomes(case):
    P, A = case
    close(P(A), sum(P(outcome) for outcome in A))


@given(st.data())
def test_events_form_a_boolean_algebra(data):
    space = data.draw(spaces)
    A, B, C = (data.draw(events(space)) for _ in range(3))
    assert ~(A | B) == ~A & ~B
    assert A & (B | C) == (A & B) | (A & C)
    assert space.all == A | ~A
    assert space.empty == A & ~A
    assert A - B == A & ~B
    assert A ^ B == (A | B) - (A & B)
    assert ~~A == A
    assert set(A | B) == set(A) | set(B)
    assert A.isdisjoint(B) == set(A).isdisjoint(B)
    assert A.issubset(B) == set(A).issubset(B)
    assert [outcome for outcome in space if outcome in A] == list(A)


@given(st.data())
def test_joint_and_marginals_go_round(data):
    P = data.draw(distributions())
    Q = data.draw(distributions().filter(lambda Q: len({len(P), len(Q)} - {1}) < 2))
    if P.probs.ndim == Q.probs.ndim == 2:
        assume(len(P) == len(Q))
    both = P.joint(Q)
    Distribution(both.space, both.probs)
    close(both.marginal(0).probs, np.broadcast_to(P.probs, (*both.probs.shape[:-1], len(P.space))))
    close(both.marginal(1).probs, np.broadcast_to(Q.probs, (*both.probs.shape[:-1], len(Q.space))))
    assert both.marginal(0, 1) == both


@given(st.data())
def test_independent_experiments_are_independent(data):
    P, Q = data.draw(distributions()), data.draw(distributions())
    assume(P.probs.ndim != 2 or Q.probs.ndim != 2 or len(P) == len(Q))
    both = P.joint(Q)
    A = both.space.where(0, data.draw(events(P.space)))
    B = both.space.where(1, data.draw(events(Q.space)))
    assert np.all(both.independent(A, B))
    close(both(A & B), both(A) * both(B))


@given(st.data())
def test_any_joint_has_distributions_as_marginals(data):
    space = SampleSpace.product(data.draw(spaces), data.draw(spaces))
    P = data.draw(distributions(space))
    for axis in (0, 1):
        marginal = P.marginal(axis)
        Distribution(marginal.space, marginal.probs)
        event = data.draw(events(marginal.space))
        close(marginal(event), P(space.where(axis, event)))


@given(spaces, st.data())
def test_frequencies_are_distributions_and_scale_free(space, data):
    counts = data.draw(arrays(np.int64, (3, len(space)), elements=st.integers(0, 10**6)))
    counts[:, 0] += 1
    P = Distribution.from_counts(space, counts)
    assert Distribution(space, P.probs) == P
    close(Distribution.from_counts(space, 7 * counts).probs, P.probs, atol=1e-15)


@given(distributions())
def test_the_likeliest_come_first(P):
    for row in P:
        ranked = row.top(len(P.space))
        assert ranked[0][0] == row.mode()
        assert ranked[0][1] == row.probs.max()
        assert [p for _, p in ranked] == sorted(row.probs.tolist(), reverse=True)
        assert {outcome for outcome, _ in ranked} == set(P.space)


@given(distributions(), st.integers(0, 2**32 - 1))
def test_only_possible_outcomes_are_drawn(P, seed):
    for row in P:
        assert all(row(outcome) > 0 for outcome in row.sample(5, seed=seed))


@given(distributions())
def test_entropy_lies_between_0_and_that_of_equal_chances(P):
    values = np.asarray(P.entropy())
    assert np.all(values >= -1e-6)
    assert np.all(values <= math.log(len(P.space)) + 1e-6)


@given(st.data())
def test_entropies_of_independent_experiments_add_up(data):
    P = data.draw(distributions(dtype=np.float64))
    Q = data.draw(distributions(dtype=np.float64))
    assume(P.probs.ndim != 2 or Q.probs.ndim != 2 or len(P) == len(Q))
    close(P.joint(Q).entropy(), P.entropy() + Q.entropy(), atol=1e-12)


@given(st.data())
def test_divergence_is_never_negative_and_0_only_between_equals(data):
    space = data.draw(spaces)
    P = data.draw(distributions(space, dtype=np.float64))[0]
    Q = data.draw(distributions(space, dtype=np.float64))[0]
    divergence = kl_divergence(P, Q)
    assert divergence >= 0
    assert kl_divergence(P, P) == 0
    # Weights are whole numbers up to 1001, so that unequal rows are far apart.
    assert (divergence == 0) == np.allclose(P.probs, Q.probs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data())
def test_divergence_is_never_negative_between_neighbors(dtype, data):
    weights = data.draw(arrays(np.float64, 6, elements=st.floats(1e-3, 1)))
    p = (weights / weights.sum()).astype(dtype)
    q = np.nextafter(p, dtype(data.draw(st.sampled_from([0, 1]))))
    assert kl_divergence(p, q) >= 0


@given(st.data())
def test_cross_entropy_is_entropy_plus_divergence(data):
    space = data.draw(spaces)
    P = data.draw(distributions(space, dtype=np.float64))[0].probs
    Q = data.draw(distributions(space, positive=True, dtype=np.float64))[0].probs
    close(cross_entropy(P, Q), entropy(P) + kl_divergence(P, Q), atol=1e-12)
    assert cross_entropy(P, Q) >= entropy(P) - 1e-12
    close(cross_entropy(P, P), entropy(P), atol=1e-12)


@given(st.data())
def test_divergence_is_infinite_exactly_where_belief_excludes_truth(data):
    space = data.draw(spaces)
    P, Q = (data.draw(distributions(space, dtype=np.float64))[0] for _ in range(2))
    excluded = bool(((P.probs > 0) & (Q.probs == 0)).any())
    assert np.isinf(kl_divergence(P, Q)) == excluded
    assert np.isinf(cross_entropy(P, Q)) == excluded
