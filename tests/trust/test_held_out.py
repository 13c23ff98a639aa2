"""Held-out rows as a value: what they answer is what the functions say of their arrays."""

import numpy as np
import pytest

from likely.errors import DataError
from likely.trust.abstention import choose_threshold, confidence, threshold_grid
from likely.trust.conformal import effective_rows
from likely.trust.conformal_sets import coverage_interval, prediction_sets, set_quantiles
from likely.trust.held_out import HeldOut
from likely.trust.prior import estimate_prior, label_shift_weights, shift_prior
from likely.trust.residuals import Residuals

rng = np.random.default_rng(0)
PROBS = rng.dirichlet([0.3, 0.3, 0.3], size=2_000)
LABELS = (PROBS.cumsum(axis=1) < rng.random((2_000, 1))).sum(axis=1)
GRID = threshold_grid(rng.dirichlet([0.3, 0.3, 0.3], size=2_000).max(axis=1))
NEW = rng.dirichlet([0.3, 0.3, 0.3], size=50)
HELD_OUT = HeldOut(np.log(PROBS), LABELS, np.zeros(2_000, bool), GRID, ("a", "b", "c"))
OLD, FIELD = np.full(3, 1 / 3), np.array([0.6, 0.3, 0.1])


def test_sets_and_their_interval() -> None:
    quantiles = set_quantiles(PROBS, LABELS, 0.9)
    np.testing.assert_array_equal(HELD_OUT.sets(NEW, 0.9), prediction_sets(NEW, quantiles))
    assert HELD_OUT.coverage_interval(0.9) == coverage_interval(2_000, 0.9)


def test_under_another_prior_rows_count_by_their_class() -> None:
    there, weights = HELD_OUT.under_prior(OLD, FIELD), label_shift_weights(OLD, FIELD)
    shifted = np.exp(shift_prior(np.log(PROBS), OLD, FIELD))
    np.testing.assert_array_equal(there.class_weights, weights)
    quantiles = set_quantiles(shifted, LABELS, 0.9, class_weights=weights)
    np.testing.assert_array_equal(there.sets(NEW, 0.9), prediction_sets(NEW, quantiles))
    assert there.coverage_interval(0.9) == coverage_interval(int(effective_rows(weights[LABELS])), 0.9)
    assert HELD_OUT.class_weights is None


def test_random_numbers_belong_to_rows() -> None:
    """With codes those of the rows count, without them those of the probabilities: alone and among others alike."""
    coded = HeldOut(
        np.log(PROBS), LABELS, np.zeros(2_000, bool), GRID, ("a", "b", "c"), np.arange(2_000, dtype=np.uint64)
    )
    codes = np.arange(50, dtype=np.uint64)
    together = coded.sets(NEW, 0.8, method="aps", seed=1, codes=codes)
    alone = [coded.sets(NEW[[i]], 0.8, method="aps", seed=1, codes=codes[[i]])[0] for i in range(50)]
    np.testing.assert_array_equal(together, alone)
    without = HELD_OUT.sets(NEW, 0.8, method="aps", seed=1)
    np.testing.assert_array_equal(coded.sets(NEW, 0.8, method="aps", seed=1), without)
    np.testing.assert_array_equal(HELD_OUT.sets(NEW, 0.8, method="aps", seed=1, codes=codes), without)
    assert (together != without).any()


def test_a_row_of_an_unseen_label_is_a_wrong_answer() -> None:
    right = PROBS.argmax(axis=1) == LABELS
    bound = choose_threshold(PROBS.max(axis=1), ~right, GRID, 0.3)
    assert HELD_OUT.error_bound(0.3) == bound
    np.testing.assert_array_equal(bound.answers(confidence(np.log(NEW))), NEW.max(axis=1) >= bound.threshold)
    unseen = HeldOut(np.log(PROBS), LABELS, right & (np.arange(2_000) % 9 == 0), GRID, ("a", "b", "c"))
    assert unseen.error_bound(0.3).share < bound.share


def test_a_threshold_for_an_event_needs_rows_on_both_sides() -> None:
    event = np.array([True, False, False])
    found = HELD_OUT.event_threshold(event, recall=0.9)
    acted, inside = PROBS[:, 0] >= found.threshold, LABELS == 0
    assert acted[inside].mean() == found.recall >= 0.9
    few = HeldOut(np.log(PROBS[:6]), np.array([0, 1, 1, 1, 1, 1]), np.zeros(6, bool), GRID, ("a", "b", "c"))
    with pytest.raises(DataError, match=r"at least 5 held-out rows in the event and as many outside; got 1 of 6"):
        few.event_threshold(event, recall=0.9)


def test_the_prior_of_new_rows() -> None:
    expected = estimate_prior(np.log(NEW), OLD, held_out=np.log(PROBS), labels=LABELS)
    for found, wanted in zip(HELD_OUT.estimate_prior(np.log(NEW), OLD), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_residuals_give_intervals_as_wide_as_errors_are_large() -> None:
    errors = rng.normal(size=99)
    residuals = Residuals.measured(errors, np.zeros(99), np.full(99, 0.5), {})
    half = residuals.quantile(0.9)
    assert half == pytest.approx(np.sort(np.abs(errors))[89] / 0.5, rel=1e-4)
    np.testing.assert_array_equal(
        residuals.intervals(np.array([1.0, -3.0]), half), [[1 - half, 1 + half], [-3 - half, -3 + half]]
    )
    assert residuals.can_cover(0.99)
    assert not residuals.can_cover(0.991)
    assert not residuals.rests_on_inputs
