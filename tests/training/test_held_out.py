"""Held-out scores: whose they are, how many, and that no network was trained on the rows it is judged by."""

import itertools
import signal
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LinearRegression

import likely
from likely.arrays import one_hot
from likely.config import RunConfig
from likely.data.splits import folds
from likely.errors import GuaranteeWarning
from likely.training.cross_validate import cross_validate
from likely.training.held_out_scores import TrainingOutcome
from likely.training.hold_out import hold_out
from likely.training.job import Job
from likely.training.loop.descent import Record
from likely.training.task import CLASSIFICATION, REGRESSION
from likely.training.training_rows import Rows
from likely.training.watcher import Silent
from likely.trust.temperature import fit_temperature
from likely.trust.unseen import MASKED

X_IRIS, Y_IRIS = load_iris(return_X_y=True)
IRIS = Rows(X_IRIS, one_hot(Y_IRIS, 3), None, task=CLASSIFICATION)


def _numbered(n: int) -> Rows:
    """Rows that carry their own number as input and as target, so that one can tell who was where."""
    numbers = np.arange(n, dtype=np.float64)
    return Rows(numbers[:, None], numbers[:, None], None, task=REGRESSION)


def _hold(how: Any, rows: Rows, config: RunConfig, **of_job: Any) -> tuple[TrainingOutcome, list[str], list[Record]]:
    said: list[str] = []
    records: list[Record] = []

    class Noting(Silent):
        def say(self, message: str) -> None:
            said.append(message)

        def record(self, record: Record, fold: str = "") -> None:
            if not fold:
                records.append(record)

    return how(Job(rows, config, watcher=Noting(), **of_job)), said, records


@pytest.mark.parametrize(
    ("n", "early_stopping", "size"),
    [(5_000, False, 200), (5_000, True, 200), (10_010, False, 400), (62_500, True, 2_500), (100_000, False, 2_500)],
)
def test_parts_are_disjoint_and_sized_as_documented(n: int, early_stopping: bool, size: int) -> None:
    config = RunConfig(network="linear", dtype="float64", early_stopping=early_stopping)
    outcome, said, _ = _hold(hold_out, _numbered(n), config)
    splits = outcome.splits
    n_parts = 3 if early_stopping else 2
    assert splits.method == "held-out"
    assert (splits.calibration, splits.thresholds) == (size, size)
    assert splits.stopping == (size if early_stopping else 0)
    assert splits.train == n - n_parts * size
    assert said[0] == f"{n - n_parts * size:,} rows to train on, {n_parts * size:,} held out"
    assert outcome.calibration is not None
    assert outcome.thresholds is not None
    calibration, thresholds = set(outcome.calibration.Y[:, 0]), set(outcome.thresholds.Y[:, 0])
    assert (len(calibration), len(thresholds)) == (size, size)
    assert calibration.isdisjoint(thresholds)
    if not early_stopping:
        trained_on = np.setdiff1d(np.arange(n), list(calibration | thresholds))
        # The network has seen the mean of its rows, and theirs alone.
        assert outcome.trained.inference.preprocessor.mean == pytest.approx([trained_on.mean()], rel=1e-12)


def test_parts_are_drawn_without_a_look_at_the_labels() -> None:
    # 3,000 labels of one row each beside a frequent one: half of the held-out rows are of labels without any other row.
    y = np.concatenate([np.zeros(3_000, np.int64), np.arange(1, 3_001)])
    rows = _numbered(6_000)
    outcome, _, _ = _hold(hold_out, rows, RunConfig(network="linear", dtype="float64"))
    for part in (outcome.calibration, outcome.thresholds):
        assert part is not None
        rare = int(np.sum(y[part.Y[:, 0].astype(int)] > 0))
        assert len(part.Y) == 240
        assert abs(rare - 120) < 4 * np.sqrt(240 / 4)


def test_records_are_those_of_the_training() -> None:
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat([0, 1, 2], [5_000, 900, 100]))
    rows = Rows(rng.normal(size=(6_000, 2)), one_hot(y, 3), None, task=CLASSIFICATION)
    outcome, _, records = _hold(hold_out, rows, RunConfig(network="linear", epochs=1))
    for part in (outcome.calibration, outcome.thresholds):
        assert part is not None
        assert part.scores.shape == (240, 3)
    assert records == outcome.trained.history


