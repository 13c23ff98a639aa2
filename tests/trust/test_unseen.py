"""The stated probability of labels that a network was never shown."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likely.errors import DataError, ShapeError
from likely.model.held_out_arrays import LOG_PROBS, UNSEEN, held_out_arrays
from likely.trust.bias_corrected import Calibration
from likely.trust.conformal_sets import set_quantiles
from likely.trust.unseen import MASKED, unseen_probabilities, with_unseen


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30).filter(any), st.integers(0, 2**32 - 1))
def test_unseen_labels_have_the_stated_probability_and_the_others_keep_their_odds(counts: list[int], seed: int) -> None:
    stated = unseen_probabilities(np.array(counts))
    k, n = len(counts), sum(counts)
    np.testing.assert_allclose(stated, [0 if count else 1 / (n + k) for count in counts])
    probs = np.random.default_rng(seed).dirichlet(np.ones(k), 4)
    found = np.exp(with_unseen(np.log(probs), stated))
    np.testing.assert_allclose(found.sum(axis=1), 1)
    unseen = stated > 0
    np.testing.assert_allclose(found[:, unseen], np.broadcast_to(stated[unseen], (4, unseen.sum())))
    seen = probs[:, ~unseen]
    rest = 1 - stated.sum()
    np.testing.assert_allclose(found[:, ~unseen], rest * seen / seen.sum(axis=1, keepdims=True))


def test_each_row_may_come_from_its_own_network() -> None:
    log_probs = np.log([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]])
    stated = np.array([[0.0, 0.0, 0.1], [0.0, 0.0, 0.0]])
    found = np.exp(with_unseen(log_probs, stated))
    np.testing.assert_allclose(found, [[0.5625, 0.3375, 0.1], [0.5, 0.3, 0.2]])
    for i in range(2):
        np.testing.assert_allclose(with_unseen(log_probs[i : i + 1], stated[i]), np.log(found[i : i + 1]))


def test_where_nothing_is_unseen_nothing_changes() -> None:
    log_probs = np.log([[0.25, 0.75]])
    assert with_unseen(log_probs, np.zeros(2)) is log_probs
    assert with_unseen(np.empty((0, 2)), np.array([0.0, 0.5])).shape == (0, 2)


def test_a_sure_network_is_taken_at_its_word_among_the_others() -> None:
    found = with_unseen(np.array([[0.0, -1e4, -1e5]]), np.array([0.0, 0.0, 0.01]))
    np.testing.assert_allclose(np.exp(found), [[0.99, 0.0, 0.01]])
    assert np.isfinite(found).all()


@pytest.mark.parametrize("biases", [None, np.array([0.3, -0.2, 0.5, 0.0])])
def test_a_model_file_keeps_the_stated_probabilities_through_its_calibration(biases: np.ndarray | None) -> None:
    log_probs = np.log(np.random.default_rng(0).dirichlet(np.ones(4), 3))
    stated = np.array([[0.0, 0.02, 0.0, 0.01], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.05, 0.0]])
    calibration = Calibration(1.7, biases)
    masked = np.where(stated > 0, MASKED, log_probs)
    kept = held_out_arrays(log_probs, masked, np.array([1, 2, 0]), calibration, stated)
    found = calibration.apply(kept[LOG_PROBS])
    np.testing.assert_allclose(found, with_unseen(calibration.apply(masked), stated), rtol=1e-5)
    assert kept[UNSEEN].tolist() == [1, 0, 0]


def test_labels_without_any_row_are_refused() -> None:
    with pytest.raises(ShapeError, match="not all 0"):
        unseen_probabilities(np.zeros(3))


def test_rows_of_unseen_labels_count_for_the_coverage_and_fit_no_set() -> None:
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(4), 99)
    labels = np.array([rng.choice(4, p=p) for p in probs])
    unseen = np.arange(99) < 5
    usual, larger = (set_quantiles(probs, labels, 0.9, unseen=one)[0] for one in (None, unseen))
    # The 90th of 99 scores, 5 of which are endless: the 90th of the others.
    assert larger == np.sort(1 - probs[np.arange(5, 99), labels[5:]])[89]
    assert larger >= usual
    np.testing.assert_array_equal(set_quantiles(probs, labels, 0.9, unseen=np.zeros(99, bool)), np.full(4, usual))
    weighted = set_quantiles(probs, labels, 0.9, unseen=unseen, class_weights=np.ones(4))
    np.testing.assert_array_equal(weighted, np.full(4, larger))


def test_a_coverage_beyond_the_rows_of_known_labels_is_refused_with_what_can_be_promised() -> None:
    probs, labels = np.full((99, 2), 0.5), np.zeros(99, int)
    unseen = np.arange(99) < 11
    with pytest.raises(DataError, match=r"11 of 99 held-out rows with a label .* at most 0\.88"):
        set_quantiles(probs, labels, 0.9, unseen=unseen)
    assert set_quantiles(probs, labels, 0.88, unseen=unseen).tolist() == [0.5, 0.5]


def test_weighted_rows_of_unseen_labels_count_by_their_weight() -> None:
    probs, labels = np.full((99, 2), 0.5), (np.arange(99) < 20).astype(int)
    unseen = np.arange(99) < 5  # of the second class
    light, heavy = np.array([1.0, 0.5]), np.array([1.0, 4.0])
    assert np.isfinite(set_quantiles(probs, labels, 0.9, unseen=unseen, class_weights=light)).all()
    with pytest.raises(DataError, match=r"5 of 99 held-out rows with a label .* at most 0\.874"):
        set_quantiles(probs, labels, 0.9, unseen=unseen, class_weights=heavy)


def test_per_class_they_do_not_count_for_the_class() -> None:
    probs = np.full((20, 2), 0.5)
    labels = np.array([0] * 10 + [1] * 10)
    unseen = np.isin(np.arange(20), [0, 10])
    with pytest.raises(DataError, match="at least 9 held-out rows of each; got 8 of class 1"):
        set_quantiles(probs, labels, 0.9, per_class=True, unseen=unseen | (np.arange(20) == 11))
    assert np.isfinite(set_quantiles(probs, labels, 0.8, per_class=True)).all()
