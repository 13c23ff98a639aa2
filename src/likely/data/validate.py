"""What every data set must fulfil before anything is learned from it, wherever it came from."""

import numpy as np

from likely.data.classes import listed
from likely.data.dataset import Dataset, Part
from likely.data.far_values import refuse_far
from likely.errors import DataError, ShapeError
from likely.preprocessing.stored_rows import pieces


def validate(dataset: Dataset, *, to_learn: bool = True) -> Dataset:
    """The data set itself, if it can be learned from; or, without `to_learn`, if a model can be evaluated on it.

    Raises:
        ShapeError: if images are not uint8, or the parts' rows have different shapes.
        DataError: if a part is empty; there are fewer than two classes, or a class without a row to learn from; a
            label is not one of the classes; a number or target is NaN, infinite, or too far from the others to be
            learned from with them (`far_values.refuse_far`); or nothing varies at all.
    """
    for name, part in dataset.parts.items():
        where = f"The {'training' if name == 'train' else name} part of {dataset.name}"
        if len(part) == 0:
            raise DataError(f"{where} must have rows; got none. Check that the source holds examples.")
        _check_rows(where, part, dataset, to_learn=to_learn)
        if dataset.task == "classification":
            _check_labels(where, part, dataset.labels)
        else:
            _check_targets(where, part)
    if not to_learn:
        return dataset
    refuse_far(dataset)
    if dataset.task == "classification":
        _check_classes(dataset)
    if dataset.train.X.ndim > 2:
        _check_images_vary(dataset)
    elif (dataset.train.X[:1] == dataset.train.X).all():
        raise DataError(
            f"The rows of {dataset.name} must differ; got {len(dataset.train)} identical rows. Check that the right "
            "columns were read."
        )
    return dataset


def _check_rows(where: str, part: Part, dataset: Dataset, *, to_learn: bool) -> None:
    X, expected = part.X, dataset.train.X.shape[1:]
    if X.shape[1:] != expected:
        raise ShapeError(
            f"{where} must have rows of the training part's shape {expected}; got {X.shape[1:]}. The network has one "
            "input per value. Resize both to one shape."
        )
    if X.ndim > 2:
        if X.dtype.name not in ("uint8", "float32") or X.dtype != dataset.train.X.dtype:
            raise ShapeError(
                f"{where} must have images of dtype uint8, 0 to 255, or float32, like the training part; got "
                f"{X.dtype}. Convert all parts to one dtype."
            )
        return
    if X.ndim != 2 or X.dtype.kind not in "fiu":
        raise ShapeError(f"{where} must have rows of real numbers (n, d); got {X.dtype} of shape {X.shape}.")
    X = np.asarray(X)
    bad = np.argwhere(~(np.isfinite(X) | _may_be_missing(X, dataset, to_learn=to_learn)))
    if len(bad):
        row, column = (int(i) for i in bad[0])
        label = repr(dataset.features[column]) if dataset.features else str(column)
        raise DataError(
            f"{where} must have finite numbers; got {X[row, column]} in column {label} at row {row} "
            f"({len(bad)} such values). Fill or drop them first."
        )


def _may_be_missing(X: np.ndarray, dataset: Dataset, *, to_learn: bool) -> np.ndarray:
    """Which values are NaN where the columns of a table allow it, or a model that is to answer may."""
    allowed = [not to_learn or column.missing or column.categories is not None for column in dataset.columns or ()]
    return np.isnan(X) & np.array(allowed or False)


def _check_labels(where: str, part: Part, labels: tuple[str, ...]) -> None:
    if part.y.ndim != 1 or part.y.dtype.kind not in "iu":
        raise ShapeError(f"{where} must have integer labels (n,); got {part.y.dtype} of shape {part.y.shape}.")
    wrong = np.flatnonzero((part.y < 0) | (part.y >= len(labels)))
    if len(wrong):
        raise DataError(
            f"{where} must have labels from 0 to {len(labels) - 1}, one per class; got {part.y[wrong[0]]} "
            f"at row {wrong[0]}. Check that labels and classes belong together."
        )


def _check_targets(where: str, part: Part) -> None:
    if part.y.dtype.kind != "f":
        raise ShapeError(f"{where} must have targets of a floating-point dtype; got {part.y.dtype}. Cast them.")
    bad = np.argwhere(~np.isfinite(part.y))
    if len(bad):
        raise DataError(f"{where} must have finite targets; got {part.y[tuple(bad[0])]} at row {bad[0][0]}. Drop it.")


def _check_classes(dataset: Dataset) -> None:
    labels = dataset.labels
    counts = np.bincount(dataset.train.y, minlength=len(labels))
    if len(labels) < 2 or np.count_nonzero(counts) < 2:
        only = labels[int(counts.argmax())] if labels else "none"
        raise DataError(
            f"{dataset.name} must have at least two classes; got only one: {only!r}. Add examples of another class."
        )
    if len(set(labels)) < len(labels):
        raise DataError(f"The classes of {dataset.name} must have distinct names; got a name twice. Rename one.")
    empty = [label for label, count in zip(labels, counts, strict=True) if count == 0]
    if empty:
        raise DataError(
            f"Every class of {dataset.name} must have a training row; got none of {listed(empty)}. Add examples or "
            "remove the class."
        )


def _check_images_vary(dataset: Dataset) -> None:
    flat = (piece.reshape(len(piece), -1) for piece in pieces(dataset.train.X))
    if not any((rows != rows[:, :1]).any() for rows in flat):
        raise DataError(
            f"The images of {dataset.name} must show something; got {len(dataset.train)} images that are all a single "
            "color. Check how they were made."
        )
