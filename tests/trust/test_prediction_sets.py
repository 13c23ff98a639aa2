"""Sets of labels: the promise by simulation, ties, what must not change them, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import beta, binom

from likely.errors import ConfigError, DataError, LikelyError, ProbabilityError, ShapeError
from likely.trust.conformal_sets import (
    METHODS,
    Method,
    aps_scores,
    coverage_interval,
    lac_scores,
    prediction_sets,
    set_quantiles,
)

COVERAGES = (0.9, 0.95, 0.99)
RESPLITS = 1000
M = 1000


def _rows(n: int, k: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that are wrong in a way of their own, and labels: the promise must not need them to be right."""
    rng = np.random.default_rng(seed)
    truth = rng.dirichlet(np.full(k, 0.4), n)
    labels = (truth.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(max=k - 1)
    claimed = truth**1.7 + 1e-3 * rng.random((n, k))
    return claimed / claimed.sum(axis=1, keepdims=True), labels


@pytest.mark.parametrize(("method", "randomized"), [("lac", False), ("aps", False), ("aps", True)])
def test_the_mean_coverage_over_resplits_is_the_promised_one(method: Method, randomized: bool) -> None:
    probs, labels = _rows(2 * M, 10, seed=1)  # with few classes the last one is often true: its APS score ties at 1
    rng = np.random.default_rng(0)
    covered = np.empty((RESPLITS, len(COVERAGES)))
    for i in range(RESPLITS):
        u = rng.random(2 * M) if randomized else None
        held, new = np.split(rng.permutation(2 * M), [M])
        for j, coverage in enumerate(COVERAGES):
            quantiles = set_quantiles(
                probs[held], labels[held], coverage, method=method, u=None if u is None else u[held]
            )
            sets = prediction_sets(
                probs[new], quantiles, method=method, u=None if u is None else u[new], allow_empty=True
            )
            covered[i, j] = sets[np.arange(M), labels[new]].mean()
    for j, coverage in enumerate(COVERAGES):
        mean, error = covered[:, j].mean(), covered[:, j].std() / np.sqrt(RESPLITS)
        assert abs(mean - coverage) < 0.002
        assert coverage - 4 * error <= mean <= coverage + 1 / (M + 1) + 4 * error


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("end", ["sure", "lost"])
def test_extreme_probabilities_are_told_apart(end: str, method: Method, dtype: type) -> None:
    """Labels whose probabilities, or what is missing to 1, differ by less than 1e-7 do not all come in together."""
    if dtype == np.float32 and (end == "sure" or method == "aps"):
        return  # next to 1 single precision has no such numbers; sums of probabilities end there
    rng = np.random.default_rng(5)
    n, k = 4000, 30
    scores = rng.normal(size=(n, k)) * 2
    labels = (scores + rng.gumbel(size=(n, k))).argmax(axis=1)
    if end == "sure":
        scores[np.arange(n), labels] += 30 + 4 * rng.normal(size=n)  # the truth has 1 - 1e-13 or so
    else:
        scores = np.concatenate([np.full((n, 1), 24.0), scores], axis=1)  # one label takes all but 1e-8 or so
        labels = labels + 1
    probs = np.exp(scores - scores.max(axis=1, keepdims=True))
    probs = (probs / probs.sum(axis=1, keepdims=True)).astype(dtype)
    held, new = np.split(rng.permutation(n), 2)
    for coverage in (0.5, 0.8, 0.9):
        quantiles = set_quantiles(probs[held], labels[held], coverage, method=method)
        sets = prediction_sets(probs[new], quantiles, method=method, allow_empty=True)
        if end == "sure" and method == "aps":
            continue  # without u the first label is always in
        covered = sets[np.arange(len(new)), labels[new]].mean()
        assert abs(covered - coverage) < 5 * np.sqrt(2 * coverage * (1 - coverage) / len(new))
        assert sets.sum(axis=1).mean() < 0.7 * sets.shape[1]


def test_each_class_is_covered_as_often_as_promised() -> None:
    probs, labels = _rows(2 * M, 3, seed=2)
    # Rows of class 0 look harder than they are, so that its rows would be covered less without its own quantile.
    probs[labels == 0] = probs[labels == 0][:, [1, 0, 2]]
    rng, coverage = np.random.default_rng(0), 0.9
    per_class, marginal, counts = (np.empty((RESPLITS, 3)) for _ in range(3))
    for i in range(RESPLITS):
        held, new = np.split(rng.permutation(2 * M), [M])
        counts[i] = np.bincount(labels[held], minlength=3)
        for found, own in ((per_class, True), (marginal, False)):
            quantiles = set_quantiles(probs[held], labels[held], coverage, per_class=own)
            hit = prediction_sets(probs[new], quantiles, allow_empty=True)[np.arange(M), labels[new]]
            found[i] = [hit[labels[new] == c].mean() for c in range(3)]
    error = 4 * per_class.std(axis=0) / np.sqrt(RESPLITS)
    assert (per_class.mean(axis=0) >= coverage - error).all()
    assert (per_class.mean(axis=0) <= coverage + (1 / (counts + 1)).mean(axis=0) + error).all()
    assert marginal.mean(axis=0).min() < coverage - 0.03


@pytest.mark.parametrize("method", METHODS)
def test_with_ties_the_coverage_is_at_least_the_promised_one(method: Method) -> None:
    kinds = np.array([[0.7, 0.2, 0.1], [0.4, 0.4, 0.2], [0.2, 0.3, 0.5]])
    rng = np.random.default_rng(0)
    for coverage in (0.5, 0.8, 0.9):
        covered: list[float] = []
        for _ in range(200):
            probs = kinds[rng.integers(3, size=400)]
            labels = (probs.cumsum(axis=1) < rng.random((400, 1))).sum(axis=1)
            quantiles = set_quantiles(probs[:200], labels[:200], coverage, method=method)
            sets = prediction_sets(probs[200:], quantiles, method=method, allow_empty=True)
            covered.append(float(sets[np.arange(200), labels[200:]].mean()))
        assert np.mean(covered) >= coverage - 4 * np.std(covered) / np.sqrt(200)


@pytest.mark.parametrize("method", METHODS)
def test_rounding_does_not_part_rows_that_tie(method: Method) -> None:
    probs = np.repeat([[0.6, 0.3, 0.1]], 99, axis=0)
    quantiles = set_quantiles(probs, np.ones(99, np.int64), 0.9, method=method)
    for nudge in (-1e-7, 1e-7):
        moved = np.array([[0.6 - nudge, 0.3 + nudge, 0.1]])
        assert prediction_sets(moved, quantiles, method=method).tolist() == [[True, True, False]]


def test_the_scores_by_hand() -> None:
    probs = np.array([[0.5, 0.2, 0.3], [0.25, 0.5, 0.25]])
    np.testing.assert_allclose(lac_scores(probs), [[0.5, 0.8, 0.7], [0.75, 0.5, 0.75]])
    np.testing.assert_allclose(aps_scores(probs), [[0.5, 1.0, 0.8], [0.75, 0.5, 1.0]])
    randomized = aps_scores(probs, np.array([0.0, 0.5]))
    np.testing.assert_allclose(randomized, [[0.0, 0.8, 0.5], [0.625, 0.25, 0.875]])
    np.testing.assert_allclose(aps_scores(probs, np.ones(2)), aps_scores(probs))


def test_the_quantile_by_hand() -> None:
    probs, labels = _rows(57, 3, seed=3)
    scores = np.sort(1 - probs[np.arange(57), labels])
    assert set_quantiles(probs, labels, 0.9).tolist() == [scores[52]] * 3  # ceil(58 x 0.9) = 53
    assert set_quantiles(probs, labels, 0.5).tolist() == [scores[28]] * 3  # 58 x 0.5 = 29, exactly


def test_a_quantile_per_class_is_that_of_its_rows() -> None:
    probs, labels = _rows(300, 3, seed=4)
    for c, quantile in enumerate(set_quantiles(probs, labels, 0.9, per_class=True)):
        rows = labels == c
        assert quantile == set_quantiles(probs[rows], labels[rows], 0.9)[0]


def test_empty_sets_get_the_most_probable_label_unless_they_are_allowed() -> None:
    probs = np.array([[0.4, 0.35, 0.25], [0.9, 0.05, 0.05]])
    quantiles = np.full(3, 0.2)
    assert prediction_sets(probs, quantiles, allow_empty=True).sum(axis=1).tolist() == [0, 1]
    assert prediction_sets(probs, quantiles).tolist() == [[True, False, False], [True, False, False]]


_PROBS = arrays(np.float64, (30, 4), elements=st.floats(0.001, 1)).map(lambda a: a / a.sum(axis=1, keepdims=True))
_LABELS = arrays(np.int64, (30,), elements=st.integers(0, 3))


@given(_PROBS, _LABELS, st.permutations(range(4)))
def test_other_columns_give_the_same_sets_in_other_columns(
    probs: np.ndarray, labels: np.ndarray, order: list[int]
) -> None:
    sets = prediction_sets(probs, set_quantiles(probs, labels, 0.9), allow_empty=True)
    moved = probs[:, order]
    relabeled = np.argsort(order)[labels]
    again = prediction_sets(moved, set_quantiles(moved, relabeled, 0.9), allow_empty=True)
    np.testing.assert_array_equal(again, sets[:, order])


@given(_PROBS, _LABELS, st.sampled_from(METHODS), st.booleans())
def test_sets_grow_with_the_coverage_and_hold_the_mode(
    probs: np.ndarray, labels: np.ndarray, method: Method, randomized: bool
) -> None:
    u = np.random.default_rng(0).random(30) if randomized else None
    before = np.zeros(probs.shape, bool)
    for coverage in (0.3, 0.6, 0.9, 0.96):
        sets = prediction_sets(probs, set_quantiles(probs, labels, coverage, method=method, u=u), method=method, u=u)
        assert (sets >= before).all()
        assert sets[np.arange(30), probs.argmax(axis=1)].all()
        before = sets


@given(_PROBS, _LABELS)
def test_the_order_of_held_out_rows_does_not_matter(probs: np.ndarray, labels: np.ndarray) -> None:
    order = np.random.default_rng(0).permutation(30)
    for method in METHODS:
        quantiles = set_quantiles(probs, labels, 0.9, method=method)
        np.testing.assert_array_equal(set_quantiles(probs[order], labels[order], 0.9, method=method), quantiles)


def test_single_precision_is_read_as_it_is() -> None:
    probs, labels = _rows(500, 3, seed=5)
    single = probs.astype(np.float32)
    sets = prediction_sets(single, set_quantiles(single, labels, 0.9))
    np.testing.assert_array_equal(sets, prediction_sets(probs, set_quantiles(probs, labels, 0.9)))


def test_no_rows_have_no_sets() -> None:
    assert prediction_sets(np.empty((0, 3)), np.full(3, 0.5)).shape == (0, 3)


@pytest.mark.parametrize(("m", "coverage"), [(19, 0.95), (200, 0.9), (2400, 0.99)])
def test_the_interval_of_the_coverage(m: int, coverage: float) -> None:
    low, high = coverage_interval(m, coverage)
    rank = int(np.ceil(round((m + 1) * coverage, 9)))
    # The coverage stays below x where at least r of m uniform scores do.
    assert binom.sf(rank - 1, m, low) == pytest.approx(0.025, abs=1e-9)
    assert binom.sf(rank - 1, m, high) == pytest.approx(0.975, abs=1e-9)
    assert (low, high) == pytest.approx(beta(rank, m + 1 - rank).interval(0.95))
    if m < 1000:
        quantiles = np.sort(np.random.default_rng(0).random((20_000, m)), axis=1)[:, rank - 1]
        assert np.mean((low <= quantiles) & (quantiles <= high)) == pytest.approx(0.95, abs=0.006)


def test_a_higher_level_gives_a_wider_interval() -> None:
    low, high = coverage_interval(500, 0.9, level=0.99)
    assert low < coverage_interval(500, 0.9)[0] < coverage_interval(500, 0.9)[1] < high


def test_too_few_rows_are_refused_with_how_many_are_needed() -> None:
    probs, labels = _rows(98, 3, seed=6)
    with pytest.raises(DataError, match=r"at least 99 held-out rows; got 98"):
        set_quantiles(probs, labels, 0.99)
    with pytest.raises(DataError, match=r"at least 99 held-out rows; got 98"):
        coverage_interval(98, 0.99)
    probs, labels = np.full((30, 3), 1 / 3), np.repeat([0, 1, 2], [14, 13, 3])
    with pytest.raises(DataError, match=r"at least 9 held-out rows of each; got 3 of 'Bag'"):
        set_quantiles(probs, labels, 0.9, per_class=True, names=["Shirt", "Coat", "Bag"])
    with pytest.raises(DataError, match=r"got 3 of class 2"):
        set_quantiles(probs, labels, 0.9, per_class=True)


@pytest.mark.parametrize("coverage", [0.0, 1.0, -0.1, 95.0, float("nan")])
def test_a_coverage_outside_0_and_1_is_refused(coverage: float) -> None:
    probs, labels = _rows(98, 3, seed=6)
    for per_class in (False, True):
        with pytest.raises(ConfigError, match="coverage must be strictly between 0 and 1"):
            set_quantiles(probs, labels, coverage, per_class=per_class)
    with pytest.raises(ConfigError, match="coverage"):
        coverage_interval(100, coverage)


def test_an_unknown_method_is_refused_with_the_nearest() -> None:
    probs, labels = _rows(98, 3, seed=6)
    with pytest.raises(ConfigError, match=r"got 'lacs'\. Did you mean 'lac'\?"):
        set_quantiles(probs, labels, 0.9, method="lacs")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigError, match="Choose from 'lac', 'aps'"):
        prediction_sets(probs, np.full(3, 0.5), method="x")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigError, match="level"):
        coverage_interval(100, 0.9, level=1.0)


