"""Familiarity: false alarms by simulation, what must not change distances, and few or odd rows."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from likely.errors import DataError, ShapeError
from likely.trust.familiarity import Familiarity, UsualSize, energy, familiarity_p_values
from likely.trust.gaussians import Gaussians

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


@pytest.mark.parametrize("m", [19, 99, 250])
@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, shape: rng.normal(size=shape),
        lambda rng, shape: rng.pareto(0.5, size=shape),
        lambda rng, shape: rng.integers(5, size=shape).astype(float),
    ],
    ids=["normal", "heavy tails", "ties"],
)
def test_false_alarms_are_no_more_than_allowed(draw: Draw, m: int) -> None:
    rng, draws = np.random.default_rng(0), 4000
    held_out = np.sort(draw(rng, (draws, m)), axis=1)
    new = draw(rng, (draws, 1))
    p = np.array([familiarity_p_values(row, held)[0] for row, held in zip(new, held_out, strict=True)])
    for a in (0.01, 0.05, 0.1, 0.3, 0.5, 0.9):
        assert (p <= a).mean() <= a + 4 * math.sqrt(a * (1 - a) / draws)
    if len(np.unique(new)) > 5:
        exact = math.floor(0.1 * (m + 1)) / (m + 1)
        assert (p <= 0.1 + 1e-12).mean() == pytest.approx(exact, abs=4 * math.sqrt(0.09 / draws))


def _rows(n: int, seed: int, d: int = 6, k: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features around one center per class, label distributions, and scores that know the centers."""
    rng = np.random.default_rng(seed)
    centers = 3 * np.random.default_rng(99).normal(size=(k, d))
    labels = rng.integers(k, size=n)
    features = centers[labels] + rng.normal(size=(n, d))
    scores = -np.square(features[:, None] - centers).sum(axis=-1) / 2
    return features, np.eye(k)[labels], scores


def test_the_whole_way_keeps_the_rate_of_false_alarms_and_raises_true_ones() -> None:
    rates: list[float] = []
    for seed in range(20):
        features, Y, _ = _rows(500, 4 * seed)
        reference, _, reference_scores = _rows(300, 4 * seed + 1)
        stats = Familiarity.of(Gaussians.fit(features, Y), reference, reference_scores)
        held, _, held_scores = _rows(299, 4 * seed + 2)
        held_out = np.sort(stats.ood_scores(held, held_scores))
        new, _, scores = _rows(2000, 4 * seed + 3)
        p = familiarity_p_values(stats.ood_scores(new, scores), held_out)
        rates.append(float((p <= 0.05).mean()))
        strange = familiarity_p_values(stats.ood_scores(new + 9, scores - 50), held_out)
        assert (strange <= 0.05).mean() > 0.99
    assert np.mean(rates) == pytest.approx(0.05, abs=4 * np.std(rates) / math.sqrt(20))


def test_a_usual_size_from_the_rows_of_the_gaussians_keeps_the_rate_of_false_alarms() -> None:
    rates: list[float] = []
    for seed in range(20):
        # Few rows for many features: distances of the rows that the Gaussians come from are far too small.
        features, Y, trained_scores = _rows(60, 3 * seed, d=20)
        stats = Familiarity.of(Gaussians.fit(features, Y), features, 2 * trained_scores)
        held, _, held_scores = _rows(399, 3 * seed + 1, d=20)
        new, _, scores = _rows(2000, 3 * seed + 2, d=20)
        p = familiarity_p_values(stats.ood_scores(new, scores), np.sort(stats.ood_scores(held, held_scores)))
        rates.append(float((p <= 0.05).mean()))
    assert np.mean(rates) == pytest.approx(0.05, abs=4 * np.std(rates) / math.sqrt(20))


@given(arrays(np.float64, 6, elements=st.floats(1e-3, 1e3)), arrays(np.float64, 6, elements=st.floats(-100, 100)))
def test_scaling_and_shifting_single_features_changes_nothing(scale: np.ndarray, shift: np.ndarray) -> None:
    features, Y, _ = _rows(80, 0)
    new = _rows(20, 1)[0]
    plain = Gaussians.fit(features, Y).distance(new)
    moved = Gaussians.fit(features * scale + shift, Y).distance(new * scale + shift)
    np.testing.assert_allclose(moved, plain, rtol=1e-6)


