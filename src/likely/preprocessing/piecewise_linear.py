"""Numbers in pieces: how far each lies into every bin of its column, so that what is linear in the pieces may bend."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from likely.arrays import Array, namespace

_LEAST_ROWS = 20
"""Per bin: fewer say little of what is particular to it."""
_MOST_PIECES = 256
"""Of all columns together; more columns have fewer bins. On digits 16 of each of 64 take twice the time of 4."""


@dataclass(frozen=True)
class PiecewiseLinear:
    """The pieces of standardized numbers z between the edges b_0 < b_1 < ... of the bins of their column.

    piece_t(z) = clip((z - b_t) / (b_{t+1} - b_t), 0, 1) - 1/2

    A weighted sum of them is any function that is linear within the bins, continuous, and constant beyond them. Where a
    column has no more different values than edges, each is an edge, and the function takes any value at each: as if
    the values were categories.

    Args:
        edges: of the bins of each column; none for a column that has no pieces.

    Reference: Gorishniy, Rubachev, Babenko (2022), On embeddings for numerical features in tabular deep learning.
    """

    edges: tuple[tuple[float, ...], ...]

    @classmethod
    def fit(cls, columns: Sequence[np.ndarray], most: int) -> "PiecewiseLinear | None":
        """Bins that hold about as many of these values each, or None if no column has enough different ones.

        Args:
            columns: the standardized values of each, float64 of shape (n,); n may differ.
            most: bins of a column; fewer where it has less than 20 values for each, or the columns are many.
        Example:
            >>> PiecewiseLinear.fit([np.linspace(-1, 1, 101), np.repeat([0.0, 1.0], 50)], most=4).edges
            ((-1.0, -0.5, 0.0, 0.5, 1.0), ())
        """
        most = min(most, _MOST_PIECES // max(1, len(columns)))
        made = cls(tuple(_edges(values, min(most, len(values) // _LEAST_ROWS)) for values in columns))
        return made if any(made.edges) else None

    @property
    def width(self) -> int:
        """How many pieces there are."""
        return sum(max(0, len(edges) - 1) for edges in self.edges)

    def __call__(self, z: Array) -> Array:
        """The pieces (n, width) of standardized columns (n, d), in their array library and on their device."""
        xp = namespace(z)
        device = getattr(z, "device", None)
        column, start, size = self.bins
        each = xp.take(z, xp.asarray(column, device=device), axis=1)
        start, size = (xp.asarray(values, dtype=z.dtype, device=device) for values in (start, size))
        return xp.clip((each - start) / size, 0.0, 1.0) - 0.5

    def to_json(self) -> list[list[float]]:
        """Plain values that `from_json` makes equal pieces of."""
        return [list(edges) for edges in self.edges]

    @classmethod
    def from_json(cls, values: Sequence[Sequence[Any]]) -> "PiecewiseLinear":
        """The pieces that `to_json` gave the values of; raises ValueError or TypeError for others."""
        made = cls(tuple(map(tuple, values)))
        edges: tuple[Any, ...]
        for edges in made.edges:
            if not all(isinstance(edge, float | int) and math.isfinite(edge) for edge in edges):
                raise ValueError("an edge that is not a finite number")
            if len(edges) in (1, 2) or any(b <= a for a, b in pairwise(edges)):
                raise ValueError("edges that do not grow, or too few")
        if not made.width:
            raise ValueError("no pieces")
        return made

    @cached_property
    def bins(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The column, the start and the size of each piece."""
        column = np.repeat(np.arange(len(self.edges)), [max(0, len(edges) - 1) for edges in self.edges])
        starts = [np.array(edges[:-1]) for edges in self.edges]
        sizes = [np.diff(edges) for edges in self.edges]
        return column, np.concatenate(starts), np.concatenate(sizes)


def _edges(values: np.ndarray, bins: int) -> tuple[float, ...]:
    """Every different value, if there are so few, or quantiles; none where a line says as much."""
    different = np.unique(values)
    if len(different) > bins + 1 and bins > 1:
        different = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)))
    # Edges so near each other that their distance is rounding are one.
    apart = np.concatenate([[True], np.diff(different) > 1e-6]) if len(different) else np.empty(0, np.bool_)
    different = different[apart]
    return tuple(different.tolist()) if 3 <= len(different) <= bins + 1 else ()
