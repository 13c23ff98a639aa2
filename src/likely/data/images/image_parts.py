"""Images with their answers, as the parts of a data set."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from likely.data.dataset import PARTS, Part
from likely.data.images.decode import ImageForm
from likely.data.images.decode_many import Reading, bad_ones, load_images
from likely.data.images.paths_and_globs import Found
from likely.preprocessing.stored_rows import take_rows


@dataclass(frozen=True)
class LabeledImage:
    """An image, its label, and the part it is in: "train", "val" or "test"."""

    found: Found
    part: str
    label: str


@dataclass(frozen=True)
class ImageParts:
    """Images as the parts of a data set, by name; how each was read; what to say of them."""

    parts: dict[str, Part]
    form: ImageForm
    notes: tuple[str, ...]

    @property
    def conversion(self) -> dict[str, Any] | None:
        """How each became one of its shape; None if it was only resized."""
        return None if self.form.conversion is None else dict(self.form.conversion)


def read_parts(found: Sequence[Found], part_of: Sequence[str], answers: Part, how: Reading) -> ImageParts:
    """The parts that have an image that can be read; a DataError if there is none in a place, or as `load_images`."""
    missing = [str(entry.error) for entry in found if entry.source is None]
    if missing and not how.skip_bad:
        raise bad_ones(f"{len(missing):,} of {len(found):,} rows have no image:", missing)
    named = [i for i, entry in enumerate(found) if entry.source is not None]
    sources = [source for entry in found if (source := entry.source) is not None]
    loaded = load_images(sources, [found[i].name for i in named], how)
    kept = np.array(named, dtype=np.int64)[loaded.kept]
    on_disk = all(isinstance(source, Path) for source in sources)
    part_of_kept = np.array(part_of)[kept]
    parts: dict[str, Part] = {}
    for part in PARTS:
        rows = np.flatnonzero(part_of_kept == part)
        if len(rows) or part == "train":
            X = loaded.X if len(rows) == len(kept) else take_rows(loaded.X, rows)
            paths = [found[i].name for i in kept[rows]] if on_disk else None
            aside = (answers.order, answers.numbers, answers.groups)
            parts[part] = Part(X, answers.y[kept[rows]], paths, *(None if v is None else v[kept[rows]] for v in aside))
    skipped = [*missing, *loaded.skipped]
    notes = [loaded.note] if loaded.note else []
    if skipped:
        notes.append(f"{len(skipped):,} of {len(found):,} images could not be read and were skipped, {skipped[0]}")
    return ImageParts(parts, loaded.form, tuple(notes))
