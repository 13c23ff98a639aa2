"""Which columns of a table are worth learning from, and what they become."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from likely.data.tables.cells import as_texts, missing
from likely.data.tables.column_options import ColumnOptions
from likely.data.tables.date_parts import DATE_PARTS, TIME_PARTS, WEEKDAYS, date_part
from likely.data.tables.number_blocks import number_blocks
from likely.data.tables.table import Table
from likely.data.tables.targets import alike
from likely.preprocessing.columns import Column

_FEW = 20  # with fewer rows, that all are different says nothing
_COUNTERS = re.compile("id|index|idx|rows?|nr|no|num|number|count|counter|key|record|obs|observation|unnamed|n|i|lfd")
_COUNTING = re.compile("id$|row|number|seq|record|lfd")
_IDENTIFIER = re.compile(r"(?:^|[\W_])(?i:id)$|[a-z]I[dD]$|^(?:|index|Unnamed: 0)$")
_KEY_NAME = re.compile(
    r"(house_?hold|family|person|customer|client|patient|subject|lot|batch|user|account)s?[\s_.-]?(id|no|nr|num|number|key)?\.?",
    re.IGNORECASE,
)
_KEYS, _SHARED = 50, 5
"""Texts or whole numbers of so many kinds or more, which come up to so often each on average, are keys of something."""
_KEYS_BY_NAME, _SHARED_BY_NAME = 10, 8
"""The same of texts that are called like keys; whole numbers are keys only if they are called so."""
_MOST_CODES = 20
_FIRST = 200  # rows


def describe(
    table: Table, names: Sequence[str], train: np.ndarray, options: ColumnOptions
) -> tuple[tuple[Column, ...], list[str]]:
    """What the columns become, and a sentence for each that is left out or whose kind is not certain.

    Left out, if they are not to be kept, are columns without a value, those with one value only, those that count the
    rows and are called like it, texts of which more than half are different (names, keys or prose), and texts of many
    kinds that a few rows share each, such as households: what is learned of them says nothing of others.

    Args:
        table: all rows.
        names: of the columns to describe.
        train: the rows to learn from.
        options: what was said of the columns.
    """
    columns, notes, codes = list[Column](), list[str](), list[str]()
    usual = _usual_numbers({name: table.columns[name] for name in names}, train)
    for name in names:
        values = table.columns[name]
        if name in usual:
            gaps, like_codes = usual[name]
            columns.append(Column(name, None, gaps, table.readings.get(name)))
            codes += [name] if like_codes and name not in options.numbers else []
            continue
        reason = _useless(name, values[train], name in (*options.keep, *options.categories, *options.numbers))
        if reason is not None:
            notes.append(f"Column {name!r} is ignored: {reason}.")
            continue
        made = list(_columns(table, name, values, train))
        if values.dtype == object and (said := alike(made[0].categories or (), f"Column {name!r}", "categories")):
            notes.append(said)
        columns += made
        if values.dtype.kind in "Mm":
            parts = ", ".join(column.part for column in made)
            what = "dates" if values.dtype.kind == "M" else "times"
            notes.append(
                f"Column {name!r} holds {what}: learned from as {parts}{option('category', name, 'as texts')}."
            )
        elif values.dtype == np.float64 and name not in options.numbers and _like_codes(values[train][None])[0]:
            codes.append(name)
    if codes:
        listed = ", ".join(map(repr, codes[:20])) + (", ..." if len(codes) > 20 else "")
        few = (
            "Column {} holds few different whole numbers"
            if len(codes) == 1
            else "Columns {} hold few different whole numbers"
        )
        which = option("category", codes[0] if len(codes) == 1 else "COLUMN", "as names of categories")
        notes.append(f"{few.format(listed)}, learned from as numbers{which}.")
    return tuple(columns), notes


def _usual_numbers(columns: Mapping[str, np.ndarray], train: np.ndarray) -> dict[str, tuple[bool, bool]]:
    """The columns of numbers that are learned from for sure: whether values are missing, and whether they are codes.

    They vary, and hold fractions, or whole numbers that neither count the rows nor are called like keys.
    """
    found = dict[str, tuple[bool, bool]]()
    for names, block in number_blocks(columns):
        learned = block if len(train) == block.shape[1] else block[:, train]
        some = np.sort(learned[:, :_FIRST], axis=1)
        there = np.isfinite(some)
        varies = ((some[:, 1:] != some[:, :-1]) & there[:, 1:] & there[:, :-1]).any(axis=1)
        whole = ((some == np.round(some)) | ~there).all(axis=1)
        counts = np.isin(learned[:, 0], (0, 1)) & (np.diff(learned[:, :3], axis=1) == 1).all(axis=1)
        gaps = np.logical_or.reduce(np.isnan(block), axis=1)
        codes = _like_codes(learned)
        for j in np.flatnonzero(varies).tolist():
            if not whole[j] or not (counts[j] or _called_like_keys(names[j])):
                found[names[j]] = bool(gaps[j]), bool(codes[j])
    return found


def option(which: str, name: str, meaning: str = "") -> str:
    """What to add to a note on a column that an option decides about; "" where the shell can't name it."""
    return f" (--{which} {shlex.quote(name)}{meaning and ': ' + meaning})" if name else ""


