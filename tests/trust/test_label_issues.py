"""Label issues against cleanlab, by hand, and on data whose flipped labels are known."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from likely.errors import ConfigError, DataError, ProbabilityError, ShapeError
from likely.trust.wrong_labels import confident_classes, label_issues

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its own imports
    import cleanlab.count
    import cleanlab.filter

FILTERS = {"confident": "confident_learning", "disagree": "predicted_neq_given"}


def confident_joint(labels: np.ndarray, probs: np.ndarray) -> np.ndarray:
    """How many rows of each given label (down) confidently count for each class (across)."""
    counted = confident_classes(probs, labels)
    joint = np.zeros((probs.shape[1],) * 2, int)
    np.add.at(joint, (labels[counted >= 0], counted[counted >= 0]), 1)
    return joint


def flipped(n: int, k: int, share: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities that are right about the true labels, given labels of which a share is flipped, and where."""
    rng = np.random.default_rng(seed)
    scores = 2.5 * rng.normal(size=(n, k))
    probs = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    truth = (scores + rng.gumbel(size=(n, k))).argmax(axis=1)
    wrong = rng.random(n) < share
    return np.where(wrong, (truth + rng.integers(1, k, size=n)) % k, truth), probs, np.flatnonzero(wrong)


@pytest.mark.parametrize("which", ["confident", "disagree"])
@pytest.mark.parametrize("rank_by", ["normalized_margin", "self_confidence"])
@pytest.mark.parametrize(("n", "k"), [(400, 2), (1500, 5), (900, 12)])
def test_cleanlab_lists_the_same_rows_in_the_same_order(n: int, k: int, rank_by: str, which: str) -> None:
    labels, probs, _ = flipped(n, k, 0.08, n + k)
    expected = cleanlab.filter.find_label_issues(
        labels, probs, filter_by=FILTERS[which], return_indices_ranked_by=rank_by, n_jobs=1
    )
    found = label_issues(labels, probs, which=which, rank_by=rank_by)
    assert len(found.index) > 10
    assert np.array_equal(found.index, expected)


@pytest.mark.parametrize(("n", "k"), [(400, 2), (1500, 5)])
def test_cleanlab_counts_the_same_confident_joint(n: int, k: int) -> None:
    labels, probs, _ = flipped(n, k, 0.08, 1)
    expected = cleanlab.count.compute_confident_joint(labels, probs, calibrate=False)
    assert np.array_equal(confident_joint(labels, probs), expected)


def test_flipped_labels_come_first_and_are_suggested_back() -> None:
    labels, probs, wrong = flipped(5000, 4, 0.03, 2)
    sharp = probs**4 / (probs**4).sum(axis=1, keepdims=True)
    truth = sharp.argmax(axis=1)
    labels = truth.copy()
    labels[wrong] = (truth[wrong] + 1) % 4
    found = label_issues(labels, sharp, which="disagree")
    assert set(found.index) == set(wrong)
    assert np.array_equal(found.suggested, truth[found.index])
    assert np.array_equal(found.given, labels[found.index])


def test_a_row_counts_for_the_class_whose_threshold_it_reaches() -> None:
    # Thresholds: class 0 about 0.63, class 1 0.4, class 2 0.9. Row 4 reaches only that of class 1, which is not its
    # most probable one.
    probs = np.array([[0.9, 0.05, 0.05], [0.8, 0.1, 0.1], [0.3, 0.4, 0.3], [0.05, 0.05, 0.9], [0.2, 0.35, 0.45]])
    labels = np.array([0, 0, 1, 2, 0])
    assert len(label_issues(labels, probs).index) == 0
    probs[4] = [0.1, 0.43, 0.47]
    found = label_issues(labels, probs, rank_by="normalized_margin")
    assert (found.index.tolist(), found.suggested.tolist()) == ([4], [1])
    assert found.score == pytest.approx([(0.1 - 0.47 + 1) / 2])
    assert label_issues(labels, probs, which="disagree").suggested.tolist() == [2]


@st.composite
def cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    k = draw(st.integers(2, 4))
    n = draw(st.integers(k, 30))
    weights = draw(arrays(np.float64, (n, k), elements=st.floats(0, 1)))
    weights[weights.sum(axis=1) < 1e-3] = 1.0
    labels = draw(arrays(np.int64, n, elements=st.integers(0, k - 1)))
    labels[:k] = np.arange(k)
    return labels, weights / weights.sum(axis=1, keepdims=True)


@given(cases(), st.sampled_from(["normalized_margin", "self_confidence"]))
def test_laws(case: tuple[np.ndarray, np.ndarray], rank_by: str) -> None:
    labels, probs = case
    sure, all_of_them = (
        label_issues(labels, probs, which=which, rank_by=rank_by) for which in ("confident", "disagree")
    )
    for found in (sure, all_of_them):
        assert np.all(found.suggested != found.given)
        assert np.all(np.diff(found.score) >= 0)
        assert np.all((found.score >= 0) & (found.score <= 1))
        assert len(set(found.index)) == len(found.index)
    assert set(sure.index) <= set(all_of_them.index)


def test_labels_that_are_believed_are_no_issue() -> None:
    labels = np.array([0, 1, 2, 1])
    for which in ("confident", "disagree"):
        found = label_issues(labels, np.eye(3)[labels], which=which)
        assert len(found) == 0
    even = label_issues(np.array([0, 1]), np.full((2, 2), 0.5), which="disagree")
    assert len(even.index) == 0


def test_a_class_without_rows_has_no_threshold_and_changes_nothing_for_the_others() -> None:
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 3, 200)
    probs = rng.dirichlet(np.ones(3), 200) + np.eye(3)[labels]
    probs /= probs.sum(axis=1, keepdims=True)
    wide = np.insert(probs * 0.999, 1, 0.001, axis=1)  # a class between the others that nobody has
    moved = np.array([0, 2, 3])
    for which in ("confident", "disagree"):
        for rank_by in ("self_confidence", "normalized_margin"):
            one = label_issues(labels, probs, which=which, rank_by=rank_by)
            other = label_issues(moved[labels], wide, which=which, rank_by=rank_by)
            np.testing.assert_array_equal(one.index, other.index)
            np.testing.assert_array_equal(moved[one.suggested], other.suggested)
    joint = confident_joint(moved[labels], wide)
    np.testing.assert_array_equal(joint[np.ix_(moved, moved)], confident_joint(labels, probs))
    assert joint[1].sum() == joint[:, 1].sum() == 0


def test_a_sure_word_for_a_class_without_rows_is_no_confident_issue_but_disagrees() -> None:
    probs = np.array([[0.9, 0.1], [0.1, 0.9], [0.8, 0.2]])
    assert len(label_issues(np.zeros(3, int), probs)) == 0
    assert label_issues(np.zeros(3, int), probs, which="disagree").index.tolist() == [1]


def test_bad_input_is_named() -> None:
    labels, probs = np.array([0, 1, 0]), np.array([[0.5, 0.5], [0.2, 0.8], [0.9, 0.1]])
    with pytest.raises(DataError, match="row 2"):
        label_issues(np.array([0, 1, 2]), probs)
    with pytest.raises(ProbabilityError, match="row 0"):
        label_issues(labels, probs * np.array([[2.0], [1.0], [1.0]]))
    with pytest.raises(ShapeError, match="two columns"):
        label_issues(np.zeros(3, int), np.ones((3, 1)))
    with pytest.raises(ConfigError, match="which"):
        label_issues(labels, probs, which="all")
    with pytest.raises(ConfigError, match="rank_by"):
        label_issues(labels, probs, rank_by="entropy")
