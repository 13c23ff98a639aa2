"""Boosted trees that have been grown: f(x, theta) is a sum of what the leaves say that x falls into.

    f(x) = baseline + sum_t value(leaf of x in tree t) W_t       W_t: which scores tree t adds to

All trees are walked at once, a level at a time, in NumPy alone, by the rows that are not yet in a leaf. Every array of
theta has an entry per node:

    left          the left child; the right one is the next node. A leaf is its own left child.
    column        which column is asked; the first ones hold categories
    threshold     the row goes right if its number is larger (float32, like the columns: the same in every door)
    bits          which categories go left, for a split of categories: a row of `sets`, else -1
    missing_right whether a missing value goes right
    value         what a leaf says
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from likely.arrays import Array, Params, to_numpy
from likely.errors import ShapeError
from likely.networks.input_groups import InputGroups

MOST_CATEGORIES = 255
"""Of one column that are told apart; the rarest of more are one."""
_WALKS_AT_ONCE = 20_000
"""Of a row through a tree; what they need stays in the cache of a processor."""
_LEVELS = 3
"""After which those that have come to a leaf are let go."""
LARGEST = np.finfo(np.float32).max
"""The threshold of a leaf, and of a split of all numbers from missing ones: no number is larger."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Trees:
    """A sum of trees, which only answers: what grows them is `likely.learners.boosting`.

    Args:
        numbers, indicated, categories: of the inputs, as in `InputGroups`, of which there are `n_inputs`.
        n_trees: how many trees, in turn for each of `n_sums` sums, of which the `n_outputs` scores are made: one per
            score, but one for two labels.
        n_nodes, n_sets: of all trees together, and how many splits are of categories.
        depth: of the deepest tree.
        normalized: whether scores are log-probabilities.
    """

    name = "trees"

    numbers: int
    indicated: Sequence[int]
    categories: Sequence[Sequence[int]]
    n_inputs: int
    n_outputs: int
    n_trees: int
    n_sums: int
    n_nodes: int
    n_sets: int
    depth: int
    normalized: bool

    def __post_init__(self) -> None:
        pairs = [end for pair in self.categories for end in pair]
        sizes = (self.n_inputs, self.n_outputs, self.n_trees, self.n_sums, self.n_nodes, self.n_sets, self.depth)
        if not all(type(size) is int for size in (self.numbers, *self.indicated, *pairs, *sizes)):
            raise ShapeError(f"Trees must have whole numbers; got {self.settings}. The file is damaged.")
        fits = 0 <= self.groups.numbers <= self.groups.n_inputs <= self.n_inputs and self.depth <= self.n_nodes
        fits &= all(0 <= column < self.numbers for column in self.indicated)
        fits &= all(0 <= start <= stop for start, stop in self.categories) and min(self.n_sets, self.n_trees) >= 0
        if not fits or self.n_sums < 1 or self.n_trees % self.n_sums:
            raise ShapeError(f"Trees must fit their inputs and sums; got {self.settings}. The file is damaged.")

    @property
    def settings(self) -> dict[str, Any]:
        """What the constructor took."""
        plain = {"indicated": list(self.indicated), "categories": [list(pair) for pair in self.categories]}
        return {field.name: getattr(self, field.name) for field in fields(self)} | plain

    @cached_property
    def groups(self) -> InputGroups:
        """Which inputs belong to one column."""
        return InputGroups.of(self.numbers, self.indicated, self.categories)

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each array of theta."""
        per_node = dict.fromkeys(("left", "column", "threshold", "bits", "missing_right", "value"), (self.n_nodes,))
        return {
            "baseline": (self.n_outputs,),
            "weights": (self.n_sums, self.n_outputs),
            "roots": (self.n_trees,),
            "sets": (self.n_sets, 8),
            "codes": (sum(stop - start for start, stop in self.groups.categories),),
            **per_node,
        }

    @property
    def kinds(self) -> dict[str, str]:
        """The kinds of dtypes that each array may have, by NumPy's letters."""
        return dict.fromkeys(self.shapes, "iu") | dict.fromkeys(("baseline", "weights", "threshold", "value"), "f")

    def check(self, theta: Params) -> None:
        """Refuse arrays by which a walk would leave the nodes.

        Raises:
            ValueError: saying which.
        """
        last = max(self.n_nodes - 1, 0)
        bounds = {
            "left": (0, last),
            "roots": (0, last),
            "column": (0, self.groups.n_columns - 1),
            "bits": (-1, self.n_sets - 1),
            "codes": (-1, MOST_CATEGORIES - 1),
        }
        for name, (low, high) in bounds.items():
            found = to_numpy(theta[name])
            if found.size and not low <= found.min() <= found.max() <= high:
                raise ValueError(f"{name!r} must hold numbers from {low} to {high}")
        left = to_numpy(theta["left"])
        leaf = left == np.arange(self.n_nodes)
        inner = np.flatnonzero(~leaf)
        if (left[inner] >= last).any() or (left[inner] <= inner).any():
            raise ValueError("'left' must come later, and leave room for a right child")
        threshold, bits, missing_right = (to_numpy(theta[name]) for name in ("threshold", "bits", "missing_right"))
        asks = (threshold < LARGEST) | (bits >= 0) | missing_right
        if (leaf & asks).any():
            raise ValueError("a leaf must ask nothing")

    def apply(self, theta: Params, x: Array) -> np.ndarray:
        """Scores (n, k) in float64 for prepared rows (n, d)."""
        return self.scores(theta, self.sums(theta, to_numpy(x)))

    def apply_with_features(self, theta: Params, x: Array) -> tuple[np.ndarray, np.ndarray]:
        """Scores (n, k), and the inputs themselves as features (n, d): trees have no hidden ones."""
        return self.apply(theta, x), to_numpy(x)

    def scores(self, theta: Params, sums: np.ndarray) -> np.ndarray:
        """Scores (n, k) from what the trees say together (n, n_sums)."""
        scores = to_numpy(theta["baseline"]).astype(np.float64) + sums @ to_numpy(theta["weights"]).astype(np.float64)
        return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True) if self.normalized else scores

    def sums(self, theta: Params, x: np.ndarray) -> np.ndarray:
        """What the trees of each sum say together of prepared rows: (n, n_sums)."""
        if x.ndim != 2 or x.shape[1] != self.n_inputs:
            raise ShapeError(f"Trees of {self.n_inputs} inputs must be given as many; got shape {x.shape}.")
        rows = coded_columns(self.groups.columns(x), to_numpy(theta["codes"]), self.groups)
        at_once = max(1, _WALKS_AT_ONCE // max(1, self.n_trees))
        walked = [self._ends(theta, rows[i : i + at_once]) for i in range(0, len(rows), at_once)]
        ends = np.concatenate([np.empty(0, np.intp), *walked])
        values = to_numpy(theta["value"]).astype(np.float64)[ends]
        return values.reshape(len(rows), self.n_trees // self.n_sums, self.n_sums).sum(axis=1)

    def _ends(self, theta: Params, rows: np.ndarray) -> np.ndarray:
        """The leaves that some rows of columns come to, in all trees: (n x n_trees,)."""
        left, column, roots = (to_numpy(theta[name]).astype(np.intp) for name in ("left", "column", "roots"))
        threshold = np.where(left == np.arange(len(left)), np.float32(np.inf), to_numpy(theta["threshold"]))
        bits, sets, missing_right = (to_numpy(theta[name]) for name in ("bits", "sets", "missing_right"))
        misses = bool(np.isnan(rows).any())
        cells, walking = rows.reshape(-1), np.arange(len(rows) * self.n_trees)
        ends = at = np.tile(roots, len(rows))
        first_cell = np.repeat(np.arange(len(rows)) * rows.shape[1], self.n_trees)
        for level in range(self.depth):
            asked = cells.take(first_cell + column.take(at))
            right = asked > threshold.take(at)
            if self.n_sets > 0:
                of_categories = bits.take(at)
                some = np.flatnonzero(of_categories >= 0)
                code = np.nan_to_num(asked.take(some), nan=0.0).astype(np.int64) & 255
                inside = sets[of_categories.take(some), code >> 5] >> (code & 31).astype(np.uint32) & 1
                right[some] = inside == 0
            if misses:
                right = np.where(np.isnan(asked), missing_right.take(at) > 0, right)
            at = left.take(at) + right
            if level % _LEVELS == _LEVELS - 1:  # a leaf leads to itself: few steps too many cost less than a look
                ends[walking] = at
                far = np.flatnonzero(left.take(at) != at)
                walking, at, first_cell = walking.take(far), at.take(far), first_cell.take(far)
                if not len(walking):
                    break
        ends[walking] = at
        return ends

    def __repr__(self) -> str:
        return f"Trees({self.n_trees} trees, {self.n_nodes} nodes)"


def coded_columns(columns: np.ndarray, codes: np.ndarray, groups: InputGroups) -> np.ndarray:
    """Columns whose categories have the numbers that trees know them by; NaN for those that they do not know.

    `columns` are those of `InputGroups.columns`; `codes` those of the categories of one column after the other, with -1
    for an unknown one.
    """
    columns, first = columns.copy(), 0
    for column, (start, stop) in enumerate(groups.categories):
        known, first = codes[first : first + stop - start].astype(np.float32), first + stop - start
        there = np.flatnonzero(~np.isnan(columns[:, column]))
        found = known[columns[there, column].astype(np.int64)]
        columns[there, column] = np.where(found < 0, np.nan, found)
    return columns
