"""Sample spaces and events: what can happen, and which part of it a question is about."""

import itertools
import math
import operator
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, Self, TypeAlias

import numpy as np

from likely.errors import ProbabilityError, ShapeError, SpaceMismatchError, UnknownOutcomeError, nearest
from likely.probability.outcomes import first_twelve, outcome_name, read_outcomes, shown

EventLike: TypeAlias = Hashable | Iterable[Hashable] | Callable[[Any], object]
"""An event (which is hashable), an outcome, a collection of outcomes, or a predicate on outcomes."""


class SampleSpace:
    """The possible outcomes of an experiment, S = {x_1, ..., x_k}: ordered, unique, never empty.

    Two spaces are equal if they have the same outcomes in the same order. NumPy scalars become Python values, so
    that names from an array read like names from a list. A set has no order and a string would fall into letters:
    both are refused, as are no outcome, a repeated one, and one that cannot be hashed, with a ProbabilityError.

    Example:
        >>> S = SampleSpace(["rain", "sun", "wind", "cloud"])
        >>> S.event("rain", "wind")
        Event({rain, wind})
        >>> len(S), "sun" in S, S.index("wind")
        (4, True, 2)
    """

    __slots__ = ("_factors", "_index", "_outcomes")

    def __init__(self, outcomes: Iterable[Hashable]) -> None:
        self._index, self._factors = read_outcomes(outcomes), tuple[SampleSpace, ...]()
        self._outcomes = tuple(self._index)

    @classmethod
    def product(cls, *factors: "SampleSpace | Iterable[Hashable]") -> Self:
        """S x T x ...: outcomes are tuples, the last factor varies fastest; `factors` keeps the spaces.

        Example:
            >>> sky = SampleSpace.product(["rain", "dry"], ["cloud", "clear"])
            >>> list(sky)
            [('rain', 'cloud'), ('rain', 'clear'), ('dry', 'cloud'), ('dry', 'clear')]
        """
        if not factors:
            raise ProbabilityError("A product must have at least one factor; got none. Try SampleSpace.product(S, T).")
        spaces = tuple(map(as_space, factors))
        space = cls(itertools.product(*spaces))
        space._factors = spaces
        return space

    @property
    def outcomes(self) -> tuple[Hashable, ...]:
        """The outcomes in order."""
        return self._outcomes

    @property
    def factors(self) -> "tuple[SampleSpace, ...]":
        """The spaces that a product was made of; empty for any other space."""
        return self._factors

    @property
    def empty(self) -> "Event":
        """The event that never occurs."""
        return Event(self, np.zeros(len(self), dtype=bool))

    @property
    def all(self) -> "Event":
        """The event that always occurs: the whole space."""
        return Event(self, np.ones(len(self), dtype=bool))

    def event(self, *arguments: EventLike) -> "Event":
        """The subset that the arguments name together (their union; none gives the empty event).

        An argument is looked up as an outcome first, so that tuples are outcomes of a product space. Otherwise it
        is an event of this space, a predicate on outcomes, or a collection of outcomes.

        Raises:
            UnknownOutcomeError, SpaceMismatchError: if an outcome or event does not belong to the space.
        Example:
            >>> dice = SampleSpace(range(1, 7))
            >>> dice.event(6), dice.event({1, 2}, 6), dice.event(lambda eyes: eyes % 2 == 0)
            (Event({6}), Event({1, 2, 6}), Event({2, 4, 6}))
        """
        mask = np.zeros(len(self), dtype=bool)
        for argument in arguments:
            mask[self._read(argument)] = True
        return Event(self, mask)

    def where(self, factor: "int | SampleSpace", *arguments: EventLike) -> "Event":
        """In a product space: the outcomes whose entry at `factor` lies in the event of that factor.

        Example:
            >>> SampleSpace.product(["rain", "dry"], ["cloud", "clear"]).where(0, "rain")
            Event({(rain, cloud), (rain, clear)})
        """
        axis = self.factor_index(factor)
        inner = self._factors[axis].event(*arguments).mask
        after = math.prod(len(space) for space in self._factors[axis + 1 :])
        return Event(self, np.resize(np.repeat(inner, after), len(self)))

    def index(self, outcome: Hashable) -> int:
        """The position of an outcome, counted from 0; an UnknownOutcomeError names the nearest one."""
        if (position := self._find(outcome)) is None:
            raise self._unknown(outcome)
        return position

    def factor_index(self, factor: "int | SampleSpace") -> int:
        """The position of a factor of a product, given as that or as the space; a ProbabilityError if it is not one."""
        count = len(self._factors)
        if not count:
            raise ProbabilityError(
                f"The space must be a product; got {self!r}. Only products have factors. Try SampleSpace.product(S, T)."
            )
        if isinstance(factor, SampleSpace):
            found = [axis for axis, space in enumerate(self._factors) if space == factor]
            if len(found) == 1:
                return found[0]
            rule, error = ("one", ProbabilityError) if found else ("a", SpaceMismatchError)
            raise error(
                f"The space must be {rule} factor of the product; got {factor!r}, which is {len(found)} of its {count} "
                f"factors. Try its position, 0 to {count - 1}."
            )
        axis = operator.index(factor)
        if not -count <= axis < count:
            raise ProbabilityError(f"A factor must be from 0 to {count - 1}; got {axis}. The product has {count}.")
        return axis % count

    def __len__(self) -> int:
        return len(self._outcomes)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._outcomes)

    def __contains__(self, outcome: object) -> bool:
        return self._find(outcome) is not None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SampleSpace):
            return NotImplemented
        return self is other or self._outcomes == other._outcomes

    def __hash__(self) -> int:
        return hash(self._outcomes)

    def __repr__(self) -> str:
        return f"SampleSpace([{first_twelve(self, repr)}])"

    def _find(self, outcome: object) -> int | None:
        try:
            return self._index.get(outcome)  # pyright: ignore[reportArgumentType] - what cannot be hashed is caught
        except TypeError:
            return None

    def _read(self, argument: Any) -> Any:
        if (position := self._find(argument)) is not None:
            return position
        if isinstance(argument, Event):
            check_same_space(self, argument.space)
            return argument.mask
        if callable(argument):
            return [i for i, outcome in enumerate(self._outcomes) if argument(outcome)]
        of_product = bool(self._factors) and isinstance(argument, tuple) and not all(part in self for part in argument)
        if of_product or isinstance(argument, str | bytes) or not isinstance(argument, Iterable):
            raise self._unknown(argument)
        return np.array([self.index(outcome) for outcome in argument], dtype=np.intp)

    def _unknown(self, outcome: object) -> UnknownOutcomeError:
        hint = nearest(outcome, self._outcomes) if isinstance(outcome, Hashable) else "Outcomes are hashable values."
        axis = next((axis for axis, factor in enumerate(self._factors) if outcome in factor), None)
        if axis is not None:
            hint = f"It is an outcome of factor {axis}. Try space.where({axis}, {outcome!r})."
        return UnknownOutcomeError(f"An outcome must be in the sample space; got {shown(outcome)}. {hint}")


