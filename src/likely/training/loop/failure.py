"""Whether a training went wrong without a number that is not finite: a loss that grew, or a network that answers alike.

Knowing nothing but how often each label comes, or the mean of the targets, costs

    H(mean_i y_i) nats,  or  mean_i |y_i - mean_j y_j|^2

and the biases of the last layer alone can reach it. A training that ends above this cost, and above its own beginning,
was carried away by its steps. Data without a signal end near this cost, which is no failure: there is nothing to learn.
But those who hoped for more want to know: `nothing_learned` says it, and what may be the reason.
"""

from collections.abc import Sequence

import numpy as np

from likely.errors import DivergenceError
from likely.probability.information import entropy

GROWN, FAR = 1.2, 10.0
"""A loss has grown from so many times the larger of its beginning and the cost of knowing nothing on; after few steps
from FAR times on."""

ENOUGH_STEPS = 20
"""Fewer steps may just have begun: momentum and statistics of batches are not settled."""

HIGH_RATE = 10.0
"""A learning rate is high from so many times the usual one on. Then the cost of knowing nothing must be reached."""

LOW_RATE = 0.1
"""A learning rate is low up to so many times the usual one."""

FEW_STEPS = 100
"""Fewer steps than this are few for any network: the presets take 150 and more."""

_LEAST = 0.05  # nats, or of the variance: labels that are all the same cost nothing, which no training reaches exactly


def cost_of_knowing_nothing(Y: np.ndarray, weights: np.ndarray | None, loss: str) -> float:
    """The lowest mean loss of an answer that is the same for every row: in nats, or as a squared error.

    Args:
        Y: label distributions (n, k), or targets (n, m).
        weights: how much each row counts, or None.
        loss: "cross_entropy" or "squared_error".
    Example:
        >>> round(cost_of_knowing_nothing(np.eye(2), None, "cross_entropy"), 4)
        0.6931
    """
    mean = np.average(Y, axis=0, weights=weights).astype(np.float64)
    if loss == "cross_entropy":
        return float(entropy(mean / mean.sum()))
    return float(np.average(np.square(Y - mean).sum(axis=1), weights=weights))


def check_training(
    first: float,
    losses: Sequence[tuple[int, float]],
    last: float,
    nothing: float,
    *,
    rate: float,
    usual: float | None = None,
    answers_alike: bool = False,
) -> None:
    """Refuse a training that went wrong.

    Args:
        first: the loss before the first step.
        losses: (steps taken so far, mean loss since the entry before), at least one.
        last: the loss at the end.
        nothing: what `cost_of_knowing_nothing` says.
        rate: the largest learning rate.
        usual: what it is where nobody says otherwise, if that is known.
        answers_alike: whether the network answers the same for rows that differ.
    Raises:
        DivergenceError: naming the step from which on the loss was too large, and a learning rate to try.
    Example:
        >>> check_training(2.3, [(10, 3.1), (20, 5.0)], 5.0, 2.3, rate=10.0, usual=0.01)
        Traceback (most recent call last):
        likely.errors.DivergenceError: The loss must fall in training; got 2.3 before the first step and 5 at the end...
    """
    steps = losses[-1][0]
    bound = max(first, nothing, _LEAST)
    grown = last > FAR * bound or (steps >= ENOUGH_STEPS and last > GROWN * bound)
    high = usual is not None and rate > HIGH_RATE * usual and steps >= ENOUGH_STEPS
    useless = high and last > GROWN * max(nothing, _LEAST)
    dead = high and answers_alike and last > 0.95 * nothing
    if not (grown or useless or dead):
        return
    above = [step for step, loss in losses if loss > GROWN * bound]
    ended = f"got {first:.3g} before the first step and {last:.3g} at the end"
    if grown:
        why = f"It was too large from step {(above or [steps])[0]} on"
    else:
        why = f"Knowing nothing of the rows costs {nothing:.3g}, so that nothing was learned in {steps} steps"
    better = usual if high and usual is not None else rate / 10
    raise DivergenceError(
        f"The loss must fall in training; {ended}. {why}: with a learning rate of {rate:.3g} the steps were too large "
        f"for this data. Try a learning rate of {better:.1g}.",
        (above or [steps])[0],
    )


def nothing_learned(
    losses: np.ndarray,
    Y: np.ndarray,
    weights: np.ndarray | None,
    loss: str,
    *,
    fitted: int = 0,
    at_bound: bool = False,
    rate: float | None = None,
    usual: float | None = None,
    steps: int | None = None,
) -> str | None:
    """What to say of a training after which held-out rows cost no less than knowing nothing; None if they do.

    They must cost less by more than p / n, with p numbers fitted to the n rows themselves: so much would be gained by
    chance.

    Args:
        losses: of each held-out row, calibrated, shape (n,).
        Y: label distributions (n, k), or targets (n, m).
        weights: how much each row counts, or None.
        loss: "cross_entropy" or "squared_error", which `losses` are.
        fitted: p.
        at_bound: whether the temperature would be larger or smaller than is allowed.
        rate: the learning rate, if the user chose it.
        usual: what it is where nobody says otherwise, if that is known.
        steps: how many there were, if the user chose the number of epochs.
    Example:
        >>> nothing_learned(np.full(4, 0.7), np.eye(2)[[0, 0, 1, 1]], None, "cross_entropy", rate=1e-9, usual=0.1)
        'Nothing was learned from these rows: ...: 1e-09 is far below the usual 0.1. Else try more epochs or other ...'
        >>> nothing_learned(np.full(4, 0.2), np.eye(2)[[0, 0, 1, 1]], None, "cross_entropy") is None
        True

    Reference: Akaike (1974), A new look at the statistical model identification.
    """
    nothing = cost_of_knowing_nothing(Y, weights, loss)
    mean = float(np.average(losses, weights=weights))
    scale = 1.0 if loss == "cross_entropy" else nothing
    if nothing <= 0 or (mean < nothing - fitted / len(losses) * scale and not at_bound):
        return None
    unit = " nats" if loss == "cross_entropy" else ""
    said = (
        f"Nothing was learned from these rows: the held-out loss is {mean:.4g}{unit}, and always predicting the class "
        f"frequencies costs {nothing:.4g}"
    )
    if mean < nothing and at_bound:
        said = (
            "Next to nothing was learned from these rows: the scores of held-out ones are on a scale that no "
            "temperature within its bounds corrects"
        )
    low = rate is not None and usual is not None and rate <= LOW_RATE * usual
    few = steps is not None and steps < FEW_STEPS
    causes = [
        *([f"a larger learning rate: {rate:.3g} is far below the usual {usual:.3g}"] if low else []),
        *(
            [f"more epochs: there {'was' if steps == 1 else 'were'} {steps} step{'' if steps == 1 else 's'}"]
            if few
            else []
        ),
    ]
    others = [*([] if low else ["a larger learning rate"]), *([] if few else ["more epochs"]), "other features"]
    if causes:
        return (
            f"{said}. Try {', and '.join(causes)}. Else try {_alternatives(others)}: these rows may contain no signal"
        )
    return f"{said}. Try {_alternatives(others)}, unless these rows contain no signal"


def _alternatives(names: Sequence[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
