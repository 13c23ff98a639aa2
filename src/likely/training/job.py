"""What `hold_out` and `cross_validate` share: the plan, the share of the time that is left, the rows to look at."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from likely.config import RunConfig
from likely.config.durations import duration
from likely.preprocessing.stored_rows import take_rows
from likely.training.descent import Record
from likely.training.plan import Overrides, Plan, choose_plan
from likely.training.train import Checkpoints, Rows


class Recorder(Protocol):
    """Takes the records of a run, or of the fold that is named."""

    def __call__(self, record: Record, fold: str = "") -> None:
        """Take the next record."""
        ...


def time_left(limit: float, used: float) -> float:
    """What is left of the limit after the plan was made, but not less than half of it."""
    return max(limit - used, 0.5 * limit)


def checkpoints_of(rows: Rows, index: np.ndarray, **settings: Any) -> Checkpoints:
    """These rows as checkpoints."""
    weights = None if rows.weights is None else rows.weights[index]
    return Checkpoints(take_rows(rows.X, index), rows.Y[index], weights, **settings)


def planned(
    rows: Rows,
    n_rows: int,
    config: RunConfig,
    hflip: bool,
    overrides: Overrides,
    seconds: float | None,
    say: Callable[[str], None],
) -> Plan:
    """The plan; what was chosen because of the time is said."""
    plan = choose_plan(
        config,
        row_shape=rows.shape,
        n_rows=n_rows,
        n_outputs=rows.Y.shape[1],
        task="classification" if rows.classifies else "regression",
        hflip=hflip,
        overrides=overrides,
        seconds=seconds,
    )
    if seconds is not None and plan.network.name == "conv":
        width = plan.network.settings["width"]
        say(f"{duration(seconds)} to train a conv net of width {width}, at most {plan.epochs:.2g} epochs")
    return plan
