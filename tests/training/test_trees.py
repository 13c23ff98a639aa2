"""Boosted trees through the doors: everything that is promised of a network holds of them, or is refused clearly."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from tests.training.same_answers import saved_with_the_same_answers

import likely
from likely.config import RunConfig
from likely.data.dataset import Dataset, Part
from likely.errors import ConfigError, ModelFileError
from likely.learners.library_trees import n_threads, threads
from likely.model import file as model_file
from likely.training.label_check import check_labels

X, Y = load_iris(return_X_y=True)


def thresholds(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A world that a boundary of thresholds tells apart, with a tenth of the labels drawn anew."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 6))
    y = ((X[:, 0] > 0.3) ^ (X[:, 1] > -0.2)).astype(int) + 2 * (X[:, 2] > 1)
    return X, np.where(rng.random(n) < 0.1, rng.integers(0, 4, n), y)


@pytest.fixture(scope="module")
def learned() -> likely.Classifier:
    return likely.Classifier(network="trees", epochs=40, random_state=0).fit(*thresholds(700, 0))


def test_they_find_thresholds_that_a_network_does_not(learned: likely.Classifier) -> None:
    new = thresholds(1_000, 1)
    network = likely.Classifier(network="mlp", random_state=0).fit(*thresholds(700, 0))
    assert learned.score(*new) > max(0.8, network.score(*new) + 0.02)
    assert learned.predictor_.card.network.name == "trees"
    assert learned.predictor_.card.training.optimizer == "gradient boosting"


def test_guarantees_hold_on_new_rows(learned: likely.Classifier) -> None:
    new, y = thresholds(1_000, 2)
    held = np.mean([label in event for label, event in zip(y, learned.predict_set(new, 0.9), strict=True)])
    assert held > 0.87
    assert (learned.familiarity(new) <= 0.01).mean() < 0.03
    more, labels = thresholds(1_500, 3)
    again = learned.predictor_.calibrate(more, labels)
    answers, answered = again.predict_or_abstain(new, 0.3)
    assert answered.any()
    assert (answers[answered] != y[answered]).mean() < 0.3
    prior = np.array([0.7, 0.1, 0.1, 0.1])
    shifted = learned.predictor_.with_prior(dict(zip(range(4), prior, strict=True)))
    assert shifted.predict_proba(new)[:, 0].mean() > learned.predict_proba(new)[:, 0].mean()


def test_rows_with_shuffled_columns_are_less_familiar() -> None:
    trees = likely.Classifier(network="trees", epochs=40, random_state=0).fit(X, Y)
    shuffled = np.random.default_rng(0).permuted(X, axis=0)
    assert np.median(trees.familiarity(shuffled)) < 0.3 * np.median(trees.familiarity(X))


def test_a_saved_model_answers_the_same_and_a_damaged_one_is_refused(
    learned: likely.Classifier, tmp_path: Path
) -> None:
    path = saved_with_the_same_answers(learned, thresholds(50, 4)[0], tmp_path, rtol=1e-12)
    arrays, document = model_file.read(path)
    for name, wrong in (("left", 10**6), ("column", 6), ("roots", -1), ("left", -5)):
        damaged = arrays[f"theta.{name}"].copy()
        damaged[0] = wrong
        model_file.write(path, {**arrays, f"theta.{name}": damaged}, document)
        with pytest.raises(ModelFileError, match=name):
            likely.load(path)


def test_labels_that_few_rows_have() -> None:
    rare = np.where(np.arange(150) == 7, 9, Y)
    trees = likely.Classifier(network="trees", epochs=40, random_state=0).fit(X, rare)
    probs = trees.predict_proba(X)
    np.testing.assert_allclose(probs.sum(axis=1), 1)
    assert (probs > 0).all()
    few = likely.Classifier(network="trees", epochs=40, random_state=0).fit(X[::6], Y[::6])
    np.testing.assert_allclose(few.predict_proba(X).sum(axis=1), 1)


def test_label_distributions_and_weights_count() -> None:
    votes = np.eye(3)[Y]
    votes = 0.7 * votes + 0.1
    voted = likely.Classifier(network="trees", epochs=40, random_state=0).fit(X, votes, classes=[0, 1, 2])
    assert voted.score(X, Y) > 0.9
    assert abs(voted.predict_proba(X).max(axis=1).mean() - 0.8) < 0.05
    weights = np.where(Y == 0, 3.0, 1.0)
    weighted = likely.Classifier(network="trees", epochs=40, random_state=0).fit(X, Y, sample_weight=weights)
    assert weighted.score(X, Y) > 0.9
    balanced = likely.Classifier(network="trees", epochs=40, random_state=0).fit(X, Y, class_weight={0: 5.0})
    assert abs(balanced.predict_proba(X)[:, 0].mean() - 1 / 3) < 0.03


def test_numbers_have_intervals_and_several_targets() -> None:
    rng = np.random.default_rng(0)
    rows = rng.uniform(-1, 1, (600, 4))
    y = np.where(rows[:, 0] > 0, 3.0, -1.0) + np.where(rows[:, 1] > 0.5, 2.0, 0.0) + 0.2 * rng.normal(size=600)
    trees = likely.Regressor(network="trees", epochs=40, random_state=0).fit(rows[:400], 1e6 + y[:400])
    low, high = trees.predict_interval(rows[400:], 0.9).T
    assert np.mean((low <= 1e6 + y[400:]) & (1e6 + y[400:] <= high)) > 0.83
    assert trees.score(rows[400:], 1e6 + y[400:]) > 0.9
    both = likely.Regressor(network="trees", epochs=40, random_state=0).fit(rows[:400], np.column_stack([y, -y])[:400])
    assert both.predict(rows[400:]).shape == (200, 2)
    assert np.corrcoef(*both.predict(rows[400:]).T)[0, 1] < -0.9


def test_many_rows_choose_the_rounds_on_held_out_ones() -> None:
    rows, y = thresholds(6_000, 5)
    trees = likely.Classifier(network="trees", epochs=40, random_state=0).fit(rows, y)
    card = trees.predictor_.card
    assert card.splits.method == "held-out"
    assert card.training.epochs <= 60
    new, labels = thresholds(2_000, 6)
    assert trees.score(new, labels) > 0.88
    held = np.mean([label in event for label, event in zip(labels, trees.predict_set(new, 0.9), strict=True)])
    assert held > 0.85


@pytest.mark.filterwarnings("ignore:The time limit was reached")  # on a busy machine, where one fold's trees answer
def test_time_is_kept() -> None:
    rows, y = thresholds(3_000, 7)
    trees = likely.Classifier(network="trees", preset="best", time_limit=1.5, random_state=0).fit(rows, y)
    assert trees.score(*thresholds(1_000, 8)) > 0.6


def test_labels_in_doubt_are_found() -> None:
    rows, y = thresholds(600, 9)
    dataset = Dataset("world", "classification", Part(rows, y), labels=("a", "b", "c", "d"))
    assert len(check_labels(dataset, RunConfig(network="trees", epochs=40)).issues.index) > 20


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("engine", "torch"),
        ("optimizer", "sgd"),
        ("batch_size", 32),
        ("freeze", ("a",)),
        ("loss", "squared_error"),
        ("head", "l1"),
        ("hidden", (8,)),
        ("activation", "relu"),
        ("augment", "shift"),
    ],
)
def test_what_trees_cannot_be_told_is_refused(setting: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=setting):
        likely.Classifier(network="trees", **{setting: value}).fit(X, Y)


def test_images_are_refused() -> None:
    with pytest.raises(ConfigError, match="rows of a table"):
        likely.Classifier(network="trees").fit(np.zeros((40, 8, 8), np.uint8), np.arange(40) % 2)


def test_trees_of_few_numbers_are_grown_in_one_thread_and_others_in_as_many_as_before() -> None:
    usual = n_threads()
    with threads(n_numbers=3_000):
        assert n_threads() == 1
    with threads(n_numbers=600_000):
        assert n_threads() == usual
    assert n_threads() == usual
