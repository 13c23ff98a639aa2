"""What `fit` refuses of weights, labels and columns, in words that say what to change."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import likely
from likely.config import RunConfig
from likely.errors import ConfigError, DataError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
Y = np.arange(60) % 3
X[:, 0] += 2 * Y


def classifier() -> likely.Classifier:
    return likely.Classifier(network="linear", random_state=0, verbose=False)


@pytest.mark.parametrize("weight", [0, -1.5, float("nan"), float("inf"), "much", None])
def test_a_class_weight_that_is_no_positive_number_is_named_with_its_label(weight: Any) -> None:
    with pytest.raises(ConfigError, match=rf"class_weight must be a positive number .* got {weight!r} for '1'\."):
        classifier().fit(X, Y, class_weight={0: 1, 1: weight, 2: 1})


def test_a_configuration_names_it_too() -> None:
    for weight in (0, -1.0, "much"):
        with pytest.raises(ConfigError, match=rf"class_weight must be a positive .* got {weight!r} for 'b'"):
            RunConfig(class_weight={"a": 1.0, "b": weight})  # type: ignore[dict-item]
    with pytest.raises(ConfigError, match='class_weight must be "balanced", or labels and their weights'):
        RunConfig(class_weight="blanced")  # type: ignore[arg-type]


def test_labels_left_out_of_class_weight_count_1() -> None:
    some = classifier().fit(X, Y, class_weight={0: 3})
    assert some.predictor_.card.class_weight == (3.0, 1.0, 1.0)


@pytest.mark.parametrize("form", [list, tuple, lambda y: np.array(y, dtype=object), pd.Series])
@pytest.mark.parametrize("kinds", [[1, "1", 2], ["a", 1.5, "b"], ["a", b"b", "c"], [True, "True", "x"]])
def test_labels_of_two_kinds_are_refused(form: Any, kinds: list[Any]) -> None:
    with pytest.raises(DataError, match=r"y must hold labels of one kind; got .* in row 0 and .* in row 1"):
        classifier().fit(X, form(kinds * 20))


@pytest.mark.parametrize("names", [["x", "y", "z"], [np.str_("x"), "y", "z"], [0, 1.0, 2]])
def test_labels_of_one_kind_are_learned(names: list[Any]) -> None:
    labels = [names[i] for i in Y]
    assert len(classifier().fit(X, labels).classes_) == 3


def test_columns_in_another_order_are_refused_with_what_to_do() -> None:
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    clf, other = classifier().fit(frame, Y), frame[["c", "a", "b"]]
    for ask in (clf.predict_set, clf.predict, lambda rows: clf.score(rows, Y), lambda rows: clf.calibrate(rows, Y)):
        with pytest.raises(ValueError, match=r"must be in the same order(.|\n)*Try X\[list\(.*predictor_, which finds"):
            ask(other)
    np.testing.assert_array_equal(clf.predictor_.predict_proba(other), clf.predict_proba(frame))
    np.testing.assert_array_equal(clf.predict(other[list(clf.feature_names_in_)]), clf.predict(frame))
