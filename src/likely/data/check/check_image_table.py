"""A table of images, looked at to the end: no fault hides another one."""

from pathlib import Path

from likely.data.check.file_findings import about_files
from likely.data.check.files import look_at_files
from likely.data.check.findings import Finding
from likely.data.check.thumbnail_dataset import LookedAt, looked_at
from likely.data.images.decode_many import Reading
from likely.data.images.image_parts import LabeledImage
from likely.data.images.image_table import find_in_table, image_column
from likely.data.tables.open_table import LabeledTable, check_learned
from likely.errors import DataError


def look_at_image_table(path: Path, labeled: LabeledTable, image: str | None, how: Reading) -> LookedAt | None:
    """Every image that the table at this path names or holds; None if it has none, or numbers for answers."""
    table, label, answers, split, _ = labeled
    image, _ = image_column(table, image, exclude=label)
    if image is None or answers.task == "regression":
        return None
    found = find_in_table(table, image)
    files = [
        LabeledImage(found[row], part, answers.labels[answers.y[row]])
        for part, rows in split.rows.items()
        for row in rows.tolist()
    ]
    seen = look_at_files(files, how.progress)
    findings = about_files(path.parent, files, seen, how)
    try:
        check_learned(labeled)
    except DataError as error:
        findings.append(Finding("unseen-class", "error", str(error)))
    return looked_at(str(path), files, seen, answers.labels, findings, how)
