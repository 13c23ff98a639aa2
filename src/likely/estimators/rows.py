"""What users pass to the estimators, as what a data set holds: labels, label distributions and weights."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, cast

import numpy as np

from likely.data.tables.targets import MOST_CLASSES, alike, is_number
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


def refuse_words(y: Any) -> None:
    """Refuse a text that is no number where numbers are to be learned.

    Raises:
        DataError: naming the first.

    Example:
        >>> refuse_words(["1.5", "unknown"])
        Traceback (most recent call last):
        likely.errors.DataError: y must hold numbers; got 'unknown' in row 1. Drop the row, or try likely.Classifier.
    """
    if isinstance(y, list | tuple) or (isinstance(y, np.ndarray) and y.dtype.kind in "OU" and y.ndim == 1):
        for row, value in enumerate(cast(Sequence[Any], y)):
            if isinstance(value, str) and not is_number(value):
                raise DataError(
                    f"y must hold numbers; got {value!r} in row {row}. Drop the row, or try likely.Classifier."
                )


def about_labels(classes: np.ndarray, index: np.ndarray) -> list[str]:
    """What to say of labels that are texts: several may be meant as one, or numbers as numbers.

    Args:
        classes: all labels, shape (k,).
        index: the number of each row's label.
    Example:
        >>> about_labels(np.array(["No", "no"]), np.array([0, 1]))
        ["y: 'No' and 'no' are two classes; if they mean the same, write them in one way."]
    """
    labels = classes.tolist()
    if not all(isinstance(label, str) for label in labels):
        return []
    notes = [alike(labels, "y")]
    words = np.flatnonzero([not is_number(label) for label in labels])
    rows = np.flatnonzero(np.isin(index, words))
    if len(labels) - len(words) > MOST_CLASSES and 0 < 5 * len(rows) <= len(index):
        notes.append(
            f"y holds numbers as text, but {labels[index[rows[0]]]!r} in row {rows[0]}: each of {len(labels):,} texts "
            "is a class. To predict numbers, drop such rows and try likely.Regressor."
        )
    return [note for note in notes if note]


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
