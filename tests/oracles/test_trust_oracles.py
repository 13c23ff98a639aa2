"""Sets, bounds, thresholds and familiarity beside MAPIE, crepes, scikit-learn and scipy on the same numbers."""

from typing import Any

import numpy as np
import pytest
from crepes import ConformalClassifier
from mapie.classification import SplitConformalClassifier
from scipy.special import logsumexp
from scipy.stats import binomtest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.covariance import OAS
from sklearn.metrics import precision_recall_curve

from likely.trust.abstention import choose_threshold
from likely.trust.conformal_sets import aps_scores, lac_scores, prediction_sets, set_quantiles
from likely.trust.decision import choose_event_threshold
from likely.trust.familiarity import energy
from likely.trust.gaussians import Gaussians

K = 5
M = 1000  # neither 1001 x 0.9 nor 1001 x 0.95 is whole: MAPIE rounds (m + 1) c in floating point
COVERAGES = [0.5, 0.8, 0.9, 0.95, 0.99]


class _Given(ClassifierMixin, BaseEstimator):
    """A classifier that answers with its input."""

    classes_ = np.arange(K)

    def fit(self, X: Any, y: Any) -> "_Given":
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        return np.asarray(X)

    def predict(self, X: Any) -> np.ndarray:
        return np.asarray(X).argmax(axis=1)

    def __sklearn_is_fitted__(self) -> bool:
        return True


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.full(K, 0.5), 2 * M)
    labels = (probs.cumsum(axis=1) < rng.random((2 * M, 1))).sum(axis=1).clip(max=K - 1)
    return probs, labels


def _mapie(probs: np.ndarray, labels: np.ndarray, score: str, **how: Any) -> np.ndarray:
    model = SplitConformalClassifier(
        _Given(), confidence_level=COVERAGES, conformity_score=score, prefit=True, random_state=7
    )
    return model.conformalize(probs[:M], labels[:M]).predict_set(probs[M:], **how)[1]


def test_lac_sets_are_those_of_mapie(rows: tuple[np.ndarray, np.ndarray]) -> None:
    probs, labels = rows
    theirs = _mapie(probs, labels, "lac")
    for i, coverage in enumerate(COVERAGES):
        ours = prediction_sets(probs[M:], set_quantiles(probs[:M], labels[:M], coverage), allow_empty=True)
        np.testing.assert_array_equal(ours, theirs[:, :, i])


def test_randomized_aps_sets_are_those_of_mapie(rows: tuple[np.ndarray, np.ndarray]) -> None:
    """MAPIE takes u p_k away where ours adds it to what lies before: its u is our 1 - u.

    Its scores of held-out rows are always randomized, so that only the randomized sets can be compared: ours without u
    take whole probabilities for held-out and new rows alike, its `include_last_label=True` for new rows only.
    """
    probs, labels = rows
    theirs = _mapie(probs, labels, "aps", conformity_score_params={"include_last_label": "randomized"})
    held_u, u = (1 - np.random.RandomState(7).uniform(size=M) for _ in range(2))
    for i, coverage in enumerate(COVERAGES):
        quantiles = set_quantiles(probs[:M], labels[:M], coverage, method="aps", u=held_u)
        ours = prediction_sets(probs[M:], quantiles, method="aps", u=u, allow_empty=True)
        np.testing.assert_array_equal(ours, theirs[:, :, i])


@pytest.mark.parametrize("per_class", [False, True])
@pytest.mark.parametrize("method", ["lac", "aps"])
def test_sets_are_those_of_crepes(rows: tuple[np.ndarray, np.ndarray], method: Any, per_class: bool) -> None:
    """Marginal and Mondrian: the labels whose p-value is above 1 - c."""
    probs, labels = rows
    score = lac_scores if method == "lac" else aps_scores
    held, new = score(probs[:M])[np.arange(M), labels[:M]], score(probs[M:])
    theirs = ConformalClassifier().fit(held, bins=labels[:M] if per_class else None)
    p = np.empty_like(new)
    for c in range(K):
        bins = np.full(M, c) if per_class else None
        p[:, c] = theirs.predict_p(new, bins=bins, smoothing=False)[:, c]
    for coverage in (0.5, 0.9, 0.95):
        quantiles = set_quantiles(probs[:M], labels[:M], coverage, method=method, per_class=per_class)
        ours = prediction_sets(probs[M:], quantiles, method=method, allow_empty=True)
        np.testing.assert_array_equal(ours, p > 1 - coverage + 1e-9)


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_the_bound_on_the_error_is_clopper_and_pearsons(level: float) -> None:
    rng = np.random.default_rng(0)
    sure = rng.random(2000)
    wrong = rng.random(2000) < 0.3 * (1 - sure)
    for max_error in (0.05, 0.1, 0.2, 0.5):
        promise = choose_threshold(sure, wrong, np.linspace(0.99, 0, 100), max_error, level)
        test = binomtest(promise.wrong, promise.answered, max_error, alternative="less")
        assert promise.bound == pytest.approx(test.proportion_ci(level, method="exact").high, rel=1e-12)
        assert promise.bound <= max_error
        assert test.pvalue <= 1 - level