def test_the_order_of_rows_classes_and_features_does_not_matter() -> None:
    features, Y, _ = _rows(80, 0)
    new = _rows(20, 1)[0]
    rng = np.random.default_rng(0)
    rows, columns, classes = rng.permutation(80), rng.permutation(6), rng.permutation(3)
    moved = Gaussians.fit(features[rows][:, columns], Y[rows][:, classes])
    plain = Gaussians.fit(features, Y).distance(new)
    np.testing.assert_allclose(moved.distance(new[:, columns]), plain, rtol=1e-9)


def test_distances_within_the_classes_are_those_of_a_chi_square() -> None:
    features, Y, _ = _rows(20_000, 0)
    found = Gaussians.fit(features, Y).distance(_rows(20_000, 1)[0])
    assert found.mean() == pytest.approx(6, rel=0.03)
    assert found.var() == pytest.approx(12, rel=0.1)


def test_soft_labels_count_in_part() -> None:
    features, Y, _ = _rows(300, 0)
    doubled = Gaussians.fit(np.repeat(features, 2, axis=0), np.repeat(Y, 2, axis=0))
    halved = Gaussians.fit(features, 0.5 * Y + 0.5 * Y)
    np.testing.assert_allclose(doubled.means**2, halved.means**2, rtol=0.1, atol=0.5)
    soft = Gaussians.fit(features, np.full((300, 3), 1 / 3))
    # Every class has the mean of all rows, so that there is one place to be near to.
    np.testing.assert_allclose(soft.means, 0, atol=1e-9)


@pytest.mark.parametrize(
    "kind", ["few rows", "constant feature", "all constant", "no row of a class", "one class", "one row", "one feature"]
)
def test_little_to_learn_from_still_gives_finite_numbers(kind: str) -> None:
    n, d, k = {"few rows": (5, 30, 2), "one row": (1, 6, 3), "one class": (40, 6, 1), "one feature": (40, 1, 2)}.get(
        kind, (40, 6, 3)
    )
    features, Y, scores = _rows(n, 0, d, k)
    if kind == "constant feature":
        features[:, 2] = 0.1
    if kind == "all constant":
        features[:] = 0.1
    if kind == "no row of a class":
        Y[:, 1] += Y[:, 0]
        Y[:, 0] = 0
    stats = Gaussians.fit(features, Y)
    assert all(np.isfinite(value).all() for value in vars(stats).values() if value is not None)
    new = _rows(50, 1, d, k)[0]
    for rows in (features, new, 1e6 * new):
        found = stats.distance(rows)
        assert np.isfinite(found).all()
        assert (found >= 0).all()
    assert stats.distance(features).mean() <= stats.distance(100 + 100 * np.abs(new)).min()
    familiarity = Familiarity.of(stats, features, scores)
    assert np.isfinite(familiarity.ood_scores(features, scores)).all()


def test_a_class_without_rows_is_near_to_nothing() -> None:
    features, Y, _ = _rows(60, 0)
    with_empty = Gaussians.fit(features, np.column_stack([Y, np.zeros(60)]))
    assert with_empty.means.shape == (3, 6)
    new = _rows(20, 1)[0]
    np.testing.assert_allclose(with_empty.distance(new), Gaussians.fit(features, Y).distance(new))


def test_what_varies_only_now_is_strange() -> None:
    features, Y, _ = _rows(200, 0)
    features[:, 2] = 0.0
    stats = Gaussians.fit(features, Y)
    new = _rows(50, 1)[0]
    new[:, 2] = 0.0
    varied = new.copy()
    varied[:, 2] = 1.0
    assert (stats.distance(varied) > stats.distance(new) + 1).all()


