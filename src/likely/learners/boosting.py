"""Gradient boosting: descent on the same loss, in the space of functions. Every step adds trees that fit its gradient.

    f <- f + a h,    h: trees fitted to -dJ/df at the training rows (and its second derivative)

with J the cross-entropy of softmax(f) or the squared error. The trees are grown by scikit-learn's histogram gradient
boosting and become plain arrays, which `likely.networks.trees.Trees` answers from.

Reference: Friedman (2001), Greedy function approximation: a gradient boosting machine; Ke et al. (2017), LightGBM.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from likely.arrays import Array
from likely.learners.joined_trees import joined, side_by_side
from likely.learners.library_import import ensemble
from likely.learners.library_trees import (
    baseline,
    bin_once,
    depth,
    gains,
    n_threads,
    predict_once,
    read_trees,
    threads,
)
from likely.networks.input_groups import InputGroups
from likely.networks.trees import MOST_CATEGORIES, Trees, coded_columns

_RARE = -20.0
"""Nats below the likeliest: the score of a label without a training row, whose probability is stated elsewhere."""


@dataclass(frozen=True)
class Boosting:
    """How trees are grown.

    Args:
        max_leaf_nodes: of one tree.
        min_samples_leaf: rows in a leaf, at least.
        l2: the penalty on what leaves say.
        max_features: the share of the columns that a split may ask, drawn anew for each.
        max_bins: how many intervals of a column are told apart.
    """

    max_leaf_nodes: int
    min_samples_leaf: int
    l2: float
    max_features: float
    max_bins: int

    name = "trees"

    @classmethod
    def of_rows(cls, n_rows: int) -> "Boosting":
        """As suits so many rows: trees and leaves grow with the square root of their number.

        Measured on worlds of 300 to 12,000 rows: 8 leaves of 5 rows are best at 300, 16 of 10 at 1,000 to 4,000, 31 of
        20 at 12,000, by up to 0.08 nats.

        Example:
            >>> Boosting.of_rows(1_000).max_leaf_nodes, Boosting.of_rows(100_000).max_leaf_nodes
            (14, 31)
        """
        root = n_rows**0.5
        leaves, rows = round(min(max(0.45 * root, 8), 31)), round(min(max(0.28 * root, 5), 20))
        return cls(leaves, rows, l2=1.0, max_features=0.5, max_bins=min(max(n_rows // 16, 63), 255))

    @property
    def settings(self) -> dict[str, Any]:
        """What the constructor took."""
        return asdict(self)


@dataclass(frozen=True)
class _Block:
    """The trees of some rounds in a row, as arrays of `Trees`, and the depth of the deepest one."""

    last_round: int
    theta: dict[str, np.ndarray]
    depth: int


class BoostedTrees:
    """Trees that grow round by round, and answer at any time; a `Learner`.

    Args:
        boosting: how they are grown.
        groups: which inputs belong to one column.
        columns: of the training rows, (n, columns), as `groups` makes them of inputs.
        n_inputs: of which these are made.
        Y: label distributions (n, k), or targets (n, m).
        weights: one non-negative number per row, or None.
        learning_rate: a, how much of each tree is added.
        classifies: whether Y are label distributions.
        seed: of the columns that a split may ask.
    """

    name = "trees"
    device, precision = "cpu", "float32"

    def __init__(
        self,
        boosting: Boosting,
        groups: InputGroups,
        columns: np.ndarray,
        Y: np.ndarray,
        weights: np.ndarray | None,
        *,
        n_inputs: int,
        learning_rate: float,
        classifies: bool,
        seed: int,
    ) -> None:
        self._groups, self._classifies = groups, classifies
        self._n_inputs, self._n_outputs = n_inputs, Y.shape[1]
        self._codes = _codes(columns, groups)
        columns = coded_columns(columns, self._codes, groups)
        data = _labeled(columns, Y, weights) if classifies else _numbered(columns, Y, weights)
        present = np.flatnonzero(Y.sum(axis=0) > 0) if classifies else np.arange(Y.shape[1])
        n_codes = int(self._codes.max(initial=-1)) + 1  # the library has a bin for each
        how = _settings(boosting, learning_rate, len(groups.categories), n_codes, seed)
        self._grown = [(_model(classifies, how), *each) for each in data] if len(present) > 1 or not classifies else []
        self._weights, self._baseline = _weights(present, Y.shape[1], classifies), np.zeros(Y.shape[1])
        self._absent, self._blocks = np.setdiff1d(np.arange(Y.shape[1]), present), list[_Block]()
        self._baseline[self._absent] = _RARE
        self._answering: tuple[Trees, dict[str, np.ndarray]] | None = None
        self._gains: list[np.ndarray] | None = None

    @property
    def threads(self) -> int:
        """How many threads grow trees."""
        return n_threads()

    @property
    def rounds(self) -> int:
        """How many there were."""
        return self._blocks[-1].last_round if self._blocks else 0

    def grow(self, rounds: int) -> None:
        """Grow on to so many rounds in all."""
        found: list[dict[str, np.ndarray]] = []
        for model, X, y, weights in self._grown:
            with threads(X.size):
                model.set_params(max_iter=rounds).fit(X, y, sample_weight=weights)
            found.append(read_trees(model, self.rounds))
        if not self.rounds and self._grown:
            begun = np.concatenate([baseline(model) for model, *_ in self._grown])
            self._baseline = begun @ self._weights
            self._baseline[self._absent] = self._baseline.max() + _RARE
        deepest = max((depth(model) for model, *_ in self._grown), default=0)
        self._blocks.append(_Block(rounds, side_by_side(found), deepest))
        self._answering = None

    def keep(self, rounds: int) -> None:
        """Forget the rounds after this one, at which `grow` has stopped once."""
        self._blocks = [block for block in self._blocks if block.last_round <= rounds]
        self._answering = None

    def gains(self) -> tuple[np.ndarray, np.ndarray]:
        """By how much the splits of each column of numbers, and of categories, lowered the loss in all rounds grown."""
        if self._gains is not None:
            return self._gains[0], self._gains[1]
        n, first = self._groups.n_columns, len(self._groups.categories)
        found = np.sum([gains(model, n) for model, *_ in self._grown], axis=0, initial=0.0) + np.zeros(n)
        return found[first:], found[:first]

    def columns(self, X: np.ndarray) -> np.ndarray:
        """The columns of prepared rows as trees compare them, (n, columns): those of categories first."""
        return coded_columns(self._groups.columns(X), self._codes, self._groups)

    def sums_since(self, X: np.ndarray, rounds: int) -> np.ndarray:
        """What the trees after so many rounds add to each sum for prepared rows: (n, sums)."""
        blocks = [block for block in self._blocks if block.last_round > rounds]
        theta = {**joined([block.theta for block in blocks]), "codes": self._codes}
        return self._trees(blocks).sums(theta, X)

    def scores_of(self, sums: np.ndarray) -> np.ndarray:
        """Scores (n, k) from what the trees of all rounds add to each sum."""
        return self._trees([]).scores({"baseline": self._baseline, "weights": self._weights}, sums)

    @property
    def network(self) -> Trees:
        """What answers from `state()`."""
        return self._answers[0]

    @property
    def n_parameters(self) -> int:
        """A threshold or a value per node."""
        return self.network.n_nodes

    def state(self) -> dict[str, np.ndarray]:
        """The arrays of the trees."""
        return dict(self._answers[1])

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take the arrays of trees back from `state()`."""
        self._baseline, own = state["baseline"], {"baseline", "weights", "codes"}
        deepest, rounds = self.network.depth, len(state["roots"]) // len(self._weights)
        self._blocks = [_Block(rounds, {name: a for name, a in state.items() if name not in own}, deepest)]
        self._answering = None

    def snapshot(self) -> dict[str, Any]:
        """The trees with the rounds at which `grow` has stopped, and what their splits gained."""
        blocks = [{"rounds": block.last_round, "theta": block.theta, "depth": block.depth} for block in self._blocks]
        return {"blocks": blocks, "baseline": self._baseline, "gains": list(self.gains())}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take them up from `snapshot()`; they answer, but do not grow on."""
        self._blocks = [_Block(block["rounds"], block["theta"], block["depth"]) for block in kept["blocks"]]
        self._baseline, self._gains, self._answering = kept["baseline"], kept["gains"], None

    def forward(self, X: Array) -> tuple[np.ndarray, np.ndarray]:
        """Scores (n, k), and the inputs themselves as features."""
        network, theta = self._answers
        return network.apply_with_features(theta, X)

    def scores(self, X: Array) -> np.ndarray:
        """Scores (n, k)."""
        network, theta = self._answers
        return network.apply(theta, X)

    @property
    def _answers(self) -> tuple[Trees, dict[str, np.ndarray]]:
        """What answers, and its arrays, made once for the trees that there are."""
        if self._answering is None:
            of_all = {"baseline": self._baseline, "weights": self._weights, "codes": self._codes}
            self._answering = self._trees(self._blocks), of_all | joined([block.theta for block in self._blocks])
        return self._answering

    def _trees(self, blocks: list[_Block]) -> Trees:
        return Trees(
            numbers=self._groups.numbers,
            indicated=self._groups.indicated,
            categories=self._groups.categories,
            n_inputs=self._n_inputs,
            n_outputs=self._n_outputs,
            n_trees=sum(len(block.theta["roots"]) for block in blocks),
            n_sums=len(self._weights),
            n_nodes=sum(len(block.theta["left"]) for block in blocks),
            n_sets=sum(len(block.theta["sets"]) for block in blocks),
            depth=max((block.depth for block in blocks), default=0),
            normalized=self._classifies,
        )


def _settings(boosting: Boosting, learning_rate: float, n_categories: int, n_codes: int, seed: int) -> dict[str, Any]:
    """What scikit-learn is told."""
    return {
        "learning_rate": learning_rate,
        "max_leaf_nodes": boosting.max_leaf_nodes,
        "min_samples_leaf": boosting.min_samples_leaf,
        "l2_regularization": boosting.l2,
        "max_features": boosting.max_features,
        "max_bins": max(boosting.max_bins, n_codes),
        "categorical_features": list(range(n_categories)) if n_categories else None,
        "early_stopping": False,
        "warm_start": True,
        "random_state": seed % 2**32,
    }


def _model(classifies: bool, settings: dict[str, Any]) -> Any:
    library = ensemble()
    made = library.HistGradientBoostingClassifier if classifies else library.HistGradientBoostingRegressor
    model = made(**settings)
    bin_once(model)
    predict_once(model)
    return model


def _labeled(columns: np.ndarray, Y: np.ndarray, weights: np.ndarray | None) -> list[tuple[Any, ...]]:
    """Rows with one label each: a row of several probable labels comes once for each, weighted by its probability."""
    row, label = np.nonzero(Y)
    given = Y[row, label].astype(np.float64) * (1.0 if weights is None else weights[row])
    kept = given > 0
    row, label, given = row[kept], label[kept], given[kept]
    return [(columns[row], label, None if (given == given[0]).all() else given / given.mean())]


def _numbered(columns: np.ndarray, Y: np.ndarray, weights: np.ndarray | None) -> list[tuple[Any, ...]]:
    """Rows with a number each, once for every target."""
    given = None if weights is None else weights / weights.mean()
    return [(columns, target, given) for target in Y.T]


def _weights(present: np.ndarray, n_outputs: int, classifies: bool) -> np.ndarray:
    """Which scores each sum adds to, (sums, outputs): the one of two labels is their difference."""
    unit = np.eye(n_outputs)[present]
    return (unit[1:] - unit[:1]) / 2 if classifies and len(present) == 2 else unit


def _codes(columns: np.ndarray, groups: InputGroups) -> np.ndarray:
    """The number that trees know each category by: 0, 1, ... by falling frequency; -1 without a training row.

    Of more than 255 categories the rarest have one number together.
    """
    found = [np.empty(0, np.int32)]
    for column, (start, stop) in enumerate(groups.categories):
        values = columns[:, column]
        counts = np.bincount(values[~np.isnan(values)].astype(np.int64), minlength=stop - start)
        codes = np.empty(stop - start, np.int32)
        codes[np.argsort(-counts, kind="stable")] = np.minimum(np.arange(stop - start), MOST_CATEGORIES - 1)
        found.append(np.where(counts > 0, codes, -1).astype(np.int32))
    return np.concatenate(found)
