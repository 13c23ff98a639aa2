"""Numbers so far from all others of their column that nothing else of it would be left to learn from."""

import numpy as np

from likely.data.dataset import Dataset
from likely.errors import DataError
from likely.preprocessing.stored_rows import pieces

FARTHEST = 1e12
"""How many typical distances from the median a number may lie."""

_LARGEST = 1e150  # beyond about that a square overflows float64


def refuse_far(dataset: Dataset, *, in_memory: bool = False) -> None:
    """Refuse numbers or targets that lie too far from the others, in any part, by what the training part is like.

    One value of 1e300 among values of about 1 makes a standard deviation beside which these are all the same. A number
    x of a column is refused if

        |x - median| > 1e12 max(1, |median|, s (q / s)^4)    or    |x| > 1e150

    where s is the median distance from the median of the training values that are not at it, and q the distance that
    three quarters of them keep, both without the largest. The power keeps columns of many orders of magnitude.

    With `in_memory` the message, which names row and column, is about X and y, not about a part of a source.

    Raises:
        DataError: if there is such a number.
    """
    named = [(name, part) for name, part in dataset.parts.items() if len(part)]
    blocks: dict[str, list[np.ndarray]] = {}
    if dataset.train.X.ndim == 2:
        blocks["numbers"] = [np.asarray(part.X) for _, part in named]
    if dataset.task == "regression":
        blocks["targets"] = [part.y.reshape(len(part), -1) for _, part in named]
    for what, values in blocks.items():
        for (name, part), rows in zip(named, values, strict=True):
            found = first_far(rows, values[0])
            if found is None:
                continue
            row, j = found
            called = "training" if name == "train" else name
            number = row if part.numbers is None else int(part.numbers[row])
            where = ("X" if what == "numbers" else "y") if in_memory else f"The {called} part of {dataset.name}"
            raise DataError(
                f"{where} must hold {what} that can be learned from together; got "
                f"{rows[row, j]:g}{_place(dataset, what, j, rows.shape[1])} at row {number}. It is so far from the "
                "others that they would become indistinguishable. Fix or drop it; if it stands for a missing value, "
                "leave the cell empty."
            )


def first_far(rows: np.ndarray, train: np.ndarray) -> tuple[int, int] | None:
    """Row and column of the first number of `rows` (n, d) that lies too far from those of `train` (m, d), if any.

    NaN is not looked at.

    Example:
        >>> train = np.array([[1.0, 1e9], [2.0, 2e9], [3.0, -999.0], [2.0, 1e10]])
        >>> first_far(train, train) is None, first_far(np.array([[1.0, 1.0], [1e30, 1.0]]), train)
        (True, (1, 0))
    """
    far: list[tuple[int, int]] = []
    # Few columns have such numbers; NaN compares as no.
    large = np.any([(np.abs(piece) > FARTHEST).any(axis=0) for piece in pieces(rows)], axis=0)
    for j in np.flatnonzero(large).tolist():
        column = np.asarray(rows[:, j], dtype=np.float64)
        low, high = _bounds(np.asarray(train[:, j], dtype=np.float64))
        wrong = (column < low) | (column > high)
        if wrong.any():
            far.append((int(wrong.argmax()), j))
    return min(far, default=None)


def _bounds(values: np.ndarray) -> tuple[float, float]:
    """Between which numbers a column may lie, by the training values."""
    values = values[~np.isnan(values)]
    if not len(values):
        return -_LARGEST, _LARGEST
    center = float(np.median(np.clip(values, -_LARGEST, _LARGEST)))
    distances = np.abs(np.clip(values, -_LARGEST, _LARGEST) - center)
    distances = np.sort(distances[distances > 0])[:-1]
    typical = 0.0
    if len(distances):
        spread, most = distances[(len(distances) - 1) // 2], distances[(3 * (len(distances) - 1)) // 4]
        with np.errstate(over="ignore"):
            typical = float(spread * np.power(most / spread, 4))
    reach = FARTHEST * max(1.0, abs(center), typical)
    return max(center - reach, -_LARGEST), min(center + reach, _LARGEST)


def _place(dataset: Dataset, what: str, j: int, n: int) -> str:
    """The column, in words."""
    if what == "targets":
        name = f" {dataset.label!r}" if dataset.label is not None else f" {j}" if n > 1 else ""
        return f" in column{name} of the targets" if n > 1 else f" in column{name}" if name else " as a target"
    return f" in column {j if dataset.features is None else repr(dataset.features[j])}"
