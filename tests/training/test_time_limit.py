"""The plan for so many seconds: the largest conv net that pays in them."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likely.arrays import one_hot
from likely.config import RunConfig
from likely.engines.by_torch import rates
from likely.training.choose_plan import choose_plan
from likely.training.hold_out import hold_out
from likely.training.job import Job
from likely.training.plan import Plan
from likely.training.task import CLASSIFICATION
from likely.training.training_rows import Rows
from likely.training.watcher import Silent

PER_STEP = {(32, 2): 0.025, (48, 2): 0.04, (64, 2): 0.055, (32, 1): 0.12, (48, 1): 0.22}
"""Seconds by width and stride, in the order in which more time takes them."""


def _timed(network: Any, X: np.ndarray, *_: Any) -> float:
    """Seconds of a step of 256 images on a certain machine."""
    return PER_STEP[network.settings["width"], network.settings["stride"]] * len(X) / 256


def _plan(seconds: float | None, n_rows: int = 55_200, **settings: Any) -> Plan:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rates, "step_seconds", _timed)
        return choose_plan(
            RunConfig(**settings),
            row_shape=(28, 28),
            n_rows=n_rows,
            n_outputs=10,
            task=CLASSIFICATION,
            hflip=True,
            seconds=seconds,
        )


def _size(plan: Plan) -> tuple[int, int]:
    assert plan.network.name == "conv"
    return plan.network.settings["width"], plan.network.settings["stride"]


def _rank(plan: Plan) -> int:
    return list(PER_STEP).index(_size(plan))


@pytest.mark.parametrize(
    ("seconds", "size", "epochs"),
    [
        (2, (32, 2), 0.558),
        (8, (32, 2), 2.23),
        (12, (32, 2), 3.35),
        (15, (48, 2), 2.62),
        (30, (64, 2), 3.81),
        (60, (64, 2), 4.0),
        (130, (32, 1), 7.56),
        (240, (32, 1), 11),
        (300, (32, 1), 11),
        (900, (48, 1), 28.5),
        (3000, (48, 1), 32),
    ],
)
def test_more_time_is_a_larger_net_or_a_longer_training(seconds: float, size: tuple[int, int], epochs: float) -> None:
    plan = _plan(seconds)
    assert _size(plan) == size
    assert plan.epochs == pytest.approx(epochs, rel=0.02)


@given(st.floats(0.1, 5_000), st.floats(1, 3), st.sampled_from([50, 700, 6_000, 55_200, 600_000]))
def test_no_plan_for_more_time_is_smaller(seconds: float, times: float, n_rows: int) -> None:
    less, more = _plan(seconds, n_rows), _plan(times * seconds, n_rows)
    assert _rank(less) <= _rank(more)
    if _rank(less) == _rank(more):
        assert less.epochs <= more.epochs


@pytest.mark.parametrize("settings", [{"preset": "balanced"}, {"epochs": 2.0}, {"network": "mlp"}])
def test_what_the_user_chose_stays(settings: dict[str, Any]) -> None:
    limited, free = _plan(5, **settings), _plan(None, **settings)
    assert limited.network.settings == free.network.settings
    assert limited.epochs == free.epochs


def test_the_user_is_told_and_the_limit_is_kept() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(5_200) % 4
    X = rng.integers(0, 60, (len(y), 8, 8), dtype=np.uint8)
    X[np.arange(len(y)), 2 * y] += 150
    said: list[str] = []
    rows = Rows(X, one_hot(y, 4, np.float32), None, task=CLASSIFICATION)
    config = RunConfig(time_limit=1.5, device="cpu")

    class Saying(Silent):
        def say(self, message: str) -> None:
            said.append(message)

    outcome = hold_out(Job(rows, config, watcher=Saying()))
    assert said[1].startswith("1.5 s to train a conv net of width ")
    assert outcome.trained.stopped in ("time limit", "finished")
    assert all(record.seconds < 1.5 for record in outcome.trained.history[:-1])
    assert outcome.calibration is not None
    right = outcome.calibration.scores.argmax(axis=1) == outcome.calibration.Y.argmax(axis=1)
    assert right.mean() > 0.9


@pytest.mark.parametrize(("settings", "hflip", "augment"), [
    ({"preset": "fast"}, True, ()), ({"preset": "balanced"}, True, ("cutout",)), ({"preset": "balanced"}, False, ()),
    ({"preset": "balanced", "augment": ("hflip",)}, True, ()), ({"augment": ("shift",)}, True, ("shift",)),
])  # fmt: skip
def test_only_what_the_data_set_declares_to_be_harmless_changes_images(
    settings: dict[str, Any], hflip: bool, augment: tuple[str, ...]
) -> None:
    plan = choose_plan(
        RunConfig(**settings), row_shape=(28, 28), n_rows=9_000, n_outputs=3, task=CLASSIFICATION, hflip=hflip
    )
    assert plan.augment == augment
    assert plan.hflip == (hflip and ("hflip" in settings.get("augment", ("hflip",))))


def test_long_trainings_always_look_twice() -> None:
    assert _plan(None).tta_threshold == 0.99
    assert _plan(None, epochs=30.0).tta_threshold == _plan(None, n_rows=300).tta_threshold == 1.0
