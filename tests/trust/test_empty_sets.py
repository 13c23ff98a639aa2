"""Which sets are empty, what filling them does, and what u means for them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likely.trust.conformal_sets import METHODS, Method, aps_scores, prediction_sets, set_quantiles


def _rows(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Four classes on a line, and a model that is too sure."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(4, size=n, p=[0.4, 0.3, 0.2, 0.1])
    x = labels + rng.normal(scale=0.3, size=n)
    scores = -6 * (x[:, None] - np.arange(4)) ** 2
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True), labels


def _covered(mask: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return mask[np.arange(len(labels)), labels]


@pytest.mark.parametrize("method", METHODS)
def test_filling_adds_the_rows_whose_likeliest_label_is_right(method: Method) -> None:
    probs, labels = _rows(3000, seed=0)
    quantiles = set_quantiles(probs[:500], labels[:500], 0.7, method=method)
    new, truth = probs[500:], labels[500:]
    empty = prediction_sets(new, quantiles, method=method, allow_empty=True)
    filled = prediction_sets(new, quantiles, method=method)
    was_empty = ~empty.any(axis=1)
    assert 0.1 < was_empty.mean() < 0.5
    assert (filled[was_empty].sum(axis=1) == 1).all()
    assert (filled[was_empty].argmax(axis=1) == new[was_empty].argmax(axis=1)).all()
    np.testing.assert_array_equal(filled[~was_empty], empty[~was_empty])
    gained = (was_empty & (new.argmax(axis=1) == truth)).mean()
    assert gained > 0
    assert _covered(filled, truth).mean() == pytest.approx(_covered(empty, truth).mean() + gained)


def test_lac_gives_up_the_rows_in_doubt_and_aps_the_surest() -> None:
    probs, labels = _rows(3000, seed=1)
    sure = probs.max(axis=1)
    empty = {
        method: ~prediction_sets(
            probs, set_quantiles(probs, labels, 0.7, method=method), method=method, allow_empty=True
        ).any(axis=1)
        for method in METHODS
    }
    assert sure[empty["lac"]].max() < sure[~empty["lac"]].min()
    assert sure[empty["aps"]].min() > sure[~empty["aps"]].max()


@given(st.floats(0.05, 0.95))
def test_without_its_own_mass_the_likeliest_label_is_always_in(coverage: float) -> None:
    probs, labels = _rows(300, seed=2)
    u = np.zeros(150)
    quantiles = set_quantiles(probs[:150], labels[:150], coverage, method="aps", u=u)
    mask = prediction_sets(probs[150:], quantiles, method="aps", u=u, allow_empty=True)
    assert _covered(mask, probs[150:].argmax(axis=1)).all()


def test_every_u_keeps_the_promise_and_less_mass_makes_smaller_sets() -> None:
    probs, labels = _rows(2000, seed=3)
    rng = np.random.default_rng(0)
    found: dict[float, list[tuple[float, float]]] = {0.0: [], 0.5: [], 1.0: []}
    for _ in range(300):
        held, new = np.split(rng.permutation(2000), 2)
        for share, figures in found.items():
            u = np.full(1000, share)
            quantiles = set_quantiles(probs[held], labels[held], 0.97, method="aps", u=u)
            mask = prediction_sets(probs[new], quantiles, method="aps", u=u, allow_empty=True)
            figures.append((_covered(mask, labels[new]).mean(), mask.sum(axis=1).mean()))
    means = {share: np.mean(figures, axis=0) for share, figures in found.items()}
    assert all(coverage >= 0.97 - 0.002 for coverage, _ in means.values())
    assert means[0.0][1] <= means[0.5][1] < means[1.0][1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_last_label_has_all_the_mass_whatever_rounding_does(dtype: type[np.floating]) -> None:
    probs = np.random.default_rng(0).dirichlet(np.ones(7), size=1000).astype(dtype)
    assert (aps_scores(probs).max(axis=1) == 1).all()
    # Two classes at a coverage above the accuracy: both labels in every row, not in those that rounding picks.
    two = np.array([[0.9, 0.1], [0.7, 0.3], [0.6, 0.4], [0.3, 0.7]], dtype)
    quantiles = set_quantiles(two, np.array([0, 1, 1, 0]), 0.75, method="aps")
    new = np.random.default_rng(1).dirichlet(np.ones(2), size=500).astype(dtype)
    assert prediction_sets(new, quantiles, method="aps").all()


def test_zero_probabilities_are_probabilities() -> None:
    probs = np.array([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]])
    assert aps_scores(probs).tolist() == [[1, 1, 1], [1, 0.5, 1]]
    assert aps_scores(probs, np.zeros(2)).tolist() == [[0, 1, 1], [1, 0, 0.5]]
