"""The principal space of feature maps: what must not change it, few rows, and how it counts beside the other parts."""

import numpy as np
import pytest

from likely.errors import DataError
from likely.trust.familiarity import Familiarity, UsualSize, doubt
from likely.trust.gaussians import Gaussians
from likely.trust.principal_space import PrincipalSpace, normalized
from likely.trust.prototypes import Prototypes


def maps(n: int, seed: int, d: int = 40) -> np.ndarray:
    """Positive combinations of three maps, and a little of everything."""
    of_all = np.random.default_rng(5).normal(size=(3, d))
    rng = np.random.default_rng(seed)
    return rng.exponential(size=(n, 3)) @ of_all + 0.05 * rng.normal(size=(n, d))


def test_how_strongly_something_is_seen_does_not_count() -> None:
    H = maps(300, 0)
    scales = np.random.default_rng(1).uniform(0.1, 50, size=(300, 1))
    found, scaled = PrincipalSpace.fit(H), PrincipalSpace.fit(H * scales)
    np.testing.assert_allclose(found.beside(H * scales), found.beside(H), atol=1e-6)
    np.testing.assert_allclose(scaled.beside(H), found.beside(H), atol=1e-5)


@pytest.mark.parametrize("n", [30, 600], ids=["fewer rows than numbers", "more"])
def test_the_directions_are_orthonormal_and_new_rows_lie_along_them(n: int) -> None:
    found = PrincipalSpace.fit(maps(n, 0))
    assert found.directions.shape == (40, min(10, n // 4))
    np.testing.assert_allclose(found.directions.T @ found.directions, np.eye(min(10, n // 4)), atol=1e-4)
    other = np.random.default_rng(2).normal(size=(200, 40))
    assert np.median(found.beside(maps(200, 1))) < 0.05 < 0.5 < np.median(found.beside(other))


def test_it_is_what_a_singular_value_decomposition_leaves() -> None:
    H, new = maps(200, 0), maps(20, 1)
    V = np.linalg.svd(normalized(H).astype(float))[2][:10].T
    expected = 1 - np.square(normalized(new) @ V).sum(axis=1)
    np.testing.assert_allclose(PrincipalSpace.fit(H).beside(new), expected, atol=1e-5)


def test_many_rows_lie_where_each_lies_alone() -> None:
    found, H = PrincipalSpace.fit(maps(300, 0)), maps(2_300, 1)
    alone = np.concatenate([found.beside(row[None]) for row in H])
    np.testing.assert_allclose(found.beside(H), alone, rtol=0, atol=1e-12)
    assert found.beside(H[:0]).shape == (0,)


@pytest.mark.parametrize("n", [1, 2, 9, 40])
def test_few_rows_alike_rows_and_rows_of_zeros(n: int) -> None:
    H = np.repeat([[1.0, 0.0, 1.0] + [0.0] * 13], n, axis=0)
    found = PrincipalSpace.fit(H)
    assert found.directions.shape == (16, 1)  # what never varies has no other
    strange = np.zeros((3, 16))
    strange[0, [0, 2]], strange[2, 1] = 2.0, 1.0
    np.testing.assert_allclose(found.beside(strange), [0, 1, 1], atol=1e-6)
    np.testing.assert_array_equal(PrincipalSpace.fit(0 * H).beside(0 * H), 1)


@pytest.mark.parametrize("ask", [PrincipalSpace(np.eye(2)).beside, PrincipalSpace.fit, Prototypes(np.eye(2)).distance])
def test_a_map_that_is_not_finite_is_refused(ask: object) -> None:
    with pytest.raises(DataError, match="finite"):
        ask(np.array([[np.nan, 1.0]]))  # type: ignore[operator]


def test_doubt_is_the_entropy_at_half_the_scale_and_masked_classes_add_none() -> None:
    scores = np.random.default_rng(0).normal(size=(20, 4))
    P = np.exp(scores / 2) / np.exp(scores / 2).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(doubt(scores), -(P * np.log(P)).sum(axis=1))
    np.testing.assert_allclose(doubt(np.insert(scores + 7, 1, -np.inf, axis=1)), doubt(scores))
    np.testing.assert_allclose(doubt(np.array([[1e4, -1e4, 0.0], [3.0, 3.0, -np.inf]])), [0, np.log(2)], atol=1e-12)


def test_beside_a_map_doubt_counts_as_much_as_both_distances() -> None:
    found = UsualSize(np.zeros(3), np.ones(3)).combined(
        np.array([1.0, 0, 0, 0]), np.eye(4)[1], np.eye(4)[2] - np.eye(4)[3] * 9
    )
    np.testing.assert_allclose(found, [1, 1, 2, -6])  # nothing counts less than -3 deviations


def test_each_part_makes_a_row_stranger() -> None:
    rng = np.random.default_rng(0)
    features, scores = np.hstack([rng.normal(size=(400, 2)), maps(400, 0)]), rng.normal(size=(400, 3))
    gaussians, space = Gaussians.fit(features[:, :2], np.ones((400, 1))), PrincipalSpace.fit(features[:, 2:])
    familiar = Familiarity.of(gaussians, features, scores, space)
    usual, sure = familiar.ood_scores(features, scores), np.array([[9.0, 0.0, 0.0]])
    row = np.concatenate([gaussians.shift, maps(1, 3)[0]])[None]
    moved, far = row.copy(), row.copy()
    moved[0, 2:] = np.roll(row[0, 2:], 20)
    far[0, :2] += 100
    plain, unlike, away, unsure = (
        familiar.ood_scores(x, s)[0] for x, s in [(row, sure), (moved, sure), (far, sure), (row, 0 * sure)]
    )
    assert plain < np.median(usual)
    assert min(unlike, away, unsure) > plain + 2
    np.testing.assert_allclose(np.mean(usual), 0, atol=0.2)


def test_what_little_lies_beside_is_not_rounded_away() -> None:
    along, across = np.zeros((2, 40))
    along[0], across[-1] = 1.0, 1.0
    share = np.logspace(-7, -2, 6)
    H = (np.sqrt(1 - share)[:, None] * along + np.sqrt(share)[:, None] * across) * 7.3
    found = PrincipalSpace(np.eye(40, 2, dtype=np.float32)).beside(H)
    np.testing.assert_allclose(found, share, rtol=1e-8)
