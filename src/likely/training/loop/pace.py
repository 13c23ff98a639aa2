"""How a run keeps its time: a watch that stands still while the process does, and steps planned from their rate."""

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from likely.training.loop.by_clock import ByClock

_IDLE = 0.5  # seconds
_RECENT = 20  # steps by which the rate is measured
_LEAST = 3  # of them before it is believed: the first may compile
_GRACE = 0.2  # of the rest of the plan
_PART = 0.02  # of the steps so far, and of those to come: so many are taken between two plans


class Stopwatch:
    """Seconds since it was made, as far as this process could use them.

    Between two readings at most the processor time spent plus `idle` seconds count: waiting in line on a busy machine
    counts, since it comes in small pieces, but not the time in which the process was stopped (Ctrl-Z, SIGSTOP, a
    machine asleep). Ask it often.

    Args:
        clock: seconds that pass.
        processor: seconds of processor time of this process, all threads together.
        idle: seconds between two readings in which the process may have waited for others.

    Example:
        >>> seconds, used = iter([0.0, 2.0, 12.0]), iter([0.0, 2.0, 2.1])
        >>> watch = Stopwatch(lambda: next(seconds), lambda: next(used))
        >>> watch(), round(watch(), 9)
        (2.0, 2.6)
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        processor: Callable[[], float] = time.process_time,
        *,
        idle: float = _IDLE,
    ) -> None:
        self._clock, self._processor, self._idle = clock, processor, idle
        self._last = clock(), processor()
        self._seconds = 0.0

    def __call__(self) -> float:
        """The reading now."""
        now = self._clock(), self._processor()
        passed, used = now[0] - self._last[0], now[1] - self._last[1]
        self._last = now
        self._seconds += min(passed, used + self._idle)
        return self._seconds

    def advance_to(self, seconds: float) -> None:
        """Count what an earlier process used, too: the reading is at least so many seconds from now on."""
        self._seconds = max(self(), seconds)


class Pace:
    """How far a run is after a step, from 0 to 1, where both steps and time may end it.

    Without a limit, progress after step t of n is t / n. With one, m steps are planned, and planned again after
    a fiftieth of the steps so far or to come, whichever are fewer:

        m = min(n, t + time left / seconds per step),    r <- r + (1 - r) / (m - t) after the next

    so that progress never jumps and a learning rate that falls with it always comes down in time. A step takes as long
    as the mean of the latest ones without the slowest, so that one pause says little. Where time was lost at once, a
    fifth of the rest of the plan is still run, in order to come down.

    Args:
        steps: of the full run.
        seconds: the limit, or None.
        by_clock: keeps how many steps were planned, or tells it again.

    Example:
        >>> pace = Pace(100, seconds=10.0)
        >>> for step in range(1, 6):  # a second each: there is time for ten
        ...     pace.took(step, float(step))
        >>> round(pace(5), 2), pace.steps
        (0.31, 10)
    """

    def __init__(self, steps: int, seconds: float | None = None, by_clock: ByClock | None = None) -> None:
        self._full, self._limit, self._by_clock = steps, seconds, by_clock or ByClock()
        self.steps, self._next = steps, 0
        self._from = 0, 0.0
        self._elapsed = 0.0
        self._recent: deque[float] = deque(maxlen=_RECENT)

    def __call__(self, step: float) -> float:
        """The progress after so many steps by the present plan; half a step is the middle of one."""
        taken, reached = self._from
        if taken >= self.steps:
            return 1.0
        return reached + (1 - reached) * (step - taken) / (self.steps - taken)

    def took(self, taken: int, elapsed: float, step: float | None = None) -> None:
        """Plan again after a step.

        Args:
            taken: steps so far.
            elapsed: seconds so far, of whatever else the run did, too.
            step: seconds of the latest step alone; None takes all since the previous one.
        """
        if self._limit is None:
            return
        self._recent.append(elapsed - self._elapsed if step is None else step)
        self._elapsed = elapsed
        if taken < self._next:
            return
        steps: int = self._by_clock(taken, lambda: self._planned(taken, self._limit or 0.0))
        if steps != self.steps:
            self._from, self.steps = (taken, min(self(taken), 1.0)), steps
        self._next = taken + max(1, int(_PART * min(taken, steps - taken)))

    def _planned(self, taken: int, limit: float) -> int:
        left = limit - self._elapsed
        if len(self._recent) < _LEAST and left > 0:
            return self.steps
        usual = sorted(self._recent)[: -max(1, len(self._recent) // 10)] or list(self._recent)
        seconds = max(sum(usual) / len(usual), 1e-9)
        reached = min(self(taken), 1.0)
        left = max(left, _GRACE * (1 - reached) * limit)
        return min(self._full, taken + math.floor(left / seconds + 0.5))

    def snapshot(self) -> dict[str, Any]:
        """The plan so far, and what it rests on."""
        return {
            "limit": self._limit,
            "steps": self.steps,
            "next": self._next,
            "from": self._from,
            "elapsed": self._elapsed,
            "recent": list(self._recent),
        }

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take up a plan from `snapshot()`."""
        self._limit, self.steps, self._elapsed = kept["limit"], kept["steps"], kept["elapsed"]
        self._next = kept["next"]
        self._from = kept["from"][0], kept["from"][1]
        self._recent.extend(kept["recent"])


def overtime(time_limit: float) -> float:
    """Seconds that a limit may be exceeded by: what is promised is a tenth and three seconds; this is half of it."""
    return 0.05 * time_limit + 1.5
