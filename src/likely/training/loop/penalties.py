"""The linear classifier at the minimum of its objective, for one penalty after the other, from strong to weak.

    L(theta) = 1/n sum_i H(y_i, softmax(theta^T x-bar_i)) + lambda/2 ||W||^2,    lambda = tau v / n

W is theta without the bias, x the inputs as the network meets them (numbers standardized, pixels from 0 to 1) and v
their mean variance, so that tau means the same for all of them. With weights the mean is the weighted one, and n counts
the rows whose weight is not 0. Each minimum is where the next, weaker penalty begins, and a checkpoint: held-out rows
choose among penalties as they choose among lengths of a descent.

Reference: Friedman, Hastie and Tibshirani (2010), Regularization paths for generalized linear models via coordinate
descent (the path with warm starts).
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from likely.engines.protocol import Engine
from likely.training.loop.by_clock import ByClock
from likely.training.loop.descent import Record
from likely.training.loop.lbfgs import Spectrum, solve
from likely.training.loop.pace import Stopwatch

_USUAL_PASSES = 10  # for one penalty, for the progress display
_ON_THE_WAY, _AT_THE_END = 1e-4, 1e-7


class PenaltyPath(NamedTuple):
    """lambda of each penalty that was solved for, and whether the clock ended the walk before its end."""

    penalties: list[float]
    out_of_time: bool


def walk_penalties(
    engine: Engine,
    X: np.ndarray,
    Y: np.ndarray,
    weights: np.ndarray | None,
    *,
    penalties: Sequence[float],
    passes: int,
    evaluate: Callable[[float], dict[str, float]] | None = None,
    stop_at: float = 1.0,
    time_limit: float | None = None,
    watch: Callable[[], float] | None = None,
    by_clock: ByClock | None = None,
    stop: Callable[[], bool] = lambda: False,
    on_record: Callable[[Record], None] = lambda record: None,
) -> PenaltyPath:
    """Bring the engine's linear network to the minimum for each penalty; it ends with the last one.

    A run that ends early, by the clock or by `stop`, keeps the parameters of the step that it was at.

    Args:
        engine: holds a linear network; the rows are placed in it.
        X: inputs as the network meets them, shape (n, d).
        Y: label distributions, shape (n, k).
        weights: of the rows, or None.
        penalties: tau, from strong to weak.
        passes: over the rows at most, for all penalties together.
        evaluate: figures on held-out rows, asked with the progress i / m at the minimum for the i-th of m penalties.
        stop_at: the progress at which to end: at the minimum for that penalty.
        time_limit: seconds, evaluation included.
        watch: what counts them, if not a new `Stopwatch`.
        by_clock: keeps what time decides, or tells it again.
        stop: asked after every step and every look; True ends the run.
        on_record: takes a record of every step, one with held-out figures at every minimum. Its epochs are passes over
            the rows, and its learning rate is 1.
    """
    engine.place(X, Y, weights, prepare=lambda x: x)
    frequencies = np.average(Y, axis=0, weights=weights)
    spectrum = Spectrum.of(X)
    unit = float(spectrum.variance) / float(len(X) if weights is None else np.count_nonzero(weights))
    last = max(1, round(stop_at * len(penalties)))
    watch, by_clock = watch or Stopwatch(), by_clock or ByClock()
    began, evaluating, last_second = watch(), 0.0, time_limit or math.inf
    steps = taken = asked = 0
    out_of_time = False
    solved: list[float] = []

    def layer_loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        loss, J = engine.loss_and_gradient({"layer0": theta})
        return loss, J["layer0"]

    def over() -> bool:
        nonlocal out_of_time, asked
        asked += 1
        out_of_time = time_limit is not None and by_clock(asked, lambda: watch() - began >= last_second)
        return stop() or out_of_time

    def record(
        place: float, loss: float, done: int, held_out: dict[str, float] | None = None, end: bool = False
    ) -> None:
        seconds = watch() - began - evaluating
        on_record(
            Record(
                step=steps,
                epoch=float(done),
                progress=place / len(penalties),
                loss=loss,
                learning_rate=1.0,
                seconds=seconds,
                examples_per_second=done * len(X) / max(seconds, 1e-9),
                seconds_left=0.0 if end else seconds * (last / place - 1),
                held_out=held_out,
            )
        )

    def on_step(theta: np.ndarray, loss: float, of_this: int) -> bool:
        nonlocal steps
        del theta
        steps += 1
        record(len(solved) + of_this / (of_this + _USUAL_PASSES), loss, taken + of_this)
        return over()

    theta = np.zeros((X.shape[1] + 1, Y.shape[1]))
    loss, held_out = 0.0, None
    for number, tau in enumerate(penalties[:last], start=1):
        theta, loss, of_this = solve(
            layer_loss,
            theta,
            penalty=tau * unit,
            spectrum=spectrum,
            frequencies=frequencies,
            passes=passes - taken,
            tolerance=_ON_THE_WAY if evaluate or number < last else _AT_THE_END,
            on_step=on_step,
        )
        taken += of_this
        solved.append(tau * unit)
        engine.load_state({"layer0": theta})
        held_out = None
        if evaluate is not None:
            before = watch()
            held_out = evaluate(number / len(penalties))
            evaluating += watch() - before
        if number == last and not out_of_time:
            break
        if over() or taken >= passes:
            break
        record(number, loss, taken, held_out)
    record(len(solved), loss, taken, held_out, end=True)
    return PenaltyPath(solved, out_of_time)
