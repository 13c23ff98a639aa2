"""A distribution: the function P from events to numbers in [0, 1], one or many at a time."""

import math
import warnings
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Self, TypeAlias

import numpy as np

from likely.errors import ImpossibleEventError, ImprobableConditionWarning, ProbabilityError, ShapeError
from likely.probability.counts import columns, frequencies
from likely.probability.display import ranked
from likely.probability.information import entropy
from likely.probability.named_probabilities import NamedProbabilities
from likely.probability.simplex import check_probabilities
from likely.probability.space import Event, EventLike, SampleSpace, as_space

Answer: TypeAlias = Any
"""A float from a single distribution, an array of shape (n,) from a batch of n."""

IMPROBABLE = 1e-6
"""Conditioning on an event of smaller probability warns."""


class Distribution(NamedProbabilities):
    """A probability for every outcome of a sample space, and so for every event: P(E) = sum of P(x) over x in E.

    Probabilities of shape (n, k) make a batch of n distributions: every answer then has one value per row. Counted,
    indexed or iterated over, a single distribution behaves as a batch of one. It never changes: an array that could
    still be written to is copied.

    Args:
        space: the sample space, or its outcomes in order.
        probs: shape (k,) or (n, k), of any array library; each row sums to 1 within `sum_tolerance` (1e-5 for ten
            outcomes). Floats keep their dtype.
    Raises:
        ShapeError: if the shape does not fit the space.
        ProbabilityError: if a value is not a finite number in [0, 1], or a row does not sum to 1.
    Example:
        >>> P = Distribution(["rain", "sun", "wind", "cloud"], [0.1, 0.5, 0.2, 0.2])
        >>> P("sun"), P({"rain", "wind"}).__round__(4), P("rain", given={"rain", "cloud"}).__round__(4)
        (0.5, 0.3, 0.3333)
        >>> Distribution(["heads", "tails"], [[0.5, 0.5], [0.9, 0.1]])("heads")
        array([0.5, 0.9])

    Reference: Kolmogorov, Foundations of the Theory of Probability, ch. 1.
    """

    __slots__ = ()

    def __init__(self, space: SampleSpace | Iterable[Hashable], probs: Any) -> None:
        space = as_space(space)
        checked = check_probabilities(probs, space.outcomes)
        borrowed = checked.flags.writeable and not isinstance(probs, list | tuple)
        self._hold(space, checked.copy() if borrowed else checked)

    @classmethod
    def from_counts(cls, space: SampleSpace | Iterable[Hashable], counts: Mapping[Hashable, Any] | Any) -> Self:
        """Relative frequencies: P(x) = count of x / count of all.

        Counts have shape (k,) or (n, k), or are a mapping from outcomes to numbers or arrays (n,), such as a
        `collections.Counter`, in which a missing outcome counts 0.

        Raises:
            ProbabilityError: if a count is negative or not finite, a row counts nothing, or an outcome is unknown.
        Example:
            >>> Distribution.from_counts(["heads", "tails"], {"heads": 3, "tails": 1})
            Distribution({heads: 0.75, tails: 0.25})
        """
        space = as_space(space)
        return cls._of(space, frequencies(space, counts))

    @classmethod
    def from_mapping(cls, probs: Mapping[Hashable, Any], space: SampleSpace | Iterable[Hashable] | None = None) -> Self:
        """A distribution from {outcome: probability or array (n,)}; 0 for outcomes of the space that it leaves out.

        Raises:
            ProbabilityError: as the constructor does, or if an outcome is unknown.
        Example:
            >>> Distribution.from_mapping({"heads": 0.5, "tails": 0.5})
            Distribution({heads: 0.5, tails: 0.5})
        """
        space = as_space(probs if space is None else space)
        return cls(space, columns(space, probs))

    def __call__(self, event: EventLike, given: EventLike | None = None) -> Answer:
        """P(E), or P(E given F) = P(E and F) / P(F): a float; for a batch an array (n,) in the dtype of `probs`.

        Both may be an event, an outcome, a collection of outcomes, or a predicate on outcomes.

        Raises:
            UnknownOutcomeError, SpaceMismatchError: if an outcome or event does not belong to the space.
            ImpossibleEventError: if P(F) = 0; for a batch the first such row is named.
        Example:
            >>> dice = Distribution(range(1, 7), np.full(6, 1 / 6))
            >>> round(dice(lambda eyes: eyes % 2 == 0), 4), round(dice(6, given={5, 6}), 4)
            (0.5, 0.5)
        """
        asked = self._space.event(event)
        if given is None:
            return self._mass(asked.mask)
        condition = self._space.event(given)
        part = self._condition_mass(condition)
        both = self._mass((asked & condition).mask) / part
        return min(both, 1.0) if self._probs.ndim == 1 else np.minimum(both, 1, out=both)

    def given(self, condition: EventLike) -> Self:
        """The distribution under the condition F, on the same space: P(x given F). Errors as in a call.

        Example:
            >>> Distribution(["rain", "sun", "cloud"], [0.1, 0.6, 0.3]).given({"rain", "cloud"})
            Distribution({rain: 0.25, sun: 0, cloud: 0.75})
        """
        event = self._space.event(condition)
        part = np.asarray(self._condition_mass(event), dtype=self._probs.dtype)
        probs = self._probs * event.mask
        probs /= part[..., None]
        return self._of(self._space, np.minimum(probs, 1, out=probs))

    def independent(self, one: EventLike, other: EventLike, tolerance: float | None = None) -> Any:
        """Whether P(E and F) = P(E) P(F): knowing one tells nothing about the other. For a batch, booleans (n,).

        Compared as P(E and F) P(neither) = P(E alone) P(F alone), which is the same, up to rounding of the larger
        side: rare events are told apart as well as frequent ones, and "not F" gives the same answer as F. An event of
        probability 0 or 1 is independent of every other.

        A tolerance of None allows for rounding alone: 1e-6 of the larger side, which covers float32, or 8 eps of the
        dtype where that is more. A number allows |P(E and F) - P(E) P(F)| to be as large as that.

        Example:
            >>> coin = Distribution(["heads", "tails"], [0.5, 0.5])
            >>> two = coin.joint(coin)
            >>> two.independent(two.space.where(0, "heads"), two.space.where(1, "heads"))
            True
            >>> Distribution(["flood", "quake", "neither"], [5e-4, 5e-4, 0.999]).independent("flood", "quake")
            False
        """
        first, second = self._space.event(one), self._space.event(other)
        if tolerance is not None:
            return abs(self(first & second) - self(first) * self(second)) <= tolerance
        parts = first & second, ~(first | second), first - second, second - first
        masses = (self._probs[..., part.mask].sum(axis=-1, dtype=np.float64) for part in parts)
        both, neither, alone, other_alone = masses
        left, right = both * neither, alone * other_alone
        about = np.finfo(self._probs.dtype)
        rounding = max(1e-6, 8 * float(about.eps)) * np.maximum(left, right)
        # Below the smallest numbers of the dtype everything is 0, independent or not.
        same = np.abs(left - right) <= rounding + 0.5 * self._probs.shape[-1] * float(about.smallest_subnormal)
        return bool(same) if self._probs.ndim == 1 else same

    def joint(self, *others: "Distribution") -> "Distribution":
        """The joint distribution of independent experiments, on the product of their spaces: P(x, y) = P(x) Q(y).

        `P.joint(Q)` and `Distribution.joint(P, Q)` are the same. A single distribution goes with every row of a batch.

        Raises:
            ShapeError: if the batches have different sizes.
        Example:
            >>> coin = Distribution(["heads", "tails"], [0.5, 0.5])
            >>> coin.joint(coin)(("heads", "tails"))
            0.25
        """
        every = (self, *others)
        sizes = {len(part) for part in every if part.probs.ndim == 2}
        if len(sizes) > 1:
            raise ShapeError(
                f"Batches must have the same number of rows to be joined; got {' and '.join(map(str, sorted(sizes)))}. "
                "Try P[i] to join one row with every row."
            )
        probs = every[0].probs
        for part in every[1:]:
            table = probs[..., :, None] * part.probs[..., None, :]
            probs = table.reshape(*table.shape[:-2], table.shape[-2] * table.shape[-1])
        return Distribution._of(SampleSpace.product(*(part.space for part in every)), probs)

    def marginal(self, *factors: int | SampleSpace) -> "Distribution":
        """The distribution of some factors of a product space: P(x) = sum_y P(x, y).

        Factors are given by their positions or as spaces. One gives a distribution on that space, several one on their
        product, in the order given.

        Raises:
            ProbabilityError: if the space is not a product, or a factor is unknown, repeated or missing.
        Example:
            >>> sky = SampleSpace.product(["rain", "dry"], ["cloud", "clear"])
            >>> Distribution(sky, [0.1, 0.0, 0.1, 0.8]).marginal(1)
            Distribution({cloud: 0.2, clear: 0.8})
        """
        axes = [self._space.factor_index(factor) for factor in factors]
        if not axes or len(set(axes)) < len(axes):
            raise ProbabilityError(
                f"A marginal must keep one or more different factors; got {axes}. Try P.marginal(0)."
            )
        spaces = self._space.factors
        batch = self._probs.shape[:-1]
        table = self._probs.reshape(*batch, *(len(space) for space in spaces))
        dropped = tuple(len(batch) + axis for axis in range(len(spaces)) if axis not in axes)
        kept = np.asarray(table.sum(axis=dropped))
        order = [len(batch) + sorted(axes).index(axis) for axis in axes]
        kept = kept.transpose(*range(len(batch)), *order)
        space = spaces[axes[0]] if len(axes) == 1 else SampleSpace.product(*(spaces[axis] for axis in axes))
        return Distribution._of(space, np.minimum(kept.reshape(*batch, len(space)), 1))

    def mode(self) -> Any:
        """The likeliest outcome, the first of equal ones; for a batch a list of n outcomes.

        Example:
            >>> Distribution(["Shirt", "Coat"], [[0.2, 0.8], [0.7, 0.3]]).mode()
            ['Coat', 'Shirt']
        """
        return self._named(self._probs.argmax(axis=-1).tolist())

    def top(self, count: int = 3) -> Any:
        """The `count` likeliest outcomes with their probabilities, the likeliest first; for a batch a list per row.

        Example:
            >>> Distribution(["Shirt", "Coat", "Bag"], [0.5, 0.3, 0.2]).top(2)
            [('Shirt', 0.5), ('Coat', 0.3)]
        """
        if count < 1:
            raise ProbabilityError(f"count must be at least 1; got {count}. Try P.top(3).")
        order = ranked(np.atleast_2d(self._probs))[:, :count]
        values = np.take_along_axis(np.atleast_2d(self._probs), order, axis=1).tolist()
        pairs = [list(zip(*row, strict=True)) for row in zip(self._named(order.tolist()), values, strict=True)]
        return pairs[0] if self._probs.ndim == 1 else pairs

    def entropy(self) -> Answer:
        """H(P) = -sum_x P(x) log P(x) in nats: 0 if one outcome is certain, log k if all are equally likely.

        Example:
            >>> Distribution(["heads", "tails"], [0.5, 0.5]).entropy().__round__(4)
            0.6931
        """
        values = entropy(self)
        return float(values) if self._probs.ndim == 1 else values

    def sample(self, size: int | None = None, seed: "int | np.random.Generator | None" = None) -> Any:
        """Outcomes drawn at random; an outcome of probability 0 never comes.

        `size` is how many draws from each distribution, in a list; None draws one outcome. For a batch there is one of
        these per row. A seed of None draws differently every time, a number the same, and a generator continues.

        Example:
            >>> coin = Distribution(["heads", "tails"], [1.0, 0.0])
            >>> coin.sample(), coin.sample(3)
            ('heads', ['heads', 'heads', 'heads'])
        """
        if size is not None and size < 0:
            raise ProbabilityError(f"size must be at least 0; got {size}. Try P.sample(10).")
        reached = np.cumsum(np.atleast_2d(self._probs), axis=1, dtype=np.float64)
        # Dividing makes the last one exactly 1, above every draw, whatever the rows sum to.
        reached /= reached[:, -1:]
        draws = np.random.default_rng(seed).random((len(reached), 1 if size is None else size))
        drawn = np.zeros(draws.shape, dtype=np.intp)
        for column in range(reached.shape[1] - 1):
            drawn += draws >= reached[:, column, None]
        drawn = drawn[:, 0] if size is None else drawn
        return self._named((drawn[0] if self._probs.ndim == 1 else drawn).tolist())

    def _mass(self, mask: np.ndarray) -> Answer:
        probs = self._probs
        columns = np.flatnonzero(mask)
        if probs.ndim == 1:
            # Also turns -0.0 into 0.0 and rounds only once.
            return min(max(0.0, math.fsum(probs[columns].tolist())), 1.0)
        if len(columns) == 0:
            return np.zeros(len(probs), dtype=probs.dtype)
        if probs.dtype.itemsize < 4:
            total = probs[:, columns].sum(axis=1, dtype=np.float32).astype(probs.dtype)
        elif len(columns) <= 2:
            # Two strided passes still beat a matrix product over all columns.
            total = probs[:, columns[0]] + (probs[:, columns[1]] if len(columns) == 2 else 0)
        else:
            total = probs @ mask.astype(probs.dtype)
        return np.minimum(total, 1, out=total)

    def _condition_mass(self, condition: Event) -> Answer:
        part = self._mass(condition.mask)
        rows = np.atleast_1d(part)
        tiny = rows < IMPROBABLE
        if not tiny.any():
            return part
        impossible = rows == 0
        first = int(np.argmax(impossible if impossible.any() else tiny))
        where = f" in row {first}" if self._probs.ndim > 1 else ""
        if impossible.any():
            count = int(np.count_nonzero(impossible))
            others = f" ({count} of {len(rows)} rows)" if count > 1 else ""
            raise ImpossibleEventError(
                f"A condition must have a probability above 0; got 0 for {condition!r}{where}{others}. "
                f"P(E given F) divides by P(F). Try a larger event{' or other rows' if where else ''}."
            )
        warnings.warn(
            f"A condition should have a probability of at least {IMPROBABLE:g}; got {rows[first]:.3g} for "
            f"{condition!r}{where}. The answer rests on almost nothing. Try a larger event.",
            ImprobableConditionWarning,
            stacklevel=3,
        )
        return part
