"""What is to be trained, how, and who watches: the one value that holding out and cross-validation are about."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from likely.config import RunConfig
from likely.config.durations import duration
from likely.config.registry import PRESETS
from likely.networks.efficientnet_layout import EfficientNetLayout
from likely.training.choose_plan import choose_plan
from likely.training.encoded_rows import many_categories
from likely.training.held_out_scores import HeldOutScores
from likely.training.loop.checkpoints import Checkpoints
from likely.training.loop.pace import Stopwatch
from likely.training.members import train_members
from likely.training.plan import NO_OVERRIDES, Overrides, Plan
from likely.training.presets import on_features
from likely.training.resume.call import key_of
from likely.training.resume.journal import Journal
from likely.training.train import train
from likely.training.trained import Trained
from likely.training.training_rows import Rows
from likely.training.watcher import Silent, Watcher

_LEAST_SCALE = 0.6
"""Of a feature of a backbone, as a share of the median one. Sixty images may hardly vary in a feature that is mostly 0:
divided by so little, it reached 10^8 in one new image of a hundred, and took the answer. See docs/performance.md."""
_ROOT = 0.001
"""An MLP sees sqrt(feature + this) of EfficientNet-Lite, whose features are means of numbers from 0 to 6 and mostly
small: that something is seen in an image says more than how much of it. 0 would make much of what rounding leaves."""


@dataclass(frozen=True)
class Job:
    """What is to be trained, how, and who watches.

    Args:
        rows: all rows.
        config: what to do.
        hflip: whether images may be flipped.
        overrides: user-supplied objects.
        watcher: takes sentences and records.
        watch: what counts the seconds of a time limit, from its making on.
        journal: what knows the trainings of a run that was killed.
    """

    rows: Rows
    config: RunConfig
    hflip: bool = False
    overrides: Overrides = NO_OVERRIDES
    watcher: Watcher = field(default_factory=Silent)
    watch: Callable[[], float] = field(default_factory=Stopwatch)
    journal: Journal = field(default_factory=Journal)

    def plan(self, n_rows: int, seconds: float | None = None) -> Plan:
        """The plan for so many of the rows; what was chosen because of the time is said."""
        on_backbone = self.rows.backbone is not None
        recipe = None
        kind, task = self.config.network, self.rows.task.name
        if on_backbone and task == "classification":
            recipe = on_features(PRESETS[self.config.preset].recipe(kind, task, table=True), kind)
        plan = choose_plan(
            self.config,
            row_shape=self.rows.shape,
            n_rows=n_rows,
            n_outputs=self.rows.Y.shape[1],
            task=self.rows.task,
            hflip=self.hflip,
            overrides=self.overrides,
            seconds=seconds and seconds / self.config.members,
            recipe=recipe,
            decide=partial(self.journal.decide, key_of("plan", seconds, n_rows)),
        )
        if on_backbone:
            plan = _for_features(plan, self.rows)
        comparable = (plan.head, plan.loss) in (("softmax", "cross_entropy"), ("identity", "squared_error"))
        if comparable and self.overrides == NO_OVERRIDES and not self.config.freeze:
            plan = plan.but(may_encode=many_categories(self.rows))
        if seconds is not None and plan.network.name == "conv":
            width = plan.network.settings["width"]
            self.watcher.say(
                f"{duration(seconds)} to train a conv net of width {width}, at most {plan.epochs:.2g} epochs"
            )
        return plan

    def time_left(self) -> float | None:
        """What is left of the time limit after the plan was made, but not less than half of it; None without one."""
        limit = self.config.time_limit
        return None if limit is None else max(limit - self.watch(), 0.5 * limit)

    def train(self, plan: Plan, index: np.ndarray, **how: Any) -> Trained:
        """A network trained on the rows with these indices, or several; how, `likely.training.train.train` says."""
        if self.config.members > 1:
            train_one = partial(self._train, index)
            return train_members(train_one, plan, self.config, self.rows, index, self.watcher, how)
        return self._train(index, plan, self.config, **{"on_record": self.watcher.record, **how})

    def _train(self, index: np.ndarray, plan: Plan, config: RunConfig, **how: Any) -> Trained:
        return train(plan, self.rows, index, config, watch=self.watch, journal=self.journal, **how)

    def checkpoints(self, index: np.ndarray, **settings: Any) -> Checkpoints:
        """The rows with these indices, to evaluate a network on while it is trained."""
        return Checkpoints(*self.rows.take(index), **settings)

    def held_out(self, trained: Trained, index: np.ndarray) -> HeldOutScores:
        """The scores of rows that this network was not trained on."""
        X, Y, weights = self.rows.take(index)
        scores, features = trained.scores_and_features(X)
        return HeldOutScores(scores, Y, weights, index, trained.stated, features)


def _for_features(plan: Plan, rows: Rows) -> Plan:
    """The plan for features of a backbone."""
    freer = None if plan.freer is None else _for_features(plan.freer, rows)
    rooted = plan.network.name == "mlp" and isinstance(rows.backbone and rows.backbone.layout, EfficientNetLayout)
    plan = replace(plan, power_transform=False, root=_ROOT if rooted else None, freer=freer)
    return replace(plan, least_scale=_LEAST_SCALE, flipped=rows.flipped is not None)
