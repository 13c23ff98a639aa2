"""Rows that are the same, and images that look the same: across parts, under two labels, or merely twice."""

from collections.abc import Sequence
from functools import partial
from itertools import compress

import numpy as np

from likely.data.check.all_rows import AllRows
from likely.data.check.findings import Finding, Severity
from likely.data.check.near_duplicates import look_alike
from likely.metrics.numerals import counted


def same_rows(hashes: np.ndarray) -> list[np.ndarray]:
    """Groups of two and more rows with the same hash, each a sorted array of row numbers.

    Example:
        >>> same_rows(np.array([7, 5, 7, 6], np.uint64))
        [array([0, 2])]
    """
    order = np.argsort(hashes, kind="stable")
    bounds = np.flatnonzero(np.diff(hashes[order])) + 1
    starts, ends = np.append(0, bounds), np.append(bounds, len(order))
    several = np.flatnonzero(ends - starts > 1)
    return sorted((order[starts[i] : ends[i]] for i in several), key=lambda group: int(group[0]))


def without_copies(n: int, groups: Sequence[np.ndarray]) -> np.ndarray:
    """The numbers of all n rows but the second and later ones of each group."""
    keep = np.ones(n, dtype=bool)
    for group in groups:
        keep[group[1:]] = False
    return np.flatnonzero(keep)


def copies(rows: AllRows, groups: Sequence[np.ndarray]) -> list[Finding]:
    """What is wrong with rows that are the same."""
    across, conflicting, plain = _sorted_out(rows, groups)
    noun, about = rows.noun, partial(_about, rows)
    spare = counted(sum(len(group) - 1 for group in plain), "copy", "copies")
    return [
        *about(
            "leak",
            "warning",
            across,
            f"{_elsewhere(rows, across)} can also be found in another part, so figures on held-out {noun}s flatter the "
            "model.",
            f"Remove the copies from one of the parts{'' if rows.are_images else ', if they are the same example'}.",
        ),
        *about(
            "conflict",
            "warning" if rows.are_images else "note",
            conflicting,
            f"{counted(len(conflicting), f'{noun} occurs', f'{noun}s occur')} under several labels.",
            "Keep the right label of each."
            if rows.are_images
            else "If the columns do not determine the label, probabilities must stay below 1; check that no column is "
            "missing.",
        ),
        *about(
            "duplicates",
            "note",
            plain,
            f"{counted(len(plain), f'{noun} occurs', f'{noun}s occur')} more than once in its part, with the same "
            f"label ({spare} too many).",
            "Keep one of each: fit draws copies together and counts them once."
            if rows.are_images
            else "Keep one of each if they are the same example; fit says which rows it treats as copies.",
        ),
    ]


def near_copies(rows: AllRows, distinct: np.ndarray) -> list[Finding]:
    """What is wrong with images that are not the same, but look so: `distinct` are the numbers of one row of each."""
    groups = [distinct[group] for group in look_alike(lambda index: rows.take(distinct[index]), len(distinct))]
    across, conflicting, plain = _sorted_out(rows, groups)
    about = partial(_about, rows)
    return [
        *about(
            "near-leak",
            "warning",
            across,
            f"{_elsewhere(rows, across)} may have a copy in another part; they look the same.",
            "If they are copies, remove them from one of the parts: figures on held-out images flatter the model.",
        ),
        *about(
            "near-conflict",
            "warning",
            conflicting,
            f"{counted(len(conflicting), 'group')} of images that look the same "
            f"{'has' if len(conflicting) == 1 else 'have'} several labels.",
            "Look at them: one of the labels may be wrong.",
        ),
        *about(
            "near-duplicates",
            "note",
            plain,
            f"{counted(len(plain), 'group')} of images with the same label in the same part look the same.",
            "If they are copies (saved again, resized, brightened), keep one of each.",
        ),
    ]


def _sorted_out(
    rows: AllRows, groups: Sequence[np.ndarray]
) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """Groups in several parts; groups of several labels; groups that are neither."""
    crosses = [bool(np.ptp(rows.part_of[group]) > 0) for group in groups]
    differs = [bool((rows.y[group] != rows.y[group[0]]).any()) for group in groups]
    plain = [not any(either) for either in zip(crosses, differs, strict=True)]
    across, conflicting, others = (list(compress(groups, chosen)) for chosen in (crosses, differs, plain))
    return across, conflicting, others


def _about(
    rows: AllRows, kind: str, severity: Severity, groups: Sequence[np.ndarray], message: str, advice: str
) -> list[Finding]:
    places = [[rows.place(int(row)) for row in group] for group in groups]
    return [Finding(kind, severity, message, advice, places, alike=True)] if places else []


def _elsewhere(rows: AllRows, groups: Sequence[np.ndarray]) -> str:
    """How many rows of each part have another one in an earlier part."""
    counts = np.zeros(len(rows.parts), int)
    for group in groups:
        parts = rows.part_of[group]
        counts += np.bincount(parts[parts > parts.min()], minlength=len(counts))
    some = [counted(int(n), f"{part} {rows.noun}") for part, n in zip(rows.parts, counts, strict=True) if n]
    return " and ".join(some)
