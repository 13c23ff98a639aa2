"""Conformal p-values of familiarity: see `likely.trust.familiarity` and `likely.trust.gaussians`."""

import numpy as np

from likely.export.graph.builder import Graph, Value
from likely.trust.familiarity import MOST_FAMILIAR, SCALE, WEIGHTS, Familiarity
from likely.trust.gaussians import Gaussians
from likely.trust.principal_space import TINY, PrincipalSpace
from likely.trust.prototypes import Prototypes
from likely.trust.ties import STEP

_BLOCK = 64
_LEAST_LOG = -1e4
"""In place of the logarithm of 0, which 0 times is none."""


def row_familiarity(g: Graph, features: str, scores: str | None, familiar: Familiarity) -> str:
    """p-values, float64 (n,), of features (n, d) and scores (n, k); without scores, features alone decide."""
    d, usual = len(familiar.gaussians.shift), familiar.usual
    distance = _distance(g, g.cast(g.columns(features, 0, d), np.float64), familiar.gaussians)
    others = _others(g, g.columns(features, d), scores, familiar)
    size = g.add("Log", g.add("Add", distance, 1.0)) if len(others) < 2 else g.add("Sqrt", distance)
    strange: Value = 0.0
    for number, (value, weight) in enumerate(zip((size, *others), WEIGHTS, strict=False)):
        standard = g.add("Div", g.add("Sub", value, float(usual.center[number])), float(usual.spread[number]))
        least = MOST_FAMILIAR if number else familiar.least_of_distance
        strange = g.add("Add", strange, g.add("Mul", g.add("Max", standard, least), weight))
    return _p_values(g, str(strange), familiar.held_out)


def _others(g: Graph, maps: str, scores: str | None, familiar: Familiarity) -> tuple[Value, ...]:
    """The parts of the score beside the distance, float64 (n,) each; without scores, those of one class."""
    beside = familiar.beside
    if beside is None:
        return (0.0 if scores is None else _energy(g, g.cast(scores, np.float64)),)
    if isinstance(beside, PrincipalSpace):
        doubt = 0.0 if scores is None else _doubt(g, g.cast(scores, np.float64))
        return _beside(g, g.cast(maps, np.float64), beside), doubt
    return (_from_prototypes(g, maps, beside),)


def _energy(g: Graph, scores: str) -> str:
    return g.add("Neg", g.add("ReduceLogSumExp", scores, np.array([1]), keepdims=0))


def _doubt(g: Graph, scores: str) -> str:
    """The entropy of the softmax of scores, some of which may be -inf, at half their scale."""
    log_probs = g.add("LogSoftmax", g.add("Div", scores, SCALE), axis=1)
    summands = g.add("Mul", g.add("Exp", log_probs), g.add("Max", log_probs, _LEAST_LOG))
    return g.add("Neg", g.add("ReduceSum", summands, np.array([1]), keepdims=0))


def _from_prototypes(g: Graph, maps: str, prototypes: Prototypes) -> str:
    """1 - the cosine with the nearest of them, float64 (n,)."""
    length = g.add("Max", g.add("ReduceL2", maps, np.array([1]), keepdims=1), np.float32(TINY))
    cosines = g.add("MatMul", g.add("Div", maps, length), np.ascontiguousarray(prototypes.units.T))
    return g.add("Sub", 1.0, g.cast(g.add("ReduceMax", cosines, np.array([1]), keepdims=0), np.float64))


def _beside(g: Graph, maps: str, space: PrincipalSpace) -> str:
    """How much of the maps, float64, lies beside the space."""
    along = g.add("MatMul", maps, space.directions.astype(float))
    inside, length = (g.add("ReduceSumSquare", each, np.array([1]), keepdims=0) for each in (along, maps))
    return g.add("Sub", 1.0, g.add("Div", inside, g.add("Max", length, TINY)))


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
