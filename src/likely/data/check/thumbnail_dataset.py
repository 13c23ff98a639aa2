"""Image files that were all looked at, as a data set of thumbnails: enough to compare them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from likely.data.check.files import FileFacts
from likely.data.check.findings import Finding
from likely.data.dataset import PARTS, Dataset, Part
from likely.data.images.decode_many import Reading
from likely.data.images.image_parts import LabeledImage


@dataclass(frozen=True)
class LookedAt:
    """What is in a folder, or in a table of images.

    Args:
        dataset: thumbnails of the images that can be read, with their paths; None if there are none to learn from.
        digests: a number per row of its parts, train, val, test: equal for equal pixels.
        findings: what only the files show.
        shape: of the images as a network would get them, if that is clear.
    """

    dataset: Dataset | None
    digests: np.ndarray | None
    findings: list[Finding]
    shape: tuple[int, ...] | None


def looked_at(
    found_at: str,
    files: Sequence[LabeledImage],
    seen: Sequence[FileFacts],
    labels: Sequence[str],
    findings: list[Finding],
    how: Reading,
) -> LookedAt:
    """What there is to know of files, by what is `seen` in each; classes without a training image are left out."""
    good = [(file, one) for file, one in zip(files, seen, strict=True) if one.error is None]
    shape = how.form_of([one.shape for _, one in good])[0].shape if good else None
    learned = {file.label for file, _ in good if file.part == "train"}
    kept = tuple(label for label in labels if label in learned)
    if not kept:
        return LookedAt(None, None, findings, shape)
    numbers = {label: i for i, label in enumerate(kept)}
    gray = all(one.gray for _, one in good)
    parts: dict[str, Part] = {}
    digests: list[bytes] = []
    for name in PARTS:
        rows = [(file, one) for file, one in good if file.part == name and file.label in numbers]
        if rows:
            X = np.stack([one.thumbnail for _, one in rows if one.thumbnail is not None])
            y = np.array([numbers[file.label] for file, _ in rows], dtype=np.int64)
            on_disk = all(not isinstance(file.found.source, bytes) for file, _ in rows)
            paths = tuple(file.found.name for file, _ in rows) if on_disk else None
            parts[name] = Part(X[..., 0] if gray else X, y, paths)
            digests += [one.digest for _, one in rows]
    train, test, val = parts["train"], parts.get("test"), parts.get("val")
    dataset = Dataset(found_at, "classification", train, test, val, labels=kept, found_at=found_at)
    return LookedAt(dataset, np.frombuffer(b"".join(digests), dtype="<u8"), findings, shape)
