"""Rows of a table as the network is given them: what `ColumnPreprocessor` computes."""

import numpy as np

from likely.export.graph.builder import Graph
from likely.preprocessing.column_preprocessor import ColumnPreprocessor
from likely.preprocessing.piecewise_linear import PiecewiseLinear
from likely.preprocessing.power import PowerTransform
from likely.preprocessing.target_encoding import TargetEncoding


def prepared_columns(g: Graph, rows: str, preprocessor: ColumnPreprocessor) -> str:
    """The network's input of rows (n, d), float64, in its dtype."""
    dtype, inputs = preprocessor.dtype, preprocessor.inputs
    parts, pieces = list[str](), list[str]()
    if preprocessor.mean:
        values = _chosen(g, rows, inputs.numbers, preprocessor.shape[0])
        if preprocessor.encoding is not None:
            numbers = [values] if len(inputs.numbers) else []
            values = g.add("Concat", *numbers, *_encoded(g, rows, preprocessor.encoding), axis=1)
        if preprocessor.root is not None:
            values = g.add("Sqrt", g.add("Add", g.add("Max", values, np.array(0.0)), np.array(preprocessor.root)))
        standard = g.add("Div", g.add("Sub", values, np.array(preprocessor.mean)), np.array(preprocessor.scale))
        if preprocessor.pieces is not None:
            known = g.add("Where", g.add("IsNaN", values), 0.0, standard)
            pieces.append(g.cast(_in_pieces(g, known, preprocessor.pieces), dtype))
        if preprocessor.power is not None:
            standard = _powered(g, standard, preprocessor.power)
        if not inputs.numbers_alone:
            standard = g.add("Where", g.add("IsNaN", values), 0.0, standard)
        parts.append(g.cast(standard, dtype))
    if len(inputs.indicators):
        parts.append(g.cast(g.add("IsNaN", _chosen(g, rows, inputs.indicators, preprocessor.shape[0])), dtype))
    for column, codes, missing in inputs.categories:
        holds = g.cast(g.add("Equal", g.add("Gather", rows, np.array([column]), axis=1), codes), dtype)
        parts.append(holds)
        if missing:
            known = g.add("ReduceMax", holds, np.array([1]), keepdims=1)
            parts.append(g.add("Sub", np.array(1, dtype), known))
    parts += pieces
    joined = g.add("Concat", *parts, axis=1) if len(parts) > 1 else parts[0]
    if preprocessor.unseen:
        joined = g.add("Mul", joined, inputs.live.astype(dtype))
    return g.add("Gather", joined, inputs.kept, axis=1) if preprocessor.off else joined


def _chosen(g: Graph, rows: str, index: np.ndarray, d: int) -> str:
    return rows if index.tolist() == list(range(d)) else g.add("Gather", rows, index, axis=1)


def _encoded(g: Graph, rows: str, encoding: TargetEncoding) -> list[str]:
    """The numbers that encode each column of categories, see `likely.preprocessing.target_encoding`."""
    found = list[str]()
    for column, table in zip(encoding.columns, encoding.arrays, strict=True):
        value = g.add("Gather", rows, np.array(column), axis=1)
        code = g.cast(g.add("Where", g.add("IsNaN", value), float(len(table) - 1), value), np.int64)
        found.append(g.add("Gather", table, code, axis=0))
    return found


def _powered(g: Graph, z: str, transform: PowerTransform) -> str:
    """Yeo and Johnson's transform: see `likely.preprocessing.power`."""
    power, mean, scale = np.array(transform.power), np.array(transform.mean), np.array(transform.scale)
    exponent = g.add("Where", g.add("Less", z, 0.0), 2 - power, power)
    logs = g.add("Mul", exponent, g.add("Log", g.add("Add", g.add("Abs", z), 1.0)))
    size = g.add("Div", g.add("Sub", g.add("Exp", logs), 1.0), exponent)
    transformed = g.add("Where", power == 1, z, g.add("Mul", g.add("Sign", z), size))
    return g.add("Div", g.add("Sub", transformed, mean), scale)


def _in_pieces(g: Graph, z: str, pieces: PiecewiseLinear) -> str:
    """How far numbers lie into each bin: see `likely.preprocessing.piecewise_linear`."""
    column, start, size = pieces.bins
    share = g.add("Div", g.add("Sub", g.add("Gather", z, column, axis=1), start), size)
    return g.add("Sub", g.add("Min", g.add("Max", share, 0.0), 1.0), 0.5)
