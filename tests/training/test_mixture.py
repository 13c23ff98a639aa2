"""Out-of-fold loss decides among learners, and the mean of the folds' models answers, with what is promised of it."""

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
from likely.learners.boosting import BoostedTrees
from likely.model import file as model_file
from likely.training.loop.interrupt import Interrupt
from likely.training.plan import NO_OVERRIDES
from likely.training.refuse_for_tables import decides

X, Y = load_iris(return_X_y=True)


def world(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Thresholds, and a sum of small effects; a tenth of the labels are drawn anew."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 6))
    y = ((X[:, 0] > 0.3) ^ (X[:, 1] > -0.2)).astype(int) + (X[:, 2:].sum(axis=1) > 1.5)
    return X, np.where(rng.random(n) < 0.1, rng.integers(0, 3, n), y)


def nll(model: Any, X: np.ndarray, y: np.ndarray) -> float:
    return float(-np.log(model.predict_proba(X)[np.arange(len(y)), y]).mean())


@pytest.fixture(scope="module")
def learned() -> likely.Classifier:
    return likely.Classifier(network="mixture", random_state=0).fit(*world(500, 0))


def test_it_is_as_good_as_the_better_of_its_learners(learned: likely.Classifier) -> None:
    new = world(2_000, 1)
    for kind in ("mlp", "trees"):
        alone = likely.Classifier(network=kind, random_state=0).fit(*world(500, 0))
        assert nll(learned, *new) < nll(alone, *new) + 0.01
    members = learned.predictor_.card.network.settings["members"]
    assert len(members) % 5 == 0
    assert sum(member["weight"] for member in members) == pytest.approx(1)
    assert "trees" in learned.predictor_.card.network.settings["why"]
    assert "Out-of-fold loss and weight" in learned.predictor_._repr_html_()


def test_guarantees_hold_on_new_rows(learned: likely.Classifier) -> None:
    new, y = world(2_000, 2)
    held = np.mean([label in event for label, event in zip(y, learned.predict_set(new, 0.9), strict=True)])
    assert 0.87 < held < 0.94
    assert learned.predictor_.card.splits.method == "cross-validation"
    assert "cross-validation" in learned.predictor_.approximate_sets
    assert (learned.familiarity(new) <= 0.01).mean() < 0.03
    shuffled = np.random.default_rng(0).permuted(X, axis=0)
    iris = likely.Classifier(network="mixture", random_state=0).fit(X, Y)
    assert np.median(iris.familiarity(shuffled)) < 0.3 * np.median(iris.familiarity(X))


def test_no_row_chooses_what_it_is_judged_by() -> None:
    """With labels that are chance, the figures out of fold are no better than chance."""
    rng = np.random.default_rng(3)
    rows, y = rng.normal(size=(300, 5)), rng.integers(0, 2, 300)
    with pytest.warns(likely.errors.GuaranteeWarning):
        model = likely.Classifier(network="mixture", random_state=0).fit(rows, y)
    figures = model.predictor_.card.held_out
    assert figures is not None
    assert figures["n"] == 300
    assert figures["nll"] > np.log(2) - 0.01


def test_a_saved_mixture_answers_the_same_and_a_damaged_one_is_refused(
    learned: likely.Classifier, tmp_path: Path
) -> None:
    path = saved_with_the_same_answers(learned, world(50, 4)[0], tmp_path, rtol=1e-9)
    arrays, document = model_file.read(path)
    first = next(name for name in arrays if name.startswith("theta.0."))
    model_file.write(path, {name: a for name, a in arrays.items() if name != first}, document)
    with pytest.raises(ModelFileError, match=first):
        likely.load(path)
    member = document["network"]["settings"]["members"][0]
    for wrong in ({"weight": -1.0}, {"temperature": 0.0}, {"weight": None}, {"settings": {}}, {"network": "conv"}):
        changed = {**member, **wrong}
        document["network"]["settings"]["members"][0] = changed
        model_file.write(path, arrays, document)
        with pytest.raises(ModelFileError):
            likely.load(path)


def test_labels_that_few_rows_have_and_class_weights() -> None:
    rare = np.where(np.arange(150) == 7, 9, Y)
    model = likely.Classifier(network="mixture", random_state=0).fit(X, rare)
    probs = model.predict_proba(X)
    np.testing.assert_allclose(probs.sum(axis=1), 1)
    assert (probs > 0).all()
    weighted = likely.Classifier(network="mixture", random_state=0).fit(X, Y, class_weight={0: 5.0})
    assert abs(weighted.predict_proba(X)[:, 0].mean() - 1 / 3) < 0.03
    few = likely.Classifier(network="mixture", random_state=0)
    with pytest.warns(likely.errors.GuaranteeWarning, match="too few to hold any out"):
        few.fit(X[::9], Y[::9])


def kind(model: Any) -> str:
    return model.predictor_.card.network.name


def test_who_names_no_network_has_a_mixture_for_a_table_and_only_for_one() -> None:
    auto = likely.Classifier(random_state=0).fit(X, Y)
    assert kind(auto) == "mixture"
    named = likely.Classifier(network="mixture", random_state=0).fit(X, Y)
    np.testing.assert_array_equal(auto.predict_proba(X), named.predict_proba(X))
    alone: list[dict[str, Any]] = [{"epochs": 2}, {"hidden": (8,)}, {"early_stopping": True}, {"network": "mlp"}]
    for settings in alone:
        assert kind(likely.Classifier(**settings, random_state=0).fit(X, Y)) == "mlp"
    assert kind(likely.Classifier(random_state=0).fit(world(300, 0)[0], np.arange(300) % 101)) == "mlp"


@pytest.mark.parametrize(("n", "d", "several"), [(60_000, 500, True), (2_496, 801, True), (2_497, 801, False)])
def test_many_rows_of_more_than_500_columns_have_one_network(n: int, d: int, several: bool) -> None:
    train = Part(np.broadcast_to(np.float32(0), (n, d)), np.zeros(n, np.int64))
    dataset = Dataset("wide", "classification", train, None, None, labels=("a", "b"))
    assert decides(RunConfig(data="array"), NO_OVERRIDES, dataset) == several


def test_spectra_are_a_line_with_a_penalty() -> None:
    """60 curves of 501 numbers, of which the answer is a linear function: a network alone has four times the error."""

    def curves(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        heights, t = rng.normal(size=(n, 8)), np.linspace(0, 1, 501)
        bumps = np.exp(-np.square(t - np.linspace(0, 1, 8)[:, None]) / 0.02)
        return heights @ bumps + 0.01 * rng.normal(size=(n, 501)), heights[:, 2] - heights[:, 5]

    X, y = curves(500, 1)
    model = likely.Regressor(random_state=0).fit(*curves(60, 0))
    assert np.sqrt(np.mean(np.square(model.predict(X) - y))) < 0.15 * y.std()


def test_no_training_goes_on_from_several_models(learned: likely.Classifier, tmp_path: Path) -> None:
    path = learned.predictor_.save(tmp_path / "model.likely")
    with pytest.raises(ModelFileError, match="no training can go on"):
        likely.Classifier(network="mlp", init_from=path).fit(*world(100, 0))


@pytest.mark.parametrize("n", [600, 5_000])
def test_a_signal_keeps_the_best_model_of_the_first_fold(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes while trees are grown, when the linear network and the MLP have had their first fold."""
    asked = Interrupt()
    monkeypatch.setattr("likely.training.mix.Interrupt", lambda: asked)
    monkeypatch.setattr("likely.training.mix.LEARNERS", ("linear", "trees"))
    grow = BoostedTrees.grow

    def grow_and_ask(trees: BoostedTrees, rounds: int) -> None:
        asked.how = "interrupted"
        grow(trees, rounds)

    monkeypatch.setattr(BoostedTrees, "grow", grow_and_ask)
    with pytest.warns(likely.errors.GuaranteeWarning, match="Training was interrupted"):
        model = likely.Classifier(random_state=0).fit(*world(n, 0))
    card = model.predictor_.card
    assert (kind(model), card.training.stopped, card.splits.method) == ("linear", "interrupted", "held-out")
    assert card.splits.train < 0.91 * n
    assert not model.predictor_.approximate_sets


def test_numbers_are_mixed_with_intervals() -> None:
    rng = np.random.default_rng(5)
    rows = rng.uniform(-1, 1, (800, 4))
    y = 1e6 + np.where(rows[:, 0] > 0, 3.0, -1.0) + 2 * rows[:, 1] + 0.2 * rng.normal(size=800)
    model = likely.Regressor(network="mixture", random_state=0).fit(rows[:400], y[:400])
    low, high = model.predict_interval(rows[400:], 0.9).T
    assert 0.85 < np.mean((low <= y[400:]) & (y[400:] <= high)) < 0.97
    for kind in ("linear", "trees"):
        alone = likely.Regressor(network=kind, random_state=0).fit(rows[:400], y[:400])
        assert model.score(rows[400:], y[400:]) > alone.score(rows[400:], y[400:]) - 0.005


def test_a_line_alone_answers_without_a_record_of_descent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("likely.training.mix.LEARNERS", ("linear",))
    line = np.linspace(0, 1, 60)[:, None]
    model = likely.Regressor(random_state=0).fit(line, 2 * line[:, 0])
    assert model.score(line, 2 * line[:, 0]) > 0.999  # of no penalty, and no mean over the path of penalties
    assert len(model.history_) == 1


def test_models_that_agree_are_not_made_sharper() -> None:
    """Where labels are noise, any factor moves all answers alike, and sets lose the rarer label."""
    rng = np.random.default_rng(3)
    rows, y = rng.normal(size=(80, 4)), (rng.random(80) < 0.3).astype(int)
    model = likely.Classifier(random_state=0).fit(rows, y)
    new = model.predict_proba(rng.normal(size=(2_000, 4)))
    held_out = model.predictor_.held_out
    assert held_out is not None
    assert new[:, 1].std() < 0.05  # nothing was learned
    assert abs(new[:, 1].mean() - held_out.probs[:, 1].mean()) < 0.004


def test_numbers_stay_near_the_range_of_training_targets_unless_they_may_leave_it(tmp_path: Path) -> None:
    line = np.linspace(0, 1, 120)[:, None]
    far = [[-9.0], [0.5], [9.0]]
    kept = likely.Regressor(random_state=0).fit(line, line[:, 0])
    np.testing.assert_allclose(kept.predict(far), [-0.1, 0.5, 1.1], atol=0.02)
    assert kept.predictor_.outside_range(far).tolist() == [True, False, True]
    assert (kept.familiarity(far)[[0, 2]] < 0.02).all()
    loaded = likely.load(kept.predictor_.save(tmp_path / "model.likely"))
    np.testing.assert_array_equal(loaded.predict(far), kept.predict(far))
    free = likely.Regressor(extrapolate=True, random_state=0).fit(line, line[:, 0])
    assert free.predict(far)[2] > 3


def test_from_many_rows_on_held_out_ones_teach_nobody() -> None:
    rows, y = world(5_200, 6)
    model = likely.Classifier(network="mixture", random_state=0).fit(rows, y)
    splits = model.predictor_.card.splits
    assert (splits.method, splits.folds) == ("held-out", 3)
    assert splits.train + splits.calibration + splits.thresholds == len(rows)
    assert model.predictor_.trained_on is not None
    assert model.predictor_.seen_in_training(rows).sum() == splits.train
    assert model.predictor_.approximate_sets == ""
    new, labels = world(2_000, 7)
    answers, answered = model.predict_or_abstain(new, 0.2)
    assert answered.mean() > 0.3
    assert (answers[answered] != labels[answered]).mean() < 0.2


def test_trees_that_would_be_too_large_are_left_out_with_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("likely.training.mix._MOST_BYTES", 10_000)
    model = likely.Classifier(network="mixture", random_state=0).fit(X, Y)
    settings = model.predictor_.card.network.settings
    assert "trees" not in {member["network"] for member in settings["members"]}
    assert "trees left out (they would take more than 0.01 MB of all folds)" in settings["why"]


@pytest.mark.parametrize(
    ("setting", "value"), [("engine", "torch"), ("epochs", 3), ("learning_rate", 0.1), ("head", "l1"), ("hidden", (8,))]
)
def test_what_a_mixture_cannot_be_told_is_refused(setting: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=setting):
        likely.Classifier(network="mixture", **{setting: value}).fit(X, Y)


def test_images_are_refused() -> None:
    with pytest.raises(ConfigError, match="rows of a table"):
        likely.Classifier(network="mixture").fit(np.zeros((40, 8, 8), np.uint8), np.arange(40) % 2)


def test_networks_do_without_columns_that_trees_have_no_use_for() -> None:
    rng = np.random.default_rng(6)
    rows = rng.normal(size=(3_000, 60))
    y = (rows[:, :4].prod(axis=1) + 0.1 * rng.normal(size=3_000) > 0).astype(int) + (rows[:, 4] > 1)
    model = likely.Classifier(network="mixture", random_state=0).fit(rows[:1_000], y[:1_000])
    members = model.predictor_.card.network.settings["members"]
    off = [set(m["normalization"].get("off", ())) for m in members if m["network"] != "trees"]
    assert off
    assert all(len(columns) > 40 and 4 not in columns for columns in off)
    assert "without" in model.predictor_.card.network.settings["why"]
    changed = rows[1_000:].copy()
    changed[:, list(set.intersection(*off))] += 1.0
    if len(off) == len(members):
        np.testing.assert_array_equal(model.predict_proba(changed), model.predict_proba(rows[1_000:]))


def test_linear_regression_is_restrained_where_its_columns_say_much_the_same() -> None:
    rng = np.random.default_rng(5)
    rows = np.cumsum(rng.normal(size=(1_100, 1)) + 0.01 * rng.normal(size=(1_100, 60)), axis=1)
    y = rows[:, :3].sum(axis=1) + rng.normal(size=1_100)
    model = likely.Regressor(network="mixture", random_state=0).fit(rows[:100], y[:100])
    straight = likely.Regressor(network="linear", random_state=0).fit(rows[:100], y[:100])
    errors = [np.square(each.predict(rows[100:]) - y[100:]).mean() for each in (model, straight)]
    assert errors[0] < 1.3 < errors[1]  # 1 is the noise