def test_a_third_part_is_for_early_stopping() -> None:
    rng = np.random.default_rng(0)
    rows = Rows(rng.normal(size=(5_000, 20)), one_hot(rng.integers(0, 2, 5_000), 2), None, task=CLASSIFICATION)
    config = RunConfig(network="mlp", epochs=100, early_stopping=True)
    outcome, _, records = _hold(hold_out, rows, config)
    assert outcome.trained.stopped == "early stopping"
    assert records[-1].progress < 0.5
    assert outcome.calibration is not None
    # What chose the length is not what calibrates.
    nll = [record.held_out["nll"] for record in records if record.held_out]
    log_probs = outcome.calibration.scores - np.logaddexp.reduce(outcome.calibration.scores, axis=1, keepdims=True)
    assert -(outcome.calibration.Y * log_probs).sum(axis=1).mean() != pytest.approx(min(nll), abs=1e-6)


def test_out_of_fold_scores_are_those_of_networks_that_have_not_seen_the_row() -> None:
    X, y = load_diabetes(return_X_y=True)
    rows = Rows(X, y[:, None], None, task=REGRESSION)
    config = RunConfig(network="linear", dtype="float64", seed=3)
    outcome, said, _ = _hold(cross_validate, rows, config)
    expected = np.empty(len(y))
    for fold in folds(np.zeros(len(y), np.int64), 5, np.random.default_rng(3)):
        rest = np.setdiff1d(np.arange(len(y)), fold)
        expected[fold] = LinearRegression().fit(X[rest], y[rest]).predict(X[fold])
    assert outcome.calibration is not None
    np.testing.assert_allclose(outcome.calibration.scores[:, 0], expected, rtol=1e-9)
    np.testing.assert_array_equal(outcome.calibration.Y, rows.Y)
    splits = outcome.splits
    assert (splits.method, splits.folds, splits.train) == ("cross-validation", 5, len(y))
    assert (splits.calibration, splits.thresholds) == (len(y), len(y))
    assert [line.split(":")[0] for line in said[:5]] == [f"Fold {i} of 5" for i in range(1, 6)]
    np.testing.assert_allclose(outcome.trained.scores(X)[:, 0], LinearRegression().fit(X, y).predict(X), rtol=1e-9)


def test_out_of_fold_loss_chooses_the_length() -> None:
    # Twenty columns of noise: what is learned after the first passes is not true of other rows.
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 20))
    y = (X[:, 0] + rng.normal(size=150) > 0).astype(int)
    rows = Rows(X, one_hot(y, 2), None, task=CLASSIFICATION)
    config = RunConfig(network="mlp", epochs=120, learning_rate=0.02, dtype="float64")
    outcome, said, records = _hold(cross_validate, rows, config)
    assert records[-1].progress < 0.6
    assert f"lowest at {records[-1].progress:.0%}" in said[-1]
    assert outcome.trained.stopped == "finished"


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (Rows(X_IRIS[::8], IRIS.Y[::8], None, task=CLASSIFICATION), "nineteen rows"),
        (_numbered(19), "nineteen numbers"),
    ],
)
def test_too_few_rows_hold_none_out(rows: Rows, why: str) -> None:
    outcome, said, _ = _hold(cross_validate, rows, RunConfig(network="linear", epochs=2))
    assert outcome.splits.method == "none", why
    assert (outcome.splits.train, outcome.splits.calibration, outcome.splits.thresholds) == (len(rows), 0, 0)
    assert outcome.calibration is None
    assert outcome.thresholds is None
    assert said == []


