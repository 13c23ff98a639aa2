"""The columns of a table of numbers and categories, and the way from their values to a network's input."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from likely.arrays import Array, namespace
from likely.errors import DataError, ShapeError
from likely.preprocessing.power import PowerTransform


@dataclass(frozen=True)
class Column:
    """One column of a table; in a matrix of rows its missing values are NaN, its categories numbers 0, 1, ...

    Args:
        name: as in the table.
        categories: the texts that the column may hold, in the order of their numbers; None for a column of numbers.
        missing: whether values may be missing, because some are in the table that was learned from.
    """

    name: str
    categories: tuple[str, ...] | None = None
    missing: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain values that `from_json` makes an equal column of."""
        categories = None if self.categories is None else list(self.categories)
        return {"name": self.name, "categories": categories, "missing": self.missing}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Column":
        """The column that `to_json` gave the values of; raises ValueError, KeyError or TypeError for others."""
        name, categories, missing = values["name"], values["categories"], values["missing"]
        texts = [name, *([] if categories is None else categories)]
        if len(values) != 3 or not all(isinstance(text, str) for text in texts) or not isinstance(missing, bool):
            raise ValueError(f"column {name!r}")
        return cls(name, None if categories is None else tuple(categories), missing)


@dataclass(frozen=True)
class ColumnTransform:
    """From rows of numbers and categories to a network's input, fitted to training rows.

    Three groups of inputs, in this order:

    numbers     (x - mean) / scale, bent where that was asked for; 0 where x is missing, which is the mean
    indicators  1 where a number is missing, for each column of numbers that may miss some
    categories  1 for the category, 0 for the others; then, for a column that may miss some, 1 for none of them

    An input that is 0 in every training row stays 0: nothing was learned of it.

    Args:
        columns: of the rows, d of them.
        mean: of each column of numbers, over its values that are not missing.
        scale: the standard deviation of each column of numbers; 1 where it does not vary.
        unseen: the inputs that are 0 in every training row.
        power: how the standardized columns of numbers are bent; None if they are not.
    Example:
        >>> columns = (Column("size"), Column("color", ("blue", "red")))
        >>> transform = ColumnTransform.fit(np.array([[1.0, 0], [3.0, 1], [2.0, 1]]), columns)
        >>> transform(np.array([[2.0, 1], [2.0, np.nan]]), np.float64)
        array([[0., 0., 1.],
               [0., 0., 0.]])
    """

    columns: tuple[Column, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    unseen: tuple[int, ...] = ()
    power: PowerTransform | None = None

    @classmethod
    def fit(cls, X: np.ndarray, columns: Sequence[Column], *, power_transform: bool = False) -> "ColumnTransform":
        """The transform for rows like those of X, of shape (n, d).

        Args:
            X: the rows.
            columns: what each column holds.
            power_transform: whether skewed columns of numbers may be made symmetric: see `PowerTransform`.
        Raises:
            ShapeError, DataError: as `check`.
        """
        blank = cls(tuple(columns), (), ())
        rows = blank.check(X)
        mean, scale, unseen = list[float](), list[float](), list[int]()
        standard: list[np.ndarray] = []
        for j in blank._numbers:
            values = rows[~np.isnan(rows[:, j]), j]
            center, spread = mean_and_scale(values[:, None]) if len(values) else (np.zeros(1), np.ones(1))
            mean.append(float(center[0]))
            scale.append(float(spread[0]))
            standard.append((values - center) / spread)
        position = len(blank._numbers)
        for j in blank._indicators:
            unseen += [] if np.isnan(rows[:, j]).any() else [position]
            position += 1
        for j, k in blank._categories:
            codes = rows[:, j]
            present = np.isin(np.arange(k), codes)
            unseen += (position + np.flatnonzero(~present)).tolist()
            position += k
            if columns[j].missing:
                unseen += [] if np.isnan(codes).any() else [position]
                position += 1
        power = PowerTransform.fit(standard) if power_transform else None
        return cls(tuple(columns), tuple(mean), tuple(scale), tuple(unseen), power)

    @property
    def width(self) -> int:
        """The number of inputs."""
        return input_width(self.columns)

    def __call__(self, x: Array, dtype: Any) -> Array:
        """The inputs (n, width) for rows (n, d) that `check` accepts, in their array library and on their device."""
        xp = namespace(x)
        device = getattr(x, "device", None)
        wide = as_floats(x, dtype)

        def constant(values: np.ndarray) -> Array:
            return xp.asarray(values, dtype=wide.dtype, device=device)

        def chosen(index: np.ndarray) -> Array:
            return xp.take(wide, xp.asarray(index, device=device), axis=1)

        parts = []
        if len(self._numbers):
            numbers = chosen(self._numbers)
            standard = standardized(numbers, np.array(self.mean), np.array(self.scale))
            bent = standard if self.power is None else self.power(standard)
            parts.append(xp.astype(xp.where(xp.isnan(numbers), 0.0, bent), dtype, copy=False))
        if len(self._indicators):
            parts.append(xp.astype(xp.isnan(chosen(self._indicators)), dtype))
        for (j, _), codes in zip(self._categories, self._known, strict=True):
            holds = wide[:, j : j + 1] == constant(codes)
            parts.append(xp.astype(holds, dtype))
            if self.columns[j].missing:
                parts.append(xp.astype(~xp.any(holds, axis=1, keepdims=True), dtype))
        joined = xp.concat(parts, axis=1)
        return joined * xp.asarray(self._live, dtype=dtype, device=device) if self.unseen else joined

    def check(self, X: np.ndarray) -> np.ndarray:
        """The rows as float64, if they are rows of these columns.

        Raises:
            ShapeError: if they are not real numbers of shape (n, d).
            DataError: if a value is infinite, missing where it must not be, or the number of no category; the message
                names row and column.
        """
        if X.ndim != 2 or X.shape[1] != len(self.columns):
            raise ShapeError(
                f"X must have shape (n, {len(self.columns)}), one column for each of {listed_names(self.columns)}; "
                f"got shape {X.shape}. Check the columns."
            )
        if X.dtype.kind not in "fiub":
            raise ShapeError(f"X must be real numbers, categories as their numbers; got dtype {X.dtype}. Encode them.")
        rows = X.astype(np.float64, copy=False)
        for j, column in enumerate(self.columns):
            wrong = np.flatnonzero(_wrong(rows[:, j], column))
            if len(wrong):
                raise DataError(refusal(column, rows[wrong[0], j], f"row {wrong[0]}"))
        return rows

    def to_json(self) -> dict[str, Any]:
        """Plain values that `from_json` makes an equal transform of."""
        return {
            "columns": [column.to_json() for column in self.columns],
            "mean": list(self.mean),
            "scale": list(self.scale),
            "unseen": list(self.unseen),
        } | ({} if self.power is None else {"power": self.power.to_json()})

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ColumnTransform":
        """The transform that `to_json` gave the values of; raises ValueError, KeyError or TypeError for others."""
        columns = tuple(Column.from_json(column) for column in values["columns"])
        power = PowerTransform.from_json(values["power"]) if "power" in values else None
        made = cls(columns, tuple(values["mean"]), tuple(values["scale"]), tuple(values["unseen"]), power)
        numbers: tuple[Any, ...] = (*made.mean, *made.scale)
        if power is not None and len(power.power) != len(made._numbers):
            raise ValueError(f"{len(power.power)} powers for {len(made._numbers)} columns of numbers")
        if len(values) != 4 + (power is not None) or not len(made.mean) == len(made.scale) == len(made._numbers):
            raise ValueError(f"{len(made.mean)} means and {len(made.scale)} scales")
        if not all(isinstance(v, float | int) and math.isfinite(v) for v in numbers) or any(s <= 0 for s in made.scale):
            raise ValueError("a mean or scale that is not a finite number, or a scale that is not positive")
        if not all(type(i) is int and 0 <= i < made.width for i in made.unseen):
            raise ValueError("an unseen input that does not exist")
        return made

    @cached_property
    def _numbers(self) -> np.ndarray:
        return np.array([j for j, column in enumerate(self.columns) if column.categories is None], dtype=np.int64)

    @cached_property
    def _indicators(self) -> np.ndarray:
        return np.array([j for j in self._numbers if self.columns[j].missing], dtype=np.int64)

    @cached_property
    def _categories(self) -> list[tuple[int, int]]:
        """Number and number of categories of each column that has some."""
        return [(j, len(c.categories)) for j, c in enumerate(self.columns) if c.categories is not None]

    @cached_property
    def _live(self) -> np.ndarray:
        live = np.ones(self.width)
        live[list(self.unseen)] = 0
        return live

    @cached_property
    def _known(self) -> list[np.ndarray]:
        """The numbers of each column's categories, -1 in place of one without a training row."""
        position, known = len(self._numbers) + len(self._indicators), list[np.ndarray]()
        for j, k in self._categories:
            known.append(np.where(self._live[position : position + k] > 0, np.arange(k), -1.0))
            position += k + self.columns[j].missing
        return known


def input_width(columns: Sequence[Column]) -> int:
    """How many inputs a network has for rows of these columns.

    Example:
        >>> input_width([Column("size", missing=True), Column("color", ("blue", "red"))])
        4
    """
    return sum((1 if c.categories is None else len(c.categories)) + c.missing for c in columns)


def mean_and_scale(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations of columns of finite float64 numbers, each (d,); scale 1 where nothing varies."""
    # Divided by the largest value first: the square of a large number would overflow.
    peak = np.maximum(np.abs(rows).max(axis=0), np.finfo(np.float64).tiny)
    mean = (rows / peak).mean(axis=0)
    deviation = (rows / peak).std(axis=0)
    # What rounding alone makes of a constant column.
    varies = deviation > 10 * np.finfo(np.float64).eps * np.maximum(np.abs(mean), deviation)
    scale = np.where(varies, deviation * peak, 1.0)
    # A column of the tiniest numbers: its deviation is no longer a normal number to divide by.
    return mean * peak, np.where(scale < np.finfo(np.float64).tiny, 1.0, scale)


def as_floats(x: Array, dtype: Any) -> Array:
    """Rows of numbers as floats: floats as they are, integers in `dtype`, or in float64 where that may round them."""
    xp = namespace(x)
    if xp.isdtype(x.dtype, "real floating"):
        return x
    return xp.astype(x, dtype if x.dtype.itemsize <= 2 else xp.float64)


def standardized(x: Array, mean: np.ndarray, scale: np.ndarray) -> Array:
    """(x - mean) / scale of rows (n, d) of floats, in their array library, on their device and in their dtype.

    Where the dtype is too coarse for the mean, it is subtracted in two parts: x may be large beside its spread.

    Example:
        >>> x = np.array([[1.6e9], [1.6e9 + 256]], np.float32)
        >>> standardized(x, np.array([1.6e9 + 32]), np.array([32.0])).ravel()
        array([-1.,  7.], dtype=float32)
    """
    if isinstance(x, np.ndarray) and x.dtype == np.float64:
        return (x - mean) / scale
    xp = namespace(x)
    like = {"dtype": x.dtype, "device": getattr(x, "device", None)}
    single = np.float32 if str(x.dtype).endswith("float32") else np.float64
    coarse = mean.astype(single)
    rest = mean - coarse
    centered = x - xp.asarray(coarse, **like)
    if rest.any():
        centered = centered - xp.asarray(rest, **like)
    return centered / xp.asarray(scale, **like)


def refusal(column: Column, value: float, where: str) -> str:
    """Why the value can't stand in the column."""
    if column.categories is not None:
        return (
            f"Column {column.name!r} must hold numbers of its {len(column.categories)} categories, or NaN; got {value} "
            f"in {where}. Encode the texts as the table was."
        )
    if math.isnan(value):
        return (
            f"Column {column.name!r} must have a value in every row; got none in {where}. No value was missing in "
            "training, so nothing is known of such rows. Fill it in."
        )
    return f"Column {column.name!r} must have finite numbers; got {value} in {where}. Fill or drop it."


def listed_names(columns: Sequence[Column], most: int = 20) -> str:
    """The names for a message."""
    return ", ".join(repr(c.name) for c in columns[:most]) + (", ..." if len(columns) > most else "")


def _wrong(values: np.ndarray, column: Column) -> np.ndarray:
    """Which values can't stand in the column."""
    if column.categories is None:
        return np.isinf(values) if column.missing else ~np.isfinite(values)
    return ~np.isnan(values) & ~np.isin(values, np.arange(len(column.categories)))
