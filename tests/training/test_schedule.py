"""Learning rates: the formulas at known points, their limits, and settings out of range."""

import math
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likely.errors import ConfigError
from likely.training.loop.schedule import Schedule

shares = st.floats(0, 1)
warmups = st.floats(0, 0.99)


def test_known_points() -> None:
    rate = Schedule(peak=2.0, warmup=0.2)
    assert [rate(r) for r in (0, 0.1, 0.2, 0.4, 0.6, 1.0)] == pytest.approx([0, 1, 2, 1.5, 1, 0], abs=1e-12)


def test_without_warmup_it_starts_at_the_peak() -> None:
    assert Schedule(0.1, warmup=0)(0) == 0.1


def test_defaults() -> None:
    assert Schedule(0.5) == Schedule(peak=0.5, warmup=0.15)


@given(warmups, shares)
def test_rates_lie_between_zero_and_the_peak(warmup: float, progress: float) -> None:
    rate = Schedule(0.3, warmup)
    assert 0 <= rate(progress) <= 0.3
    assert rate(warmup) == 0.3


@given(warmups, shares, shares)
def test_rates_rise_until_the_warmup_ends_and_never_after(warmup: float, a: float, b: float) -> None:
    rate = Schedule(1.0, warmup)
    a, b = sorted((a, b))
    if b <= warmup:
        assert rate(a) <= rate(b)
    elif a >= warmup:
        assert rate(a) >= rate(b)


@given(warmups, shares, st.floats(1e-6, 1e6))
def test_rates_scale_with_the_peak(warmup: float, progress: float, peak: float) -> None:
    one = Schedule(1.0, warmup)(progress)
    assert Schedule(peak, warmup)(progress) == pytest.approx(peak * one, rel=1e-12)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"peak": 0.0}, "peak must be a positive"),
        ({"peak": -1.0}, "got -1.0"),
        ({"peak": math.nan}, "got nan"),
        ({"peak": math.inf}, "got inf"),
        ({"peak": 1.0, "warmup": 1.0}, "warmup must be a share"),
        ({"peak": 1.0, "warmup": -0.1}, "warmup"),
        ({"peak": 1.0, "warmup": math.nan}, "warmup"),
    ],
)
def test_settings_out_of_range(settings: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        Schedule(**settings)


@pytest.mark.parametrize("progress", [-0.01, 1.01, math.nan, 100])
def test_progress_out_of_range(progress: float) -> None:
    with pytest.raises(ConfigError, match="progress"):
        Schedule(1.0)(progress)


def test_a_schedule_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Schedule(1.0).peak = 2.0  # type: ignore[misc]  # what is tested
