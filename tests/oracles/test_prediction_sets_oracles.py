"""Deterministic sets of collected mass beside MAPIE's, with and without the label that crosses the quantile."""

from typing import Any

import numpy as np
import pytest
from mapie.classification import SplitConformalClassifier
from sklearn.base import BaseEstimator, ClassifierMixin

from likely.trust.conformal_sets import prediction_sets, set_quantiles

K, M = 6, 500


class _Given(ClassifierMixin, BaseEstimator):
    """A fitted model whose rows are already probabilities."""

    classes_ = np.arange(K)

    def fit(self, X: Any, y: Any) -> "_Given":
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return X

    def predict(self, X: np.ndarray) -> np.ndarray:
        return X.argmax(axis=1)

    def __sklearn_is_fitted__(self) -> bool:
        return True


def _rows(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    scores = 1.5 * rng.normal(size=(n, K))
    labels = (scores + rng.gumbel(size=(n, K))).argmax(axis=1)
    exponentials = np.exp(1.3 * scores)
    return exponentials / exponentials.sum(axis=1, keepdims=True), labels


@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
@pytest.mark.parametrize("include", [True, False])
def test_deterministic_sets_of_collected_mass_are_those_of_mapie(coverage: float, include: bool) -> None:
    """From MAPIE's own quantile, which is always randomized: u = 0 takes the label that crosses it, u = 1 does not."""
    held, (new, _) = _rows(M, 0), _rows(700, 1)
    model = SplitConformalClassifier(_Given(), coverage, "aps", prefit=True, random_state=7).conformalize(*held)
    theirs = model.predict_set(new, conformity_score_params={"include_last_label": include})[1][:, :, 0]
    held_u = 1 - np.random.RandomState(7).uniform(size=M)
    quantiles = set_quantiles(*held, coverage, method="aps", u=held_u)
    ours = prediction_sets(new, quantiles, method="aps", u=np.zeros(700) if include else None)
    np.testing.assert_array_equal(ours, theirs)
