"""Rows in which a value is missing that was in every training row: their answers average over what it may be.

Each is completed M times, below all rows, and asked M times: see `likely.model.stand_ins`. Without such rows this adds
nothing to what is computed.
"""

from dataclasses import dataclass

import numpy as np

from likely.export.graph.builder import Graph
from likely.model.stand_ins import StandIns


@dataclass(frozen=True)
class Gaps:
    """Which rows have gaps, and how their answers are averaged.

    Args:
        has: booleans (n,).
        numbers: of these rows, (r,).
        weights: of the values that complete them, float64 (r, M).
        count: n, of shape (1,).
        most: M.
    """

    has: str
    numbers: str
    weights: str
    count: str
    most: int

    def first(self, g: Graph, values: str) -> str:
        """What is said of the n rows themselves, each with some value in its gaps."""
        return g.add("Slice", values, np.array([0]), self.count, np.array([0]))

    def averaged(self, g: Graph, values: str, *, logarithms: bool) -> str:
        """(n, k) from what is said of all (n + r M, k): the weighted mean for rows with gaps; of logarithms its log."""
        first, rest = self.first(g, values), g.add("Slice", values, self.count, np.array([2**62]), np.array([0]))
        width = g.add("Shape", values, start=1, end=2)
        rows = g.add("Shape", self.numbers, start=0, end=1)
        many = g.add("Reshape", rest, g.add("Concat", rows, np.array([self.most]), width, axis=0), allowzero=1)
        weights = g.add("Unsqueeze", self.weights, np.array([2]))
        if logarithms:
            shifted = g.add("Add", many, g.add("Log", weights))
            mean = g.add("ReduceLogSumExp", shifted, np.array([1]), keepdims=0)
        else:
            mean = g.add("ReduceSum", g.add("Mul", many, weights), np.array([1]), keepdims=0)
        return g.add("ScatterND", first, g.add("Unsqueeze", self.numbers, np.array([1])), mean)

    def instead(self, g: Graph, value: str, of_gaps: float) -> str:
        """What is said of rows, float64 (n,), but another number of those with gaps."""
        return g.add("Where", self.has, of_gaps, value)

    def yes(self, g: Graph, value: str, rank: int) -> str:
        """Booleans of the rows, (n,) or (n, k), but yes to all for those with gaps."""
        return g.add("Or", value, self.has if rank == 1 else g.add("Unsqueeze", self.has, np.array([1])))


def completed_rows(g: Graph, rows: str, stand_ins: StandIns | None) -> tuple[str, Gaps | None]:
    """Rows without gaps, (n + r M, d) for rows (n, d), and what undoes that; the rows themselves where none can be."""
    known = [] if stand_ins is None else [s for s, values in enumerate(stand_ins.values) if values is not None]
    if stand_ins is None or not known:
        return rows, None
    d = sum(map(len, stand_ins.places))
    alone = {source: stand_ins.alone(source) for source in known}
    together = {source: stand_ins.drawn(source) for source in known}
    several = len(next(iter(together.values())))
    most = max(several, *(len(values) for values, _ in alone.values()))
    one, many = np.zeros((most, d)), np.zeros((most, d))
    belongs, weights = np.zeros((d, len(known))), np.zeros((len(known) + 1, most))
    weights[-1, :several] = 1 / several
    for i, source in enumerate(known):
        places, (values, shares) = list(stand_ins.places[source]), alone[source]
        one[:, places] = values[np.minimum(np.arange(most), len(values) - 1)]
        many[:, places] = together[source][np.minimum(np.arange(most), several - 1)]
        weights[i, : len(values)] = shares
        belongs[places, i] = 1
    gap = g.add("And", g.add("IsNaN", rows), belongs.any(axis=1))
    missing = g.add("Greater", g.add("MatMul", g.cast(gap, np.float64), belongs), 0.0)
    sources = g.add("ReduceSum", g.cast(missing, np.int64), np.array([1]), keepdims=0)
    has = g.add("Greater", sources, np.array(0))
    numbers = g.add("Squeeze", g.add("NonZero", has), np.array([0]))
    first = g.add("ArgMax", g.cast(missing, np.int32), axis=1, keepdims=0)
    is_one = g.add("Equal", sources, np.array(1))
    chosen = g.add("Gather", g.add("Where", is_one, first, np.array(len(known))), numbers)
    filled = g.add("Where", gap, one[0], rows)
    some_gaps = g.add("Unsqueeze", g.add("Gather", gap, numbers), np.array([1]))
    singly = g.add("Unsqueeze", g.add("Gather", is_one, numbers), np.array([1, 2]))
    some_rows = g.add("Unsqueeze", g.add("Gather", filled, numbers), np.array([1]))
    completed = g.add("Where", some_gaps, g.add("Where", singly, one, many), some_rows)
    below = g.add("Reshape", completed, np.array([-1, d]))
    gaps = Gaps(has, numbers, g.add("Gather", weights, chosen), g.add("Shape", rows, start=0, end=1), most)
    return g.add("Concat", filled, below, axis=0), gaps