def _columns(table: Table, name: str, values: np.ndarray, train: np.ndarray) -> Iterator[Column]:
    reading, gaps = table.readings.get(name), bool(missing(values).any())
    if values.dtype.kind not in "Mm":
        categories = None
        if values.dtype == object:
            categories = tuple(sorted({text for text in values[train].tolist() if text is not None}))
        yield Column(name, categories, gaps, reading)
        return
    known = values[train][~np.isnat(values[train])]
    if values.dtype.kind == "m":
        of_day = bool((known >= np.timedelta64(0)).all() and (known < np.timedelta64(1, "D")).all())
        for part in TIME_PARTS if of_day else TIME_PARTS[:1]:
            yield Column(f"{name}: {part}", None, gaps, reading, part, name)
        return
    for part in DATE_PARTS:
        whole = part.replace("cosine", "sine")
        if len(np.unique(as_texts(date_part(known, whole)).astype(str))) > 1 or part == "days":
            categories = WEEKDAYS if part == "weekday" else None
            yield Column(f"{name}: {part}", categories, gaps, reading, part, name)


def _useless(name: str, values: np.ndarray, wanted: bool) -> str | None:
    """Why nothing can be learned from the column, if so; what looks like keys may be wanted all the same."""
    gone = missing(values)
    present = values[~gone]
    if not len(present):
        return "it has no value in any row"
    if values.dtype == object and isinstance(present[0], bytes):
        return "it holds bytes"
    different = len(set(present.tolist())) if values.dtype == object else 2 - int((present == present[0]).all())
    if different == 1 and not gone.any():
        shown = f"{present[0]:.15g}" if values.dtype.kind == "f" else repr(_shortened(as_texts(present[:1])[0]))
        return f"it is {shown} in every row"
    if wanted or len(values) < _FEW:
        return None
    if values.dtype.kind in "Mm":
        return None
    named = _called_like_keys(name)
    if values.dtype == object:
        if different > len(present) / 2:
            long = np.mean([len(text) for text in present.tolist()]) > 40
            what = "prose" if long else "names or keys"
            return f"it looks like {what}, {different:,} different texts in {len(present):,} rows{option('keep', name)}"
    else:
        if not gone.any() and values[0] in (0, 1) and (np.diff(values) == 1).all() and _counts(name):
            return f"it counts the rows{option('keep', name)}"
        if not named or (present != np.round(present)).any():
            return None
        different = len(np.unique(present))
        if different == len(present) and _IDENTIFIER.search(name.strip()):
            return f"it looks like an identifier, a different whole number in every row{option('keep', name)}"
    shared, fewest = (_SHARED_BY_NAME, _KEYS_BY_NAME) if named and values.dtype == object else (_SHARED, _KEYS)
    if different < fewest or different * shared < len(present) + (shared == _SHARED and values.dtype == object):
        return None
    quoted = shlex.quote(name)
    return f"it looks like keys that a few rows share, {different:,} different ones in {len(present):,} rows" + (
        f" (--group {quoted}: rows of one key are related; --keep {quoted})" if name else ""
    )


def _called_like_keys(name: str) -> bool:
    return bool(_IDENTIFIER.search(name.strip()) or _KEY_NAME.fullmatch(name.strip()))


def _counts(name: str) -> bool:
    """Whether a column is called like one that counts the rows: record_id, "Row Number", "lfd. Nr."."""
    letters = re.sub("[^a-z]", "", name.lower())
    return bool(_COUNTERS.fullmatch(letters) or _COUNTING.search(letters)) or name.strip() in ("", "#")


def _like_codes(values: np.ndarray) -> np.ndarray:
    """Which columns (k, n) of numbers may be codes: few whole ones, more than two, each in several rows."""
    found = _kinds_of_whole(values[:, :_FIRST]) <= _MOST_CODES
    if found.any():
        kinds = _kinds_of_whole(values[found])
        found[found] = (kinds > 2) & (kinds <= _MOST_CODES) & (values.shape[1] >= 5 * kinds)
    return found


def _kinds_of_whole(values: np.ndarray) -> np.ndarray:
    """How many different numbers there are in each row; infinitely many if one is a fraction."""
    ordered = np.sort(values, axis=1)
    there = np.isfinite(ordered)
    new = there[:, 1:] & (ordered[:, 1:] != ordered[:, :-1])
    fraction = (there & (ordered != np.round(ordered))).any(axis=1)
    return np.where(fraction, np.inf, new.sum(axis=1) + there[:, 0])


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:80]}..."
