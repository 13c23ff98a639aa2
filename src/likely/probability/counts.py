"""From counts to relative frequencies, and from mappings to columns."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from likely.errors import ProbabilityError, ShapeError
from likely.probability.simplex import float_rows, place, row_sums
from likely.probability.space import SampleSpace


def frequencies(space: SampleSpace, counts: Mapping[Hashable, Any] | Any) -> np.ndarray:
    """Counts divided by their sum, (k,) or (n, k), float64 for whole numbers, else the dtype of the counts.

    A ProbabilityError says that a count is negative or not finite, or a row counts nothing.

    Example:
        >>> frequencies(SampleSpace(["heads", "tails"]), {"heads": 3, "tails": 1})
        array([0.75, 0.25])
    """
    values = columns(space, counts) if isinstance(counts, Mapping) else counts
    array = float_rows(values, space.outcomes, "counts")
    wrong = ~(np.isfinite(array) & (array >= 0))
    if wrong.any():
        value, where = place(array, wrong, space.outcomes)
        raise ProbabilityError(f"Counts must be finite and not negative; got {value:.6g} {where}.")
    with np.errstate(over="ignore"):
        totals = np.asarray(row_sums(array))
    if not np.isfinite(totals).all():
        raise ProbabilityError(f"Counts must have a finite sum; got more than {array.dtype} holds. Try smaller counts.")
    if not totals.all():
        row = f"row {np.flatnonzero(totals == 0)[0]}" if array.ndim > 1 else "the whole space"
        raise ProbabilityError(
            f"Counts must have a sum above 0; got only zeros in {row}. Try adding 1 to every count, which starts from "
            "equal frequencies."
        )
    return (array / totals[..., None]).astype(array.dtype, copy=False)


def columns(space: SampleSpace, values: Mapping[Hashable, Any]) -> np.ndarray:
    """The values of a mapping in the order of the space, on the last axis; 0 for outcomes that it leaves out."""
    # False is 0 in the narrowest dtype: it leaves float32 columns float32.
    ordered: list[Any] = [False] * len(space)
    for outcome, value in values.items():
        ordered[space.index(outcome)] = value
    try:
        return np.stack(np.broadcast_arrays(*ordered), axis=-1)
    except ValueError as error:
        what = "The values of a mapping must be numbers or arrays of one length; got several lengths."
        raise ShapeError(what) from error
