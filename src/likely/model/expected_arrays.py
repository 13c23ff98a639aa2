"""Which arrays a model's numbers must be: none missing, none unasked for, each of the shape and kind that it needs."""

from collections.abc import Collection, Mapping
from os import PathLike
from typing import TypeVar

import numpy as np

from likely.errors import ModelFileError

Value = TypeVar("Value")

FIT_AGAIN = "Try another copy of the file, or fit the model again."
"""What helps where a file is not what was written."""

KINDS = "fiub"
"""Of NumPy's dtypes, those of numbers and booleans: what a file may hold."""


def expect_arrays(
    path: str | PathLike[str],
    arrays: Mapping[str, np.ndarray],
    shapes: Mapping[str, tuple[int | None, ...]],
    *,
    kinds: Mapping[str, str] | None = None,
    optional: Collection[str] = (),
) -> None:
    """Refuse arrays that are missing, unasked for, or of another shape or dtype than expected.

    Args:
        path, arrays: where they came from, for the message, and what `read` returned.
        shapes: the shape of each array by name; None in a shape admits any length.
        kinds: NumPy's dtype kinds that an array may have, by name; any where nothing is said.
        optional: names of arrays that may be there, of any shape, or be missing.
    Raises:
        ModelFileError: naming the array.
    Example:
        >>> expect_arrays("m.likely", {"theta": np.zeros((3, 2))}, {"theta": (3, 10)})
        Traceback (most recent call last):
        likely.errors.ModelFileError: Array 'theta' of m.likely must have shape (3, 10); got (3, 2). ...
    """
    why = "The arrays must fit the network that the file describes. " + FIT_AGAIN
    missing = sorted(set(shapes) - set(arrays) - set(optional))
    extra = sorted(set(arrays) - set(shapes) - set(optional))
    if missing:
        raise ModelFileError(f"{path} must hold all arrays of its network; got none named {some(missing)}. {why}")
    if extra:
        raise ModelFileError(f"{path} must hold no other arrays than its network's; got also {some(extra)}. {why}")
    for name, array in arrays.items():
        shape = shapes.get(name)
        if shape is not None and not _fits(array.shape, shape):
            text = str(tuple(shape)).replace("None", "any")
            raise ModelFileError(f"Array {name!r} of {path} must have shape {text}; got {array.shape}. {why}")
        wanted = (kinds or {}).get(name, KINDS)
        if array.dtype.kind not in wanted:
            raise ModelFileError(
                f"Array {name!r} of {path} must have a dtype of kind {wanted!r}; got {array.dtype}. {why}"
            )


def starting_with(prefix: str, arrays: Mapping[str, Value]) -> dict[str, Value]:
    """The arrays, or their shapes, whose names start with the prefix, by the rest of their names."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _fits(found: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(found) == len(wanted) and all(w in (None, n) for w, n in zip(wanted, found, strict=True))


def some(names: list[str]) -> str:
    """The first of the names, and how many there are besides."""
    return ", ".join(repr(name) for name in names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
