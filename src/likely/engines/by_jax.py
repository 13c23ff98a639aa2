"""Gradient descent by `jax.grad`: JAX traces the loss, derives its gradient and compiles a loop of whole steps.

Double precision is asked for in a scope of its own and never for the whole program.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from likely.arrays import Array, Params, Weights
from likely.config.registry import HEADS, LOSSES
from likely.engines.protocol import Augment, Batch, EngineSettings, Optimizer, Prepare
from likely.engines.pure_engine import PureEngine, as_it_is
from likely.errors import MissingExtraError
from likely.functional.losses import Loss
from likely.functional.objective import mean_loss
from likely.networks.network import Network
from likely.preprocessing.stored_rows import RowArray, StoredRows

try:
    import jax
    import optax
except ImportError as error:
    raise MissingExtraError("jax", "engine='jax'") from error

_AT_ONCE = 32
"""The longest compiled loop of steps; at batches of 128, 8 and 23 were as fast."""

_Carried: TypeAlias = tuple[Params, optax.OptState, Array]
"""What goes from step to step: theta, the memory of the update rule, and the losses so far."""


class ByJax(PureEngine):
    """The JAX engine; see `likely.engines.protocol.Engine` for what it offers."""

    name = "jax"

    def __init__(self, settings: EngineSettings) -> None:
        super().__init__(settings)
        assert isinstance(settings.optimizer, Optimizer)
        self._optimizer = settings.optimizer
        with self._precision():
            first = self._network.init(settings.seed)
            self._theta = {name: jax.numpy.asarray(value, self._dtype) for name, value in first.items()}
            self._memory = _rule(self._optimizer).init(self._theta)
        self._answer = _answering(self._network, _meanings(self._network, self._head, self._loss))

    @property
    def at_once(self) -> int:
        """How many steps are handed over in one call: one where each batch must be read from disk."""
        return 1 if isinstance(self._X, StoredRows) else _AT_ONCE

    def place(
        self, X: RowArray, Y: np.ndarray, weights: Weights = None, *, prepare: Prepare, augment: Augment | None = None
    ) -> None:
        """Hand the rows to JAX, and compile the steps for them when they are first taken; rows on disk stay there."""
        rounded = X.dtype not in (np.float32, self._dtype)
        if X.ndim == 2 and X.dtype.itemsize > 2 and (rounded or not isinstance(X, StoredRows)):
            # JAX would round them before they are centered, and what is large beside its spread would not survive it;
            # and centered by other numbers, as in every fold, they would be compiled again.
            X, prepare = np.asarray(prepare(np.asarray(X))), as_it_is
        with self._precision():
            self._X = X if isinstance(X, StoredRows) else jax.numpy.asarray(X)
            self._Y = jax.numpy.asarray(Y, self._dtype)
            self._weights = None if weights is None else jax.numpy.asarray(weights, self._dtype)
        # What prepares images, or changes them, may hold arrays, which cannot be compared.
        compiled = _compiled if prepare is as_it_is and augment is None else _compiled.__wrapped__
        network, head, loss = self._network, self._head, self._loss
        self._steps, self._whole = compiled(
            network, head, loss, self._optimizer, _meanings(network, head, loss), prepare, augment
        )

    def step(self, batch: Batch, learning_rate: float) -> float:
        return self.steps([batch], [learning_rate])[0]

    def steps(self, batches: Sequence[Batch], learning_rates: Sequence[float]) -> list[float]:
        count = len(batches)
        # The compiled loop is for `at_once` batches, whatever their number; repetitions of the last are not reached.
        padded = [*batches, *[batches[-1]] * (self.at_once - count)]
        rates = np.resize(np.asarray(learning_rates, self._dtype), len(padded))
        rows = np.stack([batch.rows for batch in padded])
        draws = None if batches[0].draws is None else np.stack([np.asarray(batch.draws) for batch in padded])
        X, at = self._X, rows
        if isinstance(X, StoredRows):
            X, at = X[rows[0]], np.arange(rows.size)[None]
        with self._precision():
            self._theta, self._memory, values = self._steps(
                self._theta, self._memory, X, at, self._Y, self._weights, rows, draws, rates, count
            )
        return np.asarray(values)[:count].tolist()

    def loss_and_gradient(self, theta: Mapping[str, np.ndarray]) -> tuple[float, dict[str, np.ndarray]]:
        with self._precision():
            at = {name: jax.numpy.asarray(value, self._dtype) for name, value in theta.items()}
            loss, J = self._whole(at, self._X[:], self._Y, self._weights)
        return float(loss), {name: np.asarray(part, np.float64) for name, part in J.items()}

    def forward(self, X: Array) -> tuple[np.ndarray, np.ndarray]:
        with self._precision():
            scores, features = self._answer(self._theta, jax.numpy.asarray(X))
        return np.asarray(scores), np.asarray(features)

    def scores(self, X: Array) -> np.ndarray:
        return self.forward(X)[0]

    def input_gradient(self, X: Array, slopes: np.ndarray) -> np.ndarray:
        with self._precision():
            x = jax.numpy.asarray(X, self._dtype)
            _, back = jax.vjp(lambda x: self._network.apply(self._theta, x), x)
            return np.asarray(back(jax.numpy.asarray(slopes, self._dtype))[0])

    def state(self) -> dict[str, np.ndarray]:
        return {name: np.array(value) for name, value in self._theta.items()}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        with self._precision():
            self._theta = {name: jax.numpy.asarray(value, self._dtype) for name, value in state.items()}

    def snapshot(self) -> dict[str, Any]:
        return {"theta": self.state(), "memory": [np.array(leaf) for leaf in jax.tree.leaves(self._memory)]}

    def restore(self, kept: Mapping[str, Any]) -> None:
        self.load_state(kept["theta"])
        with self._precision():
            leaves = [jax.numpy.asarray(leaf, leaf.dtype) for leaf in kept["memory"]]
            self._memory = jax.tree.unflatten(jax.tree.structure(self._memory), leaves)

    def _precision(self) -> AbstractContextManager[None]:
        return jax.enable_x64(self._dtype == np.float64)


@lru_cache(maxsize=64)
def _compiled(
    network: Network,
    head: str,
    loss: str | Loss,
    optimizer: Optimizer,
    meanings: tuple[object, ...],
    prepare: Prepare,
    augment: Augment | None,
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """A loop of steps, and the mean loss of all rows with its gradient: traced once for all that train alike, such as
    the folds of a cross-validation.

    The `meanings` are those of the names, so that another row under the same name is traced anew.
    """
    rule = _rule(optimizer)

    def loss_of(theta: Params, x: Array, y: Array, w: Array | None) -> Array:
        return mean_loss(head, loss, y, network.apply(theta, x), w)

    def steps(
        theta: Params,
        memory: optax.OptState,
        X: Array,
        at: Array,
        Y: Array,
        W: Array | None,
        rows: Array,
        draws: Array | None,
        rates: Array,
        count: int,
    ) -> _Carried:
        def step(i: int, carried: _Carried) -> _Carried:
            theta, memory, values = carried
            x = prepare(X[at[i]])
            if augment is not None and draws is not None:
                x = augment(x, draws[i])
            value, J = jax.value_and_grad(loss_of)(theta, x, Y[rows[i]], None if W is None else W[rows[i]])
            direction, memory = rule.update(J, memory, theta)
            theta = jax.tree.map(lambda t, d: t - (rates[i] * d).astype(t.dtype), theta, direction)
            return theta, memory, values.at[i].set(value)

        return jax.lax.fori_loop(0, count, step, (theta, memory, jax.numpy.zeros_like(rates)))

    # The rows are handed over, not closed over: what a compiled function closes over is copied into it.
    whole = jax.jit(lambda theta, X, Y, W: jax.value_and_grad(loss_of)(theta, prepare(X), Y, W))
    return jax.jit(steps, donate_argnums=(0, 1)), whole


@lru_cache(maxsize=64)
def _answering(network: Network, meanings: tuple[object, ...]) -> Callable[..., Any]:
    """Scores and features of a network, traced once for equal ones."""
    return jax.jit(network.apply_with_features)


def _meanings(network: Network, head: str, loss: str | Loss) -> tuple[object, ...]:
    """What the names that a network, its head and its loss are made by stand for now."""
    return getattr(network, "sigma", None), HEADS[head], LOSSES.named(loss)


def _rule(optimizer: Optimizer) -> optax.GradientTransformation:
    """The direction of a step, without the learning rate: theta <- theta - rate * direction."""
    if optimizer.name == "adam":
        b1, b2 = optimizer.betas
        moments = optax.scale_by_adam(b1=b1, b2=b2, eps=optimizer.eps)
    elif optimizer.momentum:
        moments = optax.trace(decay=optimizer.momentum)
    else:
        moments = optax.identity()
    return optax.chain(moments, optax.add_decayed_weights(optimizer.weight_decay))


def gradient_of(objective: Callable[..., Array], theta: Array, *data: Array) -> Array:
    """dL/dtheta by `jax.grad`, as NumPy arrays; in double precision if theta is."""
    with jax.enable_x64(any(np.asarray(leaf).dtype == np.float64 for leaf in jax.tree.leaves(theta))):
        arrays = [jax.numpy.asarray(x) for x in data]
        J = jax.grad(objective)(jax.tree.map(jax.numpy.asarray, theta), *arrays)
        return jax.tree.map(np.array, J)
