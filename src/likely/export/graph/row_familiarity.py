"""Conformal p-values of familiarity: see `likely.trust.familiarity` and `likely.trust.gaussians`."""

import numpy as np

from likely.export.graph.builder import Graph
from likely.trust.familiarity import Familiarity
from likely.trust.gaussians import Gaussians
from likely.trust.prototypes import TINY, Prototypes
from likely.trust.ties import STEP

_BLOCK = 64


def row_familiarity(g: Graph, features: str, scores: str | None, familiar: Familiarity) -> str:
    """p-values, float64 (n,), of features (n, d) and scores (n, k); without scores the distance alone decides."""
    center, spread = familiar.usual.center, familiar.usual.spread
    least, d = familiar.most_familiar, len(familiar.gaussians.shift)

    def part(value: str, number: int) -> str:
        standard = g.add("Div", g.add("Sub", value, float(center[number])), float(spread[number]))
        return g.add("Max", standard, least[number])

    distance = _distance(g, g.cast(g.columns(features, 0, d), np.float64), familiar.gaussians)
    strange = part(g.add("Log", g.add("Add", distance, 1.0)), 0)
    if familiar.prototypes is not None:
        second = part(_beside_prototypes(g, g.columns(features, d), familiar.prototypes), 1)
    elif scores is None:
        second = max((0.0 - float(center[1])) / float(spread[1]), least[1])
    else:
        energy = g.add("Neg", g.add("ReduceLogSumExp", g.cast(scores, np.float64), np.array([1]), keepdims=0))
        second = part(energy, 1)
    return _p_values(g, g.add("Add", strange, second), familiar.held_out)


def _beside_prototypes(g: Graph, maps: str, prototypes: Prototypes) -> str:
    """1 - the cosine with the nearest of them, float64 (n,)."""
    length = g.add("Max", g.add("ReduceL2", maps, np.array([1]), keepdims=1), np.float32(TINY))
    cosines = g.add("MatMul", g.add("Div", maps, length), np.ascontiguousarray(prototypes.units.T))
    return g.add("Sub", 1.0, g.cast(g.add("ReduceMax", cosines, np.array([1]), keepdims=0), np.float64))


def _p_values(g: Graph, ood: str, held_out: np.ndarray) -> str:
    """(1 + how many of m held-out rows are at least as strange) / (m + 1), by blocks and then inside one of them."""
    m = len(held_out)
    blocks = -(-m // _BLOCK)
    table = np.append(held_out, np.full(blocks * _BLOCK - m, np.inf)).reshape(blocks, _BLOCK)
    room = g.add("Mul", g.add("Add", g.add("Abs", ood), 1.0), STEP)
    least = g.add("Unsqueeze", g.add("Sub", ood, room), np.array([1]))

    def below(values: str | np.ndarray) -> str:
        return g.add("ReduceSum", g.cast(g.add("Less", values, least), np.int64), np.array([1]), keepdims=0)

    block = g.add("Max", g.add("Sub", below(table[None, :, 0].copy()), np.array(1)), np.array(0))
    inside = below(g.add("Gather", table, block))
    before = g.add("Add", g.add("Mul", block, np.array(_BLOCK)), inside)
    return g.add("Div", g.add("Sub", 1.0 + m, g.cast(before, np.float64)), m + 1.0)


def _distance(g: Graph, features: str, gaussians: Gaussians) -> str:
    h = g.add("Div", g.add("Sub", features, gaussians.shift.astype(float)), gaussians.scale.astype(float))
    if gaussians.whitening is not None:
        whitening, means = gaussians.whitening.astype(float), gaussians.means.astype(float)
        return _nearest(g, _squares(g, g.add("MatMul", h, whitening), means))
    assert gaussians.directions is not None
    assert gaussians.variances is not None
    assert gaussians.rest is not None
    directions, means = gaussians.directions.astype(float), gaussians.means.astype(float)
    inside = 1 / gaussians.variances.astype(float) ** 0.5
    along = g.add("MatMul", h, directions)
    scaled = _squares(g, g.add("Mul", along, inside), (means @ directions) * inside)
    beside = g.add("Sub", _squares(g, h, means), _squares(g, along, means @ directions))
    rest = g.add("Div", g.add("Max", beside, 0.0), float(gaussians.rest[0]))
    return _nearest(g, g.add("Add", scaled, rest))


def _nearest(g: Graph, squares: str) -> str:
    return g.add("Max", g.add("ReduceMin", squares, np.array([1]), keepdims=0), 0.0)


def _squares(g: Graph, z: str, means: np.ndarray) -> str:
    """Squared distances (n, k)."""
    own = g.add("ReduceSumSquare", z, np.array([1]), keepdims=1)
    beside = g.add("Gemm", z, np.ascontiguousarray(-2 * means.T), np.square(means).sum(axis=1))
    return g.add("Add", beside, own)
