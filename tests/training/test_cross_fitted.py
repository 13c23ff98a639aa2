"""What guarantees of few rows rest on: nothing that a row took part in choosing."""

from dataclasses import replace

import numpy as np

from likely.config import RunConfig
from likely.training.cross_fitted import cross_fitted
from likely.training.cross_validate import cross_validate
from likely.training.held_out_scores import HeldOutScores
from likely.training.hold_out import hold_out
from likely.training.job import Job
from likely.training.mix import mixture_folds
from likely.training.task import TASKS
from likely.training.training_rows import Rows
from likely.trust.bias_corrected import Calibration

TASK = TASKS["classification"]


def test_no_row_takes_part_in_what_its_own_probabilities_rest_on() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4)).astype(np.float32)
    y = (X[:, 0] + rng.normal(size=60) > 0).astype(int) + (X[:, 1] > 1.2)
    rows = Rows(X, np.eye(3, dtype=np.float32)[y], None, TASK)
    outcomes = [
        cross_validate(Job(rows, RunConfig(network="linear", preset=preset))) for preset in ("fast", "balanced")
    ]
    best = outcomes[0]
    found = cross_fitted(outcomes, best, TASK)
    assert found is not None
    assert found.calibrated
    np.testing.assert_allclose(np.exp(found.scores).sum(axis=1), 1)

    assert best.thresholds is not None
    first = best.thresholds.folds == best.thresholds.folds[0]
    other_labels = np.where(first[:, None], np.roll(rows.Y, 1, axis=1), rows.Y)

    def relabelled(scores: HeldOutScores) -> HeldOutScores:
        return replace(scores, Y=other_labels)

    changed = [replace(each, rivals=tuple(map(relabelled, each.rivals))) for each in outcomes]
    again = cross_fitted(changed, best, TASK)
    assert again is not None
    np.testing.assert_array_equal(again.scores[first], found.scores[first])
    assert not np.allclose(again.scores[~first], found.scores[~first])
    # A model file keeps them as scores that the model calibrates to just these.
    calibration = Calibration(1.7, np.array([0.3, 0.0, -0.2]))
    np.testing.assert_allclose(calibration.apply(calibration.undone(found.scores)), found.scores, atol=1e-12)


def test_a_frequent_label_does_not_flatter_a_mixture_of_few_rows() -> None:
    rng, right = np.random.default_rng(0), list[float]()
    for draw in range(400):
        y = rng.integers(3, size=60)
        rows = Rows(np.zeros((60, 1)), np.eye(3)[y], None, TASK)
        for fold in mixture_folds(rows, draw):
            frequent = np.bincount(np.delete(y, fold), minlength=3).argmax()
            right.append(float(np.mean(y[fold] == frequent)))
    # In 400 draws of 60 rows 0.003 is a standard error; balanced folds are told 0.39.
    assert abs(np.mean(right) - 1 / 3) < 0.012


def test_numbers_are_answered_at_the_length_that_the_other_folds_chose() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3)).astype(np.float32)
    rows = Rows(X, X[:, :1] + rng.normal(size=(40, 1)), None, TASKS["regression"])
    outcome = cross_validate(Job(rows, RunConfig(network="mlp")))
    found = outcome.thresholds
    assert found is not None
    assert found.folds is not None
    for fold in np.unique(found.folds):
        others = found.folds != fold
        of_others = [np.square(each.scores - each.Y)[others].mean() for each in outcome.rivals]
        chosen = outcome.rivals[int(np.argmin(of_others))]
        np.testing.assert_array_equal(found.scores[~others], chosen.scores[~others])


def test_what_was_not_cross_validated_stays_as_it_is() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3)).astype(np.float32)
    rows = Rows(X, X[:, :1], None, TASKS["regression"])
    outcome = hold_out(Job(rows, RunConfig(network="linear", loss="squared_error", head="softmax")), share=0.2)
    assert cross_fitted([outcome], outcome, rows.task) is outcome.thresholds
