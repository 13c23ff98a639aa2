"""Prototypes: what must not change the distance, few rows, and how it counts beside the distance to Gaussians."""

import numpy as np
import pytest

from likely.errors import DataError
from likely.trust.familiarity import Familiarity
from likely.trust.gaussians import Gaussians
from likely.trust.prototypes import Prototypes, normalized


def maps(n: int, seed: int, k: int = 3, d: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Two kinds of maps in each of k classes, and the classes."""
    centers = np.random.default_rng(5).normal(size=(k, 2, d))
    rng = np.random.default_rng(seed)
    classes, kinds = rng.integers(k, size=n), rng.integers(2, size=n)
    return centers[classes, kinds] + 0.1 * rng.normal(size=(n, d)), classes


def test_how_strongly_something_is_seen_does_not_count() -> None:
    H, classes = maps(300, 0)
    found = Prototypes.fit(H, classes)
    scales = np.random.default_rng(1).uniform(0.1, 50, size=(300, 1))
    np.testing.assert_allclose(found.distance(H * scales), found.distance(H), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found.units, axis=1), 1, atol=1e-6)


def test_new_rows_of_both_kinds_are_near_and_mixtures_of_them_are_not() -> None:
    H, classes = maps(600, 0)
    found = Prototypes.fit(H, classes)
    new, _ = maps(200, 1)
    between = normalized(new[:100]) + normalized(new[100:])
    assert np.median(found.distance(new)) < 0.02
    assert np.median(found.distance(between)) > 5 * np.median(found.distance(new))


@pytest.mark.parametrize("n", [1, 2, 9, 40])
def test_few_rows_alike_rows_and_rows_of_zeros(n: int) -> None:
    H = np.repeat([[1.0, 0.0, 1.0]], n, axis=0)
    found = Prototypes.fit(H, np.zeros(n, int))
    assert found.units.shape == (1, 3)
    np.testing.assert_allclose(found.distance(np.array([[2.0, 0, 2], [0, 0, 0], [0, 1, 0]])), [0, 1, 1], atol=1e-6)
    assert np.isfinite(Prototypes.fit(np.zeros((n, 3)), np.zeros(n, int)).units).all()


def test_a_thousand_classes_share_the_prototypes() -> None:
    H = np.random.default_rng(0).normal(size=(3_000, 4))
    assert len(Prototypes.fit(H, np.arange(3_000) % 1_000).units) == 1_000


def test_a_map_that_is_not_finite_is_refused() -> None:
    with pytest.raises(DataError, match="finite"):
        Prototypes(np.eye(2, dtype=np.float32)).distance(np.array([[np.nan, 1.0]]))


def test_beside_a_map_a_very_familiar_distance_makes_up_for_nothing() -> None:
    rng = np.random.default_rng(0)
    H, classes = maps(400, 0)
    features = np.hstack([rng.normal(size=(400, 2)), H])
    gaussians, prototypes = Gaussians.fit(features[:, :2], np.eye(3)[classes]), Prototypes.fit(H, classes)
    familiar = Familiarity.of(gaussians, features, np.zeros((400, 1)), prototypes)
    row = features[:1].copy()
    strange, at_the_mean = row.copy(), row.copy()
    strange[0, 2:] = rng.normal(size=12)
    at_the_mean[0, :2] = gaussians.shift
    far = row.copy()
    far[0, :2] += 100
    usual, new, near, away = (familiar.ood_scores(x, np.zeros((1, 1)))[0] for x in (row, strange, at_the_mean, far))
    assert new > usual + 3
    assert away > usual + 3
    assert near <= usual + 1e-9
