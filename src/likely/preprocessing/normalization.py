"""From stored rows to a network's input, in any array library: the same numbers in training and in every answer."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np

from likely.arrays import Array, namespace, to_numpy
from likely.errors import DataError, ModelFileError, ShapeError
from likely.preprocessing.columns import Column, ColumnTransform, as_floats, mean_and_scale, standardized
from likely.preprocessing.float_pixels import FloatPixels
from likely.preprocessing.power import PowerTransform
from likely.preprocessing.stored_rows import RowArray, StoredRows

Kind: TypeAlias = Literal["images", "numbers", "columns"]
Layout: TypeAlias = Literal["rows", "channels_first"]
FloatName: TypeAlias = Literal["float32", "float64"]

_REACH = 1e19  # standard deviations from the mean


@dataclass(frozen=True)
class Normalization:
    """The map from stored rows to what a network takes, as plain values that a model file can keep.

    images:  x / 255, after zeros around it up to pad_to x pad_to; as rows (n, h w c) or channels first (n, c, h, w);
               images of floating-point numbers are standardized instead: see `FloatPixels`
    numbers:   (x - mean) / scale, column by column; where asked for, skewed ones are bent: see `PowerTransform`
    columns:   numbers and categories of a table, some missing: see `ColumnTransform`

    Made by `for_images`, `fit_numbers` or `fit_columns`; calling it works on NumPy, PyTorch and JAX arrays and
    never checks values, `check` does, once, at the doors.

    Args:
        kind: "images", "numbers" or "columns".
        dtype: what the network computes in.
        shape: of one stored image, (h, w) or (h, w, 3); for numbers and columns (d,).
        pad_to: the height and width after padding, or None to leave images as they are.
        layout: how the network takes an image.
        mean: for numbers, what is subtracted from each column.
        scale: for numbers, what each column is divided by.
        columns: for the columns of a table, their transform.
        pixels: for images of floating-point numbers, how they are standardized; None for uint8.
        power: for numbers, how the standardized columns are bent; None if they are not.
    """

    kind: Kind
    dtype: FloatName
    shape: tuple[int, ...]
    pad_to: int | None = None
    layout: Layout = "rows"
    mean: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    columns: ColumnTransform | None = None
    pixels: FloatPixels | None = None
    power: PowerTransform | None = None

    @classmethod
    def for_images(
        cls, shape: tuple[int, ...], pad_to: int | None = None, layout: Layout = "rows", dtype: FloatName = "float32"
    ) -> "Normalization":
        """For uint8 images of `shape` (h, w) or (h, w, 3).

        Raises:
            ShapeError: if the shape is not one of an image, or larger than `pad_to`.
        Example:
            >>> Normalization.for_images((28, 28), pad_to=32, layout="channels_first").output_shape
            (1, 32, 32)
        """
        if len(shape) not in (2, 3) or shape[2:] not in ((), (3,)) or min(shape) < 1:
            raise ShapeError(f"The shape of an image must be (h, w) or (h, w, 3); got {shape}.")
        if pad_to is not None and pad_to < max(shape[:2]):
            raise ShapeError(
                f"pad_to must be at least the images' size, {max(shape[:2])}; got {pad_to}. "
                "Padding adds a border and cuts nothing away. Try a larger one."
            )
        return cls("images", dtype, tuple(shape), pad_to, layout)

    @classmethod
    def fit_images(
        cls, X: RowArray, pad_to: int | None = None, layout: Layout = "rows", dtype: FloatName = "float32"
    ) -> "Normalization":
        """For images like those of X: uint8 needs no more than its shape, other numbers are standardized.

        Raises:
            ShapeError: as `for_images` does.
            DataError: if a value is NaN or infinite, or all are the same.
        """
        made = cls.for_images(X.shape[1:], pad_to, layout, dtype)
        return made if X.dtype == np.uint8 else replace(made, pixels=FloatPixels.fit(X))

    @classmethod
    def fit_numbers(
        cls, X: np.ndarray, dtype: FloatName = "float32", *, power_transform: bool = False
    ) -> "Normalization":
        """For rows of numbers like those of X, of shape (n, d): their means and standard deviations.

        A column that does not vary has scale 1, and so becomes 0.

        Args:
            X: the rows.
            dtype: what the network computes in.
            power_transform: whether skewed columns may be made symmetric, which is no longer linear in them.

        Raises:
            ShapeError: if X is not two-dimensional or not numeric.
            DataError: if X has no rows, or holds NaN or infinity; the message names row and column.
        Example:
            >>> Normalization.fit_numbers(np.array([[1.0, 5.0], [3.0, 5.0]])).scale
            (1.0, 1.0)
        """
        if len(X) == 0:
            raise DataError("X must have rows; got none. Means need at least one.")
        rows = cls("numbers", dtype, X.shape[1:]).check(X)
        mean, scale = mean_and_scale(rows)
        power = PowerTransform.fit(list(((rows - mean) / scale).T)) if power_transform else None
        return cls("numbers", dtype, X.shape[1:], mean=tuple(mean.tolist()), scale=tuple(scale.tolist()), power=power)

    @classmethod
    def fit_columns(
        cls, X: np.ndarray, columns: Sequence[Column], dtype: FloatName = "float32", *, power_transform: bool = False
    ) -> "Normalization":
        """For rows of numbers and categories like those of X, of shape (n, d), with one description per column.

        Args:
            X: the rows.
            columns: what each column holds.
            dtype: what the network computes in.
            power_transform: whether skewed columns of numbers may be made symmetric.
        Raises:
            ShapeError, DataError: as `ColumnTransform.fit`.
        """
        return cls(
            "columns", dtype, X.shape[1:], columns=ColumnTransform.fit(X, columns, power_transform=power_transform)
        )

    @property
    def output_shape(self) -> tuple[int, ...]:
        """The shape of one input of the network."""
        if self.kind == "numbers":
            return self.shape
        if self.columns is not None:
            return (self.columns.width,)
        height, width = (self.shape[:2]) if self.pad_to is None else (self.pad_to, self.pad_to)
        channels = math.prod(self.shape[2:])
        return (channels, height, width) if self.layout == "channels_first" else (height * width * channels,)

    def __call__(self, x: Array) -> Array:
        """The network's input for rows that `check` accepts, in their array library and on their device."""
        xp = namespace(x)
        dtype = getattr(xp, self.dtype)
        if self.kind == "numbers":
            # In the rows' own precision: subtracting a large mean in float32 would lose what varies.
            wide = as_floats(x, dtype)
            mean, scale = self._mean_and_scale
            standard = standardized(wide, mean, scale)
            return xp.astype(standard if self.power is None else self.power(standard), dtype, copy=False)
        if self.columns is not None:
            return self.columns(x, dtype)
        if self.pixels is not None:
            x = self.pixels(xp.astype(x, dtype, copy=False))
        if self.pad_to is not None:
            x = _pad(x, self.pad_to)
        if self.layout == "channels_first":
            x = x[:, None] if len(self.shape) == 2 else xp.permute_dims(x, (0, 3, 1, 2))
        else:
            x = xp.reshape(x, (x.shape[0], *self.output_shape))
        if self.pixels is None:
            x = xp.astype(x, dtype)
            x /= 255
        return x

    def check(self, X: Any) -> np.ndarray:
        """Rows as NumPy, unchanged, if they are like those learned from: never rescaled by a guess.

        Args:
            X: for images uint8 of shape (n, h, w) or (n, h, w, 3); for numbers of shape (n, d).
        Returns:
            Images as uint8, numbers as float64.
        Raises:
            ShapeError: if the shape or dtype is another one.
            DataError: if a number is NaN or infinite; the message names row and column.
        """
        # Rows on disk have what is asked of images: a dtype and a shape.
        rows: Any = X if isinstance(X, StoredRows) else to_numpy(X)
        if self.kind == "images":
            self._check_images(rows)
            return rows
        if self.columns is not None:
            return self.columns.check(rows)
        if rows.ndim != 2 or rows.shape[1:] != self.shape:
            raise ShapeError(
                f"X must have shape (n, {', '.join(map(str, self.shape))}) like the rows learned from; "
                f"got shape {rows.shape}. Check the columns."
            )
        if rows.dtype.kind not in "fiub":
            raise ShapeError(f"X must be real numbers; got dtype {rows.dtype}. Try X.astype(float).")
        rows = rows.astype(np.float64, copy=False)
        if not np.isfinite(rows).all():
            row, column = (int(i) for i in np.argwhere(~np.isfinite(rows))[0])
            raise DataError(
                f"X must be finite; got {rows[row, column]} at row {row}, column {column}. Fill or drop it."
            )
        return rows

    def too_large(self, rows: RowArray) -> np.ndarray:
        """Which numbers of rows that `check` accepts the network cannot compute with: booleans in their shape.

        Standardized, they lie beyond 1e19, about the square root of the largest number that float32 holds: products of
        two of them would overflow. Images have none.

        Example:
            >>> normalization = Normalization.fit_numbers(np.array([[0.0, 5.0], [2.0, 5.0]]))
            >>> normalization.too_large(np.array([[1e18, 5.0], [1e300, 5.0]])).tolist()
            [[False, False], [True, False]]
        """
        if self.kind == "images":
            return np.zeros((len(rows), 1), bool)
        low, high = self._reach
        values = np.asarray(rows)
        return (values < low) | (values > high)

    def to_json(self) -> dict[str, Any]:
        """Plain values that `from_json` makes an equal normalization of."""
        values: dict[str, Any] = {
            "kind": self.kind,
            "dtype": self.dtype,
            "shape": list(self.shape),
            "pad_to": self.pad_to,
            "layout": self.layout,
            "mean": list(self.mean),
            "scale": list(self.scale),
        }
        more = {"columns": self.columns, "pixels": self.pixels, "power": self.power}
        return values | {name: made.to_json() for name, made in more.items() if made is not None}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Normalization":
        """The normalization that `to_json` gave the values of.

        Raises:
            ModelFileError: if the values are not ones that `to_json` gives.
        Example:
            >>> normalization = Normalization.for_images((8, 8))
            >>> Normalization.from_json(normalization.to_json()) == normalization
            True
        """
        try:
            settings = dict(values)
            for key in ("shape", "mean", "scale"):
                settings[key] = tuple(settings[key])
            if settings["kind"] == "pictures":  # the old name
                settings["kind"] = "images"
            if "columns" in settings:
                settings["columns"] = ColumnTransform.from_json(settings["columns"])
            if "pixels" in settings:
                settings["pixels"] = FloatPixels.from_json(settings["pixels"])
            if "power" in settings:
                settings["power"] = PowerTransform.from_json(settings["power"])
            made = cls(**settings)
            made._check_settings()
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(f"The normalization in a model file must be whole and valid; got: {error}.") from error
        return made

    @cached_property
    def _mean_and_scale(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array(self.mean), np.array(self.scale)

    @cached_property
    def _reach(self) -> tuple[np.ndarray, np.ndarray]:
        """The smallest and the largest number of each column that the network can compute with."""
        mean, scale = np.zeros(self.shape[0]), np.full(self.shape[0], np.inf)
        if self.columns is None:
            mean, scale = self._mean_and_scale
        else:
            numbers = [j for j, column in enumerate(self.columns.columns) if column.categories is None]
            mean[numbers], scale[numbers] = self.columns.mean, self.columns.scale
        with np.errstate(over="ignore"):
            width = _REACH * scale
            return mean - width, mean + width

    def _check_images(self, rows: np.ndarray) -> None:
        expected = f"(n, {', '.join(map(str, self.shape))})"
        if self.pixels is not None:
            self.pixels.check(rows)
        elif rows.dtype != np.uint8:
            fix = "Try (255 * X).round().astype('uint8')" if rows.dtype.kind == "f" else "Try X.astype('uint8')"
            raise ShapeError(
                f"Images must be uint8 of shape {expected}, 0 to 255; got {rows.dtype} of shape {rows.shape}. "
                f"Which range another dtype has is never guessed. {fix} if the values fit."
            )
        if rows.shape[1:] != self.shape:
            raise ShapeError(
                f"Images must have shape {expected} like those learned from; got shape {rows.shape}. "
                "Try likely.data.images.decode.read_image, which brings an image to a shape."
            )

    def _check_settings(self) -> None:
        sizes: list[Any] = [*self.shape, *([] if self.pad_to is None else [self.pad_to])]
        if not all(isinstance(size, int) and not isinstance(size, bool) and size >= 1 for size in sizes):
            raise ValueError("a size that is not a positive integer")
        if self.kind not in ("images", "numbers", "columns") or self.dtype not in ("float32", "float64"):
            raise ValueError(f"kind {self.kind!r}, dtype {self.dtype!r}")
        if self.layout not in ("rows", "channels_first"):
            raise ValueError(f"layout {self.layout!r}")
        if self.kind == "images":
            Normalization.for_images(self.shape, self.pad_to)
        elif self.kind == "columns" and (self.columns is None or self.shape != (len(self.columns.columns),)):
            raise ValueError(f"columns for shape {self.shape}")
        elif self.kind == "numbers" and self.columns is not None:
            raise ValueError("columns for plain numbers")
        elif self.kind == "numbers" and (
            len(self.shape) != 1 or not len(self.mean) == len(self.scale) == self.shape[0]
        ):
            raise ValueError(f"{len(self.mean)} means and {len(self.scale)} scales for shape {self.shape}")
        if self.power is not None and (self.kind != "numbers" or len(self.power.power) != self.shape[0]):
            raise ValueError(f"{len(self.power.power)} powers for {self.kind} of shape {self.shape}")
        numbers: tuple[Any, ...] = (*self.mean, *self.scale)
        if not all(isinstance(v, float | int) and math.isfinite(v) for v in numbers) or not all(
            s > 0 for s in self.scale
        ):
            raise ValueError("a mean or scale that is not a finite number, or a scale that is not positive")


def _pad(x: Array, size: int) -> Array:
    """Zeros around axes 1 and 2 up to `size`, the odd one at the end."""
    xp = namespace(x)
    for axis in (1, 2):
        missing = size - x.shape[axis]
        borders = [
            xp.zeros((*x.shape[:axis], width, *x.shape[axis + 1 :]), dtype=x.dtype, device=_device(x))
            for width in (missing // 2, missing - missing // 2)
        ]
        x = xp.concat([borders[0], x, borders[1]], axis=axis)
    return x


def _device(x: Array) -> Any:
    return getattr(x, "device", None)
