"""Arrays, tensors and lists of images, in every usual shape, as the rows that a data set holds.

(n, h, w)   (n, h, w, 1)   (n, 1, h, w)      -> (n, h, w)
(n, h, w, 3)   (n, 3, h, w)                  -> (n, h, w, 3)
"""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from likely.arrays import to_numpy
from likely.data.images.paths_and_globs import SUFFIXES
from likely.errors import DataError, ShapeError
from likely.preprocessing.stored_rows import RowArray, StoredRows

Channels: TypeAlias = Literal["auto", "first", "last"]
"""Where an array of images has its channels; "auto" asks the shape, and refuses one that could be read both ways."""

_COUNTS = (1, 3)


def are_images(X: Any) -> bool:
    """Whether X is an array of more than two dimensions, or a list of arrays of two or more, of images or of files.

    Example:
        >>> are_images(np.zeros((5, 28, 28))), are_images(np.zeros((5, 784))), are_images([np.zeros((28, 28))])
        (True, False, True)
        >>> are_images(["boot.png"]), are_images(np.array(["boot.png"])), are_images([[1.0, 2.0]])
        (True, True, False)
    """
    if isinstance(X, StoredRows) or len(getattr(X, "shape", ())) > 2 or files_in(X) is not None:
        return True
    return isinstance(X, list | tuple) and len(X) > 0 and len(getattr(X[0], "shape", ())) > 1


def files_in(X: Any) -> list[Any] | None:
    """The paths, contents, open files or Pillow's images in a list, array or series; None if X is something else."""
    if _is_file_or_image(X):
        return None
    if not isinstance(X, Sequence):
        X, in_column = _only_column(X)
        in_rows = len(getattr(X, "shape", ())) == 1 or (hasattr(X, "to_pylist") and not hasattr(X, "column_names"))
        listed = next((getattr(X, name) for name in ("tolist", "to_list", "to_pylist") if hasattr(X, name)), None)
        if not in_rows or listed is None or getattr(getattr(X, "dtype", None), "kind", "O") not in "OUT":
            return None
        X = listed()
        if in_column and not all(isinstance(x, str | os.PathLike) and Path(x).suffix.lower() in SUFFIXES for x in X):
            return None
    return list(X) if len(X) and _is_file_or_image(X[0]) else None


def refuse_alone(X: Any) -> None:
    """Refuse a single image, and what gives its elements only once, with a DataError."""
    if _is_file_or_image(X):
        what = f"the path {os.fspath(X)!r}" if isinstance(X, str | os.PathLike) else f"one {type(X).__name__}"
        raise DataError(f"X must be a list of images; got {what} alone. Each row gets an answer. Try [X] for one.")
    if hasattr(X, "__next__"):
        what = type(X).__name__
        raise DataError(f"X must be a list or an array; got a {what}. Its rows are read twice. Try list(X).")


def _only_column(X: Any) -> tuple[Any, bool]:
    """The column of a frame or array that has one alone, and whether it is one; else X."""
    if getattr(X, "shape", ())[1:] != (1,):
        return X, False
    names = getattr(X, "column_names", getattr(X, "columns", None))
    return (X[:, 0] if names is None else X[names[0]]), True


def _is_file_or_image(x: Any) -> bool:
    return isinstance(x, str | bytes | os.PathLike) or hasattr(x, "getpixel") or hasattr(x, "read")


def stack_images(X: Any, channels: Channels = "auto", image_size: int | None = None) -> RowArray:
    """Images to learn from as uint8 or float32 of shape (n, h, w) or (n, h, w, 3).

    Args:
        X: an array or tensor; or a list of arrays of one shape, of paths, of the bytes of files, of open files or of
            Pillow's images; an array or series of paths.
        channels: where an array has its channels, if its shape does not tell.
        image_size: resize files and Pillow's images to this height and width.
    Raises:
        ShapeError: if shapes differ or can be read in two ways, or there are not 1 or 3 channels; the dtype is a whole
            number's other than uint8.
        DataError: if a file can't be read.
    Warns:
        ImageWarning: if files have several sizes and no `image_size` is given: they get one.

    Example:
        >>> stack_images(np.zeros((5, 3, 32, 24), np.uint8)).shape
        (5, 32, 24, 3)
    """
    if isinstance(X, StoredRows):
        return X
    if (files := files_in(X)) is not None:
        from likely.data.images.decode_many import Reading
        from likely.data.images.stack_files import stack_files

        return stack_files(files, Reading(image_size))[0]
    if isinstance(X, list | tuple):
        images = [to_numpy(image) for image in X]
        other = [i for i, image in enumerate(images) if image.shape != images[0].shape]
        if other:
            raise ShapeError(
                f"Images must have one shape; got {images[0].shape} in row 0 and {images[other[0]].shape} in row "
                f"{other[0]}. The network has one input per pixel. Try resizing them to one shape."
            )
        rows = np.stack(images)
    else:
        rows = to_numpy(X)
    return _as_stored(_channels_last(rows, channels))


