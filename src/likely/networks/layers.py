"""What pure networks share: layers whose theta has the bias in row 0, and the checks that theta and x fit."""

import math
from collections.abc import Mapping

import numpy as np

from likely.arrays import Array, Params, namespace
from likely.errors import ShapeError


def affine(theta: Array, x: Array) -> Array:
    """theta^T x-bar, with x-bar = (1, x): (n, d_out) for x (n, d_in) and theta (d_in + 1, d_out), row 0 the bias.

    Example:
        >>> affine(np.array([[1.0], [2.0]]), np.array([[10.0]]))
        array([[21.]])
    """
    return x @ theta[1:, :] + theta[0, :]


def first_values(shapes: Mapping[str, tuple[int, ...]], seed: int, gains: Mapping[str, float]) -> dict[str, np.ndarray]:
    """Weights drawn uniformly with variance gain * 2 / (d_in + d_out), biases 0, float64.

    ReLU and GELU, which halve the variance, want the gain 2 before them, others 1.

    Reference: Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks (2010).
    """
    rng = np.random.default_rng(seed)
    theta: dict[str, np.ndarray] = {}
    for name, (rows, columns) in ((name, (shape[0], shape[1])) for name, shape in shapes.items()):
        limit = math.sqrt(6 * gains.get(name, 1.0) / (rows - 1 + columns))
        theta[name] = rng.uniform(-limit, limit, (rows, columns))
        theta[name][0] = 0
    return theta


def check_fit(theta: Params, x: Array, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise a ShapeError for a missing or extra layer, another shape, integers, or inputs of another width."""
    if set(theta) != set(shapes):
        got = ", ".join(theta) or "nothing"
        raise ShapeError(f"theta must hold {', '.join(shapes)}; got {got}. Try network.init(seed).")
    for name, shape in shapes.items():
        if tuple(theta[name].shape) != shape:
            raise ShapeError(
                f"theta[{name!r}] must have shape {shape} (row 0 is the bias); got {tuple(theta[name].shape)}. "
                "Try network.init(seed)."
            )
        if not namespace(theta[name]).isdtype(theta[name].dtype, "real floating"):
            raise ShapeError(
                f"theta[{name!r}] must be floating-point numbers; got {theta[name].dtype}. Integers cannot take small "
                "steps. Try theta.astype(float)."
            )
    d_in = next(iter(shapes.values()))[0] - 1
    if x.ndim != 2 or x.shape[1] != d_in:
        raise ShapeError(
            f"x must have shape (n, {d_in}); got {tuple(x.shape)}. The network was made for {d_in} inputs. "
            "Try x.reshape(len(x), -1) for images."
        )
