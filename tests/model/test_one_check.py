"""Whatever is asked, the rows pass the gate once: checks cost time, and what was checked is what is answered."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import likely
from likely.model import ClassifierPredictor, RegressorPredictor

rng = np.random.default_rng(0)
X = rng.normal(size=(5_200, 3))
Y = X[:, 0] + rng.normal(size=len(X))
NEW = rng.normal(size=(40, 3))


class CountingClassifier(ClassifierPredictor):
    checks = 0

    def _rows(self, X: Any, *, raw: bool = False) -> np.ndarray:
        self.checks += 1
        return super()._rows(X, raw=raw)


class CountingRegressor(RegressorPredictor):
    checks = 0

    def _rows(self, X: Any, *, raw: bool = False) -> np.ndarray:
        self.checks += 1
        return super()._rows(X, raw=raw)


@pytest.fixture(scope="module")
def classifier() -> CountingClassifier:
    made = likely.Classifier(network="linear", random_state=0).fit(X, Y > 0).predictor_
    return CountingClassifier(made.card, made.arrays)


@pytest.fixture(scope="module")
def regressor() -> CountingRegressor:
    made = likely.Regressor(network="linear", random_state=0).fit(X, Y).predictor_
    return CountingRegressor(made.card, made.arrays)


CLASSIFIER: dict[str, Callable[[CountingClassifier], object]] = {
    "scores": lambda model: model.scores(NEW),
    "scores_and_features": lambda model: model.scores_and_features(NEW),
    "predict_log_proba": lambda model: model.predict_log_proba(NEW),
    "predict_proba": lambda model: model.predict_proba(NEW),
    "distribution": lambda model: model.distribution(NEW),
    "predict": lambda model: model.predict(NEW),
    "score": lambda model: model.score(NEW, NEW[:, 0] > 0),
    "examine": lambda model: model.examine(NEW),
    "predict_set": lambda model: model.predict_set(NEW, 0.9),
    "predict_set with a seed": lambda model: model.predict_set(NEW, 0.9, method="aps", seed=1),
    "sets": lambda model: model.sets(np.full((40, 2), 0.5), 0.9, method="aps", seed=1, rows=NEW),
    "predict_or_abstain": lambda model: model.predict_or_abstain(NEW, 0.4),
    "familiarity": lambda model: model.familiarity(NEW),
    "estimate_prior": lambda model: model.estimate_prior(NEW),
    "calibrate": lambda model: model.calibrate(NEW, NEW[:, 0] > 0),
}
REGRESSOR: dict[str, Callable[[CountingRegressor], object]] = {
    "predict": lambda model: model.predict(NEW),
    "predict_interval": lambda model: model.predict_interval(NEW),
    "examine": lambda model: model.examine(NEW, 0.9),
    "familiarity": lambda model: model.familiarity(NEW),
    "outside_range": lambda model: model.outside_range(NEW),
    "score": lambda model: model.score(NEW, NEW[:, 0]),
}


@pytest.mark.parametrize("question", CLASSIFIER)
def test_a_classifier_checks_its_rows_once(classifier: CountingClassifier, question: str) -> None:
    before = classifier.checks
    CLASSIFIER[question](classifier)
    assert classifier.checks == before + 1


@pytest.mark.parametrize("question", REGRESSOR)
def test_a_regressor_checks_its_rows_once(regressor: CountingRegressor, question: str) -> None:
    before = regressor.checks
    REGRESSOR[question](regressor)
    assert regressor.checks == before + 1


def test_what_is_derived_from_held_out_rows_is_not_taken_over(classifier: CountingClassifier) -> None:
    """Another prior, other held-out rows: what was computed for the model before must not answer for them."""
    assert classifier.held_out is not None
    prior = classifier.with_prior([0.2, 0.8])
    assert prior.coverage_interval(0.9) != classifier.coverage_interval(0.9)
    again = classifier.calibrate(NEW, NEW[:, 0] > 0)
    assert again.held_out is not None
    assert len(again.held_out.labels) == again.familiar_rows / 2 == 20
