"""Gradient descent by hand: the chain rule through the network, written out in NumPy.

Forward, layer by layer, with z-bar = (1, z) and sigma the activation:

    a_l = theta_l^T z-bar_(l-1),   z_l = sigma(a_l),   scores = a_L (no activation)

Backward, with delta_l = dL/da_l for the mean loss L of the batch:

    delta_L      = dL/dscores                                (from the loss and the head)
    dL/dtheta_l  = z-bar_(l-1) delta_l^T, summed over the batch: sum delta_l in row 0 (bias), z_(l-1)^T delta_l below
    delta_(l-1)  = (theta_l without its bias row) delta_l  *  sigma'(a_(l-1))

Reference: Rumelhart, Hinton and Williams, Learning representations by back-propagating errors (1986).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from likely.arrays import Array, Params, Weights, to_numpy
from likely.config.registry import LOSSES
from likely.engines.protocol import Augment, Batch, EngineSettings, Optimizer, Prepare
from likely.engines.pure_engine import PureEngine, as_it_is
from likely.errors import EngineError
from likely.functional.losses import Loss
from likely.functional.objective import Objective
from likely.networks.activations import Activation
from likely.networks.layers import affine, check_fit
from likely.networks.linear import Linear
from likely.networks.mlp import MLP
from likely.networks.network import Network
from likely.preprocessing.stored_rows import RowArray

_PIECE = 32_768
"""Numbers per piece of an update: five arrays of so many float32 fit a core's second-level cache."""
_WHOLE_PIECE, _LEAST_ROWS = 2**20, 256
"""Numbers of input in a piece of all rows: what is read twice, forward and backward, stays near the processor."""
_PREPARED = 2**24
"""Numbers of input that are prepared once and held, at most 64 MB in float32; others are prepared batch by batch."""


def loss_and_gradient_by_hand(
    network: Network,
    head: str,
    loss: str | Loss,
    theta: Params,
    X: np.ndarray,
    Y: np.ndarray,
    weights: Weights = None,
    out: Mapping[str, np.ndarray] | None = None,
) -> tuple[float, dict[str, np.ndarray]]:
    """The mean loss of a batch and its gradient with respect to every layer.

    X (n, d) are inputs, Y (n, k) label distributions or targets, `weights` (n,) those of the weighted mean; head and
    loss are names, or the loss a row of `LOSSES`. With `out` the gradient is written to its arrays.

    Raises:
        EngineError: for a network that is neither.
    """
    names = list(network.shapes)
    z, a, scores = _forward(network, theta, X)

    # Each example counts 1/n, or its weight's share.
    share = np.full(len(X), 1 / len(X)) if weights is None else weights / weights.sum()
    share = share.astype(scores.dtype, copy=False)
    with_gradient = LOSSES.named(loss).with_gradient
    assert with_gradient is not None  # create_engine refuses such losses
    values, slopes = with_gradient(head, Y, scores)

    # delta_L = dL/dscores
    delta = slopes * share[:, None]
    gradient: dict[str, np.ndarray] = {}
    for layer in range(len(names) - 1, -1, -1):
        weight = theta[names[layer]]
        # dL/dtheta_l: the bias row sees the input 1, the others z_(l-1)
        J = np.empty_like(weight) if out is None else out[names[layer]]
        np.sum(delta, axis=0, out=J[0])
        np.matmul(z[layer].T, delta, out=J[1:])
        gradient[names[layer]] = J
        if layer > 0:  # the input x itself needs no gradient
            delta = _one_layer_down(network, weight, delta, a[layer - 1], z[layer])
    return float(share @ values), {name: gradient[name] for name in names}