@pytest.mark.parametrize(
    ("probs", "labels", "error", "message"),
    [
        (np.full((30, 2), 0.6), np.zeros(30, int), ProbabilityError, "sum to 1"),
        (np.full(2, 0.5), np.zeros(1, int), ShapeError, r"probs\[None\]"),
        (np.full((30, 2), 0.5), np.zeros(29, int), ShapeError, "30 integers"),
        (np.full((30, 2), 0.5), np.full(30, 2), DataError, "row 0"),
        (np.full((30, 2), 0.5), np.full((30, 2), 0.5), ShapeError, "one class per row"),
    ],
)
def test_what_does_not_fit_is_refused(
    probs: np.ndarray, labels: np.ndarray, error: type[LikelyError], message: str
) -> None:
    for per_class in (False, True):
        with pytest.raises(error, match=message):
            set_quantiles(probs, labels, 0.9, per_class=per_class)


def test_quantiles_and_uniforms_must_fit() -> None:
    probs = np.full((4, 2), 0.5)
    with pytest.raises(ShapeError, match="one per column"):
        prediction_sets(probs, np.full(3, 0.5))
    for u in (np.full(3, 0.5), np.full(4, 1.5), np.full(4, np.nan)):
        with pytest.raises(ShapeError, match=r"u must be 4 numbers in \[0, 1\]"):
            aps_scores(probs, u)


