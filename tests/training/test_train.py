"""One training: where it starts, how it may end, and what is kept."""

import json
import signal
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LinearRegression

from likely.arrays import one_hot
from likely.config import RunConfig
from likely.errors import DivergenceError
from likely.training.choose_plan import choose_plan
from likely.training.loop.checkpoints import Checkpoint, Checkpoints
from likely.training.loop.descent import Record
from likely.training.loop.schedule import Schedule
from likely.training.plan import Plan
from likely.training.task import CLASSIFICATION, REGRESSION
from likely.training.train import train
from likely.training.trained import Trained
from likely.training.training_rows import Rows

X_IRIS, Y_IRIS = load_iris(return_X_y=True)
IRIS = Rows(X_IRIS, one_hot(Y_IRIS, 3), None, task=CLASSIFICATION)
LEARN, JUDGE = np.arange(0, 150, 2), np.arange(1, 150, 2)


def _plan(rows: Rows, config: RunConfig) -> Plan:
    return choose_plan(
        config,
        row_shape=rows.X.shape[1:],
        n_rows=len(rows),
        n_outputs=rows.Y.shape[1],
        task=rows.task,
        hflip=False,
    )


def _train(rows: Rows, config: RunConfig, index: np.ndarray | None = None, **settings: Any) -> Trained:
    return train(_plan(rows, config), rows, np.arange(len(rows)) if index is None else index, config, **settings)


def _regression(n: int = 200, weights: np.ndarray | None = None) -> Rows:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 1))
    return Rows(X, 3 * X + 100 + rng.normal(size=(n, 1)), weights, task=REGRESSION)


def _checkpoints(rows: Rows, **settings: Any) -> Checkpoints:
    return Checkpoints(rows.X[JUDGE], rows.Y[JUDGE], **settings)


@pytest.mark.parametrize("weighted", [False, True])
def test_linear_regression_is_solved_and_not_descended(weighted: bool) -> None:
    X, y = load_diabetes(return_X_y=True)
    weights = np.random.default_rng(0).uniform(0.1, 3, len(y)) if weighted else None
    config = RunConfig(network="linear", dtype="float64")
    trained = _train(Rows(X, y[:, None], weights, task=REGRESSION), config)
    expected = LinearRegression().fit(X, y, sample_weight=weights).predict(X)
    np.testing.assert_allclose(trained.scores(X)[:, 0], expected, rtol=1e-9)
    assert (trained.history, trained.stopped, trained.plan.exact) == ([], "finished", True)


def test_descent_on_the_squared_error_comes_to_the_same_line() -> None:
    rows = _regression()
    trained = _train(rows, RunConfig(network="linear", engine="numpy", dtype="float64", batch_size=200))
    expected = LinearRegression().fit(rows.X, rows.Y).predict(rows.X)
    np.testing.assert_allclose(trained.scores(rows.X), expected, atol=1e-3 * np.ptp(expected))
    np.testing.assert_allclose(trained.target_mean, rows.Y.mean(axis=0))
    np.testing.assert_allclose(trained.target_scale, rows.Y.std(axis=0))


def test_a_target_that_does_not_vary_is_predicted() -> None:
    rows = _regression()
    same = Rows(rows.X, np.full((200, 1), 7.0), None, task=REGRESSION)
    trained = _train(same, RunConfig(network="linear", engine="numpy", dtype="float64"))
    np.testing.assert_allclose(trained.scores(rows.X), 7.0, atol=1e-2)


@pytest.mark.parametrize("engine", ["numpy", "jax", "torch"])
def test_a_seed_repeats_a_training_bit_for_bit(engine: Any) -> None:
    def state(seed: int) -> dict[str, np.ndarray]:
        config = RunConfig(network="mlp", engine=engine, seed=seed, epochs=5, dtype="float64")
        return _train(IRIS, config).engine.state()

    first, second, other = state(1), state(1), state(2)
    for name, value in first.items():
        np.testing.assert_array_equal(second[name], value)
        assert not np.array_equal(other[name], value)


