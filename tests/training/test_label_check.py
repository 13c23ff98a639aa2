"""Probabilities out of fold, and the flipped labels that they find."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from likely.config import RunConfig
from likely.data.dataset import Dataset, Part
from likely.data.sources import open_dataset
from likely.errors import ConfigError, DataError
from likely.training.label_check import check_labels, out_of_fold
from likely.training.loop.descent import Record
from likely.training.loop.interrupt import Interrupt

QUICK = RunConfig(network="linear", epochs=8)


class Watcher:
    def __init__(self) -> None:
        self.said: list[str] = []
        self.records: list[tuple[str, float]] = []

    def say(self, message: str) -> None:
        self.said.append(message)

    def record(self, record: Record, fold: str = "") -> None:
        self.records.append((fold, record.progress))

    def loading(self, what: str, done: int, total: int | None) -> None: ...


def flipped_digits(share: float = 0.03, seed: int = 0) -> tuple[Dataset, np.ndarray]:
    digits = open_dataset("digits")
    y, rng = digits.train.y.copy(), np.random.default_rng(seed)
    wrong = rng.choice(len(y), size=round(share * len(y)), replace=False)
    y[wrong] = (y[wrong] + rng.integers(1, 10, size=len(wrong))) % 10
    return replace(digits, train=replace(digits.train, y=y)), wrong


def test_flipped_labels_are_among_the_first_listed() -> None:
    noisy, wrong = flipped_digits()
    found = check_labels(noisy, RunConfig(network="mlp", epochs=15), folds=3)
    first = found.issues.index[: round(0.05 * len(noisy.train))]
    assert np.isin(wrong, first).mean() >= 0.8
    true = open_dataset("digits").train.y
    hit = np.isin(found.issues.index, wrong)
    assert (found.issues.suggested[hit] == true[found.issues.index[hit]]).mean() > 0.9


def test_no_row_is_judged_by_a_network_that_was_taught_its_label() -> None:
    # Labels without a pattern: whoever has learned them by heart is right, whoever has not seen them guesses.
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 200)), rng.integers(2, size=120)
    data = Dataset("noise", "classification", Part(X, y), labels=("a", "b"))
    probs = out_of_fold(data, RunConfig(network="linear", epochs=30), folds=4)
    assert (probs.argmax(axis=1) == y).mean() < 0.7
    assert probs.shape == (120, 2)
    assert probs.sum(axis=1) == pytest.approx(1)


def test_they_are_about_as_good_as_scikit_learns_out_of_fold() -> None:
    digits = open_dataset("digits")
    probs = out_of_fold(digits, RunConfig(network="linear"), folds=3)
    X, y = digits.train.X.reshape(len(digits.train), -1) / 255, digits.train.y
    theirs = cross_val_predict(LogisticRegression(max_iter=500), X, y, cv=3)
    assert (probs.argmax(axis=1) == y).mean() > (theirs == y).mean() - 0.02


def test_progress_runs_once_from_fold_to_fold() -> None:
    watcher = Watcher()
    out_of_fold(open_dataset("iris"), QUICK, folds=3, watcher=watcher)
    assert [line.split(":")[0] for line in watcher.said] == ["Fold 1 of 3", "Fold 2 of 3", "Fold 3 of 3"]
    progress = [share for _, share in watcher.records]
    assert progress == sorted(progress)
    assert progress[-1] == pytest.approx(1)
    assert {fold for fold, _ in watcher.records} == {"Fold 1 of 3", "Fold 2 of 3", "Fold 3 of 3"}


def test_the_seed_repeats_it() -> None:
    iris = open_dataset("iris")
    one, two = (out_of_fold(iris, QUICK, folds=3) for _ in range(2))
    assert np.array_equal(one, two)


def test_ctrl_c_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Interrupt.__enter__

    def asked(self: Interrupt) -> Interrupt:
        self.how = "interrupted"
        return original(self)

    monkeypatch.setattr(Interrupt, "__enter__", asked)
    with pytest.raises(KeyboardInterrupt):
        out_of_fold(open_dataset("iris"), QUICK, folds=3)


def test_what_cannot_be_checked_is_refused() -> None:
    with pytest.raises(DataError, match="numeric targets"):
        check_labels(open_dataset("diabetes"), QUICK)
    with pytest.raises(ConfigError, match="at least 2; got 1"):
        check_labels(open_dataset("iris"), QUICK, folds=1)
    with pytest.raises(DataError, match="as many rows as folds, 121; got 120"):
        check_labels(open_dataset("iris"), QUICK, folds=121)


def test_the_first_ones_are_the_most_doubtful() -> None:
    found = check_labels(open_dataset("iris"), QUICK, folds=3)
    few = found.first(2)
    assert [d.row for d in few.doubts()] == found.issues.index[:2].tolist() == [d.row for d in found.doubts(2)]
    for doubt in found.doubts():
        assert doubt.p_given < doubt.p_suggested
        assert doubt.score == pytest.approx(doubt.p_given)
    assert [c.label for c in found.corrections()] == found.issues.given.tolist()
    assert [c.label for c in found.corrections(accept=True)] == found.issues.suggested.tolist()
