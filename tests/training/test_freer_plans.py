"""One rule for tables of every size, and how free a network may be: what held-out rows say."""

import numpy as np
import pytest

import likely
from likely.arrays import one_hot
from likely.config import RunConfig
from likely.training.choose_plan import choose_plan
from likely.training.freer_plans import Attempt, train_as_freely_as_pays
from likely.training.hold_out import CHECKPOINTS
from likely.training.job import Job
from likely.training.loop.checkpoints import Checkpoint
from likely.training.plan import Plan
from likely.training.task import CLASSIFICATION, REGRESSION
from likely.training.training_rows import Rows


def _plan(n_rows: int, shape: tuple[int, ...] = (20,), task: str = "classification", **settings: object) -> Plan:
    config = RunConfig(network="mlp", **settings)  # type: ignore[arg-type]
    one = CLASSIFICATION if task == "classification" else REGRESSION
    return choose_plan(config, row_shape=shape, n_rows=n_rows, n_outputs=3, task=one, hflip=False)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_tables_of_every_size_have_one_recipe(task: str) -> None:
    few, many = _plan(4_999, task=task), _plan(60_000, task=task)
    while True:
        assert (few.network.settings, few.optimizer, few.learning_rate, few.batch_size) == (
            many.network.settings,
            many.optimizer,
            many.learning_rate,
            many.batch_size,
        )
        if few.freer is None or many.freer is None:
            break
        assert few.freer.optimizer.weight_decay < few.optimizer.weight_decay  # type: ignore[union-attr]
        assert few.freer.epochs > 1.9 * _plan(4_999, task=task).epochs
        few, many = few.freer, many.freer
    assert few.freer is many.freer is None


def test_who_sets_a_number_of_the_descent_gets_one_plan_and_images_have_one() -> None:
    assert _plan(9_000).freer is not None
    assert _plan(9_000, epochs=5).freer is None
    assert _plan(9_000, learning_rate=0.01).freer is None
    assert _plan(9_000, loss="squared_error").freer is None
    assert _plan(9_000, shape=(28, 28)).freer is None


def _pairs(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Which of two thresholds are passed decides together: too fine for a strong decay."""
    X = np.random.default_rng(0).random((n, 6))
    return X, (X[:, 0] > 0.5) ^ (X[:, 1] > 0.4) ^ (X[:, 2] > 0.6)


def _noise(n: int, columns: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """One column says something, and three in ten of the labels are wrong."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, columns))
    return X, (X[:, 0] > 0) ^ (rng.random(n) < 0.3)


@pytest.mark.parametrize(("world", "freer"), [(_pairs, True), (_noise, False)])
def test_freedom_is_given_where_held_out_rows_lose_less_for_it(world: object, freer: bool) -> None:
    X, y = world(2_200)  # type: ignore[operator]
    rows = Rows(X, one_hot(y.astype(np.int64), 2), None, CLASSIFICATION)
    job = Job(rows, RunConfig(network="mlp"))
    learn, look = np.arange(1_700), np.arange(1_700, 2_200)
    losses: list[float] = []

    def train(plan: Plan) -> Attempt:
        seen: list[Checkpoint] = []
        checkpoints = job.checkpoints(look, most=CHECKPOINTS, keep=seen.append, keep_best=True)
        trained = job.train(plan, learn, checkpoints=checkpoints, average_recent=True)
        losses.append(CLASSIFICATION.held_out_loss(job.held_out(trained, look), "softmax"))
        return Attempt(plan, trained, seen)

    plan = job.plan(len(learn))
    kept = train_as_freely_as_pays(train, plan, CLASSIFICATION, *rows.take(look)[1:])
    assert (kept.plan is not plan) == freer
    # What was kept is as good as all that was tried, up to noise.
    assert CLASSIFICATION.held_out_loss(job.held_out(kept.trained, look), "softmax") <= min(losses) + 0.02


@pytest.mark.parametrize("bent", [True, False])
def test_numbers_come_in_pieces_where_held_out_rows_lose_less_for_it(bent: bool) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1_400, 3))
    y = (np.abs(X[:, 0]) - 0.7 if bent else X[:, 0]) + 0.3 * rng.normal(size=1_400) > 0
    rows = Rows(X, one_hot(y.astype(np.int64), 2), None, CLASSIFICATION)
    job, look = Job(rows, RunConfig(network="linear")), np.arange(1_000, 1_400)

    def train(plan: Plan) -> Attempt:
        seen: list[Checkpoint] = []
        checkpoints = job.checkpoints(look, most=CHECKPOINTS, keep=seen.append, keep_best=True)
        return Attempt(plan, job.train(plan, np.arange(1_000), checkpoints=checkpoints), seen)

    kept = train_as_freely_as_pays(train, job.plan(1_000), CLASSIFICATION, *rows.take(look)[1:], pieces=True)
    assert (kept.plan.bins > 0) == bent
    assert kept.trained.plan.network.settings["n_inputs"] == (3 + 3 * 16 if bent else 3)
    if bent:
        assert kept.trained.inference.preprocessor.output_shape == (51,)
        assert (
            CLASSIFICATION.figures(job.held_out(kept.trained, look).scores, rows.Y[look], "softmax")["accuracy"] > 0.8
        )


def test_the_length_is_chosen_from_5000_rows_on_as_below_and_epochs_are_called_a_limit() -> None:
    X, y = _noise(5_000, columns=150)
    model = likely.Classifier(network="mlp", epochs=20, random_state=0).fit(X, y).predictor_
    training = model.card.training
    assert training.epochs < 20  # so many passes over noise learn some of it by heart
    assert any(f"Trained for {training.epochs:.3g} of at most 20 epochs" in note for note in model.card.data.notes)
    whole = likely.Classifier(network="mlp", epochs=1, random_state=0).fit(X, y).predictor_
    assert whole.card.training.epochs == 1
    assert not any("of at most" in note for note in whole.card.data.notes)


def test_photographs_are_flipped_only_where_held_out_ones_say_so() -> None:
    """A light left or right names the class: flipped it is another one. Above or below, flips double what is seen."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 120, (1_000, 8, 8, 3), dtype=np.uint8)
    y = np.arange(len(X)) % 2
    X[np.arange(len(X)), rng.integers(1, 7, len(X)), np.where(y == 1, 1, 6)] = 250
    plain = likely.Classifier(network="conv", epochs=1, random_state=0, verbose=False).fit(X, y)
    assert plain.predictor_.card.training.augment == ()
    assert not plain.predictor_.card.hflip
    assert plain.score(X, y) > 0.9
    for shape, declared, tried in (((64, 64, 3), False, 2), ((64, 64, 3), True, 0), ((28, 28), False, 0)):
        plan = choose_plan(RunConfig(), row_shape=shape, n_rows=900, n_outputs=3, task=CLASSIFICATION, hflip=declared)
        assert len(plan.may_augment) == tried