def test_records_are_kept_and_handed_on() -> None:
    seen: list[Record] = []
    trained = _train(IRIS, RunConfig(network="linear", epochs=7), LEARN, on_record=seen.append)
    assert seen == trained.history
    assert seen[-1].progress == 1
    assert seen[-1].epoch == 7


def test_checkpoints_are_looked_at_evenly_and_at_the_end() -> None:
    kept: list[Checkpoint] = []
    checkpoints = _checkpoints(IRIS, most=4, keep=kept.append)
    trained = _train(IRIS, RunConfig(network="linear", epochs=10), LEARN, checkpoints=checkpoints)
    progress = [at.progress for at in kept]
    assert progress == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    np.testing.assert_array_equal(kept[-1][1], trained.scores(IRIS.X[JUDGE]))
    figures = CLASSIFICATION.figures(kept[-1][1], IRIS.Y[JUDGE], "softmax")
    assert trained.history[-1].held_out == figures


def test_early_stopping_keeps_the_best_network_seen() -> None:
    # Labels that mean nothing: the longer one learns them, the worse one answers.
    rng = np.random.default_rng(0)
    rows = Rows(X_IRIS, one_hot(rng.integers(0, 3, 150), 3), None, task=CLASSIFICATION)
    config = RunConfig(network="mlp", epochs=500, learning_rate=0.05, dtype="float64")
    trained = _train(rows, config, LEARN, checkpoints=_checkpoints(rows, patience=5))
    losses = [record.held_out["nll"] for record in trained.history if record.held_out]
    assert trained.stopped == "early stopping"
    assert trained.history[-1].progress < 0.5
    # Five looks without improvement, and the one that ends every run.
    assert len(losses) - 1 - int(np.argmin(losses)) == 6
    kept = CLASSIFICATION.figures(trained.scores(rows.X[JUDGE]), rows.Y[JUDGE], "softmax")
    assert kept["nll"] == min(losses) < losses[-1]