@given(st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
def test_the_unit_and_the_origin_of_the_energy_do_not_matter(scale: float, shift: float) -> None:
    rng = np.random.default_rng(0)
    distances, energies, new = rng.chisquare(6, size=(2, 50)), rng.normal(size=50), rng.normal(size=50)
    plain = UsualSize.of(distances[0], energies).combined(distances[1], new)
    moved = UsualSize.of(distances[0], scale * energies + shift).combined(distances[1], scale * new + shift)
    np.testing.assert_allclose(moved, plain, atol=1e-6)


@given(st.floats(0, 1e12), st.floats(0, 1e12), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_either_part_makes_a_row_stranger(near: float, far: float, low: float, high: float) -> None:
    near, far, low, high = *sorted([near, far]), *sorted([low, high])
    usual = UsualSize.of(np.array([3.0, 8.0, 20.0]), np.array([-9.0, -4.0, -2.0]))
    first, *others = usual.combined(np.array([near, near, far, far]), np.array([low, high, low, high]))
    assert all(other >= first for other in others)
    assert others[2] >= max(others[:2])


def test_rows_stranger_than_all_held_out_ones_keep_their_order() -> None:
    rng = np.random.default_rng(0)
    usual = UsualSize.of(rng.chisquare(6, size=200), rng.normal(size=200))
    assert (np.diff(usual.combined(np.geomspace(1e3, 1e9, 20), np.zeros(20))) > 0).all()


def test_both_parts_count_the_same_on_held_out_rows() -> None:
    features, Y, scores = _rows(500, 0)
    stats = Familiarity.of(Gaussians.fit(features, Y), features, scores)
    alone = [
        stats.usual.combined(stats.gaussians.distance(features), np.full(500, stats.usual.center[1])),
        stats.usual.combined(np.full(500, np.expm1(stats.usual.center[0])), energy(scores)),
    ]
    np.testing.assert_allclose([part.mean() for part in alone], 0, atol=1e-3)
    np.testing.assert_allclose([part.std() for part in alone], 1, rtol=1e-2)
    np.testing.assert_allclose(sum(alone), stats.ood_scores(features, scores), atol=1e-9)


@pytest.mark.parametrize("m", [1, 2, 50])
def test_held_out_rows_that_never_vary_leave_finite_numbers(m: int) -> None:
    usual = UsualSize.of(np.full(m, 0.1), np.full(m, -0.3))
    np.testing.assert_allclose(usual.combined(np.array([0.1]), np.array([-0.3])), 0, atol=1e-9)
    assert (usual.combined(np.array([0.1, 9.0]), np.array([1.0, -0.3])) > 1).all()


def test_rows_that_are_alike_have_one_familiarity_whatever_the_rounding() -> None:
    held_out = np.sort(np.repeat([1.0, 5.0], [89, 10]))
    for nudge in (1 - 1e-7, 1.0, 1 + 1e-7):
        np.testing.assert_allclose(familiarity_p_values(np.array([5.0 * nudge, 1.0 * nudge]), held_out), [0.11, 1.0])


def test_p_values_by_hand() -> None:
    held_out = np.array([1.0, 2.0, 2.0, 4.0])
    found = familiarity_p_values(np.array([0.0, 1.0, 2.0, 3.0, 4.0, 9.0]), held_out)
    np.testing.assert_allclose(found, [1.0, 1.0, 0.8, 0.4, 0.4, 0.2])
    assert familiarity_p_values(np.array([3.0]), np.empty(0)).tolist() == [1.0]


def test_the_energy_falls_when_any_score_rises() -> None:
    scores = np.random.default_rng(0).normal(size=(20, 4))
    higher = scores.copy()
    higher[:, 2] += 0.5
    assert (energy(higher) < energy(scores)).all()
    np.testing.assert_allclose(energy(scores + 7.0), energy(scores) - 7.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(bad: float) -> None:
    features, Y, scores = _rows(20, 0)
    stats = Gaussians.fit(features, Y)
    features[3, 1] = scores[3, 1] = bad
    for ask in (lambda: Gaussians.fit(features, Y), lambda: stats.distance(features)):
        with pytest.raises(DataError, match="features must be finite; got NaN or infinity in row 3"):
            ask()
    with pytest.raises(DataError, match="scores must be finite; got NaN or infinity in row 3"):
        energy(scores)


def test_a_masked_class_adds_nothing_to_the_energy() -> None:
    scores = np.random.default_rng(0).normal(size=(20, 4))
    masked = np.insert(scores, 1, -np.inf, axis=1)
    np.testing.assert_allclose(energy(masked), energy(scores))
    masked[7] = -np.inf
    with pytest.raises(DataError, match="row 7"):
        energy(masked)


def test_shapes_that_do_not_fit_are_refused() -> None:
    features, Y, scores = _rows(20, 0)
    stats = Gaussians.fit(features, Y)
    for H, labels in ((features, Y[:-1]), (features, Y[:, 0]), (features[:0], Y[:0])):
        with pytest.raises(ShapeError, match="a row per row"):
            Gaussians.fit(H, labels)
    with pytest.raises(ShapeError, match=r"\(n, d\)"):
        Gaussians.fit(features[0], Y)
    with pytest.raises(ShapeError, match="6 columns"):
        stats.distance(features[:, :4])
    with pytest.raises(ShapeError, match="scores"):
        energy(scores[0])


def test_parts_that_do_not_fit_each_other_are_refused() -> None:
    usual = UsualSize.of(np.ones(3), np.ones(3))
    for ask in (lambda: UsualSize.of(np.ones(3), np.ones(2)), lambda: usual.combined(np.ones((2, 2)), np.ones((2, 2)))):
        with pytest.raises(ShapeError, match="one number of each part per distance"):
            ask()
    with pytest.raises(ShapeError, match="at least one row"):
        UsualSize.of(np.empty(0), np.empty(0))


def _full(features: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """The shrunk covariance within the classes as the formula has it, and what it is the covariance of."""
    H = (features - features.mean(axis=0)) / features.std(axis=0)
    n, d = H.shape
    means = (Y.T @ H) / Y.sum(axis=0)[:, None]
    apart = H[:, None] - means
    S = np.einsum("nk,nki,nkj->ij", Y, apart, apart) / n
    trace, squared = np.trace(S), np.square(S).sum()
    gap = (n + 1 - 2 / d) * (squared - trace**2 / d)
    rate = min(1.0, ((1 - 2 / d) * squared + trace**2) / gap)
    return (1 - rate) * S + rate * trace / d * np.eye(d)


@pytest.mark.parametrize("soft", [False, True])
def test_with_fewer_rows_than_features_the_distance_is_that_of_the_full_covariance(soft: bool) -> None:
    rng = np.random.default_rng(0)
    features, new = rng.normal(size=(20, 60)) * rng.uniform(0.5, 5, 60), 3 * rng.normal(size=(7, 60))
    Y = rng.dirichlet([1, 1, 1], size=20) if soft else np.eye(3)[np.arange(20) % 3]
    stats = Gaussians.fit(features, Y)
    assert stats.whitening is None
    precision = np.linalg.inv(_full(features, Y))
    H = (features - features.mean(axis=0)) / features.std(axis=0)
    means = (Y.T @ H) / Y.sum(axis=0)[:, None]
    apart = ((new - features.mean(axis=0)) / features.std(axis=0))[:, None] - means
    expected = np.einsum("nki,ij,nkj->nk", apart, precision, apart).min(axis=1)
    np.testing.assert_allclose(stats.distance(new), expected, rtol=1e-4)


def test_wide_features_keep_a_stated_number_of_directions() -> None:
    rng = np.random.default_rng(0)
    stats = Gaussians.fit(rng.normal(size=(60, 100_000)).astype(np.float32), np.ones((60, 1)))
    assert stats.directions.shape == (100_000, 41)  # 2^22 numbers
    assert sum(value.nbytes for value in vars(stats).values() if value is not None) < 25e6
    same = Gaussians.fit(np.ones((5, 9)), np.ones((5, 1)))  # nothing varies at all
    assert np.isfinite(same.distance(np.full((1, 9), 2.0))).all()
