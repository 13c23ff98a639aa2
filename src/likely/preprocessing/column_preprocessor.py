"""From rows of numbers and categories to a network's input."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from likely.arrays import Array, namespace, to_numpy
from likely.errors import DataError
from likely.networks.input_groups import InputGroups
from likely.preprocessing.column_inputs import ColumnInputs
from likely.preprocessing.column_statistics import fit_numbers, never_seen
from likely.preprocessing.columns import Column, check_numbers, check_values
from likely.preprocessing.piecewise_linear import PiecewiseLinear
from likely.preprocessing.power import PowerTransform
from likely.preprocessing.standardize import Standardizer, as_floats, check_mean_and_scale, mean_and_scale
from likely.preprocessing.stored_rows import RowArray
from likely.preprocessing.target_encoding import TargetEncoding

_REACH = 1e19  # standard deviations from the mean


@dataclass(frozen=True)
class ColumnPreprocessor:
    """Numbers standardized, categories one-hot, fitted to training rows; a `Preprocessor`.

    Groups of inputs, in this order:

    numbers     (x - mean) / scale, power-transformed where that was asked for; 0 where x is missing, which is the mean;
                then those that encode columns of many categories, which are no categories below, in the same way
    indicators  1 where a number is missing, for each column of numbers that may miss some
    categories  1 for the category, 0 for the others; then, for a column that may miss some, 1 for none of them
    pieces      how far a number, or the mean where it is missing, lies into each bin of its column, if asked for

    An input that is 0 in every training row stays 0: nothing was learned of it. Rows that teach bring the numbers that
    encode them beside their d values, since they may not be told their own answers.

    Args:
        mean: of each column of numbers, over its values that are not missing.
        scale: the standard deviation of each column of numbers; 1 where it does not vary.
        columns: of the rows, d of them; None for an array, whose columns have no names and hold a number in every row.
        dtype: what the network computes in.
        unseen: the inputs that are 0 in every training row.
        power: how the standardized columns of numbers are transformed; None if they are not.
        pieces: the bins of the standardized columns of numbers; None if there are none.
        off: the columns that have no input, though rows hold them.
        encoding: of columns of many categories, by the answers of their rows; None if there is none.
        root: of numbers alone: what is added to them before the square root is taken that is standardized in their
            place, numbers below 0 being 0; None if they are standardized as they are.
    Example:
        >>> columns = (Column("size"), Column("color", ("blue", "red")))
        >>> prepared = ColumnPreprocessor.fit(np.array([[1.0, 0], [3.0, 1], [2.0, 1]]), columns)
        >>> prepared(np.array([[2.0, 1], [2.0, np.nan]]))
        array([[0., 0., 1.],
               [0., 0., 0.]], dtype=float32)
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    columns: tuple[Column, ...] | None = None
    dtype: str = "float32"
    unseen: tuple[int, ...] = ()
    power: PowerTransform | None = None
    pieces: PiecewiseLinear | None = None
    off: tuple[int, ...] = ()
    encoding: TargetEncoding | None = None
    root: float | None = None

    @classmethod
    def fit(
        cls,
        X: np.ndarray,
        columns: Sequence[Column] | None = None,
        dtype: str = "float32",
        *,
        power_transform: bool = False,
        bins: int = 0,
        off: Sequence[int] = (),
        least_scale: float = 0.0,
        encoding: TargetEncoding | None = None,
        root: float | None = None,
    ) -> "ColumnPreprocessor":
        """The preprocessor for rows like those of X.

        Args:
            X: the rows, shape (n, d), or (n, d + m) with the numbers that encode them.
            columns: what each column holds; None for numbers alone.
            dtype: what the network computes in.
            power_transform: whether skewed columns may be made symmetric: see `PowerTransform`.
            bins: into how many a column of numbers is divided at most: see `PiecewiseLinear`; 0 for none.
            off: the columns that get no input.
            least_scale: of numbers alone that have one unit, such as features of a backbone: the least scale of a
                column, as a share of the median one. What hardly varied in a few rows would be divided by next to
                nothing.
            encoding: of columns of many categories.
            root: of numbers alone: what is added to them before the square root is taken; None takes none.
        Raises:
            ShapeError, DataError: as `check`; DataError also if numbers alone have no rows.
        Example:
            >>> ColumnPreprocessor.fit(np.array([[1.0, 5.0], [3.0, 5.0]])).scale
            (1.0, 1.0)
            >>> ColumnPreprocessor.fit(np.array([[0.0, 5.0, 1.0], [2.0, 5.02, 3.0]]), least_scale=0.5).scale
            (1.0, 0.5, 1.0)
        """
        if columns is None:
            if len(X) == 0:
                raise DataError("X must have at least one row; got none.")
            rows = _rooted(check_numbers(X, math.prod(X.shape[1:])), root)
            center, spread = mean_and_scale(rows)
            spread = np.maximum(spread, least_scale * np.median(spread))
            mean, scale, unseen = center.tolist(), spread.tolist(), list[int]()
            standard = list(((rows - center) / spread).T) if power_transform or bins else []
        else:
            rows, encoded = check_values(X[:, : len(columns)], columns), () if encoding is None else encoding.columns
            every = [*columns, *[Column("")] * (X.shape[1] - len(columns))]
            mean, scale, standard = fit_numbers(X if encoded else rows, every)
            unseen = never_seen(rows, columns, len(mean), encoded)
        power = PowerTransform.fit(standard) if power_transform else None
        pieces = PiecewiseLinear.fit(standard, bins) if bins else None
        known = None if columns is None else tuple(columns)
        return cls(tuple(mean), tuple(scale), known, dtype, tuple(unseen), power, pieces, tuple(off), encoding, root)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one row: (d,)."""
        return (len(self.mean if self.columns is None else self.columns),)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Of one input of the network."""
        return (len(self.inputs.kept),)

    @property
    def groups(self) -> InputGroups:
        """Which inputs belong to one column."""
        return self.inputs.groups

    @property
    def column_of_input(self) -> np.ndarray:
        """The number of the column that each input of the network comes from: shape (inputs,)."""
        return self.inputs.of_all[self.inputs.kept]

    def mean_and_scale_of(self, j: int) -> tuple[float, float]:
        """Of a column of numbers in training."""
        at = int(np.searchsorted(self.inputs.numbers, j))
        return self.mean[at], self.scale[at]

    @property
    def image_shape(self) -> None:
        """None: rows of a table are no images."""
        return None

    def __call__(self, x: Array) -> Array:
        """The network's input for rows that `check` accepts, in their array library and on their device."""
        xp = namespace(x)
        dtype = getattr(xp, self.dtype)
        # In the rows' own precision: subtracting a large mean in float32 would lose what varies.
        wide = as_floats(x, dtype)
        if self.inputs.numbers_alone:
            return xp.astype(self._transformed(self._standardizer(_rooted(wide, self.root))), dtype, copy=False)
        device = getattr(x, "device", None)

        def chosen(index: np.ndarray) -> Array:
            return xp.take(wide, xp.asarray(index, device=device), axis=1)

        parts, pieces = list[Array](), list[Array]()
        if self.mean:
            values = chosen(self.inputs.numbers)
            if self.encoding is not None:
                d = self.shape[0]
                values = xp.concat([values, wide[:, d:] if x.shape[1] > d else self.encoding(wide)], axis=1)
            standard = self._standardizer(values)
            missing = xp.isnan(standard)
            parts.append(xp.astype(xp.where(missing, 0.0, self._transformed(standard)), dtype, copy=False))
            if self.pieces is not None:
                pieces = [xp.astype(self.pieces(xp.where(missing, 0.0, standard)), dtype, copy=False)]
        if len(self.inputs.indicators):
            parts.append(xp.astype(xp.isnan(chosen(self.inputs.indicators)), dtype))
        for j, codes, may_miss in self.inputs.categories:
            holds = wide[:, j : j + 1] == xp.asarray(codes, dtype=wide.dtype, device=device)
            parts.append(xp.astype(holds, dtype))
            if may_miss:
                parts.append(xp.astype(~xp.any(holds, axis=1, keepdims=True), dtype))
        joined = xp.concat([*parts, *pieces], axis=1)
        joined = joined * xp.asarray(self.inputs.live, dtype=dtype, device=device) if self.unseen else joined
        return xp.take(joined, xp.asarray(self.inputs.kept, device=device), axis=1) if self.off else joined

    def check(self, X: Any) -> np.ndarray:
        """The rows as float64, if they are like those learned from.

        Raises:
            ShapeError: if they are not real numbers of shape (n, d).
            DataError: if a value is infinite, missing where it must not be, or the number of no category; the message
                names row and column.
        """
        rows = to_numpy(X)
        return check_numbers(rows, self.shape[0]) if self.columns is None else check_values(rows, self.columns)

    def too_large(self, rows: RowArray) -> np.ndarray:
        """Which numbers of rows that `check` accepts the network cannot compute with: booleans in their shape.

        Standardized, they lie beyond 1e19, about the square root of the largest number that float32 holds: products of
        two of them would overflow.

        Example:
            >>> prepared = ColumnPreprocessor.fit(np.array([[0.0, 5.0], [2.0, 5.0]]))
            >>> prepared.too_large(np.array([[1e18, 5.0], [1e300, 5.0]])).tolist()
            [[False, False], [True, False]]
        """
        low, high = self._reach
        values = np.asarray(rows)
        return (values < low) | (values > high)

    def reads_like(self, other: object) -> bool:
        """Whether the other one takes the same rows and gives the network inputs of the same meaning."""
        return isinstance(other, ColumnPreprocessor) and (self.columns, self.shape) == (other.columns, other.shape)

    def to_json(self) -> dict[str, Any]:
        """Plain values that `from_json` makes an equal one of."""
        fitted: dict[str, Any] = {"mean": list(self.mean), "scale": list(self.scale)}
        if self.columns is not None:
            fitted |= {"columns": [column.to_json() for column in self.columns], "unseen": list(self.unseen)}
        if self.power is not None:
            fitted["power"] = self.power.to_json()
        if self.pieces is not None:
            fitted["pieces"] = self.pieces.to_json()
        if self.off:
            fitted["off"] = list(self.off)
        if self.root is not None:
            fitted["root"] = self.root
        if self.encoding is not None:
            fitted["encoding"] = self.encoding.to_json()
        kind: dict[str, Any] = {"kind": "numbers" if self.columns is None else "columns", "dtype": self.dtype}
        kind |= {"shape": list(self.shape), "pad_to": None, "layout": "rows"}
        return kind | (fitted if self.columns is None else {"mean": [], "scale": [], "columns": fitted})

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ColumnPreprocessor":
        """The one that `to_json` gave the values of; raises ValueError, KeyError or TypeError for others."""
        fitted, columns, unseen = values, None, ()
        if values["kind"] == "columns":
            fitted = values["columns"]
            columns, unseen = tuple(map(Column.from_json, fitted["columns"])), tuple(fitted["unseen"])
        power = PowerTransform.from_json(fitted["power"]) if "power" in fitted else None
        pieces = PiecewiseLinear.from_json(fitted["pieces"]) if "pieces" in fitted else None
        mean, scale, off = tuple(fitted["mean"]), tuple(fitted["scale"]), tuple(fitted.get("off", ()))
        encoding = TargetEncoding.from_json(fitted["encoding"], columns or ()) if "encoding" in fitted else None
        root = fitted.get("root")
        made = cls(mean, scale, columns, values["dtype"], unseen, power, pieces, off, encoding, root)
        check_mean_and_scale(made.mean, made.scale)
        if root is not None and (columns is not None or type(root) is not float or not 0 < root < math.inf):
            raise ValueError(f"square roots of numbers and {root!r}")
        powers, edges = power.power if power else made.mean, pieces.edges if pieces else made.mean
        if any(len(values) != len(made.mean) for values in (made.inputs.column_of_number, powers, edges)):
            raise ValueError(
                f"{len(made.mean)} means for {len(made.inputs.column_of_number)} numbers, or other powers or bins"
            )
        if not all(type(i) is int and 0 <= i < len(made.inputs.of_all) for i in made.unseen):
            raise ValueError("an unseen input that does not exist")
        if not all(type(j) is int and 0 <= j < made.shape[0] for j in off) or not len(made.inputs.kept):
            raise ValueError("a column without inputs that does not exist, or no other")
        return made

    @cached_property
    def inputs(self) -> ColumnInputs:
        """Which column each input comes from."""
        columns = (Column(""),) * len(self.mean) if self.columns is None else self.columns
        return ColumnInputs(columns, self.encoding, self.pieces, self.unseen, self.off)

    @cached_property
    def _standardizer(self) -> Standardizer:
        return Standardizer(np.array(self.mean), np.array(self.scale))

    def _transformed(self, standard: Array) -> Array:
        return standard if self.power is None else self.power(standard)

    @cached_property
    def _reach(self) -> tuple[np.ndarray, np.ndarray]:
        """The smallest and the largest number of each column that the network can compute with."""
        mean, scale = np.zeros(self.shape), np.full(self.shape, np.inf)
        n = len(self.inputs.numbers)
        mean[self.inputs.numbers], scale[self.inputs.numbers] = self.mean[:n], self.scale[:n]
        with np.errstate(over="ignore"):
            width = _REACH * scale
            return mean - width, mean + width


def _rooted(x: Array, root: float | None) -> Array:
    """sqrt(max(x, 0) + root), or x without a root."""
    if root is None:
        return x
    xp = namespace(x)
    return xp.sqrt(xp.clip(x, min=0.0) + root)
