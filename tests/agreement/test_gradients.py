"""One table: every network x head x loss x activation, and three ways to its gradient, in double precision."""

import numpy as np
import pytest

import likely
from likely.config.registry import ACTIVATIONS, LOSSES
from likely.functional.objective import Objective
from likely.networks.linear import Linear
from likely.networks.mlp import MLP
from likely.networks.network import Network

D, K, N = 4, 3, 6
ACTIVATED = [name for name, activation in ACTIVATIONS.items() if activation.derivative is not None]
NETWORKS: list[Network] = [Linear(D, K)]
NETWORKS += [MLP([D, *hidden, K], name) for name in ACTIVATED for hidden in ([5], [5, 4], [6, 5, 4])]
COMBINED = [(head, loss) for loss in LOSSES for head in LOSSES[loss].heads]


def example(network: Network, head: str) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(len(repr(network)))
    theta = {name: rng.normal(size=shape) for name, shape in network.shapes.items()}
    Y = rng.dirichlet(np.ones(K), N) if head != "identity" else rng.normal(size=(N, K))
    return theta, rng.normal(size=(N, D)), Y


def finite_differences(
    objective: Objective, theta: dict[str, np.ndarray], X: np.ndarray, Y: np.ndarray
) -> dict[str, np.ndarray]:
    """(-f(t + 2h) + 8 f(t + h) - 8 f(t - h) + f(t - 2h)) / 12 h, of 4th order."""
    h = 1e-3
    found = {name: np.zeros_like(value) for name, value in theta.items()}
    for name, value in theta.items():
        for index in np.ndindex(value.shape):
            total = 0.0
            for offset, factor in ((2, -1), (1, 8), (-1, -8), (-2, 1)):
                moved = {**theta, name: value.copy()}
                moved[name][index] += offset * h
                total += factor * float(objective(moved, X, Y))
            found[name][index] = total / (12 * h)
    return found


@pytest.mark.parametrize(("head", "loss"), COMBINED, ids=lambda value: str(value))
@pytest.mark.parametrize("network", NETWORKS, ids=repr)
def test_three_engines_agree(network: Network, head: str, loss: str) -> None:
    objective = Objective(network, head=head, loss=loss)
    theta, X, Y = example(network, head)
    by_hand = likely.gradient(objective, "numpy")(theta, X, Y)
    for engine in ("jax", "torch"):
        other = likely.gradient(objective, engine)(theta, X, Y)
        assert set(other) == set(by_hand)
        for name, value in by_hand.items():
            assert other[name].dtype == np.float64
            np.testing.assert_allclose(other[name], value, rtol=1e-8, atol=1e-13, err_msg=f"{engine} {name}")


def away_from_kinks(network: Network, theta: dict[str, np.ndarray], X: np.ndarray, head: str) -> bool:
    """Whether no ReLU input, and for the L1 head no score, lies so near 0 that a step of 2h crosses it."""
    near = 0.02
    if head == "l1" and np.abs(network.apply(theta, X)).min() < 0.1:
        return False
    if isinstance(network, MLP) and network.activation == "relu":
        z = X
        for name in list(theta)[:-1]:
            a = theta[name][0] + z @ theta[name][1:]
            if np.abs(a).min() < near:
                return False
            z = np.maximum(a, 0)
    return True


@pytest.mark.parametrize(("head", "loss"), COMBINED, ids=lambda value: str(value))
@pytest.mark.parametrize("network", NETWORKS, ids=repr)
def test_the_gradient_by_hand_is_the_slope(network: Network, head: str, loss: str) -> None:
    objective = Objective(network, head=head, loss=loss)
    theta, X, Y = example(network, head)
    # Rows near a kink are exchanged for others: there is no derivative to compare with.
    rng = np.random.default_rng(0)
    for row in range(N):
        for _ in range(10_000):
            if away_from_kinks(network, theta, X[row : row + 1], head):
                break
            X[row] = rng.normal(size=D) * 2
    assert away_from_kinks(network, theta, X, head)
    by_hand = likely.gradient(objective, "numpy")(theta, X, Y)
    for name, slope in finite_differences(objective, theta, X, Y).items():
        np.testing.assert_allclose(by_hand[name], slope, rtol=1e-6, atol=1e-9, err_msg=name)