def test_every_error_and_every_answer_wrong_has_the_bound_1() -> None:
    promise = choose_threshold(np.ones(50), np.arange(50) < 49, np.zeros(100), 0.999, 0.5)
    assert promise.bound == pytest.approx(binomtest(49, 50, alternative="less").proportion_ci(0.5).high)


@pytest.mark.parametrize("decimals", [2, 12])
def test_event_thresholds_are_on_scikit_learns_curve(decimals: int) -> None:
    rng = np.random.default_rng(0)
    p = rng.beta(0.8, 1.5, 3000).round(decimals)
    inside = rng.random(3000) < p
    precisions, recalls, thresholds = precision_recall_curve(inside, p)
    precisions, recalls = precisions[:-1], recalls[:-1]
    for goal in (0.5, 0.7, 0.9):
        found = choose_event_threshold(p, inside, precision=goal)
        first = int(np.flatnonzero(precisions >= goal)[0])
        assert found[:3] == (thresholds[first], precisions[first], recalls[first])
        found = choose_event_threshold(p, inside, recall=goal)
        last = int(np.flatnonzero(recalls >= goal)[-1])
        assert found[:3] == (thresholds[last], precisions[last], recalls[last])


def _features(n: int, d: int, k: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % k
    mixing = rng.normal(size=(d, d))
    return rng.normal(size=(n, d)) @ mixing + 4 * rng.normal(size=(k, d))[labels], labels


def test_the_covariance_is_shrunk_by_the_papers_formula() -> None:
    """Chen et al., eq. 23, written out; scikit-learn leaves its terms 2 / d out, which fall with the dimension."""
    n, d, k = 60, 40, 3
    features, labels = _features(n, d, k, seed=0)
    Z = (features - features.mean(axis=0)) / features.std(axis=0)
    residuals = Z - np.array([Z[labels == c].mean(axis=0) for c in range(k)])[labels]
    S = residuals.T @ residuals / n
    square, trace = np.trace(S @ S), np.trace(S)
    rate = min(1.0, ((1 - 2 / d) * square + trace**2) / ((n + 1 - 2 / d) * (square - trace**2 / d)))
    theirs = OAS(assume_centered=True).fit(residuals)
    assert rate == pytest.approx(theirs.shrinkage_, rel=0.02)
    assert 0.02 < rate < 0.5
    whitening = Gaussians.fit(features, np.eye(k)[labels]).whitening
    shrunk = (1 - rate) * S + rate * trace / d * np.eye(d)
    np.testing.assert_allclose(whitening @ whitening.T @ shrunk, np.eye(d), atol=1e-8)


@pytest.mark.parametrize(("n", "d"), [(60, 40), (5000, 40), (30, 100)])
def test_distances_are_those_of_scikit_learns_oas(n: int, d: int) -> None:
    k = 3
    features, labels = _features(n, d, k, seed=1)
    new = _features(50, d, k, seed=2)[0]
    shift, scale = features.mean(axis=0), features.std(axis=0)
    Z, new_z = (features - shift) / scale, (new - shift) / scale
    means = np.array([Z[labels == c].mean(axis=0) for c in range(k)])
    model = OAS(assume_centered=True).fit(Z - means[labels])
    expected = np.min([model.mahalanobis(new_z - mean) for mean in means], axis=0)
    found = Gaussians.fit(features, np.eye(k)[labels]).distance(new)
    np.testing.assert_allclose(found, expected, rtol=3e-3 if n == 5000 else 0.05)


def test_the_energy_is_minus_logsumexp() -> None:
    scores = np.random.default_rng(0).normal(size=(100, 7)) * np.geomspace(1e-3, 1e4, 100)[:, None]
    np.testing.assert_allclose(energy(scores), -logsumexp(scores, axis=1), rtol=1e-13, atol=1e-13)
