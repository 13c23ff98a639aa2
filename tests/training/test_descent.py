"""The training loop on a real engine: its records, its batches, and the ways in which it ends."""

import itertools
import json
import time
from typing import Any

import numpy as np
import pytest

import likely
from likely.engines import create_engine
from likely.engines.gradient_descent import descent_path
from likely.engines.protocol import Batch, Engine, Optimizer
from likely.errors import ConfigError, DataError, DivergenceError, ShapeError
from likely.functional.objective import Objective
from likely.networks.linear import Linear
from likely.training.loop.descent import Record, descend
from likely.training.loop.schedule import Schedule

N = 60
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3))
Y = X @ [[1.0], [2.0], [-1.0]] + 0.5
LINE = Objective(Linear(3, 1), head="identity", loss="squared_error")


def engine(optimizer: Optimizer | None = None, name: str = "numpy") -> Engine:
    made = create_engine(
        name,
        LINE.network,
        n_outputs=1,
        head="identity",
        loss="squared_error",
        optimizer=optimizer or Optimizer("sgd"),
        sample=X,
        seed=0,
        dtype="float64",
    )
    made.place(X, Y, prepare=lambda rows: rows)
    return made


def run(made: Engine | None = None, **settings: Any) -> list[Record]:
    plain = {"epochs": 3, "batch_size": 6, "learning_rate": lambda progress: 0.05, "seed": 1}
    return list(descend(made or engine(), N, **{**plain, **settings}))


