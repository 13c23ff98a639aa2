"""What the values of single rows and columns show: images of one color, columns that say nothing or say too much."""

import numpy as np

from likely.data.check.all_rows import AllRows
from likely.data.check.findings import Finding, Place, about
from likely.metrics.numerals import counted
from likely.preprocessing.stored_rows import pieces

_ENOUGH = 30
"""In fewer rows a column can separate the classes by chance."""


def constant_images(rows: AllRows) -> list[Finding]:
    """Images in which nothing can be seen."""
    flat: list[int] = []
    for part, start in zip(rows.parts.values(), rows.starts.tolist(), strict=True):
        first = start
        for block in pieces(part.X):
            values = block.reshape(len(block), -1, *block.shape[3:])
            constant = (values == values[:, :1]).reshape(len(block), -1).all(axis=1)
            flat += (np.flatnonzero(constant) + first).tolist()
            first += len(block)
    return about(
        "constant",
        "warning",
        [rows.place(row) for row in flat],
        "image is a single color|images are a single color",
        "Remove them, or find out how they were made.",
    )


def about_columns(rows: AllRows) -> list[Finding]:
    """Columns of numbers and categories with missing values, with one value, or that give the answer away."""
    X, y, dataset = np.asarray(rows.dataset.train.X), rows.dataset.train.y, rows.dataset
    names = dataset.features or tuple(str(j) for j in range(X.shape[1]))
    gone, constant, leaks = list[Place](), list[Place](), list[Place]()
    for j, name in enumerate(names):
        missing = np.isnan(X[:, j])
        if missing.any():
            detail = f"{counted(int(missing.sum()), 'row')} of training ({missing.mean():.1%})"
            gone.append(Place(name, "column", "train", detail=detail))
        values = X[~missing, j]
        if not len(values) or (values == values[0]).all():
            constant.append(Place(name, "column", "train", detail=f"{values[0]:.15g}" if len(values) else "missing"))
        elif _gives_away(values, y[~missing], dataset.task == "classification"):
            leaks.append(Place(name, "column", "train"))
    return [
        *about(
            "giveaway",
            "warning",
            leaks,
            "column gives the answer away: alone, it is right in every training row|columns give the answer away: "
            "alone, each is right in every training row",
            "If it is not known before the answer is, remove it: the model would learn nothing else.",
        ),
        *about(
            "missing",
            "note",
            gone,
            "column has missing values|columns have missing values",
            "Missing numbers are replaced by the mean and marked; check whether they are missing at random.",
        ),
        *about(
            "constant-column",
            "note",
            constant,
            "column holds one value only|columns hold one value only",
            "Remove it: it carries no information.",
        ),
    ]


def _gives_away(values: np.ndarray, y: np.ndarray, classifies: bool) -> bool:
    """Whether one column says the answer: a class per value or per interval of values, or the target on a line."""
    if len(values) < _ENOUGH:
        return False
    if not classifies:
        if y.ndim > 1 or not np.ptp(y):
            return False
        return bool(abs(np.corrcoef(values, y)[0, 1]) > 1 - 1e-9)
    order = np.lexsort((y, values))
    values, y = values[order], y[order]
    same_value = values[1:] == values[:-1]
    if (same_value & (y[1:] != y[:-1])).any():
        return False
    classes = len(np.unique(y))
    turns = int((y[1:] != y[:-1]).sum())
    # As few intervals as classes; or codes, each met several times, that always mean one class.
    codes = int((~same_value).sum()) + 1
    return classes > 1 and (turns == classes - 1 or codes * 5 <= len(values))