def _operator(combine: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> "Callable[[Event, object], Event]":
    def combined(self: "Event", other: object) -> "Event":
        if not isinstance(other, Event):
            return NotImplemented
        check_same_space(self.space, other.space)
        return Event(self.space, combine(self.mask, other.mask))

    return combined


class Event:
    """A subset of a sample space. Most are made by `space.event(...)`.

    The set operators hold: `E | F`, `E & F`, `E - F`, `E ^ F`, `~E`, `E <= F`, `x in E`, `len(E)`. Events are
    equal if both their outcomes and their spaces are. The mask (k,) says which outcomes of the space belong to it.

    Example:
        >>> S = SampleSpace(["Sandal", "Sneaker", "Bag", "Ankle boot"])
        >>> footwear = S.event("Sandal", "Sneaker", "Ankle boot")
        >>> ~footwear, footwear - S.event("Sandal"), "Bag" in footwear
        (Event({Bag}), Event({Sneaker, Ankle boot}), False)
    """

    __slots__ = ("_mask", "_space")

    def __init__(self, space: SampleSpace, mask: np.ndarray) -> None:
        given = np.asarray(mask)
        if given.shape != (len(space),) or given.dtype != np.bool_:
            raise ShapeError(
                f"A mask must be {len(space)} booleans, one per outcome; got {given.dtype} of shape {given.shape}. "
                "Try space.event(...) with outcomes."
            )
        self._space, self._mask = space, given.copy()
        self._mask.flags.writeable = False

    @property
    def space(self) -> SampleSpace:
        """The space that the event lies in."""
        return self._space

    @property
    def mask(self) -> np.ndarray:
        """Booleans of shape (k,), read-only: which outcomes of the space belong to the event."""
        return self._mask

    @property
    def outcomes(self) -> tuple[Hashable, ...]:
        """The outcomes of the event, in the order of its space."""
        return tuple(itertools.compress(self._space.outcomes, self._mask.tolist()))

    def isdisjoint(self, other: EventLike) -> bool:
        """Whether no outcome lies in both: they cannot occur together."""
        return not (self._mask & self._space.event(other).mask).any()

    def issubset(self, other: EventLike) -> bool:
        """Whether every outcome of this event lies in the other: this one implies the other."""
        return not (self._mask & ~self._space.event(other).mask).any()

    __or__ = _operator(operator.or_)
    __and__ = _operator(operator.and_)
    __xor__ = _operator(operator.xor)
    __sub__ = _operator(lambda mine, theirs: mine & ~theirs)

    def __invert__(self) -> "Event":
        return Event(self._space, ~self._mask)

    def __le__(self, other: object) -> bool:
        return self.issubset(other) if isinstance(other, Event) else NotImplemented

    def __lt__(self, other: object) -> bool:
        return self.issubset(other) and self != other if isinstance(other, Event) else NotImplemented

    def __contains__(self, outcome: object) -> bool:
        return outcome in self._space and bool(self._mask[self._space.index(outcome)])

    def __len__(self) -> int:
        return int(np.count_nonzero(self._mask))

    def __iter__(self) -> Iterator[Any]:
        return iter(self.outcomes)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Event):
            return NotImplemented
        return self._space == other._space and bool((self._mask == other._mask).all())

    def __hash__(self) -> int:
        return hash((self._space, self._mask.tobytes()))

    def __reduce__(self) -> "tuple[type[Event], tuple[SampleSpace, np.ndarray]]":
        return Event, (self._space, self._mask)

    def __repr__(self) -> str:
        return f"Event({{{first_twelve(self, outcome_name)}}})"


def check_same_space(one: SampleSpace, other: SampleSpace) -> None:
    """Raise SpaceMismatchError unless the spaces are equal; the message says where they part.

    Example:
        >>> check_same_space(SampleSpace("a b".split()), SampleSpace(["a", "c"]))
        Traceback (most recent call last):
        likely.errors.SpaceMismatchError: Both sample spaces must be the same; got 'b' and 'c' at position 1. ...
    """
    if one == other:
        return
    came = f"{len(one)} and {len(other)} outcomes"
    if len(one) == len(other):
        at = next(i for i, (mine, theirs) in enumerate(zip(one, other, strict=True)) if mine != theirs)
        came = f"{shown(one.outcomes[at])} and {shown(other.outcomes[at])} at position {at}"
    raise SpaceMismatchError(
        f"Both sample spaces must be the same; got {came}. Events answer only about their own space. "
        "Try space.event(*event) to read the outcomes in the other space."
    )


def as_space(space: SampleSpace | Iterable[Hashable]) -> SampleSpace:
    """The space itself, or that of these outcomes."""
    return space if isinstance(space, SampleSpace) else SampleSpace(space)
