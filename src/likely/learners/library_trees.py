"""The trees of scikit-learn's histogram gradient boosting as plain arrays: the only reader of its private parts.

`_predictors`, their `nodes` and `raw_left_cat_bitsets`, `_baseline_prediction`, `_bin_data`, `_bin_mapper`,
`_raw_predict` and `_in_fit` are private: pyproject.toml bounds the versions of scikit-learn, and
tests/oracles/test_trees_oracle.py holds what is made of them against the library's own answers.
"""

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from likely.networks.trees import LARGEST

_SHARED = 200_000
"""Numbers of training rows from which on threads share the work."""


def read_trees(boosting: Any, first: int = 0) -> dict[str, np.ndarray]:
    """The arrays of the trees of a fitted model, as `likely.networks.trees` names them.

    Args:
        boosting: a `HistGradientBoostingClassifier` or `HistGradientBoostingRegressor`.
        first: the round from which on trees are read.
    """
    grown = [tree for trees in boosting._predictors[first:] for tree in trees]
    sizes = np.array([len(tree.nodes) for tree in grown], dtype=np.int64)
    firsts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    n_nodes = int(firsts[-1])
    found = {
        "left": np.arange(n_nodes, dtype=np.int32),
        "column": np.zeros(n_nodes, np.int32),
        "threshold": np.full(n_nodes, LARGEST, np.float32),
        "bits": np.full(n_nodes, -1, np.int32),
        "missing_right": np.zeros(n_nodes, np.uint8),
        "value": np.zeros(n_nodes, np.float32),
    }
    sets: list[np.ndarray] = []
    for tree, start in zip(grown, firsts[:-1].tolist(), strict=True):
        _place(tree.nodes, start, sum(map(len, sets)), found)
        sets.append(tree.raw_left_cat_bitsets)
    all_sets = np.concatenate([np.empty((0, 8), np.uint32), *sets]).astype(np.uint32)
    return {"roots": firsts[:-1].astype(np.int32), "sets": all_sets, **found}


def bin_once(boosting: Any) -> None:
    """Divide the columns into bins in the first `fit` alone: whoever goes on growing has the same rows."""
    divide, kept = boosting._bin_data, list[Any]()

    def binned(*rows: Any, **how: Any) -> np.ndarray:
        if not kept:
            kept.extend([divide(*rows, **how), boosting._bin_mapper])
        boosting._bin_mapper = kept[1]
        return kept[0]

    boosting._bin_data = binned


def predict_once(boosting: Any) -> None:
    """Answer the training rows in the second `fit` alone: each one adds its trees to these very answers, in place."""
    predict, kept = boosting._raw_predict, list[np.ndarray]()

    def predicted(*rows: Any, **how: Any) -> np.ndarray:
        if not getattr(boosting, "_in_fit", False):
            return predict(*rows, **how)
        if not kept:
            kept.append(predict(*rows, **how))
        return kept[0]

    boosting._raw_predict = predicted


def gains(boosting: Any, n_columns: int) -> np.ndarray:
    """By how much the splits of each column lowered the loss, shape (columns,)."""
    found = np.zeros(n_columns)
    for trees in boosting._predictors:
        for tree in trees:
            splits = tree.nodes[tree.nodes["is_leaf"] == 0]
            np.add.at(found, splits["feature_idx"], splits["gain"])
    return found


def baseline(boosting: Any) -> np.ndarray:
    """What the sums of a fitted model begin with, one number per sum."""
    return np.asarray(boosting._baseline_prediction, dtype=np.float64).reshape(-1)


def depth(boosting: Any) -> int:
    """How many questions the deepest tree asks."""
    return max((tree.get_max_depth() for trees in boosting._predictors for tree in trees), default=0)


def threads(n_numbers: int) -> AbstractContextManager[Any]:
    """Grow trees of rows with so many numbers in all threads, or in one where sharing would take longer than the work.

    Threads that wait for each other keep processors busy: on 1,000 rows of three columns, on two cores that others used
    too, two threads took 15 times the processor time of one.
    """
    return nullcontext() if n_numbers >= _SHARED else _pools().limit(limits=1, user_api="openmp")


@cache
def _pools() -> ThreadpoolController:
    return ThreadpoolController()


def n_threads() -> int:
    """How many threads the library grows trees with."""
    from sklearn.utils._openmp_helpers import _openmp_effective_n_threads  # pyright: ignore[reportPrivateUsage]

    return int(_openmp_effective_n_threads())


def round_down(thresholds: np.ndarray) -> np.ndarray:
    """The largest float32 numbers that are not larger: float32 numbers lie on the same side of both.

    Example:
        >>> round_down(np.array([0.1, 0.5, np.inf])).tolist()
        [0.09999999403953552, 0.5, 3.4028234663852886e+38]
    """
    with np.errstate(over="ignore"):
        rounded = np.clip(thresholds, -LARGEST, LARGEST).astype(np.float32)
    larger = rounded > thresholds
    rounded[larger] = np.nextafter(rounded[larger], np.float32(-np.inf))
    return rounded


def _place(nodes: np.ndarray, start: int, first_set: int, found: dict[str, np.ndarray]) -> None:
    """Put the nodes of a tree after `start`, in levels, so that a right child follows its left sibling."""
    order = _levels(nodes)
    place = np.empty(len(nodes), np.int64)
    place[order] = start + np.arange(len(nodes))
    leaf = nodes["is_leaf"].astype(bool)
    found["value"][place[leaf]] = nodes["value"][leaf]
    split, at = nodes[~leaf], place[~leaf]
    found["left"][at] = place[split["left"]]
    found["column"][at] = split["feature_idx"]
    found["threshold"][at] = round_down(split["num_threshold"])
    of_categories = split["is_categorical"].astype(bool)
    found["bits"][at[of_categories]] = first_set + split["bitset_idx"][of_categories]
    found["missing_right"][at] = split["missing_go_to_left"] == 0


def _levels(nodes: np.ndarray) -> np.ndarray:
    """The nodes level by level, siblings side by side."""
    left, right, leaf = nodes["left"].tolist(), nodes["right"].tolist(), nodes["is_leaf"].tolist()
    order, level = [0], [0]
    while level:
        level = [child for node in level if not leaf[node] for child in (left[node], right[node])]
        order += level
    return np.array(order, dtype=np.int64)
