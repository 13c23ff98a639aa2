"""The answers that a model is scored on: seen to be of its kind, one for each row."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from likely.arrays import to_numpy
from likely.errors import DataError, ShapeError, nearest
from likely.probability.simplex import check_probabilities


def one_column(y: Any) -> np.ndarray:
    """The answers as an array; those in one column, such as a frame's or of shape (n, 1), as (n,).

    Example:
        >>> one_column([["a"], ["b"]])
        array(['a', 'b'], dtype='<U1')
    """
    values = to_numpy(y)
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def true_numbers(y: Any, shape: tuple[int, ...]) -> np.ndarray:
    """The true numbers as float64 of this shape, that of the predictions: (n,), or (n, m) for several targets.

    Raises:
        ShapeError, DataError: if they have another shape, there are none, or one is no finite number; naming its row.
    Example:
        >>> true_numbers([[1.5], [2.5]], (2,))
        array([1.5, 2.5])
    """
    values = to_numpy(y) if len(shape) == 2 else one_column(y)
    if values.shape != shape or not values.size:
        raise ShapeError(
            f"y must have {'a row' if len(shape) == 2 else 'one number'} per row of X, shape {shape}, and X at least "
            f"one; got shape {values.shape}. Check that both are of the same rows."
        )
    try:
        if values.dtype.kind in "USMmc":
            raise TypeError
        numbers = values.astype(np.float64)
    except (TypeError, ValueError):
        raise DataError(
            f"y must hold numbers, like those that the model predicts; got {values.reshape(-1).tolist()[0]!r} first. "
            "Try y.astype(float)."
        ) from None
    finite = np.isfinite(numbers.reshape(len(numbers), -1)).all(axis=1)
    if not finite.all():
        raise DataError(f"y must be finite; got NaN or infinity in row {int((~finite).argmax())}. Drop the row.")
    return numbers


def true_classes(y: Any, labels: Sequence[Any], n: int) -> np.ndarray:
    """The number of each label, (n,) or (n, 1), among those of the model; -1 for one that it does not know.

    Raises:
        ShapeError: if there is not one label per row.
        DataError: if a label is missing or of another kind (text, numbers, booleans), or the model knows none of them.
    Example:
        >>> true_classes(["no", "maybe"], ("no", "yes"), 2)
        array([ 0, -1])
    """
    values = one_column(y)
    if values.shape != (n,):
        got = len(values) if values.ndim == 1 else f"shape {values.shape}"
        raise ShapeError(
            f"y must have one label per row; got {got} for {n} rows. Check that both are of the same rows."
        )
    listed = values.tolist()
    for row, value in enumerate(listed):
        if value is None or value != value:
            raise DataError(f"y must have a label in every row; got {value} in row {row}. Drop the row.")
        if _kind(value) is not _kind(labels[0]):
            raise DataError(
                f"y must hold labels of the model's kind, such as {labels[0]!r}; got {value!r} in row {row}. Try "
                f"y.astype({type(labels[0]).__name__})."
            )
    number = {label: i for i, label in enumerate(labels)}
    classes = np.array([number.get(value, -1) for value in listed], dtype=np.int64)
    if n and (classes < 0).all():
        raise DataError(f"y must hold labels of the model; got {listed[0]!r}. {nearest(listed[0], labels)}")
    return classes


def classes_or_distributions(y: Any, labels: Sequence[Any], names: Sequence[str], n: int) -> np.ndarray:
    """The classes of n rows, shape (n,), or their label distributions (n, k), seen to be about labels of the model.

    Raises:
        ShapeError, DataError: as `true_classes`, and if the model does not know one of the labels.
        ProbabilityError: if a row of y is no distribution.
    Example:
        >>> classes_or_distributions([[0.5, 0.5]], ("no", "yes"), ("no", "yes"), 1)
        array([[0.5, 0.5]])
    """
    values = one_column(y)
    if values.ndim == 2:
        Y = check_probabilities(values, names, what="y").astype(np.float64)
        if len(Y) != n:
            raise ShapeError(f"y must have one label per row; got {len(Y)} for {n} rows. Check both.")
        return Y
    classes = true_classes(values, labels, n)
    if (classes < 0).any():
        unknown = values.tolist()[int((classes < 0).argmax())]
        raise DataError(f"y must hold labels of the model; got {unknown!r}. {nearest(unknown, labels)}")
    return classes


def _kind(label: Any) -> type:
    return bool if isinstance(label, bool) else str if isinstance(label, str) else float
