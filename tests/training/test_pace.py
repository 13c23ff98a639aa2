"""The clock and the plan of steps, with clocks that say what the test wants."""

import itertools
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likely.training.loop.pace import Pace, Stopwatch
from likely.training.loop.schedule import Schedule


def _run(steps: int, limit: float | None, seconds: Iterable[float]) -> tuple[list[float], float]:
    """The progress at the middle of every step of a run whose steps take so long, and when it ends."""
    pace, elapsed, middles = Pace(steps, limit), 0.0, []
    for taken, step in enumerate(seconds, start=1):
        middles.append(pace(taken - 0.5))
        elapsed += step
        pace.took(taken, elapsed)
        if pace(taken) >= 1:
            return middles, elapsed
    raise AssertionError("the run did not end")


def test_without_a_limit_progress_is_the_share_of_steps() -> None:
    middles, _ = _run(7, None, itertools.repeat(1.0))
    assert middles == [(step + 0.5) / 7 for step in range(7)]


@pytest.mark.parametrize("limit", [7.01, 1e9])
def test_a_limit_that_suffices_changes_nothing(limit: float) -> None:
    assert _run(7, limit, itertools.repeat(1.0)) == _run(7, None, itertools.repeat(1.0))


LOADS = {
    "even": lambda step: 0.01,
    "slow start": lambda step: 1.5 if step == 0 else 0.01,
    "busy from the middle on": lambda step: 0.01 if step < 400 else 0.1,
    "busy in the beginning": lambda step: 0.1 if step < 40 else 0.01,
    "in turns": lambda step: 0.05 if step % 2 else 0.01,
    "a pause early": lambda step: 0.5 if step == 10 else 0.01,
    "a pause late": lambda step: 0.5 if step == 700 else 0.01,
    "a long pause that counts": lambda step: 6.0 if step == 500 else 0.01,
}


@pytest.mark.parametrize("load", LOADS)
def test_the_rate_comes_down_by_the_limit_whatever_the_load(load: str) -> None:
    limit = 10.0
    middles, elapsed = _run(10**6, limit, map(LOADS[load], itertools.count()))
    rates = [Schedule(1.0)(progress) for progress in middles]
    assert rates[-1] < 0.02
    assert all(a <= b for a, b in itertools.pairwise(middles))
    # The last tenth of progress is no jump.
    assert sum(progress > 0.9 for progress in middles) >= 5
    # Where the pause ended after the limit, a fifth of the rest of the plan is run all the same.
    assert 0.9 * limit <= elapsed <= limit + 0.3 + ("counts" in load) * (1.0 + 0.2 * 0.5 * limit)


@given(
    st.lists(st.floats(1e-4, 2.0), min_size=400, max_size=400),
    st.floats(0.05, 5.0),
    st.integers(1, 300),
)
def test_every_run_ends_and_progress_never_falls(seconds: list[float], limit: float, steps: int) -> None:
    middles, _ = _run(steps, limit, seconds)
    assert all(0 <= a <= b <= 1 for a, b in itertools.pairwise(middles))
    assert len(middles) <= steps


def test_stopped_time_does_not_count_and_waiting_does() -> None:
    now, used = 0.0, 0.0
    watch = Stopwatch(lambda: now, lambda: used)
    for _ in range(10):
        now, used = now + 0.2, used + 0.02  # nine tenths of the time others compute
        watch()
    assert watch() == pytest.approx(2.0)
    now += 8.0
    assert watch() == pytest.approx(2.5)
    now, used = now + 3.0, used + 6.0  # two threads
    assert watch() == pytest.approx(5.5)
