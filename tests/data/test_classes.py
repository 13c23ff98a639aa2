"""Events and class weights: what they mean, and labels that do not exist."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from likely.data.classes import check_events, class_weights
from likely.errors import ConfigError

LABELS = ["Sandal", "Sneaker", "Ankle boot"]


@given(st.lists(st.integers(0, 2), min_size=3, max_size=60).filter(lambda y: len(set(y)) == 3))
def test_balanced_weights_are_scikit_learns(y: list[int]) -> None:
    found = class_weights("balanced", LABELS, np.eye(3)[y])
    assert found is not None
    np.testing.assert_allclose(found, compute_class_weight("balanced", classes=np.arange(3), y=np.array(y)))


def test_balanced_classes_weigh_the_same_in_sum() -> None:
    rng = np.random.default_rng(0)
    Y, weights = rng.dirichlet([5.0, 1.0, 0.2], 200), rng.random(200)
    found = class_weights("balanced", LABELS, Y, weights)
    sums = (weights[:, None] * Y * found).sum(axis=0)
    np.testing.assert_allclose(sums, weights.sum() / 3)


def test_a_number_per_label() -> None:
    Y = np.eye(3)
    assert class_weights(None, LABELS, Y) is None
    found = class_weights({"Sneaker": 5.0}, LABELS, Y)
    assert found is not None
    assert found.tolist() == [1.0, 5.0, 1.0]


def test_labels_that_do_not_exist_are_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"class_weight must be about labels; got 'Sneker'\. Did you mean 'Sneaker'"):
        class_weights({"Sneker": 5.0}, LABELS, np.eye(3))
    with pytest.raises(ConfigError, match=r"Event 'shoes' must be .* got 'sandals'\. Did you mean 'Sandal'"):
        check_events({"shoes": ["sandals"]}, LABELS)
    with pytest.raises(ConfigError, match="Choose from 'Sandal', 'Sneaker', 'Ankle boot'"):
        check_events({"shoes": ["Sandal", "x"]}, LABELS)


def test_a_class_without_rows_has_no_part_in_the_balance() -> None:
    found = class_weights("balanced", LABELS, np.eye(3)[[0, 1, 1, 1]])
    np.testing.assert_allclose(found, [2.0, 2 / 3, 1.0])


def test_an_event_must_not_be_called_like_a_label() -> None:
    with pytest.raises(ConfigError, match="must not have the name of a label; got 'Sandal'"):
        check_events({"Sandal": ["Sneaker"]}, LABELS)


def test_events_need_labels() -> None:
    with pytest.raises(ConfigError, match="numbers to predict"):
        check_events({"large": ["1"]}, [])


def test_events_of_labels_are_fine() -> None:
    check_events({}, LABELS)
    check_events({"shoes": LABELS, "flat": ("Sandal", "Sneaker")}, LABELS)
