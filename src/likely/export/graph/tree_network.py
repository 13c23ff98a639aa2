"""Boosted trees as a TreeEnsembleRegressor of ai.onnx.ml 3, in float64.

Its nodes compare one number: a row goes left if it is at most a threshold. A question about a set of categories becomes
a column of its own, 0 for those inside and 1 for the others, looked up by the number of the category.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from likely.export.graph.builder import ML, Graph
from likely.networks.trees import MOST_CATEGORIES, Trees

_CODES = MOST_CATEGORIES + 1


def tree_network(g: Graph, trees: Trees, theta: Mapping[str, np.ndarray], x: str) -> str:
    """Scores (n, k), float64, of prepared rows x (n, d), float32 or float64."""
    x = g.cast(g.cast(x, np.float32), np.float64)  # what trees ask about is float32
    codes = _codes(g, trees, theta, x)
    sets, places = _sets(g, trees, theta, codes)
    columns = g.add("Concat", *codes, *_numbers(g, trees, x), *sets, axis=1)
    sums = g.cast(_ensemble(g, trees, theta, columns, places), np.float64)
    scores = g.add("Gemm", sums, theta["weights"].astype(float), theta["baseline"].astype(float))
    return g.add("LogSoftmax", scores, axis=1) if trees.normalized else scores


def _codes(g: Graph, trees: Trees, theta: Mapping[str, np.ndarray], x: str) -> list[str]:
    """The categories by the numbers that trees know them by, (n, 1) for each column; NaN for no known one."""
    found, first = list[str](), 0
    for start, stop in trees.groups.categories:
        codes = theta["codes"][first : first + stop - start].astype(float)
        first += stop - start
        one_hot = g.columns(x, start, stop)
        given = g.add("Greater", g.add("ReduceMax", one_hot, np.array([1]), keepdims=1), 0.0)
        number = g.add("Gather", np.where(codes < 0, np.nan, codes), g.add("ArgMax", one_hot, axis=1, keepdims=1))
        found.append(g.add("Where", given, number, np.array(np.nan)))
    return found


def _numbers(g: Graph, trees: Trees, x: str) -> list[str]:
    """The columns of numbers, (n, numbers), NaN where one is missing; in a list of one or none."""
    groups = trees.groups
    if not groups.numbers:
        return []
    numbers = g.columns(x, 0, groups.numbers)
    if not groups.indicated:
        return [numbers]
    indicators = g.add("Gather", x, groups.numbers + np.arange(len(groups.indicated)), axis=1)
    of_column = np.zeros((len(groups.indicated), groups.numbers))
    of_column[np.arange(len(groups.indicated)), list(groups.indicated)] = 1
    missing = g.add("Greater", g.add("MatMul", indicators, of_column), 0.0)
    return [g.add("Where", missing, np.array(np.nan), numbers)]


def _sets(
    g: Graph, trees: Trees, theta: Mapping[str, np.ndarray], codes: list[str]
) -> tuple[list[str], dict[tuple[int, int], int]]:
    """Columns that say who is outside of a set of categories; and their places, by column and number of the set."""
    found, places = list[str](), dict[tuple[int, int], int]()
    asked = np.unique(np.stack([theta["column"], theta["bits"]], axis=1)[theta["bits"] >= 0].astype(int), axis=0)
    code = np.arange(_CODES)
    for column in np.unique(asked[:, 0]).tolist():
        numbers = asked[asked[:, 0] == column, 1]
        words = theta["sets"][numbers].astype(np.uint32)
        outside = 1.0 - (words[:, code >> 5] >> (code & 31).astype(np.uint32) & 1)
        table = np.append(outside.T, np.full((1, len(numbers)), np.nan), axis=0)
        missing = g.add("IsNaN", codes[column])
        place = g.cast(g.add("Where", missing, float(_CODES), codes[column]), np.int64)
        found.append(g.add("Gather", table, g.add("Squeeze", place, np.array([1]))))
        first = trees.groups.n_columns + len(places)
        places |= {(column, number): first + i for i, number in enumerate(numbers.tolist())}
    return found, places


def _ensemble(
    g: Graph, trees: Trees, theta: Mapping[str, np.ndarray], columns: str, places: Mapping[tuple[int, int], int]
) -> str:
    """What the trees of each sum say together, float32 (n, sums)."""
    left, threshold, value = theta["left"].astype(int), theta["threshold"], theta["value"]
    nodes = dict[str, list[Any]]()
    names = ("treeids", "nodeids", "featureids", "modes", "truenodeids", "falsenodeids", "missing_value_tracks_true")
    nodes = {name: [] for name in names}
    thresholds, targets, weights = list[float](), dict[str, list[int]](), list[float]()
    targets = {"treeids": [], "nodeids": [], "ids": []}
    for tree, root in enumerate(theta["roots"].tolist()):
        waiting = [root]
        while waiting:
            node = waiting.pop()
            is_leaf, bits, column = left[node] == node, int(theta["bits"][node]), int(theta["column"][node])
            feature = places[column, bits] if bits >= 0 else column
            row = (tree, node, feature, "LEAF" if is_leaf else "BRANCH_LEQ", left[node], left[node] + 1)
            for name, entry in zip(names, (*row, int(not theta["missing_right"][node])), strict=True):
                nodes[name].append(0 if is_leaf and name not in ("treeids", "nodeids", "modes") else entry)
            thresholds.append(0.0 if is_leaf else 0.5 if bits >= 0 else float(threshold[node]))
            if is_leaf:
                for name, entry in zip(targets, (tree, node, tree % trees.n_sums), strict=True):
                    targets[name].append(entry)
                weights.append(float(value[node]))
            else:
                waiting += [left[node] + 1, left[node]]
    return g.add(
        "TreeEnsembleRegressor",
        columns,
        domain=ML,
        n_targets=trees.n_sums,
        nodes_values_as_tensor=np.array(thresholds),
        target_weights_as_tensor=np.array(weights),
        **{f"nodes_{name}": entries for name, entries in nodes.items()},
        **{f"target_{name}": entries for name, entries in targets.items()},
    )