class Draws:
    """Augmentation numbers that are the rows themselves, so that a batch can be compared with its draws."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, np.ndarray]] = []

    def draws(self, rows: np.ndarray, epoch: int) -> np.ndarray:
        self.seen.append((epoch, rows.copy()))
        return rows[:, None]


@pytest.mark.parametrize("batch_size", [1, 6, 7, 60, 1000])
def test_whole_batches_and_every_row_at_most_once_per_epoch(batch_size: int) -> None:
    draws = Draws()
    records = run(batch_size=batch_size, augmentation=draws)
    used = min(batch_size, N)
    assert all(len(rows) == used for _, rows in draws.seen)
    assert len(draws.seen) == records[-1].step == 3 * (N // used)
    orders = []
    for epoch in range(3):
        rows = np.concatenate([rows for at, rows in draws.seen if at == epoch])
        assert len(set(rows.tolist())) == len(rows) == N // used * used
        orders.append(rows)
    # Each epoch has an order of its own.
    assert any((a != b).any() for a, b in itertools.pairwise(orders))


def test_rows_left_over_come_up_in_another_epoch() -> None:
    draws = Draws()
    run(batch_size=7, epochs=20, augmentation=draws)
    assert {int(row) for _, rows in draws.seen for row in rows} == set(range(N))


def test_a_batch_brings_its_draws() -> None:
    made, seen = engine(), []

    def augment(x: np.ndarray, draws: np.ndarray) -> np.ndarray:
        np.testing.assert_array_equal(x, X[draws[:, 0]])
        seen.append(len(x))
        return x

    made.place(X, Y, prepare=lambda rows: rows, augment=augment)
    run(made, epochs=1, augmentation=Draws())
    assert seen == [6] * 10


def test_the_seed_is_the_order() -> None:
    losses = [[record.loss for record in run(seed=seed)] for seed in (1, 1, 2)]
    assert losses[0] == losses[1] != losses[2]


def test_the_loop_is_the_algorithm() -> None:
    # With one batch of all rows it walks the same path as the plain algorithm.
    made = engine()
    run(made, batch_size=N, epochs=25)
    theta = likely.gradient_descent(LINE, X, Y, steps=25, learning_rate=0.05, theta=LINE.network.init(0))
    np.testing.assert_allclose(made.state()["layer0"], theta["layer0"], rtol=1e-10)


def test_it_ends_at_least_squares() -> None:
    made = engine(Optimizer("sgd", momentum=0.9))
    records = run(made, epochs=60)
    assert records[-1].loss < 1e-12
    np.testing.assert_allclose(made.state()["layer0"], likely.least_squares(X, Y), atol=1e-6)


def test_records() -> None:
    rate = Schedule(peak=0.1, warmup=0.2)
    records = run(epochs=4, learning_rate=rate)
    steps = [record.step for record in records]
    assert steps == list(range(1, 41))  # ten steps an epoch: each has its record
    for record in records:
        assert record.epoch == pytest.approx(record.step / 10)
        assert record.progress == pytest.approx(record.step / 40)
        assert record.learning_rate == pytest.approx(rate((record.step - 0.5) / 40))
        assert record.learning_rate > 0
        assert record.examples_per_second == pytest.approx(6 * record.step / record.seconds)
        assert record.held_out is None
    assert all(a.seconds < b.seconds for a, b in itertools.pairwise(records))
    assert records[0].seconds_left > 0
    assert records[-1].seconds_left == 0
    assert json.loads(json.dumps(records[0].to_json()))["step"] == 1


def test_about_twenty_records_an_epoch_hold_all_losses() -> None:
    every = run(epochs=2, batch_size=1)
    assert [record.step for record in every] == list(range(3, 121, 3))
    assert all(np.isfinite(record.loss) for record in every)
    # A record's loss is the mean since the one before it.
    made, order = engine(), np.random.default_rng(1).permutation(N)
    by_step = [made.step(Batch(order[i : i + 1]), 0.05) for i in range(3)]
    assert every[0].loss == pytest.approx(np.mean(by_step))


@pytest.mark.parametrize("settings", [{"batch_size": 1}, {"stop_at": 0.37, "batch_size": 1}, {"time_limit": 1e9}])
def test_steps_handed_over_together_are_the_same_run(settings: dict[str, Any]) -> None:
    def evaluate(progress: float) -> dict[str, float]:
        return {"progress": progress}

    settings = {"epochs": 2.5, "learning_rate": Schedule(0.05), "evaluate": evaluate, **settings}
    together, one_by_one = run(engine(name="jax"), **settings), run(**settings)
    for found, expected in zip(together, one_by_one, strict=True):
        assert found.loss == pytest.approx(expected.loss, rel=1e-9)
        for field in ("step", "epoch", "progress", "learning_rate", "held_out"):
            assert getattr(found, field) == getattr(expected, field)


def test_a_divergence_within_steps_handed_over_together_names_the_step() -> None:
    steps = []
    for name in ("numpy", "jax"):
        with pytest.raises(DivergenceError, match="learning rate") as failure:
            run(engine(name=name), epochs=40, batch_size=1, learning_rate=lambda progress: 100.0)
        steps.append(failure.value.step)
    assert steps[0] == steps[1] > 1


@pytest.mark.parametrize(("epochs", "steps"), [(0.3, 3), (1.5, 15), (0.001, 1)])
def test_epochs_may_be_a_fraction(epochs: float, steps: int) -> None:
    last = run(epochs=epochs)[-1]
    assert last.step == steps
    assert last.progress == 1


def test_evaluation_at_the_end_of_epochs() -> None:
    asked: list[float] = []

    def evaluate(progress: float) -> dict[str, float]:
        asked.append(progress)
        return {"loss": progress}

    evaluated = [
        (r.step, r.held_out) for r in run(epochs=4.5, evaluate=evaluate, evaluate_every=2) if r.held_out is not None
    ]
    assert [step for step, _ in evaluated] == [20, 40, 45]
    assert asked == pytest.approx([20 / 45, 40 / 45, 1])
    assert evaluated[-1][1] == {"loss": 1.0}


def test_evaluation_takes_no_training_time() -> None:
    def evaluate(progress: float) -> dict[str, float]:
        time.sleep(0.1)
        return {"progress": progress}

    began = time.perf_counter()
    last = run(epochs=3, evaluate=evaluate, time_limit=30)[-1]
    assert last.seconds <= time.perf_counter() - began - 0.3


def test_a_time_limit_ends_the_run_and_brings_the_rate_down() -> None:
    records = run(epochs=1e6, learning_rate=Schedule(peak=0.05, warmup=0), time_limit=0.2)
    last = records[-1]
    assert last.progress == 1
    assert 0.2 <= last.seconds < 2
    assert last.seconds_left == 0
    assert last.learning_rate < 0.01 < records[0].learning_rate
    assert all(record.seconds_left <= 0.2 for record in records)


def test_a_generous_time_limit_changes_nothing() -> None:
    assert [r.loss for r in run(time_limit=600)] == [r.loss for r in run()]


def test_stopping_early_at_the_rate_of_the_full_run() -> None:
    schedule = Schedule(peak=0.1, warmup=0.1)
    full, part = run(learning_rate=schedule), run(learning_rate=schedule, stop_at=0.4)
    assert len(part) == 12
    assert [(r.step, r.loss, r.learning_rate) for r in part] == [(r.step, r.loss, r.learning_rate) for r in full[:12]]
    assert part[-1].progress == pytest.approx(0.4)
    assert part[-1].seconds_left == 0


def test_stop_is_asked_after_every_step() -> None:
    questions = iter([False] * 6 + [True])
    records = run(stop=lambda: next(questions), evaluate=lambda progress: {"at": progress})
    assert records[-1].step == 7
    assert records[-1].held_out == {"at": pytest.approx(7 / 30)}
    assert next(questions, None) is None


def test_divergence_says_when_and_what_to_try() -> None:
    with pytest.raises(
        DivergenceError, match=r"at step \d+ with learning rate 30.*Try a learning rate of 3\."
    ) as caught:
        run(epochs=1000, learning_rate=lambda progress: 30.0)
    assert 1 < caught.value.step < 1000
    assert f"step {caught.value.step} " in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"epochs": 0},
        {"epochs": float("nan")},
        {"epochs": float("inf")},
        {"batch_size": 0},
        {"evaluate_every": 0},
        {"time_limit": 0.0},
        {"stop_at": 0.0},
    ],
    ids=str,
)
def test_numbers_out_of_range(settings: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(settings))} must be positive"):
        run(**settings)
    with pytest.raises(ConfigError, match="n_rows must be positive"):
        next(descend(engine(), 0, epochs=1, batch_size=1, learning_rate=float, seed=0))


@pytest.mark.parametrize("settings", [{"steps": -1}, {"learning_rate": 0.0}, {"learning_rate": float("nan")}])
def test_the_plain_algorithm_refuses_numbers_out_of_range(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="steps must be 0 or more and learning_rate positive"):
        likely.gradient_descent(LINE, X, Y, **{"steps": 3, "learning_rate": 0.1, **settings})


@pytest.mark.parametrize("name", ["numpy", "jax", "torch"])
def test_the_plain_algorithm_refuses_what_it_cannot_start_from(name: str) -> None:
    settings: dict[str, Any] = {"steps": 3, "learning_rate": 0.1, "engine": name}
    theta = LINE.network.init(0)["layer0"]
    with pytest.raises(ShapeError, match="floating-point"):
        likely.gradient_descent(LINE, X, Y, theta={"layer0": np.ones((4, 1), int)}, **settings)
    for value in (np.nan, np.inf):
        with pytest.raises(DataError, match="layer0 must be finite"):
            likely.gradient_descent(LINE, X, Y, theta={"layer0": np.append(theta[:3], [[value]], 0)}, **settings)
        with pytest.raises(DataError, match="at the start"):
            likely.gradient_descent(LINE, np.vstack([X[:-1], [[value] * 3]]), Y, **settings)


def test_a_function_needs_its_theta() -> None:
    def loss(theta: Any, x: Any, y: Any) -> Any:
        return ((x @ theta - y) ** 2).mean()

    with pytest.raises(ConfigError, match="theta must be given"):
        likely.gradient_descent(loss, X, Y, steps=1, learning_rate=0.1, engine="jax")
    found = likely.gradient_descent(
        loss, X, Y - 0.5, steps=300, learning_rate=0.2, engine="torch", theta=np.ones((3, 1))
    )
    np.testing.assert_allclose(found.ravel(), [1, 2, -1], atol=1e-6)
    # The walk leaves the caller's theta as it was.
    start = np.zeros((3, 1))
    assert len(list(descent_path(loss, X, Y, steps=4, learning_rate=0.1, engine="torch", theta=start))) == 5
    np.testing.assert_array_equal(start, 0)
