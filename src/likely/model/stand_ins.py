"""Which values replace one that is missing in a new row, but was missing in no training row.

With x = (m, r), m what is missing and r the rest, the answer is the mean over what m was in training rows:

    P(y | r) = sum_j w_j P(y | m_j, r)

m_j are 16 quantiles of a column of numbers, each with weight 1/16, or the kinds of a column of categories, weighted by
how often they came. Where several values of a row are missing, 16 combinations of theirs are drawn. This is P(y | r)
only where m does not depend on r, so that nothing is guaranteed of such an answer.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from likely.errors import ModelFileError
from likely.model.expected_arrays import expect_arrays
from likely.preprocessing.columns import Column

VALUES, WEIGHTS, COUNTS = NAMES = "stand_ins.values", "stand_ins.weights", "stand_ins.counts"
"""The arrays of a model file."""

_QUANTILES = 16
_MOST_KINDS = 64  # categories of one column that are averaged over one by one
_MOST_ROWS = 2**16  # that quantiles are taken of, evenly spaced
_SEED = 16


@dataclass(frozen=True)
class StandIns:
    """The values that replace the missing ones of a table.

    Args:
        places: the columns of a matrix of rows whose values miss together: one, or the parts of a date.
        values, weights: what they may be, (m, number of columns), and how often, (m,), with sum 1; None where training
            rows missed some, for which a network has an input of its own.
    Example:
        >>> X = np.array([[1.0, 0], [2.0, 1], [3.0, 1], [4.0, 1]])
        >>> found = StandIns.fit(X, [Column("size"), Column("color", ("blue", "red"))])
        >>> values, weights = found.draws((1,))
        >>> values.tolist(), weights.tolist()
        ([[0.0], [1.0]], [0.25, 0.75])
    """

    places: tuple[tuple[int, ...], ...]
    values: tuple[np.ndarray | None, ...]
    weights: tuple[np.ndarray, ...]

    @classmethod
    def fit(cls, X: np.ndarray, columns: Sequence[Column]) -> "StandIns":
        """The values to replace missing ones by, in rows like the training rows X (n, d), NaN where one is missing."""
        places, complete = places_of(columns), np.atleast_1d(~np.isnan(X).any(axis=0) & (len(X) > 0))
        numbers = [j for j, c in enumerate(columns) if complete[j] and c.categories is None and not c.part]
        quantiles = dict(zip(numbers, _quantiles(X[_some(len(X))], numbers).T[:, :, None], strict=True))
        even = np.full(_QUANTILES, 1 / _QUANTILES)
        found = [
            (quantiles[together[0]], even)
            if together[0] in quantiles
            else _of_source(X[:, list(together)], columns[together[0]], complete=bool(complete[list(together)].all()))
            for together in places
        ]
        return cls(places, tuple(values for values, _ in found), tuple(weights for _, weights in found))

    def gaps(self, rows: np.ndarray) -> np.ndarray:
        """Which values are missing that were in no training row: booleans in the shape of the rows (n, d)."""
        return np.isnan(rows) & self._known

    def by_column(self, rows: np.ndarray, columns: Sequence[Column]) -> dict[str, int]:
        """In how many rows a column of the table has a gap; none are left out."""
        counts = self.gaps(rows).sum(axis=0)
        found = {columns[together[0]].table_column: int(counts[together[0]]) for together in self.places}
        return {name: count for name, count in found.items() if count}

    def draws(self, sources: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Values for the columns of these sources together, shape (m, number of columns), and weights (m,)."""
        if len(sources) == 1:
            return self.alone(sources[0])
        return np.concatenate([self.drawn(source) for source in sources], axis=1), np.full(_QUANTILES, 1 / _QUANTILES)

    def alone(self, source: int) -> tuple[np.ndarray, np.ndarray]:
        """Values for the columns of a source that is missing alone, and weights, as `draws`."""
        values = self.values[source]
        assert values is not None
        if len(values) <= _MOST_KINDS:
            return values, self.weights[source]
        return self.drawn(source), np.full(_QUANTILES, 1 / _QUANTILES)

    def drawn(self, source: int) -> np.ndarray:
        """16 values for the columns of a source in a random order, which is its own: shape (16, number of columns)."""
        values = self.values[source]
        assert values is not None
        at = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
        kinds = np.searchsorted(np.cumsum(self.weights[source])[:-1], at)
        return values[np.random.default_rng([_SEED, source]).permutation(kinds)]

    def filled(self, rows: np.ndarray) -> np.ndarray:
        """The rows with a value in every gap, whichever."""
        gaps = self.gaps(rows)
        return np.where(gaps, self._some, rows) if gaps.any() else rows

    def complete(self, rows: np.ndarray, most: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Rows with gaps by what they miss: numbers (r,), each with all values it may have (r * m, d), weights (m,).

        About `most` rows come at a time, those of one row together.
        """
        gaps = self.gaps(rows)
        missing = np.stack([gaps[:, list(together)].any(axis=1) for together in self.places], axis=1)
        patterns, pattern_of = np.unique(missing, axis=0, return_inverse=True)
        for p, pattern in enumerate(patterns):
            sources = np.flatnonzero(pattern).tolist()
            columns = [j for source in sources for j in self.places[source]]
            values, weights = self.draws(sources)
            numbers = np.flatnonzero(pattern_of.reshape(-1) == p)
            size = max(1, most // len(weights))
            for some in (numbers[start : start + size] for start in range(0, len(numbers), size)):
                completed = np.repeat(rows[some], len(weights), axis=0)
                completed[:, columns] = np.tile(values, (len(some), 1))
                yield some, completed, weights

    def arrays(self) -> dict[str, np.ndarray]:
        """All of it by the names in a model file."""
        values = [v.ravel() for v in self.values if v is not None]
        counts = [0 if v is None else len(v) for v in self.values]
        return {
            VALUES: np.concatenate(values) if values else np.empty(0),
            WEIGHTS: np.concatenate(self.weights) if self.weights else np.empty(0),
            COUNTS: np.array(counts, dtype=np.int64),
        }

    @cached_property
    def _some(self) -> np.ndarray:
        """A value of each column that no training row missed, NaN for the others: (d,)."""
        some = np.full(sum(map(len, self.places)), np.nan)
        for together, values in zip(self.places, self.values, strict=True):
            if values is not None:
                some[list(together)] = values[0]
        return some

    @cached_property
    def _known(self) -> np.ndarray:
        """The columns that no training row missed: booleans (d,)."""
        return ~np.isnan(self._some)


def read_stand_ins(where: str, arrays: Mapping[str, np.ndarray], columns: Sequence[Column] | None) -> StandIns | None:
    """What a model file says of missing values; None where it says nothing, as those of before.

    Raises:
        ModelFileError: if the arrays do not fit each other or the columns.
    """
    found = {name: arrays[name] for name in NAMES if name in arrays}
    if not found or columns is None:
        expect_arrays(where, found, {})
        return None
    places = places_of(columns)
    expect_arrays(where, found, {VALUES: (None,), WEIGHTS: (None,), COUNTS: (len(places),)}, kinds={COUNTS: "iu"})
    counts = found[COUNTS].astype(np.int64)
    sizes = counts * [len(together) for together in places]
    if counts.min(initial=0) < 0 or sizes.sum() != len(found[VALUES]) or counts.sum() != len(found[WEIGHTS]):
        raise ModelFileError(
            f"The arrays {', '.join(map(repr, NAMES))} of {where} must fit each other; got {counts.sum()} values for "
            f"{len(found[WEIGHTS])} weights. The file is damaged or foreign. Train the model again."
        )
    values = np.split(found[VALUES], np.cumsum(sizes)[:-1])
    stand_ins = StandIns(
        places,
        tuple(v.reshape(n, -1) if n else None for v, n in zip(values, counts.tolist(), strict=True)),
        tuple(np.split(found[WEIGHTS], np.cumsum(counts)[:-1])),
    )
    sums = [(float(w.sum()), float(w.min())) for w in stand_ins.weights if len(w)]
    if any(abs(total - 1) > 1e-6 or least < 0 for total, least in sums) or not _are_held(stand_ins, columns):
        raise ModelFileError(
            f"The arrays {', '.join(map(repr, NAMES))} of {where} must hold values of the columns, with weights that "
            "sum to 1. The file is damaged or foreign. Train the model again."
        )
    return stand_ins


def _are_held(stand_ins: StandIns, columns: Sequence[Column]) -> bool:
    """Whether the columns can hold the values."""
    found = [
        (columns[j].categories, values[:, at])
        for places, values in zip(stand_ins.places, stand_ins.values, strict=True)
        if values is not None
        for at, j in enumerate(places)
    ]
    return all(np.isin(v, np.arange(len(categories))).all() for categories, v in found if categories is not None)


def about_gaps(counts: Mapping[str, int], n: int) -> list[str]:
    """A sentence for each column that has no value in some of n rows, but had one in every training row.

    Example:
        >>> about_gaps({"size": 2}, 10)[0]
        "Column 'size' has no known value in 2 of 10 rows, but had one in every training row: their answers average ..."
    """
    return [
        f"Column {name!r} has no known value in {count:,} of {n:,} rows, but had one in every training row: their "
        "answers average over the values that it had, and nothing is guaranteed of them"
        for name, count in counts.items()
    ]


def places_of(columns: Sequence[Column]) -> tuple[tuple[int, ...], ...]:
    """The numbers of the columns that come from one column of the table, in the order of the first of them."""
    found: dict[str, list[int]] = {}
    for j, column in enumerate(columns):
        found.setdefault(column.table_column, []).append(j)
    return tuple(map(tuple, found.values()))


def _of_source(X: np.ndarray, column: Column, *, complete: bool) -> tuple[np.ndarray | None, np.ndarray]:
    """The values of a date or a column of categories, shape (m, number of its columns), and their weights (m,)."""
    if not complete:
        return None, np.empty(0)
    if column.part:
        rows = X[_some(len(X))]
        rows = rows[np.argsort(rows[:, 0], kind="stable")]  # by the first part, which is how late it is
        return rows[_ranks(len(rows))], np.full(_QUANTILES, 1 / _QUANTILES)
    values, counts = np.unique(X[:, 0], return_counts=True)
    return values[:, None], counts / counts.sum()


def _quantiles(X: np.ndarray, columns: Sequence[int]) -> np.ndarray:
    """The quantiles of these columns, shape (16, number of columns), 64 columns at a time."""
    found = [np.empty((_QUANTILES, 0))]
    if columns:
        ranks = _ranks(len(X))
        for start in range(0, len(columns), 64):
            some = X[:, columns[start : start + 64]]
            found.append(np.partition(some, np.unique(ranks), axis=0)[ranks])
    return np.concatenate(found, axis=1)


def _some(n: int) -> slice:
    """At most `_MOST_ROWS` of n rows, evenly spaced."""
    return slice(None, None, max(1, -(-n // _MOST_ROWS)))


def _ranks(n: int) -> np.ndarray:
    """The places of 16 quantiles among n sorted values: those of (i + 1/2) / 16."""
    return ((2 * np.arange(_QUANTILES) + 1) * n) // (2 * _QUANTILES)