@pytest.mark.parametrize("rest", [0.0, 1e-300, 1e-17])
def test_labels_without_probability_stay_out_of_sets_of_collected_mass(rest: float) -> None:
    labels = np.arange(300) % 3
    probs = np.where(np.eye(3)[labels] == 1, 1.0, rest)
    for coverage in (0.5, 0.95):
        quantiles = set_quantiles(probs, labels, coverage, method="aps")
        sets = prediction_sets(probs, quantiles, method="aps")
        np.testing.assert_array_equal(sets, np.eye(3, dtype=bool)[labels])
    half = np.array([[0.5, 0.5, 0.0, 0.0]])
    assert prediction_sets(half, np.ones(4), method="aps").tolist() == [[True, True, False, False]]
    for u in (0.0, 0.3, 1.0):
        found = prediction_sets(half, np.ones(4), method="aps", u=np.array([u]))
        assert found.tolist() == [[True, True, False, False]]


def test_certain_rows_that_are_wrong_still_keep_the_promise() -> None:
    # One-hot answers, wrong in 3% or 10% of the rows: the sets must hold the truth in 95% all the same.
    rng = np.random.default_rng(3)
    for wrong in (0.03, 0.1):
        covered = []
        for _ in range(200):
            labels = rng.integers(0, 4, 400)
            said = np.where(rng.random(400) < wrong, (labels + rng.integers(1, 4, 400)) % 4, labels)
            probs = np.eye(4)[said]
            quantiles = set_quantiles(probs[:200], labels[:200], 0.95, method="aps")
            sets = prediction_sets(probs[200:], quantiles, method="aps")
            covered.append(sets[np.arange(200), labels[200:]].mean())
        assert np.mean(covered) >= 0.95
