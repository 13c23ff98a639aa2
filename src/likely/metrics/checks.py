"""Whether arrays can be evaluated: rows of probabilities, labels that are classes, finite numbers; if not, where."""

from collections.abc import Callable

import numpy as np

from likely.errors import ConfigError, DataError, ProbabilityError, ShapeError
from likely.probability.simplex import check_probabilities


def classified(probs: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same probabilities and labels, once they are seen to fit each other."""
    probs = distributions(probs, "probs")
    return probs, classes(labels, *probs.shape)


def distributions(probs: np.ndarray, name: str) -> np.ndarray:
    """The same rows as floats, once each is seen to be a distribution."""
    checked = check_probabilities(probs, what=name)
    if checked.ndim != 2 or not len(checked):
        raise ShapeError(f"{name} must have shape (n, k) with at least one row; got shape {checked.shape}.")
    return checked


def classes(labels: np.ndarray, n: int, k: int) -> np.ndarray:
    """The same labels as int64, once each is seen to be a class."""
    labels = np.asarray(labels)
    if labels.shape != (n,) or labels.dtype.kind not in "iu":
        raise ShapeError(f"labels must be {n} integers, one per row; got {labels.dtype} of shape {labels.shape}.")
    refuse((labels < 0) | (labels >= k), labels, f"labels must be classes 0..{k - 1}")
    return labels.astype(np.int64)


def event(probability: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The probabilities of an event as float64 and whether it happened as 0 or 1, once they are seen to fit."""
    p, happened = event_probability(probability), np.asarray(inside)
    if happened.shape != p.shape or happened.dtype.kind not in "biu":
        raise ShapeError(
            f"inside must be {len(p)} booleans, one per row; got {happened.dtype} of shape {happened.shape}."
        )
    refuse((happened != 0) & (happened != 1), happened, "inside must be true or false")
    return p, happened.astype(np.float64)


def event_probability(probability: np.ndarray) -> np.ndarray:
    """The probabilities of an event as float64, once each is seen to be one."""
    p = np.asarray(probability)
    if p.ndim != 1 or p.dtype.kind not in "fiub" or not p.size:
        raise ShapeError(f"probability must be numbers of shape (n,), at least one; got {p.dtype} of shape {p.shape}.")
    # A sum of float32 probabilities may pass 1 by its rounding.
    slack = 1e-6
    refuse(~((p >= -slack) & (p <= 1 + slack)), p, "probability must lie in [0, 1]", "Try P(event).", ProbabilityError)
    return np.clip(p.astype(np.float64), 0.0, 1.0)


def strictly_between_0_and_1(value: float, name: str, usual: float = 0.95) -> None:
    """Refuse a level, a coverage or a bound of an error that promises nothing, or everything."""
    if not 0 < value < 1:
        raise ConfigError(f"{name} must be strictly between 0 and 1; got {value}. Try {name}={usual}.")


def above_0_at_most_1(value: float, name: str, usual: float) -> None:
    """Refuse a share that is none."""
    if not 0 < value <= 1:
        raise ConfigError(f"{name} must be above 0 and at most 1; got {value}. Try {usual}.")


def marked(values: np.ndarray, marks: np.ndarray, names: str) -> tuple[np.ndarray, np.ndarray]:
    """Numbers as float64 and booleans beside them, once they are seen to be of one shape (n,)."""
    numbers, flags = np.asarray(values, dtype=np.float64), np.asarray(marks)
    if numbers.ndim != 1 or not len(numbers) or flags.shape != numbers.shape or flags.dtype != np.bool_:
        raise ShapeError(
            f"{names} must be numbers and booleans of one shape (n,), n >= 1; got {numbers.shape} and {flags.dtype} "
            f"of {flags.shape}."
        )
    return numbers, flags


def refuse_negative(values: np.ndarray, name: str) -> None:
    """Refuse numbers (n,) of which one is negative, NaN or infinite."""
    refuse(~(np.isfinite(values) & (values >= 0)), values, f"{name} must be finite and not negative")


def refuse(
    bad: np.ndarray, values: np.ndarray, rule: str, fix: str = "", error: Callable[[str], Exception] = DataError
) -> None:
    """Raise an error that names the first row of values where it is `bad`, if there is one."""
    if bad.any():
        row = int(bad.argmax())
        raise error(f"{rule}; got {values[row]} in row {row}. {fix}".rstrip())


def finite_rows(values: np.ndarray, name: str, first: int = 0, *, masked: bool = False) -> np.ndarray:
    """The same values as float64, once each is seen to be finite; or some of a row -inf, where they may be masked."""
    return np.asarray(seen_finite(values, name, first, masked=masked), dtype=np.float64)


def seen_finite(values: np.ndarray, name: str, first: int = 0, *, masked: bool = False) -> np.ndarray:
    """`finite_rows` in the dtype that they have, which takes no memory."""
    values = np.asarray(values)
    if values.ndim != 2 or values.dtype.kind not in "fiub":
        raise ShapeError(f"{name} must be numbers of shape (n, d); got {values.dtype} of shape {values.shape}.")
    usable = np.isfinite(values).all(axis=1)
    if masked and not usable.all():
        usable = (values < np.inf).all(axis=1) & (values > -np.inf).any(axis=1)
    if not usable.all():
        row = first + int((~usable).argmax())
        allowed = " Only -inf is allowed, for labels that can't be, and not for all of a row." if masked else ""
        raise DataError(f"{name} must be finite; got NaN or infinity in row {row}.{allowed}")
    return values


def numbers(values: np.ndarray, name: str) -> np.ndarray:
    """The same values as float64, once each is seen to be finite."""
    values = np.asarray(values)
    if values.ndim not in (1, 2) or values.dtype.kind not in "fiub" or not values.size:
        raise ShapeError(
            f"{name} must be numbers of shape (n,) or (n, m), at least one; got {values.dtype} of shape {values.shape}."
        )
    finite = np.isfinite(values.reshape(len(values), -1)).all(axis=1)
    if not finite.all():
        row = int((~finite).argmax())
        raise DataError(f"{name} must be finite; got NaN or infinity in row {row}.")
    return values.astype(np.float64)
