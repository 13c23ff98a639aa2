"""Linear networks and multilayer perceptrons: theta^T x-bar and activations."""

import math
from collections.abc import Mapping

import numpy as np

from likely.errors import EngineError
from likely.export.graph.builder import Graph
from likely.networks.mlp import MLP
from likely.networks.network import Network


def pure_network(g: Graph, network: Network, theta: Mapping[str, np.ndarray], x: str, dtype: str) -> tuple[str, str]:
    """Scores (n, k) of inputs x (n, d), and the input of the last layer.

    Raises:
        EngineError: for an activation that is not one of likely's own.
    """
    *hidden, last = network.shapes
    for name in hidden:
        assert isinstance(network, MLP)
        x = _activated(g, network.activation, _affine(g, theta[name].astype(dtype), x), np.dtype(dtype).type)
    return _affine(g, theta[last].astype(dtype), x), x


def _affine(g: Graph, theta: np.ndarray, x: str) -> str:
    return g.add("Gemm", x, np.ascontiguousarray(theta[1:]), theta[0])


def _activated(g: Graph, name: str, z: str, number: type[np.generic]) -> str:
    if name in ("sigmoid", "tanh", "relu"):
        return g.add(name.capitalize(), z)
    if name == "heaviside":
        return g.cast(g.add("Greater", z, number(0)), number)
    if name == "gelu":
        cube = g.add("Mul", g.add("Mul", z, z), z)
        inner = g.add("Mul", g.add("Add", z, g.add("Mul", cube, number(0.044715))), number(math.sqrt(2 / math.pi)))
        return g.add("Mul", g.add("Mul", z, number(0.5)), g.add("Add", g.add("Tanh", inner), number(1)))
    raise EngineError(
        f"The activation must be one of likely's own to be exported; got {name!r}, which ONNX has no operator for. Try "
        "'sigmoid', 'relu', 'tanh' or 'gelu'."
    )