@pytest.mark.parametrize("rare", [1, 2, 3, 4])
def test_a_class_of_few_rows_is_held_out_with_the_others(rare: int) -> None:
    # `rare` rows of one kind among 50 of another: every row is held out once, whatever there is of its label.
    part = np.r_[50 - rare : 100]
    rows = Rows(X_IRIS[part], IRIS.Y[part], None, task=CLASSIFICATION)
    outcome, _, _ = _hold(cross_validate, rows, RunConfig(network="linear", epochs=20))
    calibration = outcome.calibration
    assert (outcome.splits.method, outcome.splits.calibration) == ("cross-validation", 50 + rare)
    assert calibration is not None
    assert calibration.stated is not None
    # Virginica has no row at all; the rare kind is lacking where its only row is held out.
    stated = calibration.stated
    assert (stated[:, 2] > 0).all()
    assert (stated[:, 1] == 0).all()
    assert (stated[0, 0] > 0) == (rare == 1)
    trained_on = 50 + rare - len(folds(rows.strata, 5, np.random.default_rng(0))[0])
    assert stated[0, 2] == pytest.approx(1 / (trained_on + 3), rel=0.03)
    assert calibration.unseen[0, 0] == (rare == 1)
    log_probs = calibration.log_probs("softmax")
    np.testing.assert_array_equal(log_probs == MASKED, stated > 0)
    assert 0.3 < fit_temperature(log_probs, calibration.Y) < 3


def test_where_no_label_comes_twice_the_temperature_is_1() -> None:
    rows = Rows(np.random.default_rng(0).normal(size=(20, 3)), np.eye(20), None, task=CLASSIFICATION)
    outcome, _, _ = _hold(cross_validate, rows, RunConfig(network="linear", epochs=2))
    assert outcome.calibration is not None
    log_probs = outcome.calibration.log_probs("softmax")
    assert (log_probs[np.arange(20), np.arange(20)] == MASKED).all()
    assert fit_temperature(log_probs, outcome.calibration.Y) == 1.0


def test_a_label_that_the_draw_took_whole_has_its_stated_probability() -> None:
    y = np.concatenate([np.zeros(2_500, np.int64), np.ones(2_490, np.int64), np.arange(2, 12)])
    rows = Rows(np.random.default_rng(0).normal(size=(5_000, 2)), one_hot(y, 12), None, task=CLASSIFICATION)
    for seed in range(5):
        outcome, _, _ = _hold(hold_out, rows, RunConfig(network="linear", epochs=1, seed=seed))
        held = np.setdiff1d(np.arange(2, 12), y[outcome.index])
        np.testing.assert_array_equal(np.flatnonzero(outcome.trained.stated), held)
        np.testing.assert_allclose(outcome.trained.stated[held], 1 / (4_600 + 12))


def test_a_model_of_too_few_rows_is_not_calibrated() -> None:
    with pytest.warns(GuaranteeWarning, match=r"19 rows are too few to hold any out \(at least 20 are needed\)"):
        clf = likely.Classifier(network="linear", random_state=0).fit(X_IRIS[::8], Y_IRIS[::8])
    card = clf.predictor_.card
    assert (card.calibrated, card.temperature, card.splits.method) == (False, None, "none")
    np.testing.assert_allclose(clf.predict_proba(X_IRIS).sum(axis=1), 1)


@pytest.mark.parametrize(("n", "method"), [(4_999, "cross-validation"), (5_000, "held-out")])
def test_five_thousand_rows_are_the_line(n: int, method: str) -> None:
    rows = _numbered(n)
    reg = likely.Regressor(network="linear").fit(rows.X, rows.Y[:, 0])
    assert reg.predictor_.card.splits.method == method


def test_a_seed_draws_the_parts() -> None:
    def calibration(seed: int) -> list[float]:
        outcome, _, _ = _hold(hold_out, _numbered(5_000), RunConfig(network="linear", seed=seed))
        assert outcome.calibration is not None
        return outcome.calibration.Y[:, 0].tolist()

    assert calibration(0) == calibration(0) != calibration(1)


def test_a_time_limit_covers_all_folds() -> None:
    seconds = itertools.count(step=1e-3)
    config = RunConfig(network="linear", epochs=1e6, time_limit=1.2)
    outcome, _, records = _hold(cross_validate, IRIS, config, watch=lambda: next(seconds))
    assert 0.4 < next(seconds) < 1.2  # later folds ask the watch less often
    assert records[-1].seconds_left == 0
    assert (outcome.splits.method, outcome.trained.stopped) == ("cross-validation", "time limit")


