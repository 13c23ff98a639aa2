"""The path of penalties: looks, records, and what ends it early."""

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris

from likely.arrays import one_hot
from likely.engines import create_engine
from likely.engines.protocol import Optimizer
from likely.networks.linear import Linear
from likely.training.loop.descent import Record
from likely.training.loop.lbfgs import Spectrum
from likely.training.loop.penalties import walk_penalties

X, y = load_iris(return_X_y=True)
X = ((X - X.mean(axis=0)) / X.std(axis=0)).astype(np.float32)
Y = one_hot(y, 3)
PENALTIES = (10.0, 1.0, 0.1)


def _engine(name: str = "numpy", d: int = 4, dtype: str = "float32") -> Any:
    return create_engine(
        name,
        Linear(d, 3),
        n_outputs=3,
        head="softmax",
        loss="cross_entropy",
        optimizer=Optimizer(),
        sample=X[:2],
        seed=0,
        dtype=dtype,
    )


def _walk(**settings: Any) -> tuple[Any, list[Record], dict[str, np.ndarray]]:
    records: list[Record] = []
    engine = _engine()
    path = walk_penalties(engine, X, Y, None, penalties=PENALTIES, passes=500, on_record=records.append, **settings)
    return path, records, engine.state()


def test_a_look_at_every_penalty_and_records_that_go_forward() -> None:
    looks: list[float] = []

    def evaluate(progress: float) -> dict[str, float]:
        looks.append(progress)
        return {"nll": 1.0}

    path, records, _ = _walk(evaluate=evaluate)
    assert looks == pytest.approx([1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(path.penalties, np.array(PENALTIES) * np.mean(X.var(axis=0)) / len(X), rtol=1e-5)
    assert not path.out_of_time
    progress = [record.progress for record in records]
    assert progress == sorted(progress)
    assert progress[-1] == 1
    assert records[-1].seconds_left == 0
    assert sum(record.held_out is not None for record in records) == 3
    assert records[-1].loss < records[0].loss


def test_stop_at_ends_at_the_minimum_for_that_penalty() -> None:
    path, records, state = _walk(stop_at=2 / 3)
    assert len(path.penalties) == 2
    assert records[-1].progress == pytest.approx(2 / 3)
    J = _with_rows().loss_and_gradient(state)[1]["layer0"]
    J[1:] += path.penalties[-1] * state["layer0"][1:]
    assert np.abs(J).max() < 2e-4


def _with_rows(name: str = "numpy", weights: np.ndarray | None = None, dtype: str = "float32") -> Any:
    engine = _engine(name, dtype=dtype)
    engine.place(X.astype(dtype), Y.astype(dtype), weights, prepare=lambda x: x)
    return engine


def test_a_stop_and_the_clock_end_the_walk() -> None:
    path, records, _ = _walk(stop=lambda: True)
    assert len(path.penalties) == 1
    assert not path.out_of_time
    assert records[-1].step == 1
    path, _, state = _walk(time_limit=1e-9)
    assert path.out_of_time
    assert np.isfinite(state["layer0"]).all()


@pytest.mark.parametrize("weights", [None, np.arange(150) % 3.0])
def test_engines_agree_on_loss_and_gradient_of_all_rows(weights: np.ndarray | None) -> None:
    theta = {"layer0": np.random.default_rng(0).normal(size=(5, 3))}
    found = [_with_rows(name, weights, "float64").loss_and_gradient(theta) for name in ("numpy", "jax", "torch")]
    for loss, J in found[1:]:
        assert loss == pytest.approx(found[0][0], rel=1e-12)
        np.testing.assert_allclose(J["layer0"], found[0][1]["layer0"], rtol=1e-10, atol=1e-14)


def test_the_spectrum_of_few_rows_is_that_of_their_covariance() -> None:
    rows = np.random.default_rng(0).normal(size=(6, 40))
    found = Spectrum.of(rows)
    S = np.cov(rows.T, bias=True)
    np.testing.assert_allclose((found.directions * found.variances) @ found.directions.T, S, atol=1e-10)
    assert found.rest == pytest.approx(0, abs=1e-10)
    assert found.variance == pytest.approx(np.trace(S) / 40)