def input_gradient(network: Network, theta: Params, X: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """The derivative with respect to each input of a number that is made of its scores, shape (n, d).

    delta_0 = (theta_1 without its bias row) delta_1: the way back through all layers, to x itself.

    Args:
        network: a `Linear` or an `MLP`.
        theta: parameters by layer.
        X: inputs (n, d).
        slopes: the derivative of the number with respect to the scores, shape (n, k).
    Raises:
        EngineError: for a network that is neither.
    """
    names = list(network.shapes)
    z, a, _ = _forward(network, theta, X)
    delta = slopes
    for layer in range(len(names) - 1, 0, -1):
        delta = _one_layer_down(network, theta[names[layer]], delta, a[layer - 1], z[layer])
    return delta @ theta[names[0]][1:].T


def _forward(network: Network, theta: Params, X: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    """The input z of every layer, what a hidden one makes of it before its activation, and the scores."""
    if not isinstance(network, Linear | MLP):
        raise EngineError(
            f"The gradient by hand must be of a Linear or an MLP; got {type(network).__name__}, whose chain rule "
            "is not written out. Try engine='jax' or engine='torch'."
        )
    *hidden, last = network.shapes
    z, a = [X], list[np.ndarray]()
    for name in hidden:
        a.append(affine(theta[name], z[-1]))
        z.append(_sigma(network).value(a[-1]))
    return z, a, affine(theta[last], z[-1])


def _one_layer_down(
    network: Network, weight: np.ndarray, delta: np.ndarray, a: np.ndarray, z: np.ndarray
) -> np.ndarray:
    """delta_(l-1) = theta_l delta_l * sigma'(a_(l-1)), with z = sigma(a)."""
    derivative = _sigma(network).derivative
    assert derivative is not None
    delta = delta @ weight[1:].T
    delta *= derivative(a, z)
    return delta


def _sigma(network: Network) -> Activation:
    assert isinstance(network, MLP)  # a linear network has no hidden layer
    return network.sigma


def gradient_of(objective: Objective, theta: Params, X: Array, Y: Array, weights: Array = None) -> Params:
    """dL/dtheta of an objective, layer by layer."""
    objective.check_rows(X, Y)
    check_fit(theta, X, objective.network.shapes)
    return loss_and_gradient_by_hand(objective.network, objective.head, objective.loss, theta, X, Y, weights)[1]


class ByHand(PureEngine):
    """The NumPy engine; see `likely.engines.protocol.Engine` for what it offers."""

    name = "numpy"
    at_once = 1

    def __init__(self, settings: EngineSettings) -> None:
        super().__init__(settings)
        assert isinstance(settings.optimizer, Optimizer)
        self._optimizer = settings.optimizer
        first = self._network.init(settings.seed)
        self._theta = np.concatenate([value.ravel() for value in first.values()]).astype(self._dtype)
        self._J, self._m, self._v, self._scratch = (np.zeros_like(self._theta) for _ in range(4))
        shapes = self._network.shapes
        self._layers, self._gradient = _views(self._theta, shapes), _views(self._J, shapes)
        self._steps = 0

    def place(
        self, X: RowArray, Y: np.ndarray, weights: Weights = None, *, prepare: Prepare, augment: Augment | None = None
    ) -> None:
        """Keep the rows: those of a table prepared, if they are not too many, images as they are stored."""
        if X.ndim == 2 and len(X) * math.prod(prepare(X[:1]).shape) <= _PREPARED:
            X, prepare = prepare(X[:]), as_it_is
        self._X, self._Y = X, Y.astype(self._dtype, copy=False)
        self._weights = None if weights is None else weights.astype(self._dtype)
        self._prepare, self._augment = prepare, augment

    def step(self, batch: Batch, learning_rate: float) -> float:
        x = self._prepare(self._X[batch.rows])
        if self._augment is not None and batch.draws is not None:
            x = self._augment(x, batch.draws)
        weights = None if self._weights is None else self._weights[batch.rows]
        # A run that diverges overflows first; the loop reports it by its loss.
        with np.errstate(over="ignore", invalid="ignore"):
            loss, _ = loss_and_gradient_by_hand(
                self._network, self._head, self._loss, self._layers, x, self._Y[batch.rows], weights, self._gradient
            )
            self._update(learning_rate)
        return loss

    def steps(self, batches: Sequence[Batch], learning_rates: Sequence[float]) -> list[float]:
        return [self.step(batch, rate) for batch, rate in zip(batches, learning_rates, strict=True)]

    def loss_and_gradient(self, theta: Mapping[str, np.ndarray]) -> tuple[float, dict[str, np.ndarray]]:
        """The mean loss over all placed rows, and its gradient, added up in float64 over pieces of the rows."""
        at = {name: value.astype(self._dtype) for name, value in theta.items()}
        total = len(self._X) if self._weights is None else self._weights.sum(dtype=np.float64)
        loss, sums = 0.0, {name: np.zeros(value.shape) for name, value in theta.items()}
        size = max(_LEAST_ROWS, _WHOLE_PIECE // max(self._X[:1].size, self._Y.shape[1]))
        for start in range(0, len(self._X), size):
            piece = slice(start, start + size)
            weights = None if self._weights is None else self._weights[piece]
            counted = len(self._Y[piece]) if weights is None else weights.sum(dtype=np.float64)
            if counted == 0:
                continue
            value, J = loss_and_gradient_by_hand(
                self._network, self._head, self._loss, at, self._prepare(self._X[piece]), self._Y[piece], weights
            )
            loss += counted / total * value
            for name, part in J.items():
                sums[name] += counted / total * part
        return float(loss), sums

    def forward(self, X: Array) -> tuple[np.ndarray, np.ndarray]:
        return self._network.apply_with_features(self._layers, to_numpy(X))

    def scores(self, X: Array) -> np.ndarray:
        return self._network.apply(self._layers, to_numpy(X))

    def input_gradient(self, X: Array, slopes: np.ndarray) -> np.ndarray:
        return input_gradient(self._network, self._layers, to_numpy(X), slopes.astype(self._dtype))

    def state(self) -> dict[str, np.ndarray]:
        return {name: value.copy() for name, value in self._layers.items()}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        for name, layer in self._layers.items():
            layer[...] = state[name]

    def snapshot(self) -> dict[str, Any]:
        return {"theta": self._theta, "m": self._m, "v": self._v, "steps": self._steps}

    def restore(self, kept: Mapping[str, Any]) -> None:
        for array, value in ((self._theta, "theta"), (self._m, "m"), (self._v, "v")):
            array[...] = kept[value]
        self._steps = kept["steps"]

    def _update(self, rate: float) -> None:
        """One step of the update rule, piece by piece: each stays in the cache until it is done."""
        self._steps += 1
        rule = self._optimizer
        for start in range(0, self._theta.size, _PIECE):
            piece = slice(start, start + _PIECE)
            theta, J, m, v, scratch = (a[piece] for a in (self._theta, self._J, self._m, self._v, self._scratch))
            if rule.weight_decay:
                theta *= 1 - rate * rule.weight_decay
            if rule.name == "adam":
                self._adam(theta, J, m, v, scratch, rate)
                continue
            if rule.momentum:
                # v <- b v + J
                m *= rule.momentum
                m += J
                J = m
            theta -= rate * J

    def _adam(
        self, theta: np.ndarray, J: np.ndarray, m: np.ndarray, v: np.ndarray, scratch: np.ndarray, rate: float
    ) -> None:
        """Adam in place, with m and v kept without their factors 1 - b1 and 1 - b2, which are put in at the end."""
        rule, t = self._optimizer, self._steps
        b1, b2 = rule.betas
        first = (1 - b1) / (1 - b1**t)
        second = math.sqrt((1 - b2) / (1 - b2**t))
        # m <- b1 m + J,  v <- b2 v + J^2
        m *= b1
        m += J
        v *= b2
        np.multiply(J, J, out=scratch)
        v += scratch
        # theta <- theta - rate (first m) / (second sqrt(v) + eps)
        np.sqrt(v, out=scratch)
        scratch += rule.eps / second
        np.divide(m, scratch, out=scratch)
        scratch *= rate * first / second
        theta -= scratch


def _views(flat: np.ndarray, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """The layers as windows on one long array."""
    ends = np.cumsum([math.prod(shape) for shape in shapes.values()])
    pieces = np.split(flat, ends[:-1])
    return {name: piece.reshape(shape) for (name, shape), piece in zip(shapes.items(), pieces, strict=True)}