def test_figures_count_weights() -> None:
    scores, Y = np.log([[0.5, 0.5], [0.2, 0.8]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    figures = CLASSIFICATION.figures(scores, Y, "softmax", np.array([3.0, 1.0]))
    assert figures["nll"] == pytest.approx((3 * np.log(2) - np.log(0.8)) / 4)
    squares = REGRESSION.figures(np.array([[1.0], [3.0]]), np.zeros((2, 1)), "identity", np.array([3.0, 1.0]))
    assert squares == {"mse": 3.0}


def test_a_time_limit_ends_the_run_with_a_low_learning_rate() -> None:
    trained = _train(IRIS, RunConfig(network="linear", epochs=1e7), time_limit=0.3)
    last = trained.history[-1]
    assert trained.stopped == "time limit"
    assert 0.2 <= last.seconds < 3
    assert last.progress == 1
    assert last.learning_rate < 0.1 * max(record.learning_rate for record in trained.history)


def test_a_run_can_end_where_a_longer_one_would_be() -> None:
    config = RunConfig(network="linear", epochs=20)
    whole = _train(IRIS, config)
    part = _train(IRIS, config, stop_at=0.5)
    assert part.history[-1].progress == pytest.approx(0.5)
    assert part.history[-1].loss == whole.history[len(part.history) - 1].loss
    assert part.history[-1].learning_rate == pytest.approx(Schedule(part.plan.learning_rate, 0.15)(0.5), rel=0.05)


@pytest.mark.parametrize("engine", ["numpy", "jax", "torch"])
def test_divergence_names_its_step_when_there_is_nothing_to_keep(engine: Any) -> None:
    config = RunConfig(network="linear", engine=engine, optimizer="sgd", learning_rate=1e30, batch_size=200)
    with pytest.raises(DivergenceError, match=r"step \d+.*learning rate") as caught:
        _train(_regression(), config)
    assert 1 < caught.value.step < 20


@pytest.mark.parametrize("engine", ["numpy", "jax", "torch"])
def test_divergence_keeps_the_last_good_network(engine: Any) -> None:
    # The rate warms up from 0: the first epochs go well, then the steps become longer than the valley is wide.
    rows = _regression()
    config = RunConfig(network="linear", engine=engine, optimizer="sgd", learning_rate=20, batch_size=40, epochs=1e3)
    trained = _train(rows, config, checkpoints=Checkpoints(rows.X, rows.Y))
    assert trained.stopped.startswith("diverged at step ")
    assert int(trained.stopped.rsplit(" ", 1)[1]) > trained.history[-1].step
    losses = [record.held_out["mse"] for record in trained.history if record.held_out]
    kept = REGRESSION.figures(trained.scores(rows.X), rows.Y, "identity")
    assert kept["mse"] == min(losses) < 2
    assert losses[-1] > 1e6


_INTERRUPTED = """
import json
import numpy as np
from test_train import IRIS, JUDGE, LEARN, _checkpoints, _train
from likely.config import RunConfig
from likely.training.task import CLASSIFICATION

config = RunConfig(network="mlp", epochs=1e7, learning_rate=0.05, dtype="float64")
ready = lambda record: print("learning", flush=True) if record.step == 500 else None
trained = _train(IRIS, config, LEARN, checkpoints=_checkpoints(IRIS), on_record=ready)
best = min(record.held_out["nll"] for record in trained.history if record.held_out)
kept = CLASSIFICATION.figures(trained.scores(IRIS.X[JUDGE]), IRIS.Y[JUDGE], "softmax")
print(json.dumps([trained.stopped, best, kept["nll"], trained.history[-1].progress]))
"""


def test_ctrl_c_ends_the_run_and_keeps_the_best(request: pytest.FixtureRequest) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _INTERRUPTED], cwd=request.path.parent, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if line == "learning\n":
                child.send_signal(signal.SIGINT)
                break
        stopped, best, kept, progress = json.loads(child.stdout.read().splitlines()[-1])
    assert child.returncode == 0
    assert stopped == "interrupted"
    assert kept == best
    assert progress < 0.1


def test_a_second_ctrl_c_interrupts_as_usual() -> None:
    before = signal.getsignal(signal.SIGINT)

    def twice(record: Record) -> None:
        del record
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        _train(IRIS, RunConfig(network="linear"), on_record=twice)
    assert signal.getsignal(signal.SIGINT) is before


def test_training_runs_in_a_thread() -> None:
    done: list[Trained] = []
    thread = threading.Thread(target=lambda: done.append(_train(IRIS, RunConfig(network="linear", epochs=2))))
    thread.start()
    thread.join()
    assert done[0].stopped == "finished"


def test_the_mean_of_the_latest_epoch_is_looked_at_and_kept() -> None:
    states: list[dict[str, np.ndarray]] = []
    config = RunConfig(network="linear", epochs=3, batch_size=25, dtype="float64")
    kept: list[np.ndarray] = []
    checkpoints = _checkpoints(IRIS, keep=lambda at: kept.append(at.scores))
    _train(IRIS, config, LEARN, checkpoints=checkpoints, average_recent=True)
    # The steps themselves, one run for each number of them: three an epoch.
    for steps in range(1, 10):
        states.append(_train(IRIS, config, LEARN, stop_at=steps / 9).engine.state())
    means = [{name: np.mean([s[name] for s in states[i : i + 3]], axis=0) for name in states[0]} for i in (0, 3, 6)]
    for scores, mean in zip(kept, means, strict=True):
        trained = _train(IRIS, config, LEARN)
        trained.engine.load_state(mean)
        np.testing.assert_allclose(scores, trained.scores(IRIS.X[JUDGE]), rtol=1e-12)
    last = _train(IRIS, config, LEARN, average_recent=True, stop_at=2 / 3)
    np.testing.assert_allclose(last.engine.state()["layer0"], means[1]["layer0"], rtol=1e-12)


def test_a_mean_does_not_mix_networks_that_are_far_apart() -> None:
    x = np.linspace(-np.pi, np.pi, 256)[:, None]
    rows = Rows(x, np.sin(x), None, task=REGRESSION)
    config = RunConfig(network="mlp", hidden=(32, 32), activation="gelu", epochs=400, learning_rate=0.01)
    errors = [
        np.abs(_train(rows, config, average_recent=average).scores(x) - np.sin(x)).max() for average in (False, True)
    ]
    assert errors[1] < errors[0] + 0.01
