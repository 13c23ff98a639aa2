"""From a column of answers to classes or targets, and which of the two they are."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Literal, NamedTuple

import numpy as np

from likely.data.dataset import Task
from likely.data.tables.cells import as_texts, missing
from likely.data.tables.missing_codes import without_codes
from likely.errors import DataError

MOST_CLASSES = 20
SHOWN = 5
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff]")


class Answers(NamedTuple):
    """Classes 0..k-1 with their names, or targets; `note` says how that was decided, where nobody said."""

    task: Task
    y: np.ndarray
    labels: tuple[str, ...]
    label_type: Literal["str", "int", "float", "bool"]
    note: str | None = None


def read_answers(
    values: np.ndarray, task: Literal["auto"] | Task, where: str, written: np.ndarray | None = None
) -> Answers:
    """What to predict: text and few different whole numbers are classes, other numbers are targets.

    Classes are sorted by name, numbers as numbers. Whole numbers are few if they are at most 20 different ones, each in
    two rows on average.

    Args:
        values: numbers or texts, shape (n,).
        task: what they are; "auto" decides by the rule.
        where: what to call them in messages, such as "Column 'y' of iris.csv".
        written: the same numbers as they are written, which names their classes; None for 1, 2.5 and the like.
    Raises:
        DataError: if answers are missing or infinite (how many, and the first rows), texts should be numbers, or there
            are as many different texts as rows.
    Example:
        >>> answers = read_answers(np.array([10.0, 9.0, 10.0, 9.0]), "auto", "y")
        >>> answers.task, answers.labels, answers.y.tolist()
        ('classification', ('9', '10'), [1, 0, 1, 0])
    """
    refuse_missing(missing(values), where)
    if values.dtype == object:
        return _of_texts(values, task, where)
    if np.isinf(values).any():
        row = int(np.isinf(values).argmax())
        raise DataError(f"{where} must have finite numbers; got {values[row]} in row {row}. Drop it.")
    different, y = np.unique(values, return_inverse=True)
    whole, few = _few_whole(different, len(values))
    plural = "" if len(different) == 1 else "s"
    if task == "classification" or (task == "auto" and few):
        note = (
            f"{where}: {len(different)} distinct whole number{plural}, treated as classes (--task regression to "
            "predict numbers)."
        )
        usual = as_texts(values)
        if written is not None and (written != usual).any():
            found = _of_texts(written, "classification", where)
            return found._replace(note=" ".join(filter(None, (note if task == "auto" else "", found.note))) or None)
        labels = tuple(as_texts(different).tolist())
        return Answers("classification", y, labels, "int" if whole else "float", note if task == "auto" else None)
    note = (
        f"{where}: {len(different):,} distinct number{plural}, to be predicted (--task classification to treat them as "
        "classes)."
    )
    return Answers("regression", values.astype(np.float64), (), "str", note if task == "auto" else None)


def class_ids(values: np.ndarray, where: str) -> str | None:
    """What to say of the answers to images if they are the numbers of classes; None if they are to be predicted.

    They are where they are whole, none is negative, and some come more than once.

    Example:
        >>> class_ids(np.array([0.0, 7.0, 7.0]), "y")
        'y: 2 distinct whole numbers of images, treated as classes (--task regression to predict numbers).'
    """
    if (
        values.dtype == object
        or not np.isfinite(values).all()
        or (values < 0).any()
        or (values != values.round()).any()
    ):
        return None
    n = len(np.unique(values))
    what = f"{n:,} distinct whole number{'' if n == 1 else 's'} of images"
    return None if n == len(values) else f"{where}: {what}, treated as classes (--task regression to predict numbers)."


def _few_whole(different: np.ndarray, rows: int) -> tuple[bool, bool]:
    whole = bool((different == np.round(different)).all())
    return whole, whole and len(different) <= MOST_CLASSES and 2 * len(different) <= rows


def targets_without_codes(
    values: np.ndarray, task: Literal["auto"] | Task, label: str
) -> tuple[np.ndarray, tuple[float, ...], list[str]]:
    """Targets with NaN for codes such as -999 that stand for a missing one, the codes, and what to say of them.

    Classes stay what they are.
    """
    present = np.unique(values[np.isfinite(values)]) if values.dtype == np.float64 else np.array([])
    if not len(present) or task == "classification" or (task == "auto" and _few_whole(present, len(values))[1]):
        return values, (), []
    return without_codes(values, label)


def refuse_missing(gone: Sequence[bool] | np.ndarray, where: str, got: str = "none") -> None:
    """Refuse rows without an answer.

    Args:
        gone: whether the answer is missing, for each row.
        where: what to call the answers in the message.
        got: what stands in place of an answer.
    Raises:
        DataError: with their number and the first of them.
    """
    rows = np.flatnonzero(gone)
    if len(rows):
        first = ", ".join(map(str, rows[:SHOWN])) + (", ..." if len(rows) > SHOWN else "")
        raise DataError(
            f"{where} must have an answer in every row; got {got} in {len(rows):,} of {len(gone):,} rows (from 0): "
            f"{first}. Fill them in or drop the rows."
        )


def _of_texts(values: np.ndarray, task: str, where: str) -> Answers:
    texts = values.tolist()
    counts = Counter(texts)
    numeric = {text: is_number(text) for text in counts}
    words = next((row for row, text in enumerate(texts) if not numeric[text]), None)
    if task == "regression":
        if words is None:
            return Answers("regression", np.array(texts, dtype=np.float64), (), "str")
        raise DataError(
            f"{where} must have numeric targets for regression; got {texts[words]!r} in row {words}. Try --missing "
            "with this text, --number with the column, or --task classification."
        )
    if not isinstance(values[0], str):
        raise DataError(f"{where} must have text or numbers as answers; got bytes. Try another column.")
    labels = tuple(sorted(numeric, key=_by_number if words is None else None))
    others = sum(count for text, count in counts.items() if not numeric[text])
    many = 2 * len(labels) > len(texts) if task == "auto" else len(labels) == len(texts)
    if many and len(labels) > MOST_CLASSES and words is not None and 2 * others < len(texts):
        raise DataError(
            f"{where} must hold numbers, or labels that several rows share; got numbers but for {texts[words]!r} and "
            f"the like in {100 * others / len(texts):.2g}% of rows. Try --missing with these texts, or --number with "
            "the column."
        )
    if len(labels) == len(values) >= MOST_CLASSES:
        raise DataError(
            f"{where} must have labels that several rows share; got a different text in each of {len(values):,} rows. "
            f"They look like names. Try --label with another column{', or --number with this' * (words is None)}."
        )
    numbers = {label: i for i, label in enumerate(labels)}
    y = np.array([numbers[text] for text in texts], dtype=np.int64)
    return Answers("classification", y, labels, "bool" if labels == ("False", "True") else "str", alike(labels, where))


def alike(labels: Iterable[str], where: str, what: str = "classes") -> str | None:
    """A sentence on names that may be spellings of one: other capitals or characters, or the same number."""
    meant, pairs = dict[object, str](), list[str]()
    for label in labels:
        text = unicodedata.normalize("NFC", _INVISIBLE.sub("", label)).strip().casefold()
        text = {"true": "1", "false": "0"}.get(text, text)
        first = meant.setdefault(Decimal(text) if is_number(text) else text, label)
        if first != label:
            pairs.append(f"{first!r} and {label!r}")
    if not pairs:
        return None
    shown = ", ".join(pairs[:SHOWN]) + (f" and {len(pairs) - SHOWN:,} more pairs" if len(pairs) > SHOWN else "")
    each = " each" if len(pairs) > 1 else ""
    return f"{where}: {shown} are two {what}{each}; if they mean the same, write them in one way."


def _by_number(text: str) -> tuple[Decimal, str]:
    return Decimal(text), text


def is_number(text: object) -> bool:
    """Whether a text is a finite number in decimal notation."""
    try:
        return Decimal(text).is_finite()  # pyright: ignore[reportArgumentType]
    except (TypeError, ValueError, InvalidOperation):
        return False
