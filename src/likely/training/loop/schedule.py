"""The learning rate as a function of progress, so that the length of training can be set in steps or in time."""

import math
from dataclasses import dataclass

from likely.errors import ConfigError


@dataclass(frozen=True)
class Schedule:
    """A learning rate that warms up and then falls to 0: a function of progress in [0, 1].

    With peak a, warm-up share w and progress r:

        r < w:   a r / w
        r >= w:  a (1 - r) / (1 - w)

    At r = 0 a warm-up gives 0, and so does r = 1: ask at the middle of a step, r = (step + 1/2) / steps, and no step is
    wasted.

    Args:
        peak: the largest learning rate, positive.
        warmup: the share of training spent rising, in [0, 1).

    Raises:
        ConfigError: if a setting is out of range.

    Example:
        >>> rate = Schedule(peak=0.1, warmup=0.2)
        >>> [round(rate(r), 3) for r in (0.0, 0.1, 0.2, 0.6, 1.0)]
        [0.0, 0.05, 0.1, 0.05, 0.0]

    Reference: Goyal et al. (2017), Accurate, large minibatch SGD, section 2.2 (warm-up).
    """

    peak: float
    warmup: float = 0.15

    def __post_init__(self) -> None:
        if not (math.isfinite(self.peak) and self.peak > 0):
            raise ConfigError(f"peak must be a positive finite number; got {self.peak}. Try 0.01.")
        if not 0 <= self.warmup < 1:
            raise ConfigError(f"warmup must be a share of training in [0, 1); got {self.warmup}. Try 0.15.")

    def __call__(self, progress: float) -> float:
        """The learning rate at this share of training, which must lie in [0, 1]."""
        if not 0 <= progress <= 1:
            raise ConfigError(f"progress must lie in [0, 1]; got {progress}. Try step / steps.")
        if progress < self.warmup:
            return self.peak * progress / self.warmup
        rest = (progress - self.warmup) / (1 - self.warmup)
        return self.peak * (1 - rest)
