"""Answers that a loaded model is scored on: in one column or none, of its kind, one for each row."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import likely
from likely.errors import DataError, LikelyError, ShapeError
from likely.model import ClassifierPredictor, RegressorPredictor

rng = np.random.default_rng(0)
X = rng.normal(size=(120, 2))
NUMBERS = X @ [3.0, 1.0] + 0.1 * rng.normal(size=120)
CLASSES = (X[:, 0] > 0).astype(int)
NAMES = np.array(["no", "yes"])[CLASSES]


@pytest.fixture(scope="module")
def regressor() -> RegressorPredictor:
    return likely.Regressor(network="linear").fit(X, NUMBERS).predictor_


@pytest.fixture(scope="module", params=[CLASSES, NAMES], ids=["integers", "text"])
def classifier(request: pytest.FixtureRequest) -> tuple[ClassifierPredictor, np.ndarray]:
    return likely.Classifier(network="linear", random_state=0).fit(X, request.param).predictor_, request.param


SAME: list[Callable[[np.ndarray], Any]] = [
    lambda y: y,
    lambda y: y[:, None],
    lambda y: y.tolist(),
    lambda y: pd.Series(y),
    lambda y: pd.DataFrame({"y": y}),
    lambda y: y.astype(object),
]


@pytest.mark.parametrize("form", SAME)
def test_every_form_of_the_same_numbers_gets_the_same_score(
    regressor: RegressorPredictor, form: Callable[[np.ndarray], Any]
) -> None:
    assert regressor.score(X, form(NUMBERS)) == pytest.approx(regressor.score(X, NUMBERS))
    assert regressor.score(X, NUMBERS) > 0.99


@pytest.mark.parametrize("form", SAME)
def test_every_form_of_the_same_labels_gets_the_same_score(
    classifier: tuple[ClassifierPredictor, np.ndarray], form: Callable[[np.ndarray], Any]
) -> None:
    model, labels = classifier
    assert model.score(X, form(labels)) == model.score(X, labels) > 0.9


@pytest.mark.parametrize(
    ("y", "error", "says"),
    [
        (NUMBERS[:1], ShapeError, "shape \\(120,\\)"),
        (NUMBERS[None], ShapeError, "same rows"),
        (np.stack([NUMBERS, NUMBERS], 1), ShapeError, "shape \\(120, 2\\)"),
        (np.append(NUMBERS, 0.0), ShapeError, "\\(121,\\)"),
        (NUMBERS.astype(str), DataError, "must hold numbers"),
        (np.array(["a"] * 120, object), DataError, "got 'a'"),
        (np.where(np.arange(120) == 7, np.nan, NUMBERS), DataError, "row 7"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(regressor: RegressorPredictor, y: Any, error: Any, says: str) -> None:
    with pytest.raises(error, match=says):
        regressor.score(X, y)


def test_labels_that_do_not_fit_are_refused(classifier: tuple[ClassifierPredictor, np.ndarray]) -> None:
    model, labels = classifier
    other = NAMES if labels is CLASSES else CLASSES
    odd: list[tuple[Any, str]] = [
        (labels[:1], "one label per row"),
        (np.stack([labels, labels], 1), "one label per row"),
        (other, "labels of the model's kind"),
        ([None, *labels.tolist()[1:]], "row 0"),
        (["never"] * 120 if labels is NAMES else [7] * 120, "labels of the model"),
    ]
    for y, says in odd:
        with pytest.raises(LikelyError, match=says):
            model.score(X, y)
    unknown: Any = ["never" if labels is NAMES else 7, *labels.tolist()[1:]]
    assert model.score(X, labels) - 1 / 120 <= model.score(X, unknown) <= model.score(X, labels)


def test_calibration_takes_labels_in_one_column(classifier: tuple[ClassifierPredictor, np.ndarray]) -> None:
    model, labels = classifier
    fresh = rng.normal(size=X.shape)
    ours, theirs = (model.calibrate(fresh, y).card.temperature for y in (labels, labels[:, None]))
    assert ours == theirs
    with pytest.raises(DataError, match="labels of the model's kind"):
        model.calibrate(fresh, NAMES if labels is CLASSES else CLASSES)


def test_several_targets_count_the_same_and_a_constant_one_is_right_or_wrong() -> None:
    Y = np.stack([NUMBERS, 1000 * rng.normal(size=120), np.full(120, 3.0)], axis=1)
    model = likely.Regressor(network="linear").fit(X, Y).predictor_
    from sklearn.metrics import r2_score

    assert model.score(X, Y) == pytest.approx(r2_score(Y, model.predict(X)))
    Y[:, 2] += 1
    assert model.score(X, Y) == pytest.approx(r2_score(Y, model.predict(X)))
