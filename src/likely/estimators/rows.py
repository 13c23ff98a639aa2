"""What users pass to the estimators, as what a data set holds: labels, label distributions and weights."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, cast

import numpy as np

from likely.errors import DataError, ShapeError
from likely.probability.simplex import check_probabilities

LabelType: TypeAlias = Literal["str", "int", "float", "bool"]


def label_type(classes: np.ndarray) -> LabelType:
    """What kind of labels these are, for a model file to keep.

    Example:
        >>> label_type(np.array(["cat", "dog"])), label_type(np.array([False, True]))
        ('str', 'bool')
    """
    kinds: dict[str, LabelType] = {"i": "int", "u": "int", "f": "float", "b": "bool"}
    return kinds.get(classes.dtype.kind, "str")


def refuse_mixed(y: Any) -> None:
    """Refuse labels of which some are text and some are not: '1' and 1 have the same name, but are not the same.

    Raises:
        DataError: naming the first of each kind.

    Example:
        >>> refuse_mixed([1, 2, "1"])
        Traceback (most recent call last):
        likely.errors.DataError: y must hold labels of one kind; got 1 (int) in row 0 and '1' (str) in row 2. ...
    """
    if not (isinstance(y, list | tuple) or (isinstance(y, np.ndarray) and y.dtype.kind == "O" and y.ndim == 1)):
        return
    first: dict[type, int] = {}
    for row, value in enumerate(cast(Sequence[Any], y)):
        if isinstance(value, list | tuple | np.ndarray):  # rows of several answers
            return
        kind = str if isinstance(value, str) else bytes if isinstance(value, bytes) else object
        first.setdefault(kind, row)
    if len(first) > 1:
        rows = sorted(first.values())[:2]
        got = " and ".join(f"{y[row]!r} ({type(y[row]).__name__}) in row {row}" for row in rows)
        raise DataError(
            f"y must hold labels of one kind; got {got}. Text and numbers have no common order. Try [str(label) for "
            "label in y]."
        )


def named_distributions(y: Any, classes: Any, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Label distributions (n, k) and the k labels that name their columns; counts of votes become shares.

    Raises:
        DataError: if a label comes twice, a row has no vote, or the rows are sets of labels.
        ShapeError: if y does not have a row per row and a column per label.
        ProbabilityError: if a row is not a distribution; the message names the first.

    Example:
        >>> named_distributions(np.array([[3, 1], [0, 4]]), ["cat", "dog"], 2)[0].tolist()
        [[0.75, 0.25], [0.0, 1.0]]
    """
    names = np.asarray(classes)
    if names.ndim != 1 or len(set(names.tolist())) < len(names):
        raise DataError(f"classes must be distinct labels; got shape {names.shape} with repetitions. Name each once.")
    if np.shape(y) != (n_rows, len(names)):
        raise ShapeError(
            f"y must have a row per row of X and a column per label, {(n_rows, len(names))}; got {np.shape(y)}. "
            "Try classes= with one name per column."
        )
    return check_probabilities(_as_shares(np.asarray(y)), names.tolist(), what="y").astype(np.float64), names


def _as_shares(y: np.ndarray) -> np.ndarray:
    """Counts of votes as shares of each row; everything else as it is."""
    whole = y.dtype.kind in "buif" and bool(np.all((y >= 0) & (y == np.floor(y))))
    sums = y.sum(axis=1) if whole else np.ones(len(y))
    if np.all(sums == 1):
        return y
    if y.max() <= 1 and len(np.unique(sums)) > 1:
        raise DataError(
            f"y must be one label per row, or how probable each is; got rows of {int(sums.min())} to {int(sums.max())} "
            "labels at once. A distribution is over mutually exclusive labels. Try one classifier per label."
        )
    if not sums.all():
        raise DataError(
            f"Each row of votes must have at least one vote; got none in row {int((sums == 0).argmax())}. Drop the row."
        )
    return y / sums[:, None]
