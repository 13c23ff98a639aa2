"""From stored rows to a network's input, in any array library: the same numbers in training and in every answer."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from likely.arrays import Array
from likely.config.registry import Registry
from likely.errors import ModelFileError
from likely.preprocessing.stored_rows import RowArray

if TYPE_CHECKING:
    from likely.preprocessing.backbone_preprocessor import BackbonePreprocessor
    from likely.preprocessing.column_preprocessor import ColumnPreprocessor
    from likely.preprocessing.columns import Column
    from likely.preprocessing.image_preprocessor import ImagePreprocessor, Layout
    from likely.preprocessing.target_encoding import TargetEncoding


class Preprocessor(Protocol):
    """What it knows of the training rows are plain values, which a model file keeps.

    Calling it works on NumPy, PyTorch and JAX arrays and never checks values; `check` does, once, where rows come in.
    """

    @property
    def dtype(self) -> str:
        """What the network computes in: "float32" or "float64"."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one stored row."""
        ...

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Of one input of the network."""
        ...

    @property
    def image_shape(self) -> tuple[int, ...] | None:
        """(h, w) or (h, w, 3) of the images that it reads; None for rows of a table."""
        ...

    @property
    def columns(self) -> "tuple[Column, ...] | None":
        """What the columns of a table hold; None for images, and for numbers without names."""
        ...

    def __call__(self, x: Array) -> Array:
        """The network's input for rows that `check` accepts, in their array library and on their device."""
        ...

    def check(self, X: Any) -> np.ndarray:
        """The rows as they are stored, if they are like those learned from; else an error that says what is not."""
        ...

    def too_large(self, rows: RowArray) -> np.ndarray:
        """Which numbers of rows that `check` accepts the network cannot compute with: booleans (n, ...)."""
        ...

    def reads_like(self, other: object) -> bool:
        """Whether the other one takes the same rows and gives the network inputs of the same meaning."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Plain values that `preprocessor_from_json` makes an equal one of."""
        ...


_BY_KIND: "Registry[type[ImagePreprocessor | ColumnPreprocessor | BackbonePreprocessor]]" = Registry(
    "normalization",
    {
        "backbone": "likely.preprocessing.backbone_preprocessor:BackbonePreprocessor",
        "images": "likely.preprocessing.image_preprocessor:ImagePreprocessor",
        "numbers": "likely.preprocessing.column_preprocessor:ColumnPreprocessor",
        "columns": "likely.preprocessing.column_preprocessor:ColumnPreprocessor",
    },
)
"""By the name in a model file, which needs one of them."""


def fit_preprocessor(
    X: RowArray,
    columns: "Sequence[Column] | None" = None,
    *,
    pad_to: int | None = None,
    layout: "Layout" = "rows",
    dtype: str = "float32",
    power_transform: bool = False,
    bins: int = 0,
    off: Sequence[int] = (),
    least_scale: float = 0.0,
    encoding: "TargetEncoding | None" = None,
    root: float | None = None,
) -> Preprocessor:
    """The preprocessor for images (n, h, w) or (n, h, w, 3), or rows (n, d), like those of X.

    Arguments and errors are those of `ImagePreprocessor.fit` or `ColumnPreprocessor.fit`.
    """
    from likely.preprocessing.column_preprocessor import ColumnPreprocessor
    from likely.preprocessing.image_preprocessor import ImagePreprocessor

    if X.ndim > 2:
        return ImagePreprocessor.fit(X, pad_to, layout, dtype)
    how: dict[str, Any] = {"power_transform": power_transform, "bins": bins, "off": off, "least_scale": least_scale}
    how |= {"encoding": encoding, "root": root}
    return ColumnPreprocessor.fit(np.asarray(X), columns, dtype, **how)


def preprocessor_from_json(values: Mapping[str, Any]) -> Preprocessor:
    """The preprocessor that `to_json` gave the values of.

    Raises:
        ModelFileError: if the values are not ones that `to_json` gives.
    Example:
        >>> from likely.preprocessing.image_preprocessor import ImagePreprocessor
        >>> preprocessor = ImagePreprocessor((8, 8))
        >>> preprocessor_from_json(preprocessor.to_json()) == preprocessor
        True
    """
    try:
        made = _BY_KIND[values["kind"]].from_json(values)
        if made.dtype not in ("float32", "float64"):
            raise ValueError(f"dtype {made.dtype!r}")
        # Whatever stands beside what is read, does not fit it, or is of another type: as text 1, 1.0 and true differ.
        if json.dumps(made.to_json(), sort_keys=True) != json.dumps(values, sort_keys=True):
            raise ValueError("entries that do not fit each other")
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise ModelFileError(f"The normalization in a model file must be whole and valid; got: {error}.") from error
    return made
