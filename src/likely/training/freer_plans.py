"""How free a network may be, from the most restrained plan on: as far as held-out rows lose less for it.

More layers, less decay; or numbers in pieces, of which sums may bend where those of numbers are straight. And flipped
images, unless they do harm; columns of many categories, encoded by answers; and changed photographs.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from likely.errors import DivergenceError
from likely.training.held_out_scores import HeldOutScores
from likely.training.loop.checkpoints import Checkpoint, plainly_larger
from likely.training.loop.minimize import last_loss
from likely.training.plan import Plan
from likely.training.task import Task
from likely.training.trained import WHOLE, Trained

AS_WELL, AT_ALL = 1.1, 2.0
"""How many times the loss of training rows that of held-out rows may be where more freedom may pay: much, or at all. In
worlds where it paid much the ratio was 0.99 to 1.13, where it did not pay 1.02 to 11; on digits, where it does not, it
is 1.2 to 4.0."""
_ERRORS = 1.5
"""Standard errors by which a freer plan must lead: the best of twelve checkpoints of a free network is often a lucky
one. Of four gains on 256 or 512 held-out rows the three of at most 1.1 errors were losses on 5,000 new rows."""
_HARM = 1.0
"""Standard errors by which a plan without flipped images must lead. On clip art it was behind on new images in three of
three splits of 240 to 1,580 images, by 0.008 to 0.027 nats, and ahead in one on the held-out ones, by 0.013."""
ENOUGH_TO_TELL = 200
"""Held-out rows: fewer seldom tell two networks apart."""
_BINS = 16
"""Of a column of numbers, at most."""


@dataclass(frozen=True)
class Attempt:
    """A training by a plan, and the scores of held-out rows at its checkpoints."""

    plan: Plan
    trained: Trained
    seen: list[Checkpoint]


def train_as_freely_as_pays(
    train: Callable[[Plan], Attempt],
    first: Plan | Attempt,
    task: Task,
    Y: np.ndarray,
    weights: np.ndarray | None,
    *,
    at_most: float = AS_WELL,
    pieces: bool = False,
) -> Attempt:
    """Train by a plan, then by freer ones as long as held-out rows lose less, each by 1.5 standard errors.

    A network whose loss on held-out rows is much larger than on training rows fits what is theirs alone: more freedom
    is not tried. What was not trained to its end, or diverged, is not kept if something else was. Categories encoded by
    answers and changed images, tried first, and pieces, at the end, need to lead by one standard error, since only the
    inputs differ.

    Args:
        train: by a plan, with checkpoints on the held-out rows.
        first: the most restrained plan, or what came of it; the others are its `freer`.
        task: what is learned.
        Y: of the held-out rows, as `Rows` has them.
        weights: of these rows, or None.
        at_most: how many times the loss of training rows that of held-out rows may be where a freer plan is tried.
        pieces: whether numbers in pieces are tried, see `PiecewiseLinear`.
    """

    def losses(attempt: Attempt) -> np.ndarray:
        trained, index = attempt.trained, np.arange(len(Y))
        of_each = [
            task.held_out_losses(HeldOutScores(at.scores, Y, weights, index, trained.stated), trained.plan.head)
            for at in attempt.seen
        ]
        return min(of_each, key=lambda values: float(np.average(values, weights=weights)))

    def may_gain(attempt: Attempt) -> bool:
        trained, end = attempt.trained, attempt.seen[-1]
        scale = trained.target_scale
        held_out = task.figures(end.scores / scale, Y / scale, trained.plan.head, weights, trained.stated)
        return held_out[task.loss_figure] <= at_most * last_loss(trained.history)

    def other(plan: Plan) -> Attempt | None:
        try:
            return train(plan)
        except DivergenceError:
            return None

    def better(kept: Attempt, plan: Plan, errors: float = 1) -> Attempt:
        """The attempt by another plan, if it leads by so many standard errors, else the one that was kept."""
        tried = other(plan) if kept.trained.stopped in WHOLE else None
        if tried is None or tried.trained.stopped not in WHOLE:
            return kept
        return tried if plainly_larger(losses(kept), losses(tried), weights, errors=errors) else kept

    kept, tells = train(first) if isinstance(first, Plan) else first, len(Y) >= ENOUGH_TO_TELL
    if kept.plan.flipped:
        kept = better(kept, kept.plan.but(flipped=False), _HARM)
    if kept.plan.may_encode and tells:
        kept = better(kept, kept.plan.but(encoded=kept.plan.may_encode, may_encode=()))
    for parts in kept.plan.may_augment if tells else ():
        others = tuple(part for part in parts if part != "hflip")
        kept = better(kept, kept.plan.but(hflip="hflip" in parts, augment=others))
    while (freer := kept.plan.freer) is not None and tells and kept.trained.stopped in WHOLE and may_gain(kept):
        tried = other(freer)
        if tried is not None and tried.trained.stopped not in WHOLE:
            return replace(kept, trained=replace(kept.trained, stopped=tried.trained.stopped))
        if tried is None or not plainly_larger(losses(kept), losses(tried), weights, errors=_ERRORS):
            break
        kept = tried
    if pieces and not kept.plan.bins and tells:
        kept = better(kept, replace(kept.plan, bins=_BINS, freer=None))
    return kept
