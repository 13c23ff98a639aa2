"""Whether numbers are probabilities: finite, in [0, 1], each row with sum 1; if not, which row and by how much."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from likely.arrays import to_numpy
from likely.errors import ProbabilityError, ShapeError


def check_probabilities(values: Any, outcomes: Sequence[object] | None = None, what: str = "probs") -> np.ndarray:
    """The values as a NumPy array of probabilities, shape (k,) or (n, k); integers become float64.

    Each row must sum to 1 within `sum_tolerance(dtype, k)`. Values that leave [0, 1] by at most 4 units of rounding,
    as 1 - 0.9 - 0.1 does, are moved to its edge.

    `values` are anything that reads as an array, of any library; `outcomes` name the k columns in messages, which call
    the values as `what` says.

    Raises:
        ShapeError: if the shape is not (k,) or (n, k).
        ProbabilityError: if a value is not a finite number in [0, 1] or a row does not sum to 1.
    Example:
        >>> check_probabilities([[0.5, 0.5], [0.5, 0.4]])
        Traceback (most recent call last):
        likely.errors.ProbabilityError: Each row of probs must sum to 1 within 1e-05; got 0.9 in row 1, 0.1 ...
    """
    probs = float_rows(values, outcomes, what)
    if not probs.size:
        return probs
    slack = 4 * float(np.finfo(probs.dtype).eps)
    low, high = probs.min(), probs.max()
    # Also false for NaN, which every comparison refuses.
    if not (low >= -slack and high <= 1 + slack):
        raise _outside(probs, slack, outcomes, what)
    if low < 0 or high > 1:
        probs = np.clip(probs, 0, 1)
    sums = row_sums(probs)
    tolerance = sum_tolerance(probs.dtype, probs.shape[-1])
    wrong = np.abs(sums - 1) > tolerance
    if wrong.any():
        raise _wrong_sum(np.atleast_1d(sums), np.flatnonzero(wrong), tolerance, probs.ndim > 1, what)
    return probs


def sum_tolerance(dtype: Any, n_outcomes: int) -> float:
    """How far a row may be from 1: k eps, but at least 1e-5 and at most 1e-2.

    eps is that of the dtype, or of float32 where that is larger, because many float64 rows were float32 once.

    Example:
        >>> sum_tolerance(np.float32, 10)
        1e-05
    """
    eps = max(float(np.finfo(dtype).eps), float(np.finfo(np.float32).eps))
    return min(max(1e-5, n_outcomes * eps), 1e-2)


def float_rows(values: Any, outcomes: Sequence[object] | None, what: str) -> np.ndarray:
    """The values as floats of shape (k,) or (n, k), not yet checked; floats keep their dtype."""
    try:
        array = to_numpy(values)
    except ValueError as error:
        raise ShapeError(f"{what} must be one rectangular array; got rows of unequal length.") from error
    if array.ndim not in (1, 2) or array.shape[-1] == 0:
        raise ShapeError(
            f"{what} must have shape (k,), or (n, k) for a batch; got shape {array.shape}. The last axis has one "
            "number per outcome."
        )
    if outcomes is not None and array.shape[-1] != len(outcomes):
        raise ShapeError(
            f"{what} must have one number per outcome on the last axis; got shape {array.shape} for {len(outcomes)} "
            "outcomes. The batch axis comes first."
        )
    if array.dtype.kind not in "fiub":
        raise ProbabilityError(f"{what} must be real numbers; got dtype {array.dtype} of shape {array.shape}.")
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def row_sums(array: np.ndarray) -> np.ndarray:
    """Sums over the last axis: a matrix product with ones, which is several times faster than `sum` on short rows."""
    if array.dtype.itemsize < 4:
        return array.sum(axis=-1, dtype=np.float32)
    return np.asarray(array @ np.ones(array.shape[-1], dtype=array.dtype))


def place(array: np.ndarray, wrong: np.ndarray, outcomes: Sequence[object] | None) -> tuple[float, str]:
    """The first value where `wrong` holds, and its place: "for 'Coat' in row 3"."""
    *row, column = (int(i) for i in np.argwhere(wrong)[0])
    where = f"at position {column}" if outcomes is None else f"for {outcomes[column]!r}"
    return float(array[(*row, column)]), where + (f" in row {row[0]}" if row else "")


def _outside(probs: np.ndarray, slack: float, outcomes: Sequence[object] | None, what: str) -> ProbabilityError:
    if not np.isfinite(probs).all():
        value, where = place(probs, ~np.isfinite(probs), outcomes)
        return ProbabilityError(f"{what} must be finite; got {value} {where}. Try checking what computed them.")
    value, where = place(probs, (probs < -slack) | (probs > 1 + slack), outcomes)
    excess = f"{-value:.4g} below 0" if value < 0 else f"{value - 1:.4g} above 1"
    return ProbabilityError(
        f"{what} must lie in [0, 1]; got {value:.6g} {where}, {excess}. "
        "Try likely.softmax for scores or Distribution.from_counts for counts."
    )


def _wrong_sum(sums: np.ndarray, rows: np.ndarray, tolerance: float, batch: bool, what: str) -> ProbabilityError:
    total = float(sums[rows[0]])
    gap = f"{abs(total - 1):.4g} too {'much' if total > 1 else 'little'}"
    where = f" in row {rows[0]}" if batch else ""
    others = f" ({len(rows)} of {len(sums)} rows are wrong)" if len(rows) > 1 else ""
    return ProbabilityError(
        f"{'Each row of ' if batch else ''}{what} must sum to 1 within {tolerance:.3g}; got {total:.6g}{where}, {gap}"
        f"{others}. Try Distribution.from_counts, which divides by the sum."
    )
