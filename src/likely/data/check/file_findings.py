"""What is odd about image files: damaged ones, sizes and modes unlike the others'."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from likely.data.check.files import FileFacts
from likely.data.check.findings import Finding, Place, Severity, about
from likely.data.corrections import relative_path
from likely.data.images.decode_many import Reading
from likely.data.images.image_parts import LabeledImage
from likely.metrics.numerals import counted

_ODD_SIZE = 3.0
"""An image is odd if its side (the root of its area) is so many times the median, or so many times less."""

_ODD_SHAPE = 1.5
"""... or if it is so many times wider or higher, for its size, than the median."""

_Row: TypeAlias = tuple[str, Severity, Sequence[tuple[LabeledImage, FileFacts]], str, str, Callable[[FileFacts], str]]
"""A kind of finding: its name, how bad it is, the files, what to say of one, what to do, and the detail of each."""

_PLURAL = {"is": "are", "has": "have"}


def about_files(folder: Path, files: Sequence[LabeledImage], seen: Sequence[FileFacts], how: Reading) -> list[Finding]:
    """The findings, one of each kind at most."""
    pairs = list(zip(files, seen, strict=True))
    bad, good = [p for p in pairs if p[1].error is not None], [p for p in pairs if p[1].error is None]
    gray, color = [p for p in good if p[1].gray], [p for p in good if not p[1].gray]
    few, mode, others = (gray, "gray", "color") if len(gray) <= len(color) else (color, "color", "gray")
    rows: tuple[_Row, ...] = (
        (
            "unreadable",
            "warning" if how.skip_bad else "error",
            bad,
            "can't be read",
            "Skipped because of --skip-bad." if how.skip_bad else "Fix or remove them, or skip them with --skip-bad.",
            lambda s: _reason(s.error or ""),
        ),
        (
            "constant",
            "warning",
            [p for p in good if p[1].constant],
            "is a single color",
            "Remove them, or find out how they were made.",
            _size,
        ),
        (
            "odd-size",
            "note",
            _odd_sizes(good),
            "is much larger, smaller, wider or higher than the rest",
            "Look at them: resizing may lose detail or distort them.",
            _size,
        ),
        (
            "odd-mode",
            "note",
            few if gray and color else [],
            f"is {mode} among {others} ones; all are read as color",
            "If this differs between classes, the network learns the file type instead: convert all to one mode.",
            lambda s: s.mode,
        ),
        (
            "transparent",
            "note",
            [p for p in good if not p[1].opaque],
            "is partly transparent: put on white",
            "If white is the wrong background, put them on the right one.",
            lambda s: s.mode,
        ),
        (
            "deep",
            "note",
            [p for p in good if p[1].mode.startswith("I")],
            "has 16 bits per value: scaled to 8",
            "If only part of the range is used, rescale it before saving.",
            lambda s: s.mode,
        ),
        (
            "animated",
            "note",
            [p for p in good if p[1].frames > 1],
            "has several frames or pages: only the first is used",
            "Save the others as separate files if they matter.",
            lambda s: counted(s.frames, "frame"),
        ),
        (
            "turned",
            "note",
            [p for p in good if p[1].turned],
            "is rotated upright according to the EXIF data",
            "Nothing to do, unless they were annotated in a program that ignores EXIF.",
            _size,
        ),
    )
    found: list[Finding] = []
    for kind, severity, pairs, says, advice, detail in rows:
        verb, _, rest = says.partition(" ")
        places = [_place(folder, file, detail(facts)) for file, facts in pairs]
        found += about(kind, severity, places, f"image {says}|images {_PLURAL.get(verb, verb)} {rest}", advice)
    return found + _sizes(folder, good, how)


def _sizes(folder: Path, good: Sequence[tuple[LabeledImage, FileFacts]], how: Reading) -> list[Finding]:
    """What becomes of images of several sizes, with the first image of each, the most frequent first."""
    note = how.form_of([s.shape for _, s in good])[1] if good else ""
    if not note:
        return []
    first = {_size(s): file for file, s in reversed(good)}
    counts = Counter(_size(s) for _, s in good)
    groups = [[_place(folder, first[size], f"{size}, as {n:,} in all")] for size, n in counts.most_common()]
    return [Finding("sizes", "note", note, "Look whether what tells the classes apart survives that.", groups)]


def _odd_sizes(good: Sequence[tuple[LabeledImage, FileFacts]]) -> list[tuple[LabeledImage, FileFacts]]:
    if not good:
        return []
    sizes = np.array([(s.height, s.width) for _, s in good], dtype=np.float64)
    side, shape = np.log(sizes).mean(axis=1), np.log(sizes[:, 1] / sizes[:, 0])
    far = np.abs(side - np.median(side)) >= np.log(_ODD_SIZE) - 1e-9
    wide = np.abs(shape - np.median(shape)) >= np.log(_ODD_SHAPE**2) - 1e-9
    return [pair for pair, odd in zip(good, far | wide, strict=True) if odd]


def _place(folder: Path, file: LabeledImage, detail: str) -> Place:
    name = relative_path(file.found.name, str(folder))
    return Place(name, "path", file.part, label=file.label, detail=detail)


def _size(seen: FileFacts) -> str:
    return f"{seen.height} x {seen.width}"


def _reason(error: str) -> str:
    """What the file is instead of an image: the part of the message that does not repeat its name."""
    got = error.partition("; got ")[2] or error
    return got.partition(". ")[0].rstrip(".")
