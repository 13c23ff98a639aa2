"""What is wrong with data that can be opened."""

import numpy as np

from likely.data.check.all_rows import AllRows
from likely.data.check.class_balance import about_classes
from likely.data.check.duplicates import copies, near_copies, same_rows, without_copies
from likely.data.check.findings import Findings
from likely.data.check.values import about_columns, constant_images
from likely.data.dataset import Dataset
from likely.data.hashes import row_hashes


def check_dataset(dataset: Dataset, *, quick: bool = False, digests: np.ndarray | None = None) -> Findings:
    """What is wrong with data that can be opened: copies, classes, images and columns that say nothing.

    Args:
        dataset: images or rows of numbers, with labels or targets.
        quick: leave out what takes long: images that are not the same but look so.
        digests: where rows are thumbnails, a number for each, equal for equal images; then no constant ones are found.
    Example:
        >>> from likely.data.sources import open_dataset
        >>> [finding.kind for finding in check_dataset(open_dataset("iris"))]
        ['few-to-judge', 'duplicates']
    """
    rows = AllRows(dataset)
    hashes = [row_hashes(part.X) for part in rows.parts.values()] if digests is None else [digests]
    same = same_rows(np.concatenate(hashes))
    found = [*about_classes(rows), *copies(rows, same)]
    if not rows.are_images:
        return Findings([*found, *about_columns(rows)])
    found += constant_images(rows) if digests is None else []
    found += [] if quick else near_copies(rows, without_copies(len(rows), same))
    return Findings(found)
