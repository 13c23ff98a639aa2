"""Gradient descent exactly as the algorithm is written: all rows at once, one rate, a given number of steps."""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from likely.arrays import Array, to_numpy
from likely.engines.gradient import gradient, named_arrays
from likely.errors import ConfigError, DataError, DivergenceError
from likely.functional.objective import Objective


class DescentStep(NamedTuple):
    """Where the descent is after a step (0: before the first): theta, and the gradient's largest size there."""

    step: int
    theta: Array
    slope: float


def gradient_descent(
    objective: Callable[..., Array],
    X: Array,
    Y: Array,
    *,
    steps: int,
    learning_rate: float,
    engine: str = "numpy",
    theta: Array = None,
    seed: int = 0,
) -> Array:
    """The parameters after a number of steps down the gradient.

        theta <- N(0, 1)
        repeat t times:
            J <- dL/dtheta (theta, X, Y)
            theta <- theta - alpha J
        return theta

    Args:
        objective: an `Objective`; for jax and torch any function (theta, X, Y) -> scalar, if theta is given.
        X, Y: rows, and label distributions or targets.
        steps, learning_rate: t and alpha.
        engine: what computes J: "numpy" (by hand), "jax" or "torch".
        theta: where to start; None draws every number from N(0, 1), by the seed.
    Returns:
        theta as NumPy arrays.
    Raises:
        ConfigError: if steps or learning_rate is out of range, or theta is missing.
        DataError: if theta is not finite, or the gradient is not before the first step.
        DivergenceError: if a later gradient is NaN or infinite; it says at which step and what rate to try.
        EngineError: if the engine cannot differentiate the objective.
    Example:
        >>> from likely.networks.linear import Linear
        >>> line = Objective(Linear(1, 1), head="identity", loss="squared_error")
        >>> x = np.array([[0.0], [1.0], [2.0]])
        >>> gradient_descent(line, x, 1 + 2 * x, steps=500, learning_rate=0.2)["layer0"].ravel().round(4)
        array([1., 2.])

    Reference: Cauchy, Méthode générale pour la résolution des systèmes d'équations simultanées (1847).
    """
    *_, last = descent_path(
        objective, X, Y, steps=steps, learning_rate=learning_rate, engine=engine, theta=theta, seed=seed
    )
    return last.theta


def descent_path(
    objective: Callable[..., Array],
    X: Array,
    Y: Array,
    *,
    steps: int,
    learning_rate: float,
    engine: str = "numpy",
    theta: Array = None,
    seed: int = 0,
) -> Iterator[DescentStep]:
    """The same descent, step by step: t + 1 places, the first where it starts."""
    if steps < 0 or not 0 < learning_rate < math.inf:
        raise ConfigError(
            f"steps must be 0 or more and learning_rate positive; got {steps} and {learning_rate}. Try steps=1000, "
            "learning_rate=0.1."
        )
    if theta is None:
        theta = _standard_normal(objective, seed)
    for name, value in named_arrays(theta):
        if not np.isfinite(to_numpy(value)).all():
            raise DataError(
                f"{name} must be finite numbers; got NaN or infinity. Try theta=None, which draws it from N(0, 1)."
            )
    J_of = gradient(objective, engine)
    for step in range(steps + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            J = J_of(theta, X, Y)
        slope = max(float(np.abs(value).max()) for _, value in named_arrays(J))
        if not np.isfinite(slope) and step == 0:
            raise DataError(
                f"The gradient must be finite at the start; got {slope}. X or Y holds NaN, infinity or huge numbers. "
                "Try removing those rows and scaling the columns."
            )
        if not np.isfinite(slope):
            raise DivergenceError(
                f"The gradient must stay finite; got {slope} at step {step} with learning rate {learning_rate:.3g}. "
                f"The steps were too large. Try a learning rate of {learning_rate / 10:.1g}.",
                step,
            )
        yield DescentStep(step, theta, slope)
        if step < steps:
            theta = (
                {name: value - learning_rate * J[name] for name, value in theta.items()}
                if isinstance(theta, dict)
                else theta - learning_rate * np.asarray(J)
            )


def _standard_normal(objective: Callable[..., Array], seed: int) -> dict[str, np.ndarray]:
    if not isinstance(objective, Objective):
        raise ConfigError(
            "theta must be given for a function that is no Objective; got None. Its shape is unknown. Try theta=..."
        )
    rng = np.random.default_rng(seed)
    return {name: rng.standard_normal(shape) for name, shape in objective.network.shapes.items()}
