"""Gradient descent by `jax.grad`: JAX traces the loss, derives its gradient and compiles the whole step, and a loop of
steps around it: handing a small step from Python to the compiled code takes as long as a good part of the step.

Double precision is asked for in a scope of its own and never for the whole program.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from likely.arrays import Array
from likely.engines.protocol import Augment, Batch, EngineSettings, Optimizer, Prepare
from likely.engines.pure_engine import PureEngine, as_it_is
from likely.errors import MissingExtraError
from likely.functional.objective import mean_loss
from likely.preprocessing.stored_rows import RowArray, StoredRows

try:
    import jax
    import optax
except ImportError as error:
    raise MissingExtraError("jax", "engine='jax'") from error

_AT_ONCE = 32
"""The longest compiled loop of steps; at batches of 128, 8 and 23 were as fast."""


class ByJax(PureEngine):
    """The JAX engine; see `likely.engines.protocol.Engine` for what it offers."""

    name = "jax"

    def __init__(self, settings: EngineSettings) -> None:
        super().__init__(settings)
        assert isinstance(settings.optimizer, Optimizer)
        self._rule = _rule(settings.optimizer)
        with self._precision():
            first = self._network.init(settings.seed)
            self._theta = {name: jax.numpy.asarray(value, self._dtype) for name, value in first.items()}
            self._memory: Any = self._rule.init(self._theta)
        self._compiled: Any = None
        self._whole: Any = None
        self._answer = jax.jit(self._network.apply_with_features)

    @property
    def at_once(self) -> int:
        """How many steps are handed over in one call: one where each batch must be read from disk."""
        return 1 if isinstance(self._X, StoredRows) else _AT_ONCE

    def place(
        self,
        X: RowArray,
        Y: np.ndarray,
        weights: np.ndarray | None = None,
        *,
        prepare: Prepare,
        augment: Augment | None = None,
    ) -> None:
        """Hand the rows to JAX, and compile the steps for them when they are first taken; rows on disk stay there."""
        if X.ndim == 2 and X.dtype.itemsize > 2 and X.dtype != np.float32 and self._dtype != np.float64:
            # JAX would round them before they are centered, and what is large beside its spread would not survive it.
            X, prepare = np.asarray(prepare(np.asarray(X))), as_it_is
        with self._precision():
            self._X = X if isinstance(X, StoredRows) else jax.numpy.asarray(X)
            self._Y = jax.numpy.asarray(Y, self._dtype)
            self._weights = None if weights is None else jax.numpy.asarray(weights, self._dtype)

        def loss_of(theta: Any, x: Array, y: Array, w: Array | None) -> Array:
            return mean_loss(self._head, self._loss, y, self._network.apply(theta, x), w)

        def step(theta: Any, memory: Any, x: Any, Y: Any, W: Any, rows: Any, draws: Any, rate: Any) -> tuple[Any, ...]:
            x = prepare(x)
            if augment is not None and draws is not None:
                x = augment(x, draws)
            value, J = jax.value_and_grad(loss_of)(theta, x, Y[rows], None if W is None else W[rows])
            direction, memory = self._rule.update(J, memory, theta)
            theta = jax.tree.map(lambda t, d: t - (rate * d).astype(t.dtype), theta, direction)
            return theta, memory, value

        def steps(
            theta: Any, memory: Any, X: Any, at: Any, Y: Any, W: Any, rows: Any, draws: Any, rates: Any, count: Any
        ) -> tuple[Any, ...]:
            def body(i: Any, carried: Any) -> Any:
                theta, memory, values = carried
                drawn = None if draws is None else draws[i]
                theta, memory, value = step(theta, memory, X[at[i]], Y, W, rows[i], drawn, rates[i])
                return theta, memory, values.at[i].set(value)

            return jax.lax.fori_loop(0, count, body, (theta, memory, jax.numpy.zeros_like(rates)))

        self._compiled = jax.jit(steps, donate_argnums=(0, 1))
        # The rows are handed over, not closed over: what a compiled function closes over is copied into it.
        self._whole = jax.jit(lambda theta, X, Y, W: jax.value_and_grad(loss_of)(theta, prepare(X), Y, W))

    def step(self, batch: Batch, learning_rate: float) -> float:
        """One step on the mean loss of the batch; returns that loss."""
        return self.steps([batch], [learning_rate])[0]

    def steps(self, batches: Sequence[Batch], learning_rates: Sequence[float]) -> list[float]:
        """At most `at_once` steps, one after the other, on batches of one size; returns the mean loss of each."""
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
            self._theta, self._memory, values = self._compiled(
                self._theta, self._memory, X, at, self._Y, self._weights, rows, draws, rates, count
            )
        return np.asarray(values)[:count].tolist()

    def loss_and_gradient(self, theta: Mapping[str, np.ndarray]) -> tuple[float, dict[str, np.ndarray]]:
        """The mean loss over all placed rows, and its gradient in float64."""
        with self._precision():
            at = {name: jax.numpy.asarray(value, self._dtype) for name, value in theta.items()}
            loss, J = self._whole(at, self._X[:], self._Y, self._weights)
        return float(loss), {name: np.asarray(part, np.float64) for name, part in J.items()}

    def forward(self, X: Array) -> tuple[np.ndarray, np.ndarray]:
        """Scores (n, k) and features (n, m)."""
        with self._precision():
            scores, features = self._answer(self._theta, jax.numpy.asarray(X))
        return np.asarray(scores), np.asarray(features)

    def scores(self, X: Array) -> np.ndarray:
        """Scores (n, k)."""
        return self.forward(X)[0]

    def state(self) -> dict[str, np.ndarray]:
        """A copy of theta."""
        return {name: np.array(value) for name, value in self._theta.items()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take theta back."""
        with self._precision():
            self._theta = {name: jax.numpy.asarray(value, self._dtype) for name, value in state.items()}

    def _precision(self) -> AbstractContextManager[Any]:
        return jax.enable_x64(self._dtype == np.float64)


def _rule(optimizer: Optimizer) -> Any:
    """The direction of a step, without the learning rate: theta <- theta - rate * direction."""
    if optimizer.name == "adam":
        b1, b2 = optimizer.betas
        moments = optax.scale_by_adam(b1=b1, b2=b2, eps=optimizer.eps)
    elif optimizer.momentum:
        moments = optax.trace(decay=optimizer.momentum)
    else:
        moments = optax.identity()
    return optax.chain(moments, optax.add_decayed_weights(optimizer.weight_decay))


def gradient_of(objective: Any, theta: Any, *data: Any) -> Any:
    """dL/dtheta by `jax.grad`, as NumPy arrays; in double precision if theta is."""
    leaves = list(theta.values()) if isinstance(theta, dict) else [theta]
    with jax.enable_x64(any(np.asarray(leaf).dtype == np.float64 for leaf in leaves)):
        arrays = [jax.numpy.asarray(x) for x in data]
        J = jax.grad(objective)(jax.tree.map(jax.numpy.asarray, theta), *arrays)
        return jax.tree.map(np.array, J)