def test_weights_count_in_what_the_folds_choose() -> None:
    weights = np.where(Y_IRIS == 2, 1e-6, 1.0)
    weighted = Rows(X_IRIS, IRIS.Y, weights, task=CLASSIFICATION)
    config = RunConfig(network="linear", dtype="float64")
    outcome, said, _ = _hold(cross_validate, weighted, config)
    assert outcome.calibration is not None
    np.testing.assert_array_equal(outcome.calibration.weights, weights)
    # Without the third kind the other two are told apart without error; what is left is what the temperature allows
    # for mistakes, half of it for a kind that hardly counts.
    _, unweighted, _ = _hold(cross_validate, IRIS, config)
    loss, usual = (float(texts[-1].split("loss ")[1].split(",")[0]) for texts in (said, unweighted))
    assert loss < 0.5 * usual


_INTERRUPTED = """
import signal
from test_held_out import IRIS
from likely.config import RunConfig
from likely.training.cross_validate import cross_validate
from likely.training.job import Job
from likely.training.watcher import Silent

class Saying(Silent):
    def say(self, message):
        print(message, flush=True)
        if INTERRUPT_AT and message.startswith(INTERRUPT_AT):
            signal.raise_signal(signal.SIGINT)

outcome = cross_validate(Job(IRIS, RunConfig(network="linear", epochs=EPOCHS), watcher=Saying()))
assert outcome.thresholds is None and outcome.calibration.scores.shape == (30, 3)
print(outcome.trained.stopped, outcome.splits.method, outcome.splits.train, outcome.splits.calibration)
"""


def test_ctrl_c_in_a_fold_leaves_an_honest_model_of_the_other_rows(request: pytest.FixtureRequest) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", f"EPOCHS, INTERRUPT_AT = 1e7, ''\n{_INTERRUPTED}"],
        cwd=request.path.parent,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "Fold 1 of 5: training without 30 rows\n"
        time.sleep(1)
        child.send_signal(signal.SIGINT)
        last = child.stdout.read().splitlines()[-1]
    assert child.returncode == 0
    assert last == "interrupted held-out 120 30"


@pytest.mark.parametrize("moment", ["Fold 3", "Out-of-fold"])
def test_ctrl_c_after_a_fold_keeps_the_network_that_was_trained_to_the_end(
    moment: str, request: pytest.FixtureRequest
) -> None:
    # The signal comes between two runs, where no loop is there to see it.
    script = f"EPOCHS, INTERRUPT_AT = 20, {moment!r}\n{_INTERRUPTED}"
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=request.path.parent, capture_output=True, text=True, check=True
    )
    *said, last = ran.stdout.splitlines()
    assert last == "interrupted held-out 120 30"
    assert said[-1].startswith(moment)


def test_records_of_folds_tell_the_way_through_all_runs() -> None:
    seen: list[tuple[str, float]] = []

    class Noting(Silent):
        def record(self, record: Record, fold: str = "") -> None:
            seen.append((fold, record.progress))

    cross_validate(Job(IRIS, RunConfig(network="linear"), watcher=Noting()))
    folds_seen = [progress for fold, progress in seen if fold]
    assert {fold for fold, _ in seen} == {"", *(f"Fold {number} of 5" for number in range(1, 6))}
    assert folds_seen == sorted(folds_seen)
    assert folds_seen[-1] == pytest.approx(5 / 6)


@pytest.mark.parametrize(("settings", "shown"), [({}, 1_000), ({"early_stopping": True}, 1_200)])
def test_rows_that_choose_nothing_are_shown_in_part(settings: dict[str, Any], shown: int) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 30_000)
    X = rng.integers(0, 200, (30_000, 8, 8), dtype=np.uint8) + (50 * y[:, None, None]).astype(np.uint8)
    rows = Rows(X, one_hot(y, 2), None, task=CLASSIFICATION)
    outcome, _, records = _hold(hold_out, rows, RunConfig(network="conv", epochs=0.1, **settings))
    assert records[-1].held_out is not None
    right = shown * records[-1].held_out["accuracy"]
    assert right == pytest.approx(round(right), abs=1e-6)
    assert 0 < right < shown
    assert outcome.calibration is not None
    assert len(outcome.calibration.Y) == 1_200