def fit_to_shape(X: Any, shape: tuple[int, ...]) -> Any:
    """New arrays of images in the shape (h, w) or (h, w, 3) of those learned from, wherever the channels stand.

    Rows of h w (or h w 3) numbers are images, too. What fits in no way is returned as it is, for its error.

    Example:
        >>> fit_to_shape(np.zeros((5, 1, 8, 9), np.uint8), (8, 9)).shape
        (5, 8, 9)
    """
    rows = np.stack([to_numpy(x) for x in X]) if isinstance(X, list | tuple) and len(X) else to_numpy(X)
    if rows.shape[1:] == shape:
        return _as_stored(rows)
    if rows.ndim == 2 and rows.shape[1] == math.prod(shape):
        return rows_as_images(rows, shape)
    with_channels = shape if len(shape) == 3 else (*shape, 1)
    if rows.shape[1:] == (with_channels[2], *with_channels[:2]):
        rows = np.moveaxis(rows, 1, 3)
    if rows.shape[1:] == with_channels:
        return _as_stored(rows.reshape(len(rows), *shape))
    return rows


def rows_as_images(rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Rows of h w (or h w 3) whole numbers from 0 to 255 as uint8 images of this shape.

    Raises:
        ShapeError: if the rows do not have as many numbers, or other numbers.
    Example:
        >>> rows_as_images(np.array([[0.0, 255.0, 7.0, 1.0]]), (2, 2)).tolist()
        [[[0, 255], [7, 1]]]
    """
    if shape[2:] == (1,):
        shape = shape[:2]
    if rows.shape[1:] == shape:
        return rows
    if rows.ndim != 2 or rows.shape[1] != math.prod(shape):
        raise ShapeError(
            f"X must be images of shape {shape}, or rows of {math.prod(shape)} numbers; got shape {rows.shape}. They "
            "must fit image_shape. Try another image_shape, or omit it for a table."
        )
    if rows.dtype != np.uint8 and not np.all((rows >= 0) & (rows <= 255) & (rows == np.floor(rows))):
        raise ShapeError(
            f"Rows of images must be whole numbers from 0 to 255; got {rows.dtype} with other values. Their range is "
            "never guessed. Try (X * 255).round() if X lies in [0, 1], or X.reshape(-1, *image_shape) to have them "
            "standardized."
        )
    return rows.astype(np.uint8).reshape(-1, *shape)


def _channels_last(rows: np.ndarray, channels: Channels) -> np.ndarray:
    if rows.ndim == 3 or (rows.ndim != 4 and channels != "auto"):
        return rows
    if rows.ndim != 4:
        shapes = "(n, h, w), (n, h, w, c) or (n, c, h, w)"
        raise ShapeError(f"Images must have shape {shapes}; got shape {rows.shape}. Try reshaping them.")
    first, last = rows.shape[1] in _COUNTS, rows.shape[3] in _COUNTS
    if channels == "auto":
        if first and last:
            raise ShapeError(
                f"Images must have channels in one place; got shape {rows.shape}, which could be (n, c, h, w) or "
                '(n, h, w, c). Which one it is, is never guessed. Try channels="first" or channels="last".'
            )
        channels = "first" if first else "last"
    if not (first if channels == "first" else last):
        raise ShapeError(
            f"Images must have 1 or 3 channels; got shape {rows.shape} with channels {channels}. Try keeping 3 of "
            "them, or flattening the rows for network='mlp'."
        )
    if channels == "first":
        rows = np.moveaxis(rows, 1, 3)
    return np.ascontiguousarray(rows[..., 0] if rows.shape[3] == 1 else rows)


def _as_stored(rows: np.ndarray) -> np.ndarray:
    if rows.dtype == np.uint8:
        return rows
    if rows.dtype.kind == "f":
        return rows.astype(np.float32, copy=False)
    raise ShapeError(
        f"Images must be uint8, 0 to 255, or floating-point numbers; got {rows.dtype} of shape {rows.shape}. The range "
        "of another dtype is never guessed. Try X.astype('uint8') if the values fit."
    )
