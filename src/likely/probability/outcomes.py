"""What can be an outcome, and how outcomes are written."""

import itertools
import reprlib
from collections.abc import Callable, Collection, Hashable, Iterable
from typing import Any

import numpy as np

from likely.arrays import to_numpy
from likely.errors import ProbabilityError


def read_outcomes(outcomes: object) -> dict[Hashable, int]:
    """The outcomes of a space with their positions, in order; NumPy scalars become Python values.

    Raises:
        ProbabilityError: if there is no order, no outcome, a repeated one, or one that cannot be looked up.
    Example:
        >>> read_outcomes(np.array(["heads", "tails"]))
        {'heads': 0, 'tails': 1}
    """
    return _positions([x.item() if isinstance(x, np.str_ | np.bool_ | np.number) else x for x in _ordered(outcomes)])


def outcome_name(outcome: object) -> str:
    """An outcome as people write it in a set: readable strings without quotes, tuples of a product in parentheses.

    Example:
        >>> outcome_name(("rain", "cloud"))
        '(rain, cloud)'
    """
    if isinstance(outcome, tuple):
        return f"({', '.join(outcome_name(part) for part in outcome)})"
    return outcome if isinstance(outcome, str) and outcome.strip() and outcome.isprintable() else repr(outcome)


def shown(value: object) -> str:
    """A value for messages: short, and of an array only its shape.

    Example:
        >>> shown(np.zeros((2, 3)))
        'ndarray of shape (2, 3)'
    """
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"{type(value).__name__} of shape {tuple(shape)}"
    return reprlib.repr(value)


def first_twelve(outcomes: Collection[Any], name: Callable[[Any], str]) -> str:
    """The first outcomes by their names, and how many more there are."""
    more = f", and {len(outcomes) - 12} more" if len(outcomes) > 12 else ""
    return ", ".join(map(name, itertools.islice(outcomes, 12))) + more


def _ordered(outcomes: object) -> Iterable[object]:
    if isinstance(outcomes, str | bytes):
        raise ProbabilityError(
            f"Outcomes must be a collection; got the text {shown(outcomes)}. It would be split into letters. Try "
            f"SampleSpace([{shown(outcomes)}]), or list(...) if letters are meant."
        )
    if isinstance(outcomes, set | frozenset):
        raise ProbabilityError(
            f"Outcomes must have an order; got a set of {len(outcomes)}. Probabilities are matched to outcomes by "
            "position. Try a list."
        )
    if hasattr(outcomes, "__array__"):
        return to_numpy(outcomes)
    if not isinstance(outcomes, Iterable):
        raise ProbabilityError(
            f"Outcomes must be a collection; got {shown(outcomes)}. Try SampleSpace([{shown(outcomes)}])."
        )
    return outcomes


def _positions(outcomes: list[object]) -> dict[Hashable, int]:
    index: dict[Hashable, int] = {}
    for position, outcome in enumerate(outcomes):
        try:
            first = index.setdefault(outcome, position)
        except TypeError as error:
            raise ProbabilityError(
                f"Every outcome must be hashable; got {shown(outcome)} at position {position}. "
                "Outcomes are looked up by value. Try a tuple or a string."
            ) from error
        if first != position:
            raise ProbabilityError(
                f"Outcomes must be unique; got {shown(outcome)} at positions {first} and {position}. "
                "Two outcomes cannot occur at once. Try naming it once."
            )
        if outcome != outcome:
            raise ProbabilityError(
                f"Every outcome must equal itself; got {shown(outcome)} at position {position}. "
                "It could never be looked up. Try a name such as 'missing'."
            )
    if not index:
        raise ProbabilityError(
            "A sample space must have at least one outcome; got none. Probabilities over nothing cannot sum to 1."
        )
    return index
